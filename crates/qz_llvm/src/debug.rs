//! Debug information as LLVM's metadata: lines, functions, inlined frames, variables and types.
//!
//! A place of code is a `DILocation` in the function that it was written in; what MIR inlined says where. Variables
//! are told by where they live when the function begins (`llvm.dbg.declare`), part by part if they live in parts;
//! LLVM follows them from there.

use std::fmt::Write;

use qz_base::{FxHashMap, Name, Span, TextRange};
use qz_codegen::SourceFiles;
use qz_codegen::debug::{DebugTy, DebugTyId, DebugTypes, Encoding, Member, Unit, Variants, variables};
use qz_mir::layout::{Layout, Layouts, Shape};
use qz_mir::{Body, ScopeId, SourceInfo};

use crate::function::FnCx;
use crate::place::Home;

/// The number of a metadata node.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node(u32);

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "!{}", self.0)
    }
}

/// Numbers below are taken by what [`crate::memory`] defines.
const FIRST: u32 = crate::memory::FIRST_FREE;

/// Everything debuggers are told.
pub(crate) struct Debug<'m> {
    files: &'m dyn SourceFiles,
    unit: &'m Unit,
    nodes: Vec<String>,
    types: DebugTypes<'m>,
    type_nodes: Vec<Option<Node>>,
    /// Nodes without an identity of their own, by their text.
    known: FxHashMap<String, Node>,
    compile_unit: Node,
    /// Functions that MIR inlined, by name and file.
    inlined: FxHashMap<(Name, String), Node>,
    /// Of the function at hand.
    scopes: Vec<Option<Scope>>,
    places: FxHashMap<(Span, ScopeId), Node>,
}

/// The function that a piece of code was written in.
#[derive(Copy, Clone)]
struct Scope {
    function: Node,
    /// The call that was inlined.
    inlined_at: Option<Node>,
}

impl<'m> Debug<'m> {
    pub(crate) fn new(layouts: &'m Layouts<'m>, files: &'m dyn SourceFiles, unit: &'m Unit) -> Debug<'m> {
        let mut debug = Debug {
            files,
            unit,
            nodes: Vec::new(),
            types: DebugTypes::new(layouts),
            type_nodes: Vec::new(),
            known: FxHashMap::default(),
            compile_unit: Node(0),
            inlined: FxHashMap::default(),
            scopes: Vec::new(),
            places: FxHashMap::default(),
        };
        let file = debug.file(&unit.file);
        debug.compile_unit = debug.node(format!(
            "distinct !DICompileUnit(language: DW_LANG_C99, file: {file}, producer: \"quartz\", isOptimized: true, \
             runtimeVersion: 0, emissionKind: FullDebug)"
        ));
        debug
    }

    fn node(&mut self, text: String) -> Node {
        self.nodes.push(text);
        Node(FIRST + self.nodes.len() as u32 - 1)
    }

    fn shared(&mut self, text: String) -> Node {
        if let Some(&known) = self.known.get(&text) {
            return known;
        }
        let node = self.node(text.clone());
        self.known.insert(text, node);
        node
    }

    fn list(&mut self, nodes: &[Node]) -> Node {
        let names: Vec<String> = nodes.iter().map(Node::to_string).collect();
        self.shared(format!("!{{{}}}", names.join(", ")))
    }

    fn file(&mut self, path: &str) -> Node {
        let (path, folder) = (quoted(path), quoted(&self.unit.folder));
        self.shared(format!("!DIFile(filename: {path}, directory: {folder})"))
    }

    /// File, line and column; the unit's file and line 0 for what the compiler made.
    fn position(&self, span: Span) -> (String, u32, u32) {
        if span.range == TextRange::default() {
            return (self.unit.file.clone(), 0, 0);
        }
        let at = self.files.position(span);
        (at.file, at.line, at.column)
    }

    fn subprogram(&mut self, name: Name, declared: Span) -> Node {
        let (path, line, _) = self.position(declared);
        let (file, nothing, unit) = (self.file(&path), self.shared("!{null}".into()), self.compile_unit);
        let ty = self.shared(format!("!DISubroutineType(types: {nothing})"));
        self.node(format!(
            "distinct !DISubprogram(name: {}, scope: {file}, file: {file}, line: {line}, type: {ty}, scopeLine: {line}, \
             spFlags: DISPFlagLocalToUnit | DISPFlagDefinition | DISPFlagOptimized, unit: {unit})",
            quoted(name.as_str())
        ))
    }

    /// Begins with another function; its node.
    pub(crate) fn start_body(&mut self, body: &Body) -> Node {
        self.places.clear();
        self.scopes = vec![None; body.scopes.len()];
        let own = &body.scopes[Body::SCOPE];
        let function = self.subprogram(own.function, own.declared);
        self.scopes[Body::SCOPE.index()] = Some(Scope { function, inlined_at: None });
        function
    }

    fn scope(&mut self, body: &Body, id: ScopeId) -> Scope {
        if let Some(known) = self.scopes[id.index()] {
            return known;
        }
        let scope = &body.scopes[id];
        let key = (scope.function, self.position(scope.declared).0);
        let function = match self.inlined.get(&key) {
            Some(&known) => known,
            None => {
                let node = self.subprogram(scope.function, scope.declared);
                self.inlined.insert(key, node);
                node
            }
        };
        let inlined_at = scope.inlined_at.map(|call| {
            // Two calls on one line are two frames.
            let text = self.location_text(body, call);
            self.node(format!("distinct {text}"))
        });
        let made = Scope { function, inlined_at };
        self.scopes[id.index()] = Some(made);
        made
    }

    fn location_text(&mut self, body: &Body, source: SourceInfo) -> String {
        let Scope { function, inlined_at } = self.scope(body, source.scope);
        let (_, line, column) = self.position(source.span);
        let inlined = inlined_at.map_or(String::new(), |call| format!(", inlinedAt: {call}"));
        // LLVM keeps columns in 16 bits.
        let column = if column > u16::MAX as u32 { 0 } else { column };
        format!("!DILocation(line: {line}, column: {column}, scope: {function}{inlined})")
    }

    /// The node of a place in the function at hand.
    pub(crate) fn place(&mut self, body: &Body, source: SourceInfo) -> Node {
        if let Some(&known) = self.places.get(&(source.span, source.scope)) {
            return known;
        }
        let text = self.location_text(body, source);
        let node = self.node(text);
        self.places.insert((source.span, source.scope), node);
        node
    }

    // ---- types

    fn ty(&mut self, ty: DebugTyId) -> Node {
        let index = ty.0 as usize;
        if self.type_nodes.len() <= index {
            self.type_nodes.resize(index + 1, None);
        }
        if let Some(known) = self.type_nodes[index] {
            return known;
        }
        // The number is given out first: types contain themselves by way of pointers.
        let node = self.node(String::new());
        self.type_nodes[index] = Some(node);
        let text = self.type_text(ty, node);
        self.nodes[(node.0 - FIRST) as usize] = text;
        node
    }

    fn type_text(&mut self, ty: DebugTyId, own: Node) -> String {
        match self.types.all()[ty.0 as usize].clone() {
            DebugTy::Base { name, size, encoding } => {
                let encoding = match encoding {
                    Encoding::Signed if size == 1 => "DW_ATE_signed_char",
                    Encoding::Signed => "DW_ATE_signed",
                    Encoding::Unsigned if size == 1 => "DW_ATE_unsigned_char",
                    Encoding::Unsigned => "DW_ATE_unsigned",
                    Encoding::Float => "DW_ATE_float",
                    Encoding::Boolean => "DW_ATE_boolean",
                    Encoding::Character => "DW_ATE_UTF",
                };
                format!("!DIBasicType(name: {}, size: {}, encoding: {encoding})", quoted(name), size * 8)
            }
            DebugTy::Pointer { to } => {
                let to = self.ty(to);
                format!("!DIDerivedType(tag: DW_TAG_pointer_type, baseType: {to}, size: 64)")
            }
            DebugTy::Named { name, of } => {
                let of = self.ty(of);
                format!("!DIDerivedType(tag: DW_TAG_typedef, name: {}, baseType: {of})", quoted(&name))
            }
            DebugTy::Structure { name, size, align, members, variants } => {
                let mut parts: Vec<Node> = members.iter().map(|it| self.member(own, it, "")).collect();
                if let Some(variants) = &variants {
                    parts.push(self.variants(own, variants, size));
                }
                let parts = self.list(&parts);
                format!(
                    "!DICompositeType(tag: DW_TAG_structure_type, name: {}, size: {}, align: {}, elements: {parts})",
                    quoted(&name),
                    size * 8,
                    align.max(1) * 8
                )
            }
        }
    }

    fn member(&mut self, scope: Node, member: &Member, more: &str) -> Node {
        let ty = self.ty(member.ty);
        let (name, size, offset) = (quoted(&member.name), self.types.size(member.ty) * 8, member.offset * 8);
        self.node(format!(
            "!DIDerivedType(tag: DW_TAG_member, name: {name}, scope: {scope}, baseType: {ty}, size: {size}, offset: \
             {offset}{more})"
        ))
    }

    fn variants(&mut self, scope: Node, variants: &Variants, size: u32) -> Node {
        let part = self.node(String::new());
        let tag = variants.tag.map(|(ty, offset)| {
            let member = Member { name: String::new(), ty, offset };
            self.member(part, &member, ", flags: DIFlagArtificial")
        });
        let mut list = Vec::new();
        for (value, member) in &variants.list {
            let value = value.map_or(String::new(), |value| format!(", extraData: i64 {}", value as i64));
            list.push(self.member(part, member, &value));
        }
        let list = self.list(&list);
        let tag = tag.map_or(String::new(), |tag| format!(", discriminator: {tag}"));
        self.nodes[(part.0 - FIRST) as usize] = format!(
            "!DICompositeType(tag: DW_TAG_variant_part, scope: {scope}, size: {}, elements: {list}{tag})",
            size * 8
        );
        part
    }

    /// All of it, for the end of the module.
    pub(crate) fn print(mut self) -> String {
        let [version, form] =
            ["!{i32 7, !\"Dwarf Version\", i32 4}", "!{i32 2, !\"Debug Info Version\", i32 3}"]
                .map(|text| self.node(text.into()));
        let mut text = format!(
            "\n!llvm.dbg.cu = !{{{}}}\n!llvm.module.flags = !{{{version}, {form}}}\n",
            self.compile_unit
        );
        for (i, node) in self.nodes.iter().enumerate() {
            let _ = writeln!(text, "!{} = {node}", FIRST + i as u32);
        }
        text
    }
}

/// Whether the value or a part of it is an enum that lies where it is.
fn holds_enum(layouts: &Layouts, layout: &Layout) -> bool {
    match &layout.shape {
        Shape::Enum(_) => true,
        Shape::Product(fields) => fields.tys.iter().any(|&ty| holds_enum(layouts, &layouts.of(ty))),
        _ => false,
    }
}

/// A text between quotes, as LLVM reads it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", crate::data::escaped(text.as_bytes()))
}

impl FnCx<'_, '_> {
    /// Instructions from here on stand at the place at hand.
    pub(crate) fn mark_place(&mut self) {
        let (body, source) = (self.body, self.source());
        if let Some(debug) = &mut self.program.debug {
            let node = debug.place(body, source);
            self.w.at_place(Some(format!(", !dbg {node}")));
        }
    }

    /// Instructions from here on stand nowhere.
    pub(crate) fn hide_place(&mut self) {
        let (body, file) = (self.body, self.source().span.file);
        if let Some(debug) = &mut self.program.debug {
            let span = Span::new(file, TextRange::default());
            let node = debug.place(body, SourceInfo { span, scope: Body::SCOPE });
            self.w.at_place(Some(format!(", !dbg {node}")));
        }
    }

    /// Tells of the variables, once their homes are made.
    pub(crate) fn declare_variables(&mut self) {
        let body = self.body;
        if self.program.debug.is_none() {
            return;
        }
        for variable in variables(body, self.program.layouts) {
            let size = self.layout_of(variable.local).size;
            let decl = &body.locals[variable.local];
            let Some(debug) = &mut self.program.debug else { return };
            let scope = debug.scope(body, variable.scope).function;
            let ty = debug.types.of(decl.ty);
            let ty = debug.ty(ty);
            let (path, line, _) = debug.position(decl.span);
            let (name, file) = (quoted(variable.name.as_str()), debug.file(&path));
            let argument = match variable.argument {
                0 => String::new(),
                n => format!("arg: {n}, "),
            };
            let node = debug.node(format!(
                "!DILocalVariable(name: {name}, {argument}scope: {scope}, file: {file}, line: {line}, type: {ty})"
            ));
            let place = debug.place(body, SourceInfo { span: decl.span, scope: variable.scope });
            self.declare_parts(variable.local, size, node, place);
        }
    }

    fn declare_parts(&mut self, local: qz_mir::Local, size: u32, variable: Node, place: Node) {
        let layout = self.layout_of(local);
        let mut parts = Vec::new();
        match (self.homes[local.index()].clone(), &layout.slots) {
            (Home::Memory(at), _) => parts.push((at.base, String::new())),
            // gdb looks for an enum's tag in memory only.
            (Home::Slots(homes), _) if homes.len() > 1 && holds_enum(self.program.layouts, &layout) => {}
            (Home::Slots(homes), Some(slots)) => {
                for (home, slot) in homes.into_iter().zip(slots) {
                    let whole = slot.scalar.size() == size;
                    let (offset, bits) = (slot.offset * 8, slot.scalar.size() * 8);
                    let part = format!("DW_OP_LLVM_fragment, {offset}, {bits}");
                    parts.push((self.w.address_of(home), if whole { String::new() } else { part }));
                }
            }
            (Home::Slots(_), None) => unreachable!("what lives in slots has some"),
        }
        let declare = "llvm.dbg.declare";
        self.program.declare(declare, format!("declare void @{declare}(metadata, metadata, metadata)"));
        for (home, part) in parts {
            self.w.at_start(format_args!(
                "call void @{declare}(metadata ptr {home}, metadata {variable}, metadata !DIExpression({part})), !dbg \
                 {place}"
            ));
        }
    }
}

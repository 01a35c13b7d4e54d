//! The program around functions: what was already made for it (data, conventions, declarations), and printing
//! all of it in order.

use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use qz_base::{FxHashMap, FxHashSet};
use qz_codegen::debug::Unit as DebugUnit;
use qz_codegen::{FnAbi, Locations, PassMode, PlaceTable, RetMode, SourceFiles, TypeTable};
use qz_mir::layout::{Layout, Layouts, Shape};
use qz_mir::{InstanceId, InstanceKey, Module, StaticDataId, VtableId};
use qz_rt_abi::native::{ABI, COUNTS_OBJECTS, RETURNS_STATUS};
use qz_rt_abi::object::STR_SIZE;
use qz_rt_abi::{Fiber, RtFn};
use qz_types::{StaticId, TyKind};
use rustc_hash::FxBuildHasher;

use crate::Options;
use crate::calls::rt_ty;
use crate::debug::Debug;
use crate::function::FnCx;
use crate::ir::{LlTy, Value};
use crate::memory::metadata;
use crate::recursion::Recursion;
use crate::returns::ret_ty;
use crate::subset;
use crate::units::Units;
use crate::waits::Waits;

/// What stands for the entry of a library, which has none.
const NO_ENTRY: &str = "define internal i32 @qz.run(ptr %fiber, ptr %status) #0 {\n  ret i32 0\n}\n\n";

/// What functions share while a program is printed.
pub(crate) struct ProgramCx<'m> {
    pub(crate) module: &'m Module,
    pub(crate) layouts: &'m Layouts<'m>,
    pub(crate) options: Options,
    pub(crate) types: TypeTable,
    pub(crate) debug: Option<Debug<'m>>,
    units: Units,
    pub(crate) recursion: Recursion,
    pub(crate) waits: Waits,
    pub(crate) locations: Locations,
    /// Definitions of constants and variables.
    pub(crate) data: String,
    pub(crate) strings: FxHashMap<Arc<str>, Value>,
    pub(crate) closures: FxHashMap<InstanceId, Value>,
    pub(crate) vtables: FxHashMap<VtableId, Value>,
    pub(crate) blobs: FxHashMap<StaticDataId, Value>,
    pub(crate) statics: FxHashMap<StaticId, Value>,
    /// Those that the part at hand has told of.
    pub(crate) statics_here: FxHashSet<StaticId>,
    abis: Vec<Option<Rc<FnAbi>>>,
    /// What is used from outside, by name, in order of first use.
    declared: IndexMap<String, String, FxBuildHasher>,
}

/// A part of the program, but for what only the others tell: which of its functions they use.
struct Part {
    data: String,
    functions: Vec<(InstanceId, String)>,
    start: String,
    /// What it defines beside those functions: C's names for some, which others may declare.
    own: FxHashSet<String>,
    declared: IndexMap<String, String, FxBuildHasher>,
    debug: String,
}

impl Part {
    fn text(self, program: &ProgramCx<'_>) -> String {
        let mut text = subset::header(program.options.arch);
        text += &self.data;
        text.push('\n');
        for (id, function) in &self.functions {
            let linkage = if program.units.is_shared(*id) { "hidden" } else { "internal" };
            let _ = write!(text, "define {linkage} {function}");
        }
        text += &self.start;
        for (_, declaration) in self.declared.iter().filter(|(name, _)| !self.own.contains(*name)) {
            let _ = writeln!(text, "{declaration}");
        }
        text += &subset::attributes(program.options);
        text += &metadata();
        let _ = writeln!(text, "!13 = !{{!\"{}\"}}", program.options.arch.stack_pointer());
        text + &self.debug
    }
}

impl<'m> ProgramCx<'m> {
    pub(crate) fn new(
        module: &'m Module,
        layouts: &'m Layouts<'m>,
        options: Options,
        units: Units,
    ) -> ProgramCx<'m> {
        let types = TypeTable::new(module, layouts);
        let recursion = Recursion::new(module, layouts, &types);
        ProgramCx {
            module,
            layouts,
            options,
            types,
            debug: None,
            units,
            recursion,
            waits: Waits::new(module),
            locations: Locations::default(),
            data: String::new(),
            strings: FxHashMap::default(),
            closures: FxHashMap::default(),
            vtables: FxHashMap::default(),
            blobs: FxHashMap::default(),
            statics: FxHashMap::default(),
            statics_here: FxHashSet::default(),
            abis: vec![None; module.instances.len()],
            declared: IndexMap::default(),
        }
    }

    /// The first parameter of every function. Nobody else looks at it meanwhile, unless C calls back: then the runtime
    /// finds it by another way.
    pub(crate) fn fiber_param(&self) -> String {
        let is_called = self.module.instances.values().any(|instance| instance.for_c.is_some());
        let alone = if is_called { "" } else { "noalias " };
        format!("ptr {alone}noundef nonnull align 8 dereferenceable({}) %fiber", size_of::<Fiber>())
    }

    /// The convention of an instance.
    pub(crate) fn abi(&mut self, id: InstanceId) -> Rc<FnAbi> {
        if let Some(known) = &self.abis[id.index()] {
            return known.clone();
        }
        let instance = &self.module.instances[id];
        let params = instance.params.iter().map(|param| param.ty);
        let abi = Rc::new(FnAbi::new(self.layouts, params, instance.ret));
        self.abis[id.index()] = Some(abi.clone());
        abi
    }

    /// Whether an instance returns the flag of `unwind.rs`: it may panic, or callers do not know which function
    /// it is.
    pub(crate) fn is_flagged(&self, id: InstanceId) -> bool {
        self.module.instances[id].may_panic || self.recursion.is_called_by_address(id)
    }

    /// Whether an instance destroys objects, and so takes part in limiting its own depth.
    pub(crate) fn is_destroy(&self, key: &InstanceKey) -> bool {
        matches!(
            key,
            InstanceKey::DestroyGlue(_) | InstanceKey::DestroyClosure(_) | InstanceKey::DestroyDyn(_)
        )
    }

    /// Whether the program is printed in several parts.
    pub(crate) fn has_parts(&self) -> bool {
        self.units.count() > 1
    }

    pub(crate) fn function_symbol(&self, id: InstanceId) -> Value {
        self.units.refer(id);
        Value::named(LlTy::Ptr, &format!("@{}", self.module.instances[id].symbol))
    }

    // ---- what is outside

    /// Notes that something from outside is used.
    pub(crate) fn declare(&mut self, name: &str, text: String) {
        if !self.declared.contains_key(name) {
            self.declared.insert(name.to_owned(), text);
        }
    }

    pub(crate) fn declare_runtime(&mut self, f: RtFn) {
        let def = f.def();
        let (ret_facts, facts) = subset::runtime_facts(f);
        let ret = def.sig.ret.map_or("void".into(), |ty| format!("{ret_facts}{}", rt_ty(ty)));
        let params: String = def.sig.params.iter().map(|&ty| format!(", {}", rt_ty(ty))).collect();
        self.declare(def.symbol, format!("declare {ret} @{}(ptr{params}) {facts}", def.symbol));
    }

    /// The instruction that reads the stack pointer.
    pub(crate) fn stack_pointer(&mut self) -> String {
        let name = "llvm.read_register.i64";
        self.declare(name, format!("declare i64 @{name}(metadata)"));
        format!("call i64 @{name}(metadata !13)")
    }

    /// What is known of the machine values of a parameter.
    pub(crate) fn param_facts(&self, layout: &Layout) -> String {
        let size = match (&layout.shape, *layout.ty.kind()) {
            (Shape::Object, TyKind::Str) => STR_SIZE,
            (Shape::Object, _) if self.layouts.is_reference_struct(layout.ty) => {
                self.layouts.object(layout.ty).size
            }
            (Shape::Object, _) => 16,
            (Shape::Pointer, TyKind::Ref(_, to)) => self.layouts.of(to).size,
            _ => return "noundef".into(),
        };
        format!("noundef nonnull dereferenceable({})", size.max(1))
    }

    // ---- the whole

    /// Prints everything, part by part.
    pub(crate) fn print(mut self, files: &'m dyn SourceFiles, unit: Option<&'m DebugUnit>) -> Vec<String> {
        let mut parts = Vec::new();
        for part in 0..self.units.count() {
            self.debug = unit.map(|unit| Debug::new(self.layouts, files, unit));
            parts.push(self.part(part, files));
        }
        parts.into_iter().map(|part| part.text(&self)).collect()
    }

    /// One part. The last one holds what there is once: tables, and the program's start.
    fn part(&mut self, unit: usize, files: &dyn SourceFiles) -> Part {
        let module = self.module;
        let mut functions = Vec::new();
        for (id, instance) in module.instances.iter() {
            if let Some(body) = &instance.body
                && self.units.of(id) == unit
            {
                functions.push((id, FnCx::translate(self, id, instance, body)));
            }
        }
        let is_last = unit + 1 == self.units.count();
        let start = if is_last { self.start(files) } else { String::new() };
        let own = if is_last { self.symbols_for_c() } else { FxHashSet::default() };
        for foreign in self.units.end(unit) {
            let id = InstanceId::from_raw(foreign as u32);
            let symbol = module.instances[id].symbol.clone();
            let text = self.declaration(id);
            self.declare(&symbol, text);
        }
        self.strings.clear();
        self.closures.clear();
        self.vtables.clear();
        self.blobs.clear();
        self.statics_here.clear();
        Part {
            data: std::mem::take(&mut self.data),
            functions,
            start,
            own,
            declared: std::mem::take(&mut self.declared),
            debug: self.debug.take().map(Debug::print).unwrap_or_default(),
        }
    }

    /// What there is once: how the program starts, what stands around its functions for C, tables.
    fn start(&mut self, files: &dyn SourceFiles) -> String {
        let mut start = self.print_for_c();
        start += &match self.module.entry {
            Some(entry) => self.entry(entry),
            None => NO_ENTRY.to_owned(),
        };
        self.type_table();
        let places = PlaceTable::new(&self.locations, files);
        crate::locations::print(&places, &mut self.data);
        self.describe(places.places.len());
        start
    }

    /// Names of functions that are not Quartz's own and yet defined here.
    fn symbols_for_c(&self) -> FxHashSet<String> {
        let for_c = self.module.instances.values().filter_map(|it| {
            let for_c = it.for_c.as_ref()?;
            Some(
                for_c
                    .symbol
                    .map_or_else(|| crate::foreign::outer_symbol(it, for_c), |it| it.as_str().to_owned()),
            )
        });
        for_c.chain(self.module.entry.map(|_| "main".to_owned())).collect()
    }

    /// A function of another part.
    fn declaration(&mut self, id: InstanceId) -> String {
        let abi = self.abi(id);
        let ret = ret_ty(&abi, self.is_flagged(id));
        let mut params = vec!["ptr".to_owned()];
        params.extend((abi.ret.1 == RetMode::Indirect).then(|| "ptr".to_owned()));
        for (_, mode) in &abi.params {
            match mode {
                PassMode::Ignore => {}
                PassMode::Direct(slots) => {
                    params.extend(slots.iter().map(|slot| LlTy::of(slot.scalar).to_string()));
                }
                PassMode::Indirect => params.push("ptr".to_owned()),
            }
        }
        let symbol = &self.module.instances[id].symbol;
        format!("declare hidden fastcc {ret} @{symbol}({}) #0", params.join(", "))
    }

    /// `@qz.run`, which the runtime calls on the program's stack: in C's convention, with the fiber and memory
    /// for the status; whether a panic left the program. And `main`.
    fn entry(&mut self, entry: InstanceId) -> String {
        let abi = self.abi(entry);
        let flagged = self.is_flagged(entry);
        let (ty, callee) = (ret_ty(&abi, flagged), self.function_symbol(entry));
        let gives = matches!(abi.ret.1, RetMode::Direct(_));
        let mut body = String::new();
        let call = format!("call fastcc {ty} {callee}(ptr %fiber) #0");
        let _ = match (gives, flagged) {
            (false, false) => writeln!(body, "  {call}\n  ret i32 0"),
            (false, true) => writeln!(body, "  %p = {call}\n  %r = zext i1 %p to i32\n  ret i32 %r"),
            (true, false) => writeln!(body, "  %s = {call}\n  store i64 %s, ptr %status\n  ret i32 0"),
            (true, true) => writeln!(
                body,
                "  %b = {call}\n  %s = extractvalue {ty} %b, 0\n  store i64 %s, ptr %status\n  %p = extractvalue \
                 {ty} %b, 1\n  %r = zext i1 %p to i32\n  ret i32 %r"
            ),
        };
        let start = "qz_start";
        self.declare(start, format!("declare i32 @{start}(ptr, i32, ptr)"));
        format!(
            "define internal i32 @qz.run({}, ptr %status) #0 {{\n{body}}}\n\ndefine i32 @main(i32 %argc, ptr %argv) \
             #0 {{\n  %r = call i32 @{start}(ptr @qz.program, i32 %argc, ptr %argv)\n  ret i32 %r\n}}\n\n",
            self.fiber_param()
        )
    }

    /// What the runtime must know of the program: a [`qz_rt_abi::native::Program`].
    fn describe(&mut self, places: usize) {
        let gives_status =
            self.module.entry.is_some_and(|entry| self.module.instances[entry].ret.is_integer());
        let mut flags = if gives_status { RETURNS_STATUS } else { 0 };
        if self.options.count_objects {
            flags |= COUNTS_OBJECTS;
        }
        let _ = writeln!(
            self.data,
            "@qz.program = private constant {{ i64, ptr, ptr, ptr, i64, ptr, i64, ptr, i64, ptr, i64 }} {{ i64 {ABI}, \
             ptr @qz.run, ptr @qz.types, ptr @qz.places, i64 {places}, ptr @qz.texts, i64 {flags}, ptr null, i64 0, \
             ptr null, i64 0 }}, align 8"
        );
    }
}

/// A name from outside as it stands behind `@`.
pub(crate) fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$' | '-');
    let starts = !name.starts_with(|c: char| c.is_ascii_digit());
    if starts && !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", crate::data::escaped(name.as_bytes()))
    }
}

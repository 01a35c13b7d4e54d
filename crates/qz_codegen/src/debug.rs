//! What debuggers are told of a program's types: the shape of every value in memory, in DWARF's terms but in no
//! engine's form. Both engines write it down, each in its own way.
//!
//! * A reference (struct, string, function value, `dyn`, boxed enum) is a named type for a pointer to the object, so
//!   that a variable's type reads as in the source. Objects are called `Name.object`, cells of boxed enums
//!   `Name.cell`.
//! * An enum is a structure with a *variant part*: a tag and one member per variant, of which the tag tells the one
//!   that is there. A variant without a tag value is there when no other is.

use qz_base::FxHashMap;
use qz_mir::layout::{EnumLayout, Fields, Layouts, Scalar, Shape, Tag};
use qz_mir::{AdtKind, Body, Local, ScopeId};
use qz_rt_abi::object::{
    CELL_TAG, CLOSURE_CAPTURES, CLOSURE_CODE, DYN_PAYLOAD, DYN_VTABLE, HEADER_TYPE, STR_BYTES, STR_CHARS,
    STR_LEN, STR_SIZE,
};
use qz_types::{Mutability, Ty, TyKind};

/// What debuggers call the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The folder that paths of files start from.
    pub folder: String,
    /// The file with `main`.
    pub file: String,
}

/// The number of a type in [`DebugTypes`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct DebugTyId(pub u32);

#[derive(Clone, Debug, PartialEq)]
pub enum DebugTy {
    Base {
        name: &'static str,
        size: u32,
        encoding: Encoding,
    },
    Pointer {
        to: DebugTyId,
    },
    /// Another name for a type.
    Named {
        name: String,
        of: DebugTyId,
    },
    Structure {
        name: String,
        size: u32,
        align: u32,
        members: Vec<Member>,
        variants: Option<Variants>,
    },
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Encoding {
    Signed,
    Unsigned,
    Float,
    Boolean,
    /// A character of Unicode.
    Character,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub name: String,
    pub ty: DebugTyId,
    pub offset: u32,
}

/// The variant part of an enum.
#[derive(Clone, Debug, PartialEq)]
pub struct Variants {
    /// Type and offset of what tells the variant; `None` if there is one only.
    pub tag: Option<(DebugTyId, u32)>,
    /// Each with the tag's value; `None` for the one that stands for all other values.
    pub list: Vec<(Option<u64>, Member)>,
}

/// Types that were asked for, and those that they are made of.
pub struct DebugTypes<'l> {
    layouts: &'l Layouts<'l>,
    list: Vec<DebugTy>,
    known: FxHashMap<Ty, DebugTyId>,
    bases: FxHashMap<&'static str, DebugTyId>,
}

impl<'l> DebugTypes<'l> {
    pub fn new(layouts: &'l Layouts<'l>) -> DebugTypes<'l> {
        DebugTypes { layouts, list: Vec::new(), known: FxHashMap::default(), bases: FxHashMap::default() }
    }

    /// Every type so far, by number. A type may be made of later ones.
    pub fn all(&self) -> &[DebugTy] {
        &self.list
    }

    /// The type of values of `ty`.
    pub fn of(&mut self, ty: Ty) -> DebugTyId {
        let ty = self.layouts.resolve(ty);
        if let Some(&known) = self.known.get(&ty) {
            return known;
        }
        // The number is given out first: types contain themselves by way of pointers.
        let id = self.add(DebugTy::Pointer { to: DebugTyId(0) });
        self.known.insert(ty, id);
        let made = self.make(ty);
        self.list[id.0 as usize] = made;
        id
    }

    fn add(&mut self, ty: DebugTy) -> DebugTyId {
        self.list.push(ty);
        DebugTyId(self.list.len() as u32 - 1)
    }

    /// Bytes of a value of a type.
    pub fn size(&self, ty: DebugTyId) -> u32 {
        match &self.list[ty.0 as usize] {
            DebugTy::Base { size, .. } | DebugTy::Structure { size, .. } => *size,
            DebugTy::Pointer { .. } => 8,
            DebugTy::Named { of, .. } => self.size(*of),
        }
    }

    fn base(&mut self, name: &'static str, size: u32, encoding: Encoding) -> DebugTyId {
        if let Some(&known) = self.bases.get(name) {
            return known;
        }
        let id = self.add(DebugTy::Base { name, size, encoding });
        self.bases.insert(name, id);
        id
    }

    /// An unsigned number in the machine's terms.
    fn word(&mut self, size: u32) -> DebugTyId {
        let name = match size {
            1 => "u8",
            2 => "u16",
            4 => "u32",
            _ => "u64",
        };
        self.base(name, size, Encoding::Unsigned)
    }

    fn make(&mut self, ty: Ty) -> DebugTy {
        let base = |name, size, encoding| DebugTy::Base { name, size, encoding };
        match *ty.kind() {
            TyKind::Bool => base("Bool", 1, Encoding::Boolean),
            TyKind::Char => base("Char", 4, Encoding::Character),
            TyKind::Int(int) => {
                let encoding = if int.signed() { Encoding::Signed } else { Encoding::Unsigned };
                base(int.name(), int.bits() / 8, encoding)
            }
            TyKind::Float(float) => base(float.name(), self.layouts.of(ty).size, Encoding::Float),
            TyKind::Ptr(to) | TyKind::Ref(_, to) => DebugTy::Pointer { to: self.of(to) },
            _ => self.make_compound(ty),
        }
    }

    fn make_compound(&mut self, ty: Ty) -> DebugTy {
        let (layout, name) = (self.layouts.of(ty), self.name(ty));
        match &layout.shape {
            Shape::Object => self.reference(ty, name),
            Shape::Enum(it) => match &it.tag {
                Tag::Boxed { cell_size, cell_align, .. } => {
                    let cell = self.enumeration(ty, format!("{name}.cell"), it, (*cell_size, *cell_align));
                    self.pointer_named(name, cell)
                }
                _ => self.enumeration(ty, name, it, (layout.size, layout.align)),
            },
            Shape::Product(fields) => {
                let members = self.members(ty, fields);
                structure(name, (layout.size, layout.align), members)
            }
            Shape::Never | Shape::Scalar(_) | Shape::Pointer => {
                structure(name, (layout.size, layout.align), Vec::new())
            }
        }
    }

    fn pointer_named(&mut self, name: String, to: DebugTy) -> DebugTy {
        let to = self.add(to);
        DebugTy::Named { name, of: self.add(DebugTy::Pointer { to }) }
    }

    /// Count and type index.
    fn header(&mut self) -> Vec<Member> {
        let ty = self.word(4);
        let count = self.base("i32", 4, Encoding::Signed);
        vec![
            Member { name: "$count".into(), ty: count, offset: 0 },
            Member { name: "$type".into(), ty, offset: HEADER_TYPE },
        ]
    }

    fn reference(&mut self, ty: Ty, name: String) -> DebugTy {
        let mut members = self.header();
        let object = format!("{name}.object");
        let byte = self.word(1);
        let bytes = self.add(DebugTy::Pointer { to: byte });
        let size = match *ty.kind() {
            TyKind::Str => {
                let half = self.word(4);
                members.push(Member { name: "bytes".into(), ty: bytes, offset: STR_BYTES });
                members.push(Member { name: "size".into(), ty: half, offset: STR_LEN });
                members.push(Member { name: "chars".into(), ty: half, offset: STR_CHARS });
                (STR_SIZE, 8)
            }
            TyKind::Fn(_) => {
                members.push(Member { name: "code".into(), ty: bytes, offset: CLOSURE_CODE });
                (CLOSURE_CAPTURES, 8)
            }
            TyKind::Dyn(_) => {
                members.push(Member { name: "methods".into(), ty: bytes, offset: DYN_VTABLE });
                (DYN_PAYLOAD, 8)
            }
            _ => {
                let layout = self.layouts.object(ty);
                members.extend(self.members(ty, &layout.fields));
                (layout.size, layout.align)
            }
        };
        self.pointer_named(name, structure(object, size, members))
    }

    /// Fields with the names of their declaration.
    fn members(&mut self, ty: Ty, fields: &Fields) -> Vec<Member> {
        let names: Vec<String> = match *ty.kind() {
            TyKind::Adt(id, _) => match &self.layouts.defs().adt_def(id).kind {
                AdtKind::Reference(list) | AdtKind::Value(list) => {
                    list.iter().map(|field| field.name.as_str().to_owned()).collect()
                }
                AdtKind::Enum(_) => Vec::new(),
            },
            TyKind::Record(list) => list.iter().map(|(name, _)| name.as_str().to_owned()).collect(),
            _ => Vec::new(),
        };
        self.members_called(&names, fields)
    }

    fn members_called(&mut self, names: &[String], fields: &Fields) -> Vec<Member> {
        let mut members = Vec::new();
        for (i, (ty, offset)) in fields.iter().enumerate() {
            let name = names.get(i).filter(|name| !name.is_empty());
            let name = name.cloned().unwrap_or_else(|| i.to_string());
            members.push(Member { name, ty: self.of(ty), offset });
        }
        members
    }

    fn enumeration(&mut self, ty: Ty, name: String, it: &EnumLayout, (size, align): (u32, u32)) -> DebugTy {
        let boxed = matches!(it.tag, Tag::Boxed { .. });
        let variants = self.variants(ty, it, (size, align));
        let members = if boxed { self.header() } else { Vec::new() };
        DebugTy::Structure { name, size, align, members, variants: Some(variants) }
    }

    fn variants(&mut self, ty: Ty, it: &EnumLayout, size: (u32, u32)) -> Variants {
        let TyKind::Adt(id, _) = *ty.kind() else { unreachable!("enums are declared") };
        let def = self.layouts.defs().adt_def(id);
        let AdtKind::Enum(defs) = &def.kind else { unreachable!("its layout is an enum's") };
        let mut tag_of = |offset: u32, scalar: Scalar| (self.word(scalar.size()), offset);
        let tag = match it.tag {
            Tag::Single => None,
            Tag::Direct { offset, scalar } | Tag::Niche { offset, scalar, .. } => {
                Some(tag_of(offset, scalar))
            }
            Tag::Boxed { .. } => Some(tag_of(CELL_TAG, Scalar::I32)),
        };
        let mut list = Vec::new();
        let mut others = 0;
        for (i, (variant, fields)) in defs.iter().zip(&it.variants).enumerate() {
            let value = match it.tag {
                Tag::Single => None,
                Tag::Direct { .. } | Tag::Boxed { .. } => Some(i as u64),
                Tag::Niche { variant, .. } if variant as usize == i => None,
                Tag::Niche { first, .. } => {
                    others += 1;
                    Some(first.wrapping_add(others - 1))
                }
            };
            let names: Vec<String> = variant.fields.iter().map(|it| it.name.as_str().to_owned()).collect();
            let members = self.members_called(&names, fields);
            let ty = self.add(structure(format!("{}::{}", def.name, variant.name), size, members));
            list.push((value, Member { name: variant.name.as_str().to_owned(), ty, offset: 0 }));
        }
        Variants { tag, list }
    }

    // ---- names

    /// A type as the user writes it.
    pub fn name(&self, ty: Ty) -> String {
        let mut text = String::new();
        self.write_name(ty, &mut text);
        text
    }

    fn write_name(&self, ty: Ty, out: &mut String) {
        match *ty.kind() {
            TyKind::Str => out.push_str("String"),
            TyKind::Bool => out.push_str("Bool"),
            TyKind::Char => out.push_str("Char"),
            TyKind::Never => out.push_str("Never"),
            TyKind::Int(int) => out.push_str(int.name()),
            TyKind::Float(float) => out.push_str(float.name()),
            TyKind::Tuple(parts) => self.write_list("(", parts, ")", out),
            TyKind::Adt(id, args) => {
                out.push_str(self.layouts.defs().adt_def(id).name.as_str());
                if !args.is_empty() {
                    self.write_list("<", args, ">", out);
                }
            }
            TyKind::Fn(f) => {
                self.write_list("Fn(", f.params, "): ", out);
                self.write_name(f.ret, out);
            }
            TyKind::Ref(mutability, to) => {
                out.push_str(if mutability == Mutability::Mut { "&mut " } else { "&" });
                self.write_name(to, out);
            }
            TyKind::Ptr(to) => self.write_list("Ptr<", &[to], ">", out),
            TyKind::Dyn(_) => out.push_str("dyn"),
            TyKind::Record(fields) => {
                out.push_str("{ ");
                for (i, &(name, ty)) in fields.iter().enumerate() {
                    out.push_str(if i > 0 { ", " } else { "" });
                    out.push_str(name.as_str());
                    out.push_str(": ");
                    self.write_name(ty, out);
                }
                out.push_str(" }");
            }
            TyKind::Error
            | TyKind::OpenRecord(..)
            | TyKind::Param(_)
            | TyKind::Assoc(_)
            | TyKind::Opaque(..)
            | TyKind::Infer(_) => out.push('?'),
        }
    }

    fn write_list(&self, open: &str, list: &[Ty], close: &str, out: &mut String) {
        out.push_str(open);
        for (i, &ty) in list.iter().enumerate() {
            out.push_str(if i > 0 { ", " } else { "" });
            self.write_name(ty, out);
        }
        out.push_str(close);
    }
}

fn structure(name: String, (size, align): (u32, u32), members: Vec<Member>) -> DebugTy {
    DebugTy::Structure { name, size, align, members, variants: None }
}

/// A variable that the user can ask for.
#[derive(Clone, Debug)]
pub struct Variable {
    pub local: Local,
    pub name: qz_base::Name,
    /// Its position among the parameters, from 1 on; 0 for others.
    pub argument: u32,
    pub scope: ScopeId,
}

/// The variables of a body that have names and take up room.
pub fn variables(body: &Body, layouts: &Layouts) -> Vec<Variable> {
    let one = |(local, decl): (Local, &qz_mir::LocalDecl)| {
        let name = decl.name?;
        let shown = !layouts.of(decl.ty).is_zero_sized();
        let argument = if local.raw() <= body.param_count { local.raw() } else { 0 };
        shown.then_some(Variable { local, name, argument, scope: decl.scope })
    };
    let mut found: Vec<Variable> = body.locals.iter().filter_map(one).collect();
    // A parameter that is written to has become a local of the same name and place.
    let of = |it: &Variable| (it.name, body.locals[it.local].span, it.scope);
    let copies: Vec<_> = found.iter().filter(|it| it.argument == 0).map(of).collect();
    found.retain(|it| it.argument == 0 || !copies.contains(&of(it)));
    found
}

//! What is each instance called in object files and dumps? A readable path and a hash of everything that
//! tells instances apart: full path, type arguments, member bounds, signature. Never an address, an id or
//! the order of discovery, so that the same code has the same name in every build.

use std::cell::RefCell;
use std::fmt::Write;

use qz_base::FxHashMap;
use qz_mir::{BodyKey, BodyPart, Crossing, Evidence, InstanceKey, Source};
use qz_types::{Mutability, Row, TraitId, Ty, TyKind, Tys};

/// FNV-1a: the same on every machine and with every version of every library.
#[derive(Copy, Clone)]
struct Hasher(u64);

impl Hasher {
    fn new() -> Hasher {
        Hasher(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn text(&mut self, text: &str) {
        self.word(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    fn word(&mut self, word: u64) {
        self.bytes(&word.to_le_bytes());
    }

    /// Spreads the bits, which FNV leaves weak at the top.
    fn finish(self) -> u64 {
        let mut x = self.0;
        x = (x ^ (x >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        x = (x ^ (x >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        x ^ (x >> 33)
    }
}

pub(crate) struct Symbols<'a> {
    source: &'a dyn Source,
    tys: RefCell<FxHashMap<Ty, u64>>,
}

impl<'a> Symbols<'a> {
    pub(crate) fn new(source: &'a dyn Source) -> Symbols<'a> {
        Symbols { source, tys: RefCell::default() }
    }

    /// The symbol of an instance.
    pub(crate) fn of(&self, key: &InstanceKey) -> String {
        let mut hash = Hasher::new();
        self.hash_key(key, &mut hash);
        let mut symbol = String::from("qz.");
        for c in self.stem(key).chars() {
            symbol.push(if c.is_ascii_alphanumeric() || c == '_' || c == '.' { c } else { '_' });
        }
        write!(symbol, ".{:016x}", hash.finish()).expect("a String takes all text");
        symbol
    }

    /// The path without type arguments.
    fn stem(&self, key: &InstanceKey) -> String {
        match key {
            InstanceKey::Body(body, ..) => self.path(*body).replace("::", "."),
            InstanceKey::FnValue(of) => format!("{}.value", self.stem(of)),
            InstanceKey::ForC(of) => format!("{}.for_c", self.stem(of)),
            InstanceKey::DynShim(_, of) => format!("{}.dyn", self.stem(of)),
            InstanceKey::RetainGlue(_) => "retain".into(),
            InstanceKey::ReleaseGlue(_) => "release".into(),
            InstanceKey::DestroyGlue(ty) | InstanceKey::DestroyDyn(ty) => {
                format!("{}.destroy", self.head(*ty).replace("::", "."))
            }
            InstanceKey::DestroyClosure(of) => format!("{}.destroy", self.stem(of)),
            InstanceKey::FieldGlue(_, index) => format!("field{index}"),
            InstanceKey::Crossing(_) => "crossing".into(),
            InstanceKey::Specialised(of, _) => self.stem(of),
            InstanceKey::Entry(_) => "entry".into(),
            InstanceKey::Kept(number) => format!("kept{number}"),
        }
    }

    /// The name of a type's constructor.
    fn head(&self, ty: Ty) -> String {
        match *ty.kind() {
            TyKind::Adt(id, _) => self.source.adt(id).path.as_str().to_owned(),
            _ => "value".into(),
        }
    }

    fn path(&self, key: BodyKey) -> String {
        let path = self.source.function(key.function).path;
        match key.part {
            BodyPart::Main => path.as_str().to_owned(),
            BodyPart::Lambda(n) => format!("{path}.lambda{n}"),
            BodyPart::Default(n) => format!("{path}.default{n}"),
        }
    }

    /// For people: the path and the type arguments.
    pub(crate) fn readable(&self, key: &InstanceKey) -> String {
        match key {
            InstanceKey::Body(body, args, _) => {
                let mut text = self.path(*body);
                self.write_args(args, &mut text);
                text
            }
            InstanceKey::FnValue(of) | InstanceKey::ForC(of) => self.readable(of),
            InstanceKey::DynShim(_, of) => self.readable(of),
            InstanceKey::RetainGlue(ty) => format!("retaining {}", self.ty(*ty)),
            InstanceKey::ReleaseGlue(ty) => format!("releasing {}", self.ty(*ty)),
            InstanceKey::DestroyGlue(ty) | InstanceKey::DestroyDyn(ty) => format!("drop of {}", self.ty(*ty)),
            InstanceKey::DestroyClosure(of) => format!("drop of a closure in {}", self.readable(of)),
            InstanceKey::FieldGlue(ty, index) => format!("field {index} of {}", self.ty(*ty)),
            InstanceKey::Crossing(_) => "a value that goes to another task".into(),
            InstanceKey::Specialised(of, _) => self.readable(of),
            InstanceKey::Entry(_) => "the program".into(),
            InstanceKey::Kept(_) => "a function of the program".into(),
        }
    }

    /// A type with full paths, shortened where it is deep.
    pub(crate) fn ty(&self, ty: Ty) -> String {
        let mut text = String::new();
        self.write_ty(ty, &mut text);
        text
    }

    fn write_args(&self, args: &[Ty], out: &mut String) {
        if !args.is_empty() {
            out.push('<');
            self.write_list(args, out);
            out.push('>');
        }
    }

    fn write_list(&self, list: &[Ty], out: &mut String) {
        for (i, &ty) in list.iter().enumerate() {
            out.push_str(if i > 0 { ", " } else { "" });
            self.write_ty(ty, out);
        }
    }

    fn write_ty(&self, ty: Ty, out: &mut String) {
        if out.len() > 400 {
            out.push('…');
            return;
        }
        match *ty.kind() {
            TyKind::Bool => out.push_str("Bool"),
            TyKind::Char => out.push_str("Char"),
            TyKind::Str => out.push_str("String"),
            TyKind::Never => out.push_str("Never"),
            TyKind::Int(int) => out.push_str(int.name()),
            TyKind::Float(float) => out.push_str(float.name()),
            TyKind::Tuple(parts) => {
                out.push('(');
                self.write_list(parts, out);
                out.push(')');
            }
            TyKind::Adt(id, args) => {
                out.push_str(self.source.adt(id).path.as_str());
                self.write_args(args, out);
            }
            TyKind::Fn(f) => {
                out.push_str("Fn(");
                self.write_list(f.params, out);
                out.push_str("): ");
                self.write_ty(f.ret, out);
            }
            TyKind::Ref(mutability, to) => {
                out.push_str(if mutability == Mutability::Mut { "&mut " } else { "&" });
                self.write_ty(to, out);
            }
            TyKind::Ptr(to) => {
                out.push_str("Ptr");
                self.write_args(&[to], out);
            }
            TyKind::Dyn(_) => out.push_str("dyn …"),
            TyKind::Record(fields) => {
                out.push('{');
                for (i, &(name, ty)) in fields.iter().enumerate() {
                    out.push_str(if i > 0 { ", " } else { "" });
                    out.push_str(name.as_str());
                    out.push_str(": ");
                    self.write_ty(ty, out);
                }
                out.push('}');
            }
            TyKind::Error
            | TyKind::OpenRecord(..)
            | TyKind::Param(_)
            | TyKind::Assoc(_)
            | TyKind::Opaque(..)
            | TyKind::Infer(_) => out.push('?'),
        }
    }

    // ---- hashes

    fn hash_key(&self, key: &InstanceKey, hash: &mut Hasher) {
        let number = match key {
            InstanceKey::Body(..) => 0,
            InstanceKey::FnValue(_) => 1,
            InstanceKey::DynShim(..) => 2,
            InstanceKey::RetainGlue(_) => 3,
            InstanceKey::ReleaseGlue(_) => 4,
            InstanceKey::DestroyGlue(_) => 5,
            InstanceKey::DestroyClosure(_) => 6,
            InstanceKey::DestroyDyn(_) => 7,
            InstanceKey::FieldGlue(..) => 8,
            InstanceKey::Specialised(..) => 10,
            InstanceKey::Entry(_) => 9,
            InstanceKey::Kept(_) => 99,
            InstanceKey::ForC(_) => 10,
            InstanceKey::Crossing(_) => 11,
        };
        hash.word(number);
        match key {
            InstanceKey::Body(body, args, evidence) => {
                hash.text(&self.path(*body));
                if body.part == BodyPart::Main {
                    let info = self.source.function(body.function);
                    self.hash_list(&info.params, hash);
                    hash.word(self.hash_ty(info.ret));
                }
                self.hash_list(args, hash);
                self.hash_evidence(evidence, hash);
            }
            InstanceKey::FnValue(of) | InstanceKey::ForC(of) | InstanceKey::DestroyClosure(of) => {
                self.hash_key(of, hash)
            }
            InstanceKey::DynShim(ty, of) => {
                hash.word(self.hash_ty(*ty));
                self.hash_key(of, hash);
            }
            InstanceKey::RetainGlue(ty)
            | InstanceKey::ReleaseGlue(ty)
            | InstanceKey::DestroyGlue(ty)
            | InstanceKey::DestroyDyn(ty) => hash.word(self.hash_ty(*ty)),
            InstanceKey::FieldGlue(ty, index) => {
                hash.word(self.hash_ty(*ty));
                hash.word(*index as u64);
            }
            InstanceKey::Specialised(of, values) => {
                self.hash_key(of, hash);
                for (param, value) in values {
                    hash.word(*param as u64);
                    self.hash_key(value, hash);
                }
            }
            InstanceKey::Crossing(what) => self.hash_crossing(what, hash),
            InstanceKey::Entry(main) => hash.text(self.source.function(*main).path.as_str()),
            InstanceKey::Kept(number) => hash.word(u64::from(*number)),
        }
    }

    fn hash_crossing(&self, what: &Crossing, hash: &mut Hasher) {
        let number = match what {
            Crossing::Value(_) => 0,
            Crossing::Place(_) => 1,
            Crossing::Parts(_) => 2,
            Crossing::ClosureParts(_) => 3,
            Crossing::BoxParts(_) => 4,
            Crossing::AnyParts => 5,
            Crossing::OwnCaptures(_) => 6,
            Crossing::OwnPayload(_) => 7,
            Crossing::OwnAny => 8,
            Crossing::OwnPlace(_) => 9,
            Crossing::MayKeep => 10,
            Crossing::LeadsNowhere => 11,
        };
        hash.word(number);
        match what {
            Crossing::Value(ty)
            | Crossing::Place(ty)
            | Crossing::Parts(ty)
            | Crossing::BoxParts(ty)
            | Crossing::OwnPayload(ty)
            | Crossing::OwnPlace(ty) => hash.word(self.hash_ty(*ty)),
            Crossing::ClosureParts(of) | Crossing::OwnCaptures(of) => self.hash_key(of, hash),
            Crossing::AnyParts | Crossing::OwnAny | Crossing::MayKeep | Crossing::LeadsNowhere => {}
        }
    }

    fn hash_evidence(&self, list: &[Evidence], hash: &mut Hasher) {
        hash.word(list.len() as u64);
        for it in list {
            match it {
                Evidence::Fn(function, args, inner) => {
                    hash.text(self.source.function(*function).path.as_str());
                    self.hash_list(args, hash);
                    self.hash_evidence(inner, hash);
                }
                Evidence::Field { ty, index } => {
                    hash.word(self.hash_ty(*ty));
                    hash.word(*index as u64);
                }
                Evidence::Method { .. } | Evidence::Member(_) => {
                    unreachable!("the evidence of an instance is concrete: {it:?}")
                }
            }
        }
    }

    fn hash_list(&self, list: &[Ty], hash: &mut Hasher) {
        hash.word(list.len() as u64);
        list.iter().for_each(|&ty| hash.word(self.hash_ty(ty)));
    }

    /// Stands for a type in every build.
    pub(crate) fn ty_key(&self, ty: Ty) -> u64 {
        self.hash_ty(ty)
    }

    fn hash_ty(&self, ty: Ty) -> u64 {
        if let Some(&known) = self.tys.borrow().get(&ty) {
            return known;
        }
        let mut hash = Hasher::new();
        let mut tagged = |tag: u64, parts: Tys| {
            hash.word(tag);
            self.hash_list(parts, &mut hash);
        };
        match *ty.kind() {
            TyKind::Error => tagged(0, &[]),
            TyKind::Never => tagged(1, &[]),
            TyKind::Bool => tagged(2, &[]),
            TyKind::Char => tagged(3, &[]),
            TyKind::Str => tagged(4, &[]),
            TyKind::Int(int) => hash.text(int.name()),
            TyKind::Float(float) => hash.text(float.name()),
            TyKind::Tuple(parts) => tagged(5, parts),
            TyKind::Adt(id, args) => {
                tagged(6, args);
                hash.text(self.source.adt(id).path.as_str());
            }
            TyKind::Fn(f) => {
                tagged(7, f.params);
                hash.word(self.hash_ty(f.ret));
                hash.word(self.hash_row(f.row));
            }
            TyKind::Ref(mutability, to) => {
                tagged(8, &[]);
                hash.word((mutability == Mutability::Mut) as u64);
                hash.word(self.hash_ty(to));
            }
            TyKind::Ptr(to) => {
                tagged(9, &[]);
                hash.word(self.hash_ty(to));
            }
            TyKind::Dyn(traits) => {
                for it in traits {
                    tagged(10, it.args);
                }
                for it in traits {
                    hash.word(self.hash_trait(it.trait_id));
                }
            }
            TyKind::Record(fields) => {
                tagged(11, &[]);
                for &(name, ty) in fields {
                    hash.text(name.as_str());
                    hash.word(self.hash_ty(ty));
                }
            }
            TyKind::OpenRecord(fields, rest) => {
                tagged(16, Ty::list(&[rest]));
                for &(name, ty) in fields {
                    hash.text(name.as_str());
                    hash.word(self.hash_ty(ty));
                }
            }
            TyKind::Param(param) => {
                tagged(12, &[]);
                hash.word(param.index as u64);
            }
            TyKind::Assoc(assoc) => {
                tagged(13, assoc.args);
                hash.text(assoc.name.as_str());
            }
            TyKind::Opaque(function, n, args) => {
                tagged(14, args);
                hash.text(self.source.function(function).path.as_str());
                hash.word(n as u64);
            }
            TyKind::Infer(_) => tagged(15, &[]),
        }
        let value = hash.finish();
        self.tys.borrow_mut().insert(ty, value);
        value
    }

    fn hash_row(&self, row: Row) -> u64 {
        row.labels.len() as u64
    }

    /// A trait by the path that the front end knows it under.
    fn hash_trait(&self, id: TraitId) -> u64 {
        let mut hash = Hasher::new();
        hash.text(self.source.trait_path(id).as_str());
        hash.finish()
    }
}

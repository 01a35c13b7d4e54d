//! Typed bodies to generic MIR, on demand: [`Lowerer`] is the [`qz_mir::Source`] that instantiation asks.
//!
//! Front and back meet here. Only bodies without problems are lowered, so every expression has a type and
//! every call a callee; what the front end leaves to structure (`==`, `show`, constructors as functions) is
//! made here as MIR ([`derive`], [`synth`]).

mod body;
mod borrows;
mod calls;
mod casts;
mod closures;
mod control;
mod coverage;
mod crossing;
mod data;
mod derive;
mod exprs;
mod foreign;
mod intrinsics;
mod kept;
mod loops;
mod matches;
mod numbers;
mod ops;
mod places;
mod records;
mod refined;
mod synth;
mod unions;

pub use coverage::Counters;
pub use kept::{FindBodies, Kept, NewBodies};

use std::cell::RefCell;
use std::sync::Arc;

use indexmap::IndexSet;
use qz_base::{FileId, FxHashMap, Name, Span};
use qz_hir::{AdtKind, Defs, FnKind, Overflow};
use qz_infer::traits::Derived;
use qz_infer::{Checker, traits::MethodTarget};
use qz_mir::{AdtDef, Body, BodyKey, BodyPart, FieldDef, FnInfo, Repr, StaticInfo, VariantDef};
use qz_types::{AdtId, FnId, StaticId, TraitId, TraitRef, Ty, Tys, subst};

/// The steps of `show` and `clone` for objects, which may be met again on the way.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum DerivePart {
    /// The text.
    Show,
    /// A copy that shares its parts.
    Start,
    /// `(from, to)`: the copy's parts become copies.
    Finish,
    /// The text of a refined value inside of others.
    Inspect,
}

/// A function that exists only as MIR.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Synth {
    /// A structural operation of a nominal type: the trait's method by name.
    DeriveAdt(Derived, AdtId),
    /// A part of that for objects.
    Derive(DerivePart, AdtId),
    /// … of tuples of this size.
    DeriveTuple(Derived, u32),
    /// … of records with these fields, a parameter each.
    DeriveRecord(Derived, Ty),
    /// … of functions and `dyn` values (`show` and `clone` only).
    DeriveOpaque(Derived),
    /// `+` of tuples of these sizes.
    JoinTuples(u32, u32),
    /// A variant as a function.
    Variant(AdtId, u32),
    Newtype(AdtId),
    /// Calls `main` and turns its `Result` into an exit status.
    Main(FnId),
    /// Makes sure that a module variable is initialised.
    Static(StaticId),
    StaticMake(StaticId),
    StaticEnd(StaticId),
    /// Calls a trait's method through the table of a `dyn` value of this type, by its slot.
    DynCall(Ty, u32),
}

/// Lowers what is asked for, once.
pub struct Lowerer<'c, 'd> {
    pub ck: &'c Checker<'d>,
    synths: RefCell<IndexSet<Synth>>,
    bodies: RefCell<FxHashMap<BodyKey, Arc<Body>>>,
    infos: RefCell<FxHashMap<FnId, Arc<FnInfo>>>,
    adts: RefCell<FxHashMap<AdtId, Arc<AdtDef>>>,
    /// What the program's own functions do on overflow, unless they say otherwise. Those of the library check: what
    /// they do with memory relies on it.
    pub overflow: Overflow,
    /// Where the lines of functions are counted, if they are.
    pub counters: Option<coverage::Counters>,
    /// Whether the program has a `drop` of its own, so that one can watch when temporaries go.
    pub watches_drops: bool,
    /// What was lowered before.
    pub kept: Option<Kept<'c>>,
}

impl<'c, 'd> Lowerer<'c, 'd> {
    pub fn new(ck: &'c Checker<'d>) -> Lowerer<'c, 'd> {
        let defs = ck.defs;
        let watches_drops = defs.lang.trait_("Drop").is_some_and(|drop| {
            defs.impls_of(drop).iter().any(|&it| !defs.modules[defs.impls[it].module].is_std)
        });
        Lowerer {
            ck,
            synths: RefCell::default(),
            bodies: RefCell::default(),
            infos: RefCell::default(),
            adts: RefCell::default(),
            overflow: Overflow::default(),
            counters: None,
            watches_drops,
            kept: None,
        }
    }

    pub(crate) fn defs(&self) -> &'d Defs {
        self.ck.defs
    }

    /// The function to start a program with.
    pub fn entry(&self, main: FnId) -> FnId {
        let ret = self.ck.scheme(main).ret;
        match ret.as_adt() {
            Some(_) => self.synth(Synth::Main(main)),
            None => main,
        }
    }

    pub(crate) fn synth(&self, what: Synth) -> FnId {
        let (at, _) = self.synths.borrow_mut().insert_full(what);
        FnId::from_raw((self.defs().fns.len() + at) as u32)
    }

    fn as_synth(&self, id: FnId) -> Option<Synth> {
        let at = id.index().checked_sub(self.defs().fns.len())?;
        self.synths.borrow().get_index(at).copied()
    }

    pub(crate) fn lang_fn(&self, role: &str) -> FnId {
        match self.defs().lang.func(role) {
            Some(id) => id,
            None => panic!("the standard library has no `@lang(\"{role}\")` function"),
        }
    }

    pub(crate) fn lang_adt(&self, role: &str) -> AdtId {
        match self.defs().lang.adt(role) {
            Some(id) => id,
            None => panic!("the standard library has no `@lang(\"{role}\")` type"),
        }
    }

    pub(crate) fn lang_trait(&self, role: &str) -> TraitId {
        match self.defs().lang.trait_(role) {
            Some(id) => id,
            None => panic!("the standard library has no `@lang(\"{role}\")` trait"),
        }
    }

    /// A trait's method by name, as a callee on `ty`.
    pub(crate) fn method_of(&self, role: &str, name: &str, ty: Ty) -> qz_mir::Callee {
        let trait_id = self.lang_trait(role);
        let methods = &self.defs().traits[trait_id].methods;
        let at = methods.iter().position(|&it| self.defs().fns[it].name.as_str() == name);
        let method = at.unwrap_or_else(|| panic!("the trait `{role}` has no `{name}`")) as u32;
        qz_mir::Callee::Method { trait_id, method, args: Ty::list(&[ty]), own_args: &[] }
    }

    /// The index of a field by name.
    pub(crate) fn field_index(&self, adt: AdtId, name: &str) -> u32 {
        let fields = self.defs().adt_fields(adt);
        let at = fields.variants[0].fields.iter().position(|it| it.name.as_str() == name);
        at.unwrap_or_else(|| panic!("`{}` has no field `{name}`", self.defs().adts[adt].name)) as u32
    }

    pub(crate) fn variant_index(&self, adt: AdtId, name: &str) -> u32 {
        let fields = self.defs().adt_fields(adt);
        let at = fields.variants.iter().position(|it| it.name.as_str() == name);
        at.unwrap_or_else(|| panic!("`{}` has no variant `{name}`", self.defs().adts[adt].name)) as u32
    }

    fn make_adt(&self, id: AdtId) -> AdtDef {
        let def = &self.defs().adts[id];
        let fields = self.defs().adt_fields(id);
        let variant_fields = |n: usize| -> Vec<FieldDef> {
            fields.variants[n].fields.iter().map(|it| FieldDef { name: it.name, ty: it.ty }).collect()
        };
        let kind = match def.kind {
            AdtKind::Enum if let Some(int) = def.repr_int => {
                let ty = Ty::new(qz_types::TyKind::Int(int));
                qz_mir::AdtKind::Value(vec![FieldDef { name: Name::new("number"), ty }])
            }
            AdtKind::Struct => qz_mir::AdtKind::Reference(variant_fields(0)),
            AdtKind::Value | AdtKind::Newtype => qz_mir::AdtKind::Value(variant_fields(0)),
            AdtKind::Enum => qz_mir::AdtKind::Enum(
                fields
                    .variants
                    .iter()
                    .enumerate()
                    .map(|(n, it)| VariantDef { name: it.name, fields: variant_fields(n) })
                    .collect(),
            ),
        };
        let repr = if def.repr_c && def.kind != AdtKind::Enum { Repr::C } else { Repr::Quartz };
        AdtDef { path: self.defs().adt_path(id), name: def.name, kind, repr }
    }

    fn make_info(&self, id: FnId) -> FnInfo {
        let scheme = self.ck.scheme(id);
        let def = &self.defs().fns[id];
        let kind = match def.kind {
            FnKind::ExternC { variadic } => {
                qz_mir::FnKind::Extern { symbol: def.attrs.link_name.unwrap_or(def.name), variadic }
            }
            FnKind::Intrinsic => match intrinsics::made(def.name.as_str()) {
                Some(made) => qz_mir::FnKind::Made(made),
                None => qz_mir::FnKind::Quartz,
            },
            _ => qz_mir::FnKind::Quartz,
        };
        FnInfo {
            path: self.defs().fn_path(id),
            params: scheme.params.clone(),
            ret: scheme.ret,
            kind,
            // Who is asked stays the caller's.
            owns_from: (def.crosses() || self.ck.hands_on(id)).then_some(def.self_param.is_some() as usize),
            export: def.attrs.export,
        }
    }

    fn lower(&self, key: BodyKey) -> Body {
        match self.as_synth(key.function) {
            Some(what) => synth::body(self, key, what),
            None => match self.defs().fns[key.function].kind {
                FnKind::Runtime | FnKind::Intrinsic => intrinsics::wrapper(self, key),
                _ => self.counted(body::lower(self, key)),
            },
        }
    }
}

impl Lowerer<'_, '_> {
    /// The slot of a method in the table of a `dyn` value, which may have one trait with several arguments.
    fn dyn_slot(&self, trait_id: TraitId, method: u32, args: Tys) -> u32 {
        let slots = qz_mir::Source::dyn_slots(self, args[0]);
        let is_it = |(bound, n): &(TraitRef, u32)| bound.trait_id == trait_id && *n == method;
        let same_args = |bound: &TraitRef| {
            bound.args.iter().map(|&it| self.ck.normalize(it)).eq(args[1..].iter().copied())
        };
        let exact = slots.iter().position(|it| is_it(it) && same_args(&it.0));
        let slot = exact.or_else(|| slots.iter().position(is_it));
        slot.expect("the checker knows what a `dyn` value carries") as u32
    }

    fn counted(&self, mut body: Body) -> Body {
        if let Some(counters) = &self.counters {
            coverage::count_lines(&mut body, counters);
        }
        body
    }
}

impl qz_mir::Source for Lowerer<'_, '_> {
    fn adt(&self, id: AdtId) -> Arc<AdtDef> {
        if let Some(known) = self.adts.borrow().get(&id) {
            return known.clone();
        }
        let made = Arc::new(self.make_adt(id));
        self.adts.borrow_mut().insert(id, made.clone());
        made
    }

    fn function(&self, id: FnId) -> FnInfo {
        if let Some(what) = self.as_synth(id) {
            return synth::info(self, what);
        }
        if !self.defs().fns[id].has_body {
            return self.make_info(id);
        }
        if let Some(known) = self.infos.borrow().get(&id) {
            return FnInfo::clone(known);
        }
        let kept = self.kept.as_ref().and_then(|it| it.info(self, id));
        let info = Arc::new(kept.unwrap_or_else(|| self.make_info(id)));
        self.infos.borrow_mut().insert(id, info.clone());
        FnInfo::clone(&info)
    }

    fn body(&self, key: BodyKey) -> Arc<Body> {
        if let Some(known) = self.bodies.borrow().get(&key) {
            return known.clone();
        }
        let lowered = || Arc::new(stacker::maybe_grow(256 * 1024, 4 * 1024 * 1024, || self.lower(key)));
        let made = self.kept_body(key).unwrap_or_else(lowered);
        self.bodies.borrow_mut().insert(key, made.clone());
        made
    }

    fn resolve_method(&self, trait_id: TraitId, method: u32, args: Tys, own_args: Tys) -> (FnId, Tys) {
        match self.ck.resolve_method(trait_id, method, args, own_args) {
            MethodTarget::Fn(id, args) => (id, args),
            MethodTarget::Derived(derived) => {
                let ty = args[0];
                match *ty.kind() {
                    qz_types::TyKind::Adt(id, args) => (self.synth(Synth::DeriveAdt(derived, id)), args),
                    qz_types::TyKind::Tuple(parts) => {
                        (self.synth(Synth::DeriveTuple(derived, parts.len() as u32)), parts)
                    }
                    qz_types::TyKind::Record(fields) => {
                        let parts: Vec<Ty> = fields.iter().map(|it| it.1).collect();
                        let shape = derive::generic_record(fields);
                        (self.synth(Synth::DeriveRecord(derived, shape)), Ty::list(&parts))
                    }
                    _ => (self.synth(Synth::DeriveOpaque(derived)), Ty::list(&[ty])),
                }
            }
            MethodTarget::Joined => {
                let [left, right] = [args[0], args[1]].map(synth::tuple_parts);
                let what = Synth::JoinTuples(left.len() as u32, right.len() as u32);
                (self.synth(what), Ty::list(&[left, right].concat()))
            }
            MethodTarget::InsideInspect => {
                let (id, args) = args[0].as_adt().expect("a refined type or a union");
                (self.synth(Synth::Derive(DerivePart::Inspect, id)), args)
            }
            MethodTarget::Dyn => {
                (self.synth(Synth::DynCall(args[0], self.dyn_slot(trait_id, method, args))), &[])
            }
        }
    }

    fn dyn_slots(&self, dyn_ty: Ty) -> Vec<(TraitRef, u32)> {
        let mut slots = Vec::new();
        for bound in self.ck.dyn_bounds(dyn_ty) {
            let methods = &self.defs().traits[bound.trait_id].methods;
            for (n, &method) in methods.iter().enumerate() {
                if self.ck.dyn_obstacle(method).is_none() {
                    slots.push((bound, n as u32));
                }
            }
        }
        slots
    }

    fn trait_path(&self, id: TraitId) -> Name {
        let def = &self.defs().traits[id];
        Name::new(&format!("{}::{}", self.defs().modules[def.module].path, def.name))
    }

    fn normalize(&self, ty: Ty) -> Ty {
        self.ck.normalize(ty)
    }

    fn drop_is_silent(&self, ty: Ty) -> bool {
        ty.as_adt().is_some_and(|(id, _)| self.defs().adts[id].silent_drop)
    }

    fn is_library(&self, function: FnId) -> bool {
        let defs = self.defs();
        // Others are made for a type.
        function.index() < defs.fns.len() && defs.modules[defs.fns[function].module].is_std
    }

    fn is_of_library(&self, ty: Ty) -> bool {
        let defs = self.defs();
        ty.as_adt().is_some_and(|(id, _)| defs.modules[defs.adts[id].module].is_std)
    }

    fn is_handle(&self, ty: Ty) -> bool {
        let Some(trait_id) = self.defs().lang.trait_("Share") else { return false };
        self.ck.holds(ty, TraitRef { trait_id, args: &[] })
    }

    fn stays_in_task(&self, ty: Ty) -> bool {
        self.keeps_to_task(ty)
    }

    fn weak_target(&self, ty: Ty) -> Option<Ty> {
        let (id, args) = ty.as_adt()?;
        (self.defs().lang.adt("Weak") == Some(id)).then(|| args[0])
    }

    fn hidden_parts(&self, ty: Ty) -> Option<(FnId, Tys)> {
        if !self.written_impl("Cross", ty) {
            return None;
        }
        match self.ck.resolve_method(self.lang_trait("Cross"), 0, Ty::list(&[ty]), &[]) {
            MethodTarget::Fn(id, args) => Some((id, args)),
            _ => None,
        }
    }

    fn is_constant(&self, function: FnId) -> bool {
        let def = self.as_synth(function).is_none().then(|| &self.defs().fns[function]);
        def.is_some_and(|it| matches!(it.kind, FnKind::Const | FnKind::AssocConst))
    }

    fn is_written(&self, function: FnId) -> bool {
        self.as_synth(function).is_none()
    }

    fn is_own_file(&self, file: FileId) -> bool {
        let defs = self.defs();
        defs.module_of_file(file).is_none_or(|module| !defs.modules[module].is_std)
    }

    fn is_own_type(&self, id: AdtId) -> bool {
        !self.defs().modules[self.defs().adts[id].module].is_std
    }

    fn is_own_trait(&self, id: TraitId) -> bool {
        !self.defs().modules[self.defs().traits[id].module].is_std
    }

    fn library(&self, role: &str) -> Option<FnId> {
        self.defs().lang.func(role)
    }

    fn clone_of(&self, ty: Ty) -> Option<(FnId, Tys)> {
        let trait_id = self.lang_trait("Clone");
        if !self.ck.holds(ty, TraitRef { trait_id, args: &[] }) || self.ends_apart(ty) {
            return None;
        }
        Some(self.resolve_method(trait_id, 0, Ty::list(&[ty]), &[]))
    }

    fn user_drop(&self, ty: Ty) -> Option<(FnId, Tys)> {
        let trait_id = self.defs().lang.trait_("Drop")?;
        let bound = TraitRef { trait_id, args: &[] };
        match self.ck.select(ty, bound)? {
            qz_infer::Selection::Impl(..) => {
                match self.ck.resolve_method(trait_id, 0, Ty::list(&[ty]), &[]) {
                    MethodTarget::Fn(id, args) => Some((id, args)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn static_var(&self, id: StaticId) -> StaticInfo {
        let def = &self.defs().statics[id];
        let ty = self.static_ty(id);
        let path = Name::new(&format!("{}::{}", self.defs().modules[def.module].path, def.name));
        let span = Span::new(self.defs().file_of(def.module), def.name_range);
        let of_task = def.whose == qz_hir::Whose::Task;
        StaticInfo { path, ty: Ty::tuple(&[qz_types::ty::common().int, ty]), span, of_task }
    }
}

impl Lowerer<'_, '_> {
    /// Whether somebody wrote an `impl` of this trait of the library's for the type.
    pub(crate) fn written_impl(&self, role: &str, ty: Ty) -> bool {
        let Some(trait_id) = self.defs().lang.trait_(role) else { return false };
        let bound = TraitRef { trait_id, args: &[] };
        matches!(self.ck.select(ty, bound), Some(qz_infer::Selection::Impl(..)))
    }

    pub(crate) fn static_ty(&self, id: StaticId) -> Ty {
        match self.defs().static_ty(id) {
            Some(ty) => ty,
            None => self.ck.scheme(self.defs().statics[id].init).ret,
        }
    }

    /// The type of a field for given type arguments.
    pub(crate) fn field_ty(&self, adt: AdtId, variant: u32, index: u32, args: &[Ty]) -> Ty {
        let fields = self.defs().adt_fields(adt);
        subst(fields.variants[variant as usize].fields[index as usize].ty, args)
    }
}

/// The key of a function's own body.
pub(crate) fn main_key(function: FnId) -> BodyKey {
    BodyKey { function, part: BodyPart::Main }
}

//! Which functions does a program consist of? From the entry on, every function is made once for each list
//! of type arguments it is used with, as far as code can reach.
//!
//! A worklist of [`InstanceKey`]s in order of discovery, so that the result does not depend on hashing.
//! [`body`] rewrites one body; [`resolve`] finds what a call means; bodies that no source text stands for
//! come from [`crate::glue`]. Counts are not placed here.

mod body;
mod resolve;

use std::sync::Arc;

use indexmap::IndexMap;
use qz_base::FxHashMap;
use qz_mir::layout::Layouts;
use qz_mir::{
    AdtKind, Body, BodyKey, BodyPart, Circle, Const, Crossing, EntryCrossing, FnKind, ForC, Foreign, Instance,
    InstanceId, InstanceKey, Local, Made, Module, Ownership, Param, Source, TypeEntry, TypeEntryKind, Vtable,
    VtableId,
};
use qz_types::{FnId, StaticId, Ty, TyFlags, TyKind, Tys, subst};
use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::drops::Drops;
use crate::glue;
use crate::symbols::Symbols;
use crate::cycles;
use crate::{ConstEval, OptError};

pub(crate) use resolve::no_evidence;

/// Type constructors may be nested so deep in the arguments of an instance.
pub(crate) const MAX_DEPTH: u32 = 64;

pub(crate) struct Instantiator<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) layouts: &'a Layouts<'a>,
    pub(crate) drops: &'a Drops<'a>,
    consts: Option<ConstEval<'a>>,
    /// Constants met so far.
    evaluated: FxHashMap<FnId, Option<Const>>,
    pub(crate) module: Module,
    ids: IndexMap<InstanceKey, InstanceId, FxBuildHasher>,
    /// Which instance asked for each first.
    askers: Vec<Option<InstanceId>>,
    current: Option<InstanceId>,
    vtables: FxHashMap<(Ty, Ty), VtableId>,
    entries: FxHashSet<TypeEntryKind>,
    /// Entries of the type table that have what crossing needs.
    completed: usize,
    statics: FxHashSet<StaticId>,
    depths: FxHashMap<Ty, u32>,
    symbols: Symbols<'a>,
    taken: FxHashSet<String>,
    error: Option<OptError>,
}

/// All instances that the entry needs, with concrete types and callees.
pub(crate) fn instantiate<'a>(
    source: &'a dyn Source,
    layouts: &'a Layouts<'a>,
    drops: &'a Drops<'a>,
    entry: Option<InstanceKey>,
    exports: &[FnId],
    consts: Option<ConstEval<'a>>,
) -> Result<Module, OptError> {
    let mut cx = Instantiator {
        source,
        layouts,
        drops,
        consts,
        evaluated: FxHashMap::default(),
        module: Module::default(),
        ids: IndexMap::default(),
        askers: Vec::new(),
        current: None,
        vtables: FxHashMap::default(),
        entries: FxHashSet::default(),
        completed: 0,
        statics: FxHashSet::default(),
        depths: FxHashMap::default(),
        symbols: Symbols::new(source),
        taken: FxHashSet::default(),
        error: None,
    };
    cx.module.entry = entry.map(|entry| cx.instance(entry));
    for &function in exports {
        let key = InstanceKey::Body(BodyKey::main(function), Ty::list(&[]), no_evidence());
        cx.instance(InstanceKey::ForC(Box::new(key)));
    }
    let mut next = 0;
    loop {
        while let Some((key, &id)) = cx.ids.get_index(next) {
            let key = key.clone();
            cx.current = Some(id);
            cx.make(id, &key);
            if let Some(error) = cx.error.take() {
                return Err(error);
            }
            next += 1;
        }
        cx.complete_entries();
        if next == cx.ids.len() && !cx.collect_circles() {
            return Ok(cx.module);
        }
    }
}

impl<'a> Instantiator<'a> {
    /// The instance of a key, to be made if it is new.
    pub(crate) fn instance(&mut self, key: InstanceKey) -> InstanceId {
        if let Some(&known) = self.ids.get(&key) {
            return known;
        }
        let deepest = self.depth_of_key(&key);
        let id = self.module.instances.alloc(Instance {
            symbol: self.symbols.of(&key),
            key: key.clone(),
            body: None,
            params: Vec::new(),
            ret: qz_types::ty::common().unit,
            may_panic: true,
            foreign: None,
            for_c: None,
        });
        if !self.taken.insert(self.module.instances[id].symbol.clone()) {
            // Differs in something that has no path, such as an effect row. The order of discovery is the
            // same in every build.
            let n = id.raw();
            let symbol = &mut self.module.instances[id].symbol;
            symbol.push_str(&format!(".{n}"));
            self.taken.insert(symbol.clone());
        }
        self.askers.push(self.current);
        self.ids.insert(key, id);
        if deepest > MAX_DEPTH && self.error.is_none() {
            self.error = Some(OptError::TooDeep { chain: self.chain(id) });
        }
        id
    }

    /// Who asked for an instance, and who for that one, the last few of them.
    fn chain(&self, id: InstanceId) -> Vec<String> {
        let up = std::iter::successors(Some(id), |&id| self.askers[id.index()]);
        up.take(8).map(|id| self.symbols.readable(&self.module.instances[id].key)).collect()
    }

    fn depth_of_key(&mut self, key: &InstanceKey) -> u32 {
        match key {
            InstanceKey::Body(_, args, _) => args.iter().map(|&ty| self.depth(ty)).max().unwrap_or(0),
            InstanceKey::FnValue(of) | InstanceKey::ForC(of) | InstanceKey::DestroyClosure(of) => {
                self.depth_of_key(of)
            }
            InstanceKey::DynShim(ty, of) => self.depth(*ty).max(self.depth_of_key(of)),
            InstanceKey::RetainGlue(ty)
            | InstanceKey::ReleaseGlue(ty)
            | InstanceKey::DestroyGlue(ty)
            | InstanceKey::DestroyDyn(ty)
            | InstanceKey::FieldGlue(ty, _) => self.depth(*ty),
            InstanceKey::Crossing(what) => match &**what {
                Crossing::Value(ty)
                | Crossing::Place(ty)
                | Crossing::Parts(ty)
                | Crossing::BoxParts(ty)
                | Crossing::OwnPayload(ty)
                | Crossing::OwnPlace(ty) => self.depth(*ty),
                Crossing::ClosureParts(of) | Crossing::OwnCaptures(of) => self.depth_of_key(of),
                Crossing::AnyParts | Crossing::OwnAny | Crossing::MayKeep => 0,
            },
            InstanceKey::Specialised(of, _) => self.depth_of_key(of),
            InstanceKey::Entry(_) => 0,
        }
    }

    fn depth(&mut self, ty: Ty) -> u32 {
        if let Some(&known) = self.depths.get(&ty) {
            return known;
        }
        let parts: Vec<Ty> = match *ty.kind() {
            TyKind::Tuple(parts) | TyKind::Adt(_, parts) | TyKind::Opaque(_, _, parts) => parts.to_vec(),
            TyKind::Fn(f) => f.params.iter().copied().chain([f.ret]).collect(),
            TyKind::Ref(_, to) | TyKind::Ptr(to) => vec![to],
            TyKind::Dyn(traits) => traits.iter().flat_map(|it| it.args).copied().collect(),
            TyKind::Record(fields) => fields.iter().map(|&(_, ty)| ty).collect(),
            _ => return 0,
        };
        let inner = parts.iter().map(|&part| self.depth(part)).max().unwrap_or(0);
        let depth = inner + !parts.is_empty() as u32;
        self.depths.insert(ty, depth);
        depth
    }

    /// Fills in an instance.
    fn make(&mut self, id: InstanceId, key: &InstanceKey) {
        let body = match key {
            InstanceKey::Body(body, args, evidence) => match self.foreign(*body, args) {
                Some((foreign, params, ret)) => return self.make_foreign(id, foreign, &params, ret),
                None => match self.made(*body) {
                    Some(what) => glue::made::made(self, what, args),
                    None => self.mono_body(*body, args, evidence),
                },
            },
            InstanceKey::FnValue(of) => glue::fn_value(self, of),
            InstanceKey::ForC(of) => {
                self.module.instances[id].for_c = Some(self.for_c(of));
                glue::for_c(self, of)
            }
            InstanceKey::DynShim(from, of) => glue::dyn_shim(self, *from, of),
            InstanceKey::RetainGlue(ty) => glue::count_glue(*ty, true),
            InstanceKey::ReleaseGlue(ty) => glue::count_glue(*ty, false),
            InstanceKey::DestroyGlue(ty) => glue::destroy(self, *ty),
            InstanceKey::DestroyClosure(of) => glue::destroy_closure(self, of),
            InstanceKey::DestroyDyn(from) => glue::destroy_dyn(self, *from),
            InstanceKey::FieldGlue(ty, index) => glue::field(self, *ty, *index),
            InstanceKey::Crossing(what) => glue::cross::crossing(self, what),
            InstanceKey::Entry(main) => glue::entry(self, *main),
            InstanceKey::Specialised(..) => unreachable!("copies are made of instances, later"),
        };
        let owns_from = match key {
            InstanceKey::Body(it, ..) if it.part == BodyPart::Main => {
                self.source.function(it.function).owns_from
            }
            _ => None,
        };
        let param = |(n, local): (usize, Local)| {
            let ty = body.locals[local].ty;
            let owned = owns_from.is_some_and(|from| n >= from) && self.drops.is_counted(ty);
            Param { ty, ownership: if owned { Ownership::Owned } else { Ownership::Borrowed } }
        };
        let params = body.params().enumerate().map(param).collect();
        let instance = &mut self.module.instances[id];
        (instance.params, instance.ret) = (params, body.return_ty());
        instance.body = Some(Arc::new(body));
    }

    /// What C knows of a function.
    fn for_c(&self, of: &InstanceKey) -> ForC {
        let symbol = match of {
            InstanceKey::Body(body, ..) if body.part == BodyPart::Main => {
                self.source.function(body.function).export
            }
            _ => None,
        };
        ForC { symbol, name: self.symbols.readable(of) }
    }

    fn foreign(&self, key: BodyKey, args: Tys) -> Option<(Foreign, Vec<Ty>, Ty)> {
        if key.part != BodyPart::Main {
            return None;
        }
        let info = self.source.function(key.function);
        match info.kind {
            FnKind::Quartz | FnKind::Made(_) => None,
            FnKind::Extern { symbol, variadic } => {
                let params = info.params.iter().map(|&ty| self.mono(ty, args)).collect();
                Some((Foreign { symbol, variadic }, params, self.mono(info.ret, args)))
            }
        }
    }

    fn made(&self, key: BodyKey) -> Option<Made> {
        match self.source.function(key.function).kind {
            FnKind::Made(what) if key.part == BodyPart::Main => Some(what),
            _ => None,
        }
    }

    fn make_foreign(&mut self, id: InstanceId, foreign: Foreign, params: &[Ty], ret: Ty) {
        let param = |&ty: &Ty| Param { ty: self.source.normalize(ty), ownership: Ownership::Borrowed };
        let params = params.iter().map(param).collect();
        let instance = &mut self.module.instances[id];
        (instance.params, instance.ret) = (params, ret);
        instance.foreign = Some(foreign);
        instance.may_panic = false;
    }

    /// A type with parameters replaced and everything resolved.
    pub(crate) fn mono(&self, ty: Ty, args: Tys) -> Ty {
        let ty = if ty.has(TyFlags::PARAM) { subst(ty, args) } else { ty };
        if ty.has(TyFlags::UNSETTLED) { self.source.normalize(ty) } else { ty }
    }

    /// Parameters and result of an instance that can be called.
    pub(crate) fn signature(&self, key: &InstanceKey) -> (Vec<Ty>, Ty) {
        match key {
            InstanceKey::Body(body, args, _) if body.part == BodyPart::Main => {
                let info = self.source.function(body.function);
                let params = info.params.iter().map(|&ty| self.mono(ty, args)).collect();
                (params, self.mono(info.ret, args))
            }
            InstanceKey::Body(body, args, _) => {
                let generic = self.source.body(*body);
                let params = generic.params().map(|local| self.mono(generic.locals[local].ty, args));
                (params.collect(), self.mono(generic.return_ty(), args))
            }
            InstanceKey::FieldGlue(ty, index) => (vec![*ty], self.field_ty(*ty, *index)),
            other => unreachable!("{other:?} is not called by name"),
        }
    }

    /// The type of a field of a struct, tuple or record.
    pub(crate) fn field_ty(&self, ty: Ty, index: u32) -> Ty {
        let fields = match ty.kind() {
            _ if self.layouts.is_reference_struct(ty) => self.layouts.object(ty).fields.tys.clone(),
            _ => self.layouts.of(ty).fields().tys.clone(),
        };
        fields[index as usize]
    }

    /// Types of what a closure instance captures.
    pub(crate) fn captures(&self, key: &InstanceKey) -> Vec<Ty> {
        match key {
            InstanceKey::Body(body, args, _) => {
                let generic: Arc<Body> = self.source.body(*body);
                generic.captures.iter().map(|&ty| self.mono(ty, args)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A type for people.
    pub(crate) fn name_of(&self, ty: Ty) -> String {
        self.symbols.ty(ty)
    }

    /// Notes that objects of this kind are made.
    pub(crate) fn needs_entry(&mut self, kind: TypeEntryKind) {
        if !self.entries.insert(kind.clone()) {
            return;
        }
        let (name, destroy) = match &kind {
            TypeEntryKind::Ty(ty) => (self.symbols.ty(*ty), InstanceKey::DestroyGlue(*ty)),
            TypeEntryKind::Closure(id) => {
                let key = self.module.instances[*id].key.clone();
                let name = format!("closure {}", self.symbols.readable(&key));
                (name, InstanceKey::DestroyClosure(Box::new(key)))
            }
            TypeEntryKind::DynBox(from) => {
                (format!("dyn box of {}", self.symbols.ty(*from)), InstanceKey::DestroyDyn(*from))
            }
        };
        let destroy = self.instance(destroy);
        self.module.types.push(TypeEntry { name, kind, destroy, crossing: EntryCrossing::default(), circle: Circle::Never });
    }

    /// A program that may make circles collects them; whether that is news.
    fn collect_circles(&mut self) -> bool {
        self.module.cyclic = cycles::cyclic_types(self);
        if self.module.cyclic.is_empty() {
            return false;
        }
        let Some(step) = self.source.library("collect_step") else { return false };
        let key = InstanceKey::Body(BodyKey::main(step), Ty::list(&[]), no_evidence());
        if !self.ids.contains_key(&key) {
            self.instance(key);
            let all = self.source.library("collect_all").expect("it stands beside the other one");
            self.instance(InstanceKey::Body(BodyKey::main(all), Ty::list(&[]), no_evidence()));
            return true;
        }
        let step = self.instance(key);
        cycles::mark_entries(self);
        cycles::collect_where_made(&mut self.module, step);
        let all = self.source.library("collect_all").expect("it stands beside the other one");
        let all = self.instance(InstanceKey::Body(BodyKey::main(all), Ty::list(&[]), no_evidence()));
        cycles::collect_at_end(self, all);
        false
    }

    /// Where values go to other tasks, every kind of object may be met on the way.
    fn complete_entries(&mut self) {
        let mut asked =
            [Crossing::AnyParts, Crossing::MayKeep].map(|it| InstanceKey::Crossing(Box::new(it))).into_iter();
        if !asked.any(|key| self.ids.contains_key(&key)) {
            return;
        }
        while let Some(entry) = self.module.types.get(self.completed) {
            let kind = entry.kind.clone();
            self.module.types[self.completed].crossing = glue::cross::entry(self, &kind);
            self.completed += 1;
        }
    }

    fn needs_static(&mut self, id: StaticId) {
        if self.statics.insert(id) {
            self.module.statics.push((id, self.source.static_var(id)));
        }
    }

    /// The table of methods for values of `from` behind `dyn_ty`. The slots of a type with several traits
    /// follow one another in the order of the traits.
    fn vtable(&mut self, from: Ty, dyn_ty: Ty) -> VtableId {
        if let Some(&known) = self.vtables.get(&(from, dyn_ty)) {
            return known;
        }
        let mut slots = Vec::new();
        for (it, method) in self.source.dyn_slots(dyn_ty) {
            let args: Vec<Ty> = [from].into_iter().chain(it.args.iter().copied()).collect();
            let target = self.method_key(it.trait_id, method, Ty::list(&args), &[]);
            slots.push(self.instance(InstanceKey::DynShim(from, Box::new(target))));
        }
        let id = self.module.vtables.alloc(Vtable { from, dyn_ty, slots });
        self.vtables.insert((from, dyn_ty), id);
        id
    }

    /// Whether the variant of an enum lives in a cell.
    fn makes_cell(&self, ty: Ty, variant: u32) -> bool {
        let TyKind::Adt(id, _) = *ty.kind() else { return false };
        let def = self.source.adt(id);
        let AdtKind::Enum(variants) = &def.kind else { return false };
        !variants[variant as usize].fields.is_empty() && self.layouts.of(ty).is_boxed()
    }
}

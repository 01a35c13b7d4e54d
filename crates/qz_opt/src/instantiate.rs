//! Which functions does a program consist of? From the entry on, every function is made once for each list
//! of type arguments it is used with, as far as code can reach.
//!
//! A worklist of [`InstanceKey`]s in order of discovery, so that the result does not depend on hashing.
//! [`body`] rewrites one body; [`resolve`] finds what a call means; bodies that no source text stands for
//! come from [`crate::glue`]. Counts are not placed here.

mod body;
mod records;
mod resolve;

use std::sync::Arc;

use indexmap::IndexMap;
use qz_base::FxHashMap;
use qz_mir::layout::Layouts;
use qz_mir::visit::{PlaceRef, each_place};
use qz_mir::{
    AdtKind, Body, BodyKey, BodyPart, Circle, Const, Crossing, EntryCrossing, FnKind, ForC, Foreign,
    Instance, InstanceId, InstanceKey, Local, Made, Module, Ownership, Param, Source, TypeEntry,
    TypeEntryKind, Vtable, VtableId,
};
use qz_types::{FnId, StaticId, Ty, TyFlags, TyKind, Tys, subst};
use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::before::{self, Before};
use crate::cycles;
use crate::drops::Drops;
use crate::glue;
use crate::symbols::Symbols;
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
    evaluated: FxHashMap<(FnId, Tys), Option<Const>>,
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
    /// The program that a part is changed of.
    before: Option<&'a Before<'a>>,
    /// Bodies in which objects that end were looked for.
    searched: usize,
    /// Two instances would have the same symbol.
    pub(crate) ambiguous: bool,
    error: Option<OptError>,
}

/// What is instantiated: all of a program, or a part of one that is there already.
pub(crate) enum Start<'a> {
    Program { entry: Option<InstanceKey>, exports: &'a [FnId] },
    Part { roots: Vec<InstanceKey>, before: &'a Before<'a> },
}

pub(crate) struct Instantiated {
    pub(crate) module: Module,
    /// Structs whose fields are written after they were made.
    pub(crate) changed: FxHashSet<Ty>,
    pub(crate) ambiguous: bool,
}

/// All instances that the entry needs, with concrete types and callees.
pub(crate) fn instantiate<'a>(
    source: &'a dyn Source,
    layouts: &'a Layouts<'a>,
    drops: &'a Drops<'a>,
    start: Start<'a>,
    consts: Option<ConstEval<'a>>,
) -> Result<Instantiated, OptError> {
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
        before: None,
        searched: 0,
        ambiguous: false,
        error: None,
    };
    match start {
        Start::Program { entry, exports } => {
            cx.module.entry = entry.map(|entry| cx.instance(entry));
            for &function in exports {
                let key = InstanceKey::Body(BodyKey::main(function), Ty::list(&[]), no_evidence());
                cx.instance(InstanceKey::ForC(Box::new(key)));
            }
        }
        Start::Part { roots, before } => {
            cx.before = Some(before);
            cx.module.roots = roots.into_iter().map(|root| cx.instance(root)).collect();
        }
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
        cx.complete_ended();
        if next < cx.ids.len() {
            continue;
        }
        if let Some(before) = cx.before {
            cx.module.weak_targets = cx.known_types(|key| before.is_weak_target(key));
        }
        let changed = cycles::changed_structs(&cx.module, cx.layouts);
        if !cx.collect_circles(&changed) {
            cycles::leave_out_marks(&mut cx.module, cx.layouts);
            return Ok(Instantiated { module: cx.module, changed, ambiguous: cx.ambiguous });
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
            kept: None,
        });
        self.module.instances[id].kept = self.kept(&key, &self.module.instances[id].symbol);
        if !self.taken.insert(self.module.instances[id].symbol.clone()) {
            self.ambiguous = true;
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
            self.error = Some(self.too_deep(id));
        }
        id
    }

    /// The number that an instance has already. A stale function keeps it if it is found by it.
    fn kept(&self, key: &InstanceKey, symbol: &str) -> Option<u32> {
        let before = self.before?;
        let number = before.number(key, symbol)?;
        let stays = !before.is_stale(number) || before.fact(number).plain;
        (stays && !matches!(key, InstanceKey::Specialised(..))).then_some(number)
    }

    /// Who asked for an instance, and who for that one.
    fn too_deep(&self, id: InstanceId) -> OptError {
        let up = std::iter::successors(Some(id), |&id| self.askers[id.index()]);
        let function = |id: InstanceId| match &self.module.instances[id].key {
            key @ InstanceKey::Body(body, ..) => Some((body.function, self.symbols.readable(key))),
            _ => None,
        };
        let mut chain: Vec<(FnId, String)> = up.filter_map(function).collect();
        chain.reverse();
        OptError::TooDeep { chain }
    }

    fn depth_of_key(&mut self, key: &InstanceKey) -> u32 {
        let mut deepest = 0;
        key.each_type(&mut |ty| deepest = self.depth(ty).max(deepest));
        deepest
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
        if self.is_known(id, key) {
            let (params, ret) = self.signature(key);
            let param = |ty| Param { ty, ownership: Ownership::Borrowed };
            let instance = &mut self.module.instances[id];
            (instance.params, instance.ret) = (params.into_iter().map(param).collect(), ret);
            return self.keep_convention(id);
        }
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
            InstanceKey::Kept(_) => unreachable!("what is known by its number alone has no body"),
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
        self.keep_convention(id);
    }

    /// Whether the facts about a function are enough.
    fn is_known(&self, id: InstanceId, key: &InstanceKey) -> bool {
        let InstanceKey::Body(body, args, _) = key else { return false };
        let (Some(before), Some(number)) = (self.before, self.module.instances[id].kept) else {
            return false;
        };
        let stays = before::may_stay(key) && !before.is_stale(number);
        stays && !before.fact(number).copied && self.foreign(*body, args).is_none()
    }

    /// What is called from code that is there already keeps its convention.
    fn keep_convention(&mut self, id: InstanceId) {
        let instance = &mut self.module.instances[id];
        let (Some(before), Some(number)) = (self.before, instance.kept) else { return };
        let fact = before.fact(number);
        for (param, owned) in instance.params.iter_mut().zip(&fact.owned) {
            let owned = *owned && self.drops.is_counted(param.ty);
            param.ownership = if owned { Ownership::Owned } else { Ownership::Borrowed };
        }
        if instance.body.is_none() {
            instance.may_panic = fact.may_panic;
        }
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
        self.module.types.push(TypeEntry {
            name,
            kind,
            destroy,
            crossing: EntryCrossing::default(),
            circle: Circle::Never,
        });
    }

    /// A program that may make circles collects them; whether that is news.
    fn collect_circles(&mut self, changed: &FxHashSet<Ty>) -> bool {
        self.module.cyclic = match self.before {
            None => cycles::cyclic_types(self, changed),
            // What was no circle before is looked at when the part is done.
            Some(before) => self.known_types(|key| before.is_cyclic(key)),
        };
        self.module.has_circles = match self.before {
            None => !self.module.cyclic.is_empty(),
            Some(before) => before.has_circles(),
        };
        if !self.module.has_circles {
            return false;
        }
        let [step, all] = ["collect_step", "collect_all"].map(|role| self.source.library(role));
        let (Some(step), Some(all)) = (step, all) else { return false };
        let [step, all] =
            [step, all].map(|it| InstanceKey::Body(BodyKey::main(it), Ty::list(&[]), no_evidence()));
        let is_new = !self.ids.contains_key(&step);
        let (step, all) = (self.instance(step), self.instance(all));
        if is_new {
            return true;
        }
        let values = match self.before {
            None => cycles::of_values(&self.module.cyclic),
            Some(before) => (before.facts.cyclic_fns, before.facts.cyclic_dyns),
        };
        cycles::mark_entries(self, values);
        cycles::collect_where_made(&mut self.module, self.source, step);
        cycles::collect_at_end(self, all);
        false
    }

    /// The types of objects in a part of which something is known of the whole.
    fn known_types(&self, is_known: impl Fn(u64) -> bool) -> qz_base::FxHashSet<Ty> {
        let mut found = qz_base::FxHashSet::default();
        for body in self.module.instances.values().filter_map(|it| it.body.as_ref()) {
            self.each_object(body, &mut |ty| {
                if is_known(self.symbols.ty_key(ty)) {
                    found.insert(ty);
                }
            });
        }
        found
    }

    /// Where values go to other tasks, every kind of object may be met on the way.
    fn complete_entries(&mut self) {
        let asks = |key: InstanceKey| match self.before {
            Some(before) => before.find(&self.symbols.of(&key)).is_some(),
            None => false,
        };
        let asked = before::by_kind()
            .filter(|it| !matches!(it, InstanceKey::Crossing(what) if **what == Crossing::OwnAny));
        if !asked.into_iter().any(|key| self.ids.contains_key(&key) || asks(key)) {
            return;
        }
        while let Some(entry) = self.module.types.get(self.completed) {
            let is_known = self.before.is_some_and(|before| before.index_of(&self.module, entry).is_some());
            if !is_known {
                let kind = entry.kind.clone();
                self.module.types[self.completed].crossing = glue::cross::entry(self, &kind);
                self.tell_kinds_apart();
            }
            self.completed += 1;
        }
    }

    /// A kind of objects that a program did not have is told apart from those that it had.
    fn tell_kinds_apart(&mut self) {
        let Some(before) = self.before else { return };
        let known = |key: &InstanceKey| before.find(&self.symbols.of(key)).is_some();
        let known: Vec<InstanceKey> = before::by_kind().filter(known).collect();
        for key in known {
            let id = self.instance(key);
            if !self.module.roots.contains(&id) {
                self.module.roots.push(id);
            }
        }
    }

    /// In a part, objects end that others make.
    fn complete_ended(&mut self) {
        let Some(before) = self.before else { return };
        let mut ended = Vec::new();
        while self.searched < self.module.instances.len() {
            let id = InstanceId::from_raw(self.searched as u32);
            self.searched += 1;
            if let Some(body) = self.module.instances[id].body.clone() {
                self.each_object(&body, &mut |ty| ended.push(ty));
            }
        }
        for ty in ended {
            let known = before.find(&self.symbols.of(&InstanceKey::DestroyGlue(ty)));
            if known.is_some_and(|number| before.index(number).is_some()) {
                self.needs_entry(TypeEntryKind::Ty(ty));
            }
        }
    }

    /// The types of objects that places of a body refer to, function and `dyn` values among them.
    fn each_object(&self, body: &Body, f: &mut dyn FnMut(Ty)) {
        let mut work: Vec<Ty> = body.locals.values().map(|it| it.ty).collect();
        for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
            each_place(&stmt.kind, &mut |place, _| {
                if let PlaceRef::Place(place) = place
                    && !place.proj.is_empty()
                {
                    work.push(self.layouts.place_ty(body, place));
                }
            });
        }
        let mut seen = FxHashSet::default();
        while let Some(ty) = work.pop() {
            let ty = self.layouts.resolve(ty);
            if !seen.insert(ty) || !self.drops.is_counted(ty) {
                continue;
            }
            match ty.kind() {
                TyKind::Str => {}
                TyKind::Fn(_) | TyKind::Dyn(_) => f(ty),
                _ if self.drops.is_object(ty) => f(ty),
                _ => self.drops.each_part(ty, &mut |part| work.push(part)),
            }
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

//! What goes to another task does not stay here: names and temporaries that were handed over end at the call, not at
//! the end of their scope or statement.

use qz_hir::body::ExprId;
use qz_infer::ParamSource;
use qz_mir::{Local, Operand, Place, StmtKind};
use qz_types::{FnId, Ty, TyKind, Tys, subst};

use crate::Lowerer;
use crate::body::{Cx, Exit, Home};
use crate::calls::Planned;
use crate::intrinsics::handed_over;

impl Cx<'_, '_, '_> {
    /// Takes the arguments of a call that hands them to another task out of the temporaries they are in. Temporaries
    /// made on the way to them, since `start`, end, for they may know what goes.
    pub(crate) fn hand_over(&mut self, id: ExprId, function: FnId, planned: &mut Planned, start: usize) {
        if !self.lw.defs().fns[function].crosses() {
            return self.hand_on(id, function, planned);
        }
        let sources = self.types().plans[id].params.clone();
        let ends = self.ending(id);
        for (value, source) in planned.values.iter_mut().zip(sources) {
            let local = value.place().and_then(Place::as_local);
            if let (Some(local), ParamSource::Arg(_)) = (local, source)
                && (self.is_temporary(local) || ends.contains(&local))
            {
                let ty = self.b.ty_of(local);
                *value = handed_over(&mut self.b, value, ty);
            }
        }
        self.end_names(id);
        let arguments: Option<Vec<Option<Local>>> = planned.values.iter().map(local_of).collect();
        let Some(arguments) = arguments else { return };
        for temp in self.temporaries_since(start) {
            if !arguments.contains(&Some(temp)) {
                self.b.push(StmtKind::EndScope(temp));
            }
        }
    }

    /// Takes functions out of their temporaries that the callee hands to another task: if two know one, it cannot go.
    fn hand_on(&mut self, id: ExprId, function: FnId, planned: &mut Planned) {
        if !self.lw.ck.hands_on(function) {
            return;
        }
        let sources = self.types().plans[id].params.clone();
        for (value, source) in planned.values.iter_mut().zip(sources) {
            if let (Some(local), ParamSource::Arg(_)) = (value.place().and_then(Place::as_local), source)
                && self.is_temporary(local)
                && self.b.ty_of(local).as_fn().is_some()
            {
                let ty = self.b.ty_of(local);
                *value = handed_over(&mut self.b, value, ty);
            }
        }
    }

    /// The value as part of a greater one: the temporary that it is in ends here.
    pub(crate) fn part(&mut self, value: Operand) -> Operand {
        match local_of(&value) {
            Some(Some(local)) if self.is_temporary(local) => {
                let ty = self.b.ty_of(local);
                handed_over(&mut self.b, &value, ty)
            }
            _ => value,
        }
    }

    pub(crate) fn parts(&mut self, values: Vec<Operand>) -> Vec<Operand> {
        values.into_iter().map(|value| self.part(value)).collect()
    }

    fn temporaries_since(&self, start: usize) -> Vec<Local> {
        let exits = self.scopes.last().map_or(&[] as &[Exit], |scope| &scope.exits[start..]);
        let temps = exits.iter().filter_map(|exit| match exit {
            Exit::Temp(temp) => Some(*temp),
            _ => None,
        });
        temps.collect()
    }

    /// The locals of MIR whose names end at an expression.
    fn ending(&self, at: ExprId) -> Vec<Local> {
        let names = self.types().ends.get(at).into_iter().flatten();
        let homes = names.filter_map(|name| match self.homes.get(name) {
            Some(&Home::Local(home)) => Some(home),
            _ => None,
        });
        homes.collect()
    }

    /// Ends the names whose values a call or lambda has taken to another task.
    pub(crate) fn end_names(&mut self, at: ExprId) {
        for home in self.ending(at) {
            self.b.push(StmtKind::EndScope(home));
        }
    }

    fn is_temporary(&self, local: Local) -> bool {
        let exits = self.scopes.iter().flat_map(|scope| &scope.exits);
        exits.into_iter().any(|exit| matches!(exit, Exit::Temp(temp) if *temp == local))
    }
}

/// The local that a value is, or that it is none; `None` for a part of one.
fn local_of(value: &Operand) -> Option<Option<Local>> {
    match value.place() {
        Some(place) => place.as_local().map(Some),
        None => Some(None),
    }
}

impl Lowerer<'_, '_> {
    /// Whether a copy made part by part would end twice what ends once: a part has a `drop`, and does not say how it
    /// is copied.
    pub(crate) fn ends_apart(&self, ty: Ty) -> bool {
        let mut seen = qz_base::FxHashSet::default();
        let mut work = vec![ty];
        while let Some(ty) = work.pop() {
            let parts: Vec<Ty> = match *ty.kind() {
                TyKind::Tuple(parts) => parts.to_vec(),
                TyKind::Record(fields) => fields.iter().map(|it| it.1).collect(),
                TyKind::Adt(_, args) if qz_mir::Source::drop_is_silent(self, ty) => args.to_vec(),
                TyKind::Adt(..) if self.written_impl("Clone", ty) => continue,
                TyKind::Adt(..) if qz_mir::Source::user_drop(self, ty).is_some() => return true,
                TyKind::Adt(id, args) => self.field_types(id, args),
                _ => continue,
            };
            work.extend(parts.into_iter().filter(|&part| seen.insert(part)));
        }
        false
    }

    /// Whether a type says that its values stay, or holds a raw pointer and does not say that they may go.
    pub(crate) fn keeps_to_task(&self, ty: Ty) -> bool {
        let TyKind::Adt(id, args) = *ty.kind() else { return false };
        let send = self.lang_trait("Send");
        let mut impls = self.defs().impls_for(send, qz_hir::TyHead::of(ty));
        match impls.next() {
            Some(says) => self.defs().impls[says].is_negative,
            None => self.field_types(id, args).iter().any(|field| matches!(field.kind(), TyKind::Ptr(_))),
        }
    }

    fn field_types(&self, id: qz_types::AdtId, args: Tys) -> Vec<Ty> {
        let fields = self.defs().adt_fields(id);
        let types = fields.variants.iter().flat_map(|it| &it.fields);
        types.map(|it| self.ck.normalize(subst(it.ty, args))).collect()
    }
}

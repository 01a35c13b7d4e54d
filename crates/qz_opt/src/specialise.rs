//! Functions that are handed a known function value get a copy that calls it directly, which is then inlined like any
//! other call: `sort_by` with a lambda compares in place. After inlining, for what was too large for it.
//!
//! The copy takes the same arguments, and behind them what the function values captured, so that their bodies can
//! stand in it. There are as many copies as pairs of a function and the lambdas written for it, so a recursive
//! function that makes a lambda at each level ends, too; [`MOST`] bounds what several parameters multiply.

use std::collections::VecDeque;
use std::sync::Arc;

use qz_base::FxHashMap;
use qz_mir::visit::{Use, each_place};
use qz_mir::{
    Body, Callee, Instance, InstanceId, InstanceKey, Local, LocalDecl, Module, Operand, Ownership, Param,
    Place, Rvalue, Source, Stmt, StmtKind,
};
use qz_types::{Ty, TyKind};

use crate::drops::Drops;
use crate::glue;
use crate::inline::{Closures, Copies, KnownClosure, closures};
use crate::simplify::locals::add_params;
use crate::symbols::Symbols;

/// Copies in a program.
const MOST: usize = 1000;
/// Functions of more statements are not copied.
const LARGE: usize = 2000;

/// Parameters of a function and the function values that are handed to them, by their numbers.
type Given = Vec<(u32, InstanceId)>;

/// Makes the copies and calls them.
pub(crate) fn specialise(module: &mut Module, source: &dyn Source, drops: &Drops) -> Copies {
    let mut cx = Cx {
        symbols: Symbols::new(source),
        drops,
        made: FxHashMap::default(),
        callable: vec![None; module.instances.len()],
        wrapped: wrapped_functions(module),
        work: module.instances.ids().collect(),
        copies: Copies { changed: vec![false; module.instances.len()], ..Copies::default() },
    };
    while let Some(id) = cx.work.pop_front() {
        cx.instance(module, id);
    }
    cx.copies
}

struct Cx<'a> {
    symbols: Symbols<'a>,
    drops: &'a Drops<'a>,
    made: FxHashMap<(InstanceId, Given), InstanceId>,
    /// By instance: parameters that it calls or hands on, once asked.
    callable: Vec<Option<Arc<[u32]>>>,
    wrapped: FxHashMap<InstanceId, InstanceId>,
    work: VecDeque<InstanceId>,
    copies: Copies,
}

impl Cx<'_> {
    fn instance(&mut self, module: &mut Module, id: InstanceId) {
        if glue::has_counts(&module.instances[id].key) {
            return;
        }
        let Some(body) = module.instances[id].body.clone() else { return };
        let given = self.copies.given.get(&id).cloned().unwrap_or_default();
        let makes = |stmt: &Stmt| matches!(stmt.kind, StmtKind::Assign(_, Rvalue::Closure(..)));
        let any_made = body.blocks.values().any(|block| block.stmts.iter().any(makes));
        if !any_made && given.is_empty() {
            return;
        }
        let mut body = (*body).clone();
        let is_known = |callee: &Callee| matches!(callee, Callee::Instance(_) | Callee::Value(_));
        let mut values =
            if any_made { closures(&mut body, self.drops, &is_known) } else { Closures::default() };
        values.extend(given);
        let mut changed = call_directly(&mut body, &self.wrapped, &values);
        for stmt in body.blocks.values_mut().flat_map(|block| &mut block.stmts) {
            let StmtKind::Call(call) = &mut stmt.kind else { continue };
            let Callee::Instance(callee) = call.callee else { continue };
            let known = call.args.iter().zip(0..).filter_map(|(arg, n)| {
                let local = arg.place()?.as_local()?;
                Some((n, values.get(&local)?))
            });
            let known: Vec<(u32, &KnownClosure)> = known.collect();
            if let Some((copy, captured)) = self.copy_for(module, callee, known) {
                call.callee = Callee::Instance(copy);
                call.args.extend(captured.into_iter().map(Operand::local));
                changed = true;
            }
        }
        if changed {
            module.instances[id].body = Some(Arc::new(body));
            self.copies.changed[id.index()] = true;
        }
    }

    /// The copy of a function for these function values, if it is worth one, and what it is handed beside.
    fn copy_for(
        &mut self,
        module: &mut Module,
        callee: InstanceId,
        mut known: Vec<(u32, &KnownClosure)>,
    ) -> Option<(InstanceId, Vec<Local>)> {
        if known.is_empty() {
            return None;
        }
        let callable = self.callable(module, callee);
        known.retain(|(param, _)| callable.contains(param));
        if known.is_empty() {
            return None;
        }
        let given: Given = known.iter().map(|&(param, value)| (param, value.instance)).collect();
        let captured = known.iter().flat_map(|(_, value)| value.captures.iter().copied()).collect();
        if let Some(&known) = self.made.get(&(callee, given.clone())) {
            return Some((known, captured));
        }
        if self.made.len() >= MOST {
            return None;
        }
        let copy = self.copy(module, callee, &given);
        self.made.insert((callee, given), copy);
        Some((copy, captured))
    }

    fn copy(&mut self, module: &mut Module, callee: InstanceId, given: &Given) -> InstanceId {
        let original = &module.instances[callee];
        let keys = given.iter().map(|&(param, value)| (param, module.instances[value].key.clone()));
        let key = InstanceKey::Specialised(Box::new(original.key.clone()), keys.collect());
        let mut body = (**original.body.as_ref().expect("only functions with bodies are copied")).clone();
        let (mut params, ret, may_panic) = (original.params.clone(), original.ret, original.may_panic);
        let mut known = Closures::default();
        for &(param, value) in given {
            let of = module.instances[value].body.as_ref().map_or(&[][..], |body| &body.captures);
            let span = body.scopes[Body::SCOPE].declared;
            let decl = |&ty: &Ty| LocalDecl {
                ty,
                name: None,
                span,
                scope: Body::SCOPE,
                ownership: Ownership::Owned,
            };
            params.extend(of.iter().map(|&ty| Param { ty, ownership: Ownership::Borrowed }));
            let captures = add_params(&mut body, of.iter().map(decl).collect());
            known.insert(Local::from_raw(param + 1), KnownClosure { instance: value, captures });
        }
        let (symbol, body) = (self.symbols.of(&key), Some(Arc::new(body)));
        let copy =
            Instance { symbol, key, body, params, ret, may_panic, foreign: None, for_c: None, kept: None };
        let id = module.instances.alloc(copy);
        self.callable.push(None);
        self.copies.changed.push(true);
        self.copies.given.insert(id, known);
        self.work.push_back(id);
        id
    }

    /// The parameters of a function that it calls, or hands to another one.
    fn callable(&mut self, module: &Module, id: InstanceId) -> Arc<[u32]> {
        if let Some(known) = &self.callable[id.index()] {
            return known.clone();
        }
        let instance = &module.instances[id];
        // A copy's own values are known already.
        let is_copy = matches!(instance.key, InstanceKey::Specialised(..) | InstanceKey::FnValue(_));
        let found: Arc<[u32]> = match &instance.body {
            Some(body) if !is_copy && !glue::has_counts(&instance.key) && size(body) <= LARGE => {
                callable_params(body).into()
            }
            _ => Arc::new([]),
        };
        self.callable[id.index()] = Some(found.clone());
        found
    }
}

fn size(body: &Body) -> usize {
    body.blocks.values().map(|block| block.stmts.len() + 1).sum()
}

fn callable_params(body: &Body) -> Vec<u32> {
    let stored = stores(body);
    let mut found = vec![false; body.param_count as usize + 1];
    let mut note = |operand: &Operand| {
        let local = operand.place().and_then(Place::as_local);
        if let Some(local) = local.filter(|local| (1..=body.param_count).contains(&local.raw())) {
            found[local.index()] = true;
        }
    };
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        let StmtKind::Call(call) = &stmt.kind else { continue };
        match &call.callee {
            Callee::Value(operand) => note(operand),
            Callee::Instance(_) => call.args.iter().for_each(&mut note),
            _ => {}
        }
    }
    let is_function = |local: Local| matches!(body.locals[local].ty.kind(), TyKind::Fn(_));
    let params = body.params().filter(|&local| found[local.index()] && stored[local.index()] == 0);
    params.filter(|&local| is_function(local)).map(|local| local.raw() - 1).collect()
}

/// How often each local is written to; being lent counts as more than once.
fn stores(body: &Body) -> Vec<u32> {
    let mut stores = vec![0u32; body.locals.len()];
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        each_place(&stmt.kind, &mut |place, how| {
            stores[place.local().index()] += match how {
                Use::Store => 1,
                Use::Address => 2,
                Use::Copy | Use::Move | Use::Inspect => 0,
            };
        });
    }
    stores
}

/// Calls of known function values name their instance, or the function that one stands for. Says whether there were
/// any.
fn call_directly(body: &mut Body, wrapped: &FxHashMap<InstanceId, InstanceId>, values: &Closures) -> bool {
    let mut any = false;
    for stmt in body.blocks.values_mut().flat_map(|block| &mut block.stmts) {
        let StmtKind::Call(call) = &mut stmt.kind else { continue };
        let Callee::Value(operand) = &call.callee else { continue };
        let local = operand.place().and_then(Place::as_local);
        let Some(value) = local.and_then(|local| values.get(&local)) else { continue };
        let value = value.instance;
        match wrapped.get(&value) {
            Some(&function) => call.callee = Callee::Instance(function),
            None => {
                let operand = operand.clone();
                call.callee = Callee::Instance(value);
                call.args.insert(0, operand);
            }
        }
        any = true;
    }
    any
}

/// For instances that are functions as values, the function. Their bodies do not tell: it may have been inlined.
fn wrapped_functions(module: &Module) -> FxHashMap<InstanceId, InstanceId> {
    let by_key: FxHashMap<&InstanceKey, InstanceId> =
        module.instances.iter().map(|(id, instance)| (&instance.key, id)).collect();
    let wrapped = |(id, instance): (InstanceId, &Instance)| match &instance.key {
        InstanceKey::FnValue(of) => Some((id, *by_key.get(&**of)?)),
        _ => None,
    };
    let is_ours = |&(_, function): &(InstanceId, InstanceId)| module.instances[function].foreign.is_none();
    module.instances.iter().filter_map(wrapped).filter(is_ours).collect()
}

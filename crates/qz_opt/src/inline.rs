//! Small functions are put in place of their calls, callees before callers, so that what is small after
//! inlining is inlined itself. Function values that are made in the same body are called directly, and then
//! inlined too, and objects that are only used there become locals ([`scalars`]): a chain of `map` and `filter`
//! becomes a loop.
//!
//! Before count placement: then a parameter is just another local, and counts are placed once for all of it.
//! Recursive functions are left alone, but for small ones that call themselves: see [`Inliner::unroll`]. Each inlined body is a scope of its own, so that backtraces show it.
//! [`splice`] does the copying; this file decides.

mod splice;

use std::sync::Arc;

use qz_base::FxHashMap;
use qz_mir::layout::Layouts;
use qz_mir::visit::{PlaceRef, Use, each_place};
use qz_mir::{
    Body, Callee, ClosureTarget, InlineHint, InstanceId, Local, Module, Operand, Place, Proj, Rvalue, Stmt,
    StmtKind,
};

use crate::callgraph::CallGraph;
use crate::drops::Drops;
use crate::glue;
use crate::scalars;
use crate::simplify::simplify;

/// Functions of up to so many statements are inlined wherever they are called.
pub(crate) const SMALL: u32 = 14;
/// Functions that one call only leads to may be this large, but for those with a loop: a call less is nothing
/// beside it, and registers are shared out better in small functions.
const ONCE: u32 = 60;
/// Callers grow to so many statements, no further.
const CALLER: u32 = 1500;
/// Functions of up to so many statements, with up to so many calls of themselves, have those replaced once.
const UNROLLED: u32 = 24;
const UNROLLED_CALLS: usize = 3;
/// If nothing else in them takes long, calls in what was put in place are replaced in turn, until they are so many levels
/// deep or would have more statements than this.
const UNROLLED_LEVELS: usize = 5;
const UNROLLED_LIMIT: u32 = 600;
/// Rounds of inlining in one body: each may reveal function values for the next.
const ROUNDS: u32 = 4;

/// Inlines in every body, or only in some, by number.
pub(crate) fn inline_all(
    module: &mut Module,
    layouts: &Layouts,
    drops: &Drops,
    calls: &CallGraph,
    only: Option<&Copies>,
) {
    let mut cx = Inliner { sizes: Vec::new(), only_call: count_calls(module), recursive: &calls.recursive };
    cx.sizes = module.instances.values().map(|it| it.body.as_ref().map_or(0, |body| size(body))).collect();
    for component in &calls.components {
        for &id in component {
            let left_out = only.is_some_and(|only| !only.changed[id.index()]);
            if left_out || glue::has_counts(&module.instances[id].key) {
                continue;
            }
            let Some(body) = module.instances[id].body.take() else { continue };
            let mut body = Arc::unwrap_or_clone(body);
            for _ in 0..ROUNDS {
                let mut closures = closures(&mut body, drops, &|callee| matches!(callee, Callee::Value(_)));
                closures.extend(only.and_then(|only| only.given.get(&id)).cloned().into_iter().flatten());
                call_directly(&mut body, &closures);
                let inlined = cx.inline_calls(&mut body, id, module, &closures);
                if inlined {
                    simplify(&mut body, layouts, drops);
                }
                // What was in an object may be a function value that the next round knows.
                let replaced = scalars::replace(&mut body, layouts, drops);
                if replaced {
                    simplify(&mut body, layouts, drops);
                }
                if !inlined && !replaced {
                    break;
                }
            }
            if only.is_none() && cx.unroll(&mut body, id) {
                simplify(&mut body, layouts, drops);
            }
            cx.sizes[id.index()] = size(&body);
            module.instances[id].body = Some(Arc::new(body));
        }
    }
}

/// Statements that become code.
pub(crate) fn size(body: &Body) -> u32 {
    let weight = |stmt: &Stmt| match &stmt.kind {
        StmtKind::EndScope(_) | StmtKind::Nop => 0,
        StmtKind::Assign(_, Rvalue::Use(_)) => 1,
        StmtKind::Call(call) => 2 + call.args.len() as u32 / 2,
        _ => 2,
    };
    body.blocks.values().map(|block| 1 + block.stmts.iter().map(weight).sum::<u32>()).sum::<u32>() / 2
}

/// Whether a body has a loop of its own.
fn loops(body: &Body) -> bool {
    let mut state = vec![0u8; body.blocks.len()];
    let mut work = vec![(Body::ENTRY, body.blocks[Body::ENTRY].term.kind.successors())];
    state[Body::ENTRY.index()] = 1;
    while let Some((at, rest)) = work.last_mut() {
        match rest.pop() {
            Some(to) if state[to.index()] == 1 => return true,
            Some(to) if state[to.index()] == 0 => {
                state[to.index()] = 1;
                work.push((to, body.blocks[to].term.kind.successors()));
            }
            Some(_) => {}
            None => {
                state[at.index()] = 2;
                work.pop();
            }
        }
    }
    false
}

/// Whether each instance is called from one place and not used otherwise.
fn count_calls(module: &Module) -> Vec<bool> {
    let mut counts = vec![0u32; module.instances.len()];
    module.starts().for_each(|id| counts[id.index()] += 2);
    module.vtables.values().flat_map(|it| &it.slots).for_each(|id| counts[id.index()] += 2);
    for body in module.instances.values().filter_map(|it| it.body.as_ref()) {
        for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
            match &stmt.kind {
                StmtKind::Call(call) => {
                    if let Callee::Instance(id) = call.callee {
                        counts[id.index()] += 1;
                    }
                }
                StmtKind::Assign(_, Rvalue::Closure(target, _)) => {
                    if let ClosureTarget::Instance(id) = **target {
                        counts[id.index()] += 1;
                    }
                }
                _ => {}
            }
        }
    }
    counts.into_iter().map(|count| count == 1).collect()
}

/// A function value made in the body at hand: the only value of its local.
#[derive(Clone)]
pub(crate) struct KnownClosure {
    pub(crate) instance: InstanceId,
    /// Locals that hold what it captures.
    pub(crate) captures: Vec<Local>,
}

/// Bodies that [`crate::specialise`] changed or made, by number, and function values that parameters of new ones hold.
#[derive(Default)]
pub(crate) struct Copies {
    pub(crate) changed: Vec<bool>,
    pub(crate) given: FxHashMap<InstanceId, Closures>,
}

pub(crate) type Closures = FxHashMap<Local, KnownClosure>;

/// The local that holds the function value being called.
fn callee_local(callee: &Callee) -> Option<Local> {
    match callee {
        Callee::Value(operand) => operand.place().and_then(Place::as_local),
        _ => None,
    }
}

/// Finds function values that the body which makes them calls, or hands to calls that are `interesting`. What they
/// capture gets locals of its own, for an inlined body to read.
pub(crate) fn closures(body: &mut Body, drops: &Drops, interesting: &dyn Fn(&Callee) -> bool) -> Closures {
    let mut called: Vec<Local> = Vec::new();
    let mut definitions = vec![0u32; body.locals.len()];
    for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
        if let StmtKind::Call(call) = &stmt.kind {
            called.extend(callee_local(&call.callee));
            let locals = |arg: &Operand| arg.place().and_then(Place::as_local);
            // A function value's own body, called directly before.
            called.extend(call.args.first().and_then(locals));
            if interesting(&call.callee) {
                called.extend(call.args.iter().filter_map(locals));
            }
        }
        each_place(&stmt.kind, &mut |place, how| {
            definitions[place.local().index()] += match how {
                Use::Store => 1,
                Use::Address => 2,
                Use::Copy | Use::Move | Use::Inspect => 0,
            };
        });
    }
    let mut found = Closures::default();
    if called.is_empty() {
        return found;
    }
    for id in body.blocks.ids() {
        let makes = |stmt: &Stmt| matches!(stmt.kind, StmtKind::Assign(_, Rvalue::Closure(..)));
        if !body.blocks[id].stmts.iter().any(makes) {
            continue;
        }
        let stmts = std::mem::take(&mut body.blocks[id].stmts);
        let mut out = Vec::with_capacity(stmts.len() + 2);
        for mut stmt in stmts {
            let source = stmt.source;
            if let StmtKind::Assign(place, Rvalue::Closure(target, operands)) = &mut stmt.kind
                && let Some(local) = place.as_local()
                && let ClosureTarget::Instance(instance) = **target
                && definitions[local.index()] == 1
                && called.contains(&local)
            {
                let mut captures = Vec::new();
                for operand in operands {
                    captures.push(name_capture(body, drops, operand, &definitions, source, &mut out));
                }
                if let Some(captures) = captures.into_iter().collect() {
                    found.insert(local, KnownClosure { instance, captures });
                }
            }
            out.push(stmt);
        }
        body.blocks[id].stmts = out;
    }
    found
}

/// A local that always holds what the operand does, if the operand is a plain one. Where the operand's own
/// local ends with its scope, another one: the function may be called after that.
fn name_capture(
    body: &mut Body,
    drops: &Drops,
    operand: &mut Operand,
    definitions: &[u32],
    source: qz_mir::SourceInfo,
    out: &mut Vec<Stmt>,
) -> Option<Local> {
    let local = operand.place()?.as_local()?;
    let is_param = (1..=body.param_count as usize).contains(&local.index());
    let ends = drops.is_kept(body.locals[local].ty);
    match definitions.get(local.index()) {
        _ if ends => {}
        Some(1) if !is_param => return Some(local),
        Some(0) if is_param => return Some(local),
        _ => {}
    }
    let decl = qz_mir::LocalDecl { name: None, ..body.locals[local].clone() };
    let copy = body.locals.alloc(decl);
    let value = Rvalue::Use(std::mem::replace(operand, Operand::local(copy)));
    out.push(Stmt { kind: StmtKind::Assign(Place::local(copy), value), source });
    Some(copy)
}

/// Calls of known function values name their instance.
fn call_directly(body: &mut Body, closures: &Closures) {
    if closures.is_empty() {
        return;
    }
    for stmt in body.blocks.values_mut().flat_map(|block| &mut block.stmts) {
        let StmtKind::Call(call) = &mut stmt.kind else { continue };
        let Some(known) = callee_local(&call.callee).and_then(|local| closures.get(&local)) else { continue };
        let instance = Callee::Instance(known.instance);
        if let Callee::Value(operand) = std::mem::replace(&mut call.callee, instance) {
            call.args.insert(0, operand);
        }
    }
}

struct Inliner<'a> {
    sizes: Vec<u32>,
    only_call: Vec<bool>,
    recursive: &'a [bool],
}

impl Inliner<'_> {
    /// Whether a call of `callee` is to be replaced.
    fn wants(&self, module: &Module, callee: InstanceId, caller_size: u32) -> bool {
        let Some(body) = &module.instances[callee].body else { return false };
        let size = self.sizes[callee.index()];
        if self.recursive[callee.index()] || glue::has_counts(&module.instances[callee].key) {
            return false;
        }
        match body.attrs.inline {
            InlineHint::Never | InlineHint::Rare => false,
            InlineHint::Always => true,
            InlineHint::Auto => {
                let limit = if self.only_call[callee.index()] && !loops(body) { ONCE } else { SMALL };
                size <= limit && caller_size + size <= CALLER
            }
        }
    }

    /// One round. Says whether anything was done.
    fn inline_calls(&self, body: &mut Body, id: InstanceId, module: &Module, closures: &Closures) -> bool {
        let mut caller_size = size(body);
        let mut done = false;
        // Blocks made on the way come from callees, which had their turn.
        for block in body.blocks.ids() {
            if body.blocks[block].cleanup {
                continue;
            }
            let mut block = block;
            while let Some((at, callee)) = self.next_call(body, block, id, module, closures, caller_size) {
                let target = module.instances[callee].body.as_ref().expect("has a body");
                let captures = first_arg(body, block, at).and_then(|local| closures.get(&local));
                let captures = captures.filter(|it| it.instance == callee).map_or(&[][..], |it| &it.captures);
                block = splice::splice(body, block, at, target, captures);
                caller_size += self.sizes[callee.index()];
                done = true;
            }
        }
        done
    }

    /// Puts a small function in place of its calls of itself: with each level half of the calls are saved, and what it
    /// costs to enter a function. Deep recursion still goes through real calls, which look at the stack's end.
    fn unroll(&self, body: &mut Body, id: InstanceId) -> bool {
        let stays = matches!(body.attrs.inline, InlineHint::Never | InlineHint::Rare);
        if stays || !body.captures.is_empty() || size(body) > UNROLLED {
            return false;
        }
        let is_own = |stmt: &Stmt| match &stmt.kind {
            StmtKind::Call(call) => matches!(call.callee, Callee::Instance(callee) if callee == id),
            _ => false,
        };
        let blocks = || body.blocks.values().filter(|block| !block.cleanup);
        let calls = blocks().flat_map(|block| &block.stmts).filter(|stmt| is_own(stmt)).count();
        if !(1..=UNROLLED_CALLS).contains(&calls) {
            return false;
        }
        let mut levels = if only_computes(body, &is_own) { UNROLLED_LEVELS } else { 1 };
        let original = body.clone();
        // How much larger each level makes it: that of the one before for each of its calls.
        let mut growth = size(body) * calls as u32;
        while levels > 0 {
            replace_calls(body, &original, &is_own);
            levels -= 1;
            growth *= calls as u32;
            if size(body) + growth > UNROLLED_LIMIT {
                break;
            }
        }
        true
    }

    fn next_call(
        &self,
        body: &Body,
        block: qz_mir::BlockId,
        id: InstanceId,
        module: &Module,
        closures: &Closures,
        caller_size: u32,
    ) -> Option<(usize, InstanceId)> {
        body.blocks[block].stmts.iter().enumerate().find_map(|(at, stmt)| {
            let StmtKind::Call(call) = &stmt.kind else { return None };
            let Callee::Instance(callee) = call.callee else { return None };
            if callee == id || !self.wants(module, callee, caller_size) {
                return None;
            }
            let target = module.instances[callee].body.as_ref()?;
            // A body that reads captures can only stand where they are known.
            let captures_known = || {
                let known = first_arg(body, block, at).and_then(|local| closures.get(&local));
                known.is_some_and(|it| it.instance == callee && it.captures.len() == target.captures.len())
            };
            (target.captures.is_empty() || captures_known()).then_some((at, callee))
        })
    }
}

/// Puts a body in place of the calls that are its own.
fn replace_calls(body: &mut Body, original: &Body, is_own: &dyn Fn(&Stmt) -> bool) {
    for block in body.blocks.ids() {
        let mut block = block;
        if body.blocks[block].cleanup {
            continue;
        }
        while let Some(at) = body.blocks[block].stmts.iter().position(is_own) {
            block = splice::splice(body, block, at, original, &[]);
        }
    }
}

/// Whether a body does nothing that takes as long as a call, but for its calls of itself: there is no loop, no other
/// call, and nothing is read from memory or written there.
fn only_computes(body: &Body, is_own: &dyn Fn(&Stmt) -> bool) -> bool {
    let is_quick = |stmt: &Stmt| {
        let mut in_locals = true;
        each_place(&stmt.kind, &mut |place, _| {
            if let PlaceRef::Place(place) = place {
                in_locals &= place.proj.iter().all(|proj| matches!(proj, Proj::Field(_)));
            }
        });
        in_locals
            && match &stmt.kind {
                StmtKind::Call(_) => is_own(stmt),
                StmtKind::Assign(_, value) => !value.is_allocation(),
                StmtKind::EndScope(_) | StmtKind::Nop => true,
                StmtKind::Init(..) | StmtKind::Retain(_) | StmtKind::Release(_) => false,
            }
    };
    let mut blocks = body.blocks.values().filter(|block| !block.cleanup);
    blocks.all(|block| block.stmts.iter().all(is_quick)) && !loops(body)
}

fn first_arg(body: &Body, block: qz_mir::BlockId, at: usize) -> Option<Local> {
    match &body.blocks[block].stmts[at].kind {
        StmtKind::Call(call) => call.args.first()?.place()?.as_local(),
        _ => None,
    }
}

/// A place inside an inlined closure: captures are locals of the caller.
pub(crate) fn capture_place(place: &Place, captures: &[Local]) -> Option<Place> {
    match place.proj.first() {
        Some(Proj::Capture(i)) => {
            let local = *captures.get(*i as usize)?;
            Some(Place { local, proj: place.proj[1..].into() })
        }
        _ => None,
    }
}

//! What meets the objects in a value that goes to another task, for `std/crossing.qz`. The walk itself is the
//! runtime's (`qz_rt::crossing`): code here tells it of objects, and visits the parts of those that it hands back.
//!
//! Bodies are born with their counts, so that a count is what it was before: a part that is looked at has no other
//! reference because of that.

use std::sync::Arc;

use qz_mir::build::Builder;
use qz_mir::{
    Body, BodyKey, Callee, CastKind, Const, Crossing, EntryCrossing, Instance, InstanceId, InstanceKey,
    Intrinsic, Local, Module, Operand, Ownership, Param, Place, Proj, Rvalue, TermKind, TypeEntryKind,
};
use qz_rt_abi::object::FIRST_TYPE;
use qz_rt_abi::registry::rt;
use qz_types::ty::common;
use qz_types::{Mutability, Row, Ty, TyKind};
use smallvec::smallvec;

use super::{Parts, builder, object_parts, payload, value_parts};
use crate::before::Before;
use crate::instantiate::{Instantiator, no_evidence};

/// Of [`rt::cross_function`].
const UNCHANGING: i128 = 0;
const VISIT: i128 = 1;
/// Of [`rt::lone_type`].
const NOT_ALONE: i128 = -1;

pub(crate) fn crossing(cx: &mut Instantiator, what: &Crossing) -> Body {
    match what {
        Crossing::Value(ty) => value(cx, *ty),
        Crossing::Place(ty) => place(cx, *ty),
        Crossing::Parts(ty) => parts(cx, *ty),
        Crossing::ClosureParts(of) => closure_parts(cx, of),
        Crossing::BoxParts(from) => box_parts(cx, *from),
        Crossing::OwnCaptures(of) => own_captures(cx, of),
        Crossing::OwnPayload(from) => own_payload(cx, *from),
        Crossing::OwnPlace(ty) => own_place(cx, *ty),
        // Completed by [`dispatch`], when all kinds of objects are known.
        Crossing::AnyParts | Crossing::MayKeep | Crossing::LeadsNowhere => any(common().bool),
        Crossing::OwnAny => any(common().unit),
    }
}

fn key(what: Crossing) -> InstanceKey {
    InstanceKey::Crossing(Box::new(what))
}

fn bytes() -> Ty {
    Ty::ptr(common().u8)
}

fn truth(value: bool) -> Operand {
    Operand::Const(Const::Bool(value))
}

fn read(b: &mut Builder, place: &Place, ty: Ty) -> Operand {
    Operand::local(b.eval(ty, Rvalue::Use(Operand::Copy(place.clone()))))
}

fn call(b: &mut Builder, callee: Callee, args: Vec<Operand>, ret: Ty) -> Local {
    let dest = b.temp(ret);
    b.call(dest, callee, args);
    dest
}

fn give(b: &mut Builder, value: Operand) {
    b.assign_local(Body::RETURN, Rvalue::Use(value));
    b.end(TermKind::Return);
}

/// Meets the objects in a value.
fn value(cx: &mut Instantiator, ty: Ty) -> Body {
    let mut b = builder("crossing", common().bool);
    let this = b.param(ty, None);
    match ty.kind() {
        TyKind::Str => {
            call(&mut b, Callee::Runtime(rt::cross_text), vec![Operand::local(this)], common().unit);
            give(&mut b, truth(true));
        }
        TyKind::Fn(_) | TyKind::Dyn(_) => function(cx, &mut b, this),
        _ if cx.drops.is_object(ty) => object(cx, &mut b, this, ty),
        _ => {
            let parts = value_parts(cx.drops, &Place::local(this), &cx.layouts.of(ty));
            each_part(cx, &mut b, this, &parts);
        }
    }
    b.finish()
}

fn object(cx: &mut Instantiator, b: &mut Builder, this: Local, ty: Ty) {
    let is_shared = cx.drops.is_shared(ty);
    if cx.drops.is_weak(ty) {
        let meets = if is_shared { rt::cross_weak_shared } else { rt::cross_weak };
        call(b, Callee::Runtime(meets), vec![Operand::local(this)], common().unit);
        return give(b, truth(is_shared));
    }
    if !is_shared && cx.source.stays_in_task(ty) {
        call(b, Callee::Runtime(rt::cross_never), vec![], common().unit);
        return give(b, truth(false));
    }
    let meets = match (is_shared, cx.layouts.is_reference_struct(ty)) {
        (true, true) => rt::share,
        (true, false) => rt::cross_cell,
        (false, _) => rt::cross_object,
    };
    if meets == rt::cross_object && is_alone(cx, ty) {
        // Nothing is in it, so only the count matters.
        let unique = b.eval(
            common().bool,
            Rvalue::Intrinsic(Intrinsic::IsUnique, smallvec![Operand::local(this)], common().bool),
        );
        let (fine, other) = (b.new_block(), b.new_block());
        b.branch(Operand::local(unique), fine, other);
        b.switch_to(fine);
        give(b, truth(false));
        b.switch_to(other);
    }
    call(b, Callee::Runtime(meets), vec![Operand::local(this)], common().unit);
    give(b, truth(is_shared));
}

/// Whether an object of a reference struct refers to no others.
fn is_alone(cx: &Instantiator, ty: Ty) -> bool {
    let TyKind::Adt(_, args) = *ty.kind() else { return false };
    if !cx.layouts.is_reference_struct(ty) {
        return false;
    }
    let hides = cx.source.hidden_parts(ty).is_some() && args.iter().any(|&arg| cx.drops.is_counted(arg));
    !hides && !cx.layouts.object(ty).fields.tys.iter().any(|&field| cx.drops.is_counted(field))
}

/// A closure or `dyn` value: whether it can change is known when its parts were visited.
fn function(cx: &mut Instantiator, b: &mut Builder, this: Local) {
    let known = call(b, Callee::Runtime(rt::cross_function), vec![Operand::local(this)], common().int);
    let (unchanging, visit, other) = (b.new_block(), b.new_block(), b.new_block());
    let cases = vec![(UNCHANGING, unchanging), (VISIT, visit)];
    b.end(TermKind::Switch { value: Operand::local(known), cases, otherwise: Some(other) });
    b.switch_to(other);
    give(b, truth(false));
    b.switch_to(visit);
    let any = Callee::Instance(cx.instance(key(Crossing::AnyParts)));
    let object = b.eval(bytes(), Rvalue::Cast(CastKind::Pointer, Operand::local(this), bytes()));
    let settled = call(b, any, vec![Operand::local(object)], common().bool);
    let settle = b.new_block();
    b.branch(Operand::local(settled), settle, other);
    b.switch_to(settle);
    call(b, Callee::Runtime(rt::cross_settle), vec![Operand::local(this)], common().unit);
    b.goto(unchanging);
    b.switch_to(unchanging);
    give(b, truth(true));
}

/// Meets what lies in each part, and gives whether none of them can change.
fn each_part(cx: &mut Instantiator, b: &mut Builder, this: Local, parts: &Parts) {
    match parts {
        Parts::Fields(fields) => meet_all(cx, b, fields),
        Parts::Variants(variants) => {
            let index = b.eval(common().int, Rvalue::Discriminant(Place::local(this)));
            let blocks: Vec<_> = variants.iter().map(|_| b.new_block()).collect();
            let cases = blocks.iter().enumerate().map(|(v, &block)| (v as i128, block)).collect();
            b.end(TermKind::Switch { value: Operand::local(index), cases, otherwise: None });
            for (fields, block) in variants.iter().zip(blocks) {
                b.switch_to(block);
                meet_all(cx, b, fields);
            }
        }
    }
}

fn meet_all(cx: &mut Instantiator, b: &mut Builder, fields: &[(Place, Ty)]) {
    let changing: Vec<Local> = fields.iter().filter_map(|(place, ty)| meet(cx, b, place, *ty)).collect();
    let can_change = b.new_block();
    for unchanging in changing {
        let next = b.new_block();
        b.branch(Operand::local(unchanging), next, can_change);
        b.switch_to(next);
    }
    give(b, truth(true));
    b.switch_to(can_change);
    give(b, truth(false));
}

/// Meets what lies in one part. What tells whether it cannot change, unless that is known.
fn meet(cx: &mut Instantiator, b: &mut Builder, place: &Place, ty: Ty) -> Option<Local> {
    let callee = Callee::Instance(cx.instance(key(Crossing::Value(ty))));
    let part = read(b, place, ty);
    let unchanging = call(b, callee, vec![part], common().bool);
    (!cx.drops.is_shared(ty)).then_some(unchanging)
}

fn place(cx: &mut Instantiator, ty: Ty) -> Body {
    let mut b = builder("crossing", common().unit);
    let at = Place::local(b.param(Ty::ptr(ty), None)).deref();
    if cx.drops.is_counted(ty) {
        meet(cx, &mut b, &at, ty);
    }
    b.end(TermKind::Return);
    b.finish()
}

/// For objects of reference structs and cells of boxed enums.
fn parts(cx: &mut Instantiator, ty: Ty) -> Body {
    let mut b = builder("parts of what crosses", common().bool);
    let this = b.param(ty, None);
    if let Some((function, args)) = cx.source.hidden_parts(ty) {
        let hidden = InstanceKey::Body(BodyKey::main(function), args, no_evidence());
        let callee = Callee::Instance(cx.instance(hidden));
        call(&mut b, callee, vec![Operand::local(this)], common().unit);
    }
    let parts = object_parts(cx, &Place::local(this), ty);
    each_part(cx, &mut b, this, &parts);
    b.finish()
}

fn function_ty(cx: &Instantiator, of: &InstanceKey) -> Ty {
    let (params, ret) = match of {
        InstanceKey::FnValue(inner) => cx.signature(inner),
        _ => cx.signature(of),
    };
    Ty::func(params.get(1..).unwrap_or(&[]), ret, Row::EMPTY)
}

/// The captures that count, by place in a closure object.
fn captured(cx: &Instantiator, b: &mut Builder, this: Local, of: &InstanceKey) -> Vec<(Place, Ty)> {
    let captures = cx.captures(of);
    let places = captures.iter().enumerate().filter(|&(_, &ty)| cx.drops.is_counted(ty));
    let places = places.map(|(i, &ty)| (Place::local(this).then(Proj::Capture(i as u32)), ty)).collect();
    b.set_captures(captures);
    places
}

fn closure_parts(cx: &mut Instantiator, of: &InstanceKey) -> Body {
    let mut b = builder("parts of a closure that crosses", common().bool);
    let this = b.param(function_ty(cx, of), None);
    let fields = captured(cx, &mut b, this, of);
    meet_all(cx, &mut b, &fields);
    b.finish()
}

fn box_parts(cx: &mut Instantiator, from: Ty) -> Body {
    let mut b = builder("parts of a box that crosses", common().bool);
    let this = b.param(Ty::new(TyKind::Dyn(&[])), None);
    let inner = payload(&mut b, this, from);
    meet_all(cx, &mut b, &[(inner, from)]);
    b.finish()
}

/// Lets each part cross by itself.
fn own_parts(cx: &mut Instantiator, b: &mut Builder, fields: Vec<(Place, Ty)>) {
    let function = cx.source.library("cross_place").expect("who crosses calls it");
    for (place, ty) in fields {
        let reference = Ty::reference(Mutability::Mut, ty);
        let at = b.eval(reference, Rvalue::Ref(Mutability::Mut, place));
        let at = b.eval(Ty::ptr(ty), Rvalue::Cast(CastKind::Pointer, Operand::local(at), Ty::ptr(ty)));
        let crosses = InstanceKey::Body(BodyKey::main(function), Ty::list(&[ty]), no_evidence());
        let callee = Callee::Instance(cx.instance(crosses));
        call(b, callee, vec![Operand::local(at)], common().unit);
    }
    b.end(TermKind::Return);
}

fn own_captures(cx: &mut Instantiator, of: &InstanceKey) -> Body {
    let mut b = builder("captures of its own", common().unit);
    let this = b.param(function_ty(cx, of), None);
    let fields = captured(cx, &mut b, this, of);
    own_parts(cx, &mut b, fields);
    b.finish()
}

fn own_payload(cx: &mut Instantiator, from: Ty) -> Body {
    let mut b = builder("a payload of its own", common().unit);
    let this = b.param(Ty::new(TyKind::Dyn(&[])), None);
    let inner = payload(&mut b, this, from);
    own_parts(cx, &mut b, vec![(inner, from)]);
    b.finish()
}

fn own_place(cx: &mut Instantiator, ty: Ty) -> Body {
    let mut b = builder("parts of its own", common().bool);
    let at = Place::local(b.param(Ty::ptr(ty), None)).deref();
    let this = read(&mut b, &at, ty);
    let unique =
        b.eval(common().bool, Rvalue::Intrinsic(Intrinsic::IsUnique, smallvec![this.clone()], common().bool));
    let (alone, known) = (b.new_block(), b.new_block());
    b.branch(Operand::local(unique), alone, known);
    b.switch_to(known);
    give(&mut b, truth(false));
    b.switch_to(alone);
    let any = Callee::Instance(cx.instance(key(Crossing::OwnAny)));
    let object = b.eval(bytes(), Rvalue::Cast(CastKind::Pointer, this, bytes()));
    call(&mut b, any, vec![Operand::local(object)], common().unit);
    give(&mut b, truth(true));
    b.finish()
}

fn any(ret: Ty) -> Body {
    let mut b = builder("by kind of object", ret);
    b.param(bytes(), None);
    nothing_there(&mut b, ret);
    b.finish()
}

/// What is answered for an object that refers to nothing.
fn nothing_there(b: &mut Builder, ret: Ty) {
    match ret.is_unit() {
        true => b.end(TermKind::Return),
        false => give(b, truth(true)),
    }
}

/// What an entry of the type table needs where values cross.
pub(crate) fn entry(cx: &mut Instantiator, kind: &TypeEntryKind) -> EntryCrossing {
    let mut crossing = EntryCrossing::default();
    match kind {
        TypeEntryKind::Ty(ty) if cx.layouts.is_reference_struct(*ty) && cx.drops.is_shared(*ty) => {}
        TypeEntryKind::Ty(ty) if is_alone(cx, *ty) => {}
        TypeEntryKind::Ty(ty) => crossing.parts = Some(cx.instance(key(Crossing::Parts(*ty)))),
        TypeEntryKind::Closure(id) => {
            let of = cx.module.instances[*id].key.clone();
            crossing.keeps_nothing = cx.captures(&of).iter().all(|&ty| cx.drops.is_shared(ty));
            if cx.captures(&of).iter().any(|&ty| cx.drops.is_counted(ty)) {
                crossing.parts = Some(cx.instance(key(Crossing::ClosureParts(of.clone()))));
                crossing.own = Some(cx.instance(key(Crossing::OwnCaptures(of))));
            }
        }
        TypeEntryKind::DynBox(from) => {
            if cx.drops.is_counted(*from) {
                crossing.parts = Some(cx.instance(key(Crossing::BoxParts(*from))));
                crossing.own = Some(cx.instance(key(Crossing::OwnPayload(*from))));
            }
        }
    }
    crossing
}

/// Completes the functions that tell objects apart. Entries of the type table have their final numbers.
pub(crate) fn dispatch(module: &mut Module, before: Option<&Before<'_>>) {
    for id in module.instances.ids() {
        let InstanceKey::Crossing(what) = &module.instances[id].key else { continue };
        // In a part, they are made if there are kinds that were not there before.
        if before.is_some() && !module.roots.contains(&id) {
            continue;
        }
        let what = (**what).clone();
        let body = match what {
            Crossing::MayKeep => may_keep(module, before),
            Crossing::LeadsNowhere => leads_nowhere(module, before),
            Crossing::AnyParts | Crossing::OwnAny => {
                let kinds = kinds(module, before, matches!(what, Crossing::OwnAny), id);
                by_kind(module, id, kinds)
            }
            _ => continue,
        };
        let instance = &mut module.instances[id];
        instance.params = body
            .params()
            .map(|it| Param { ty: body.locals[it].ty, ownership: Ownership::Borrowed })
            .collect();
        instance.ret = body.return_ty();
        instance.body = Some(Arc::new(body));
    }
}

/// The index of each kind of objects that has something to do, and the function that does it.
fn kinds(
    module: &mut Module,
    before: Option<&Before<'_>>,
    own: bool,
    any: InstanceId,
) -> Vec<(u32, InstanceId)> {
    let of = |it: &EntryCrossing| if own { it.own } else { it.parts };
    let index = |n: usize| module.indexes.get(n).copied().unwrap_or(FIRST_TYPE + n as u32);
    let entries = module.types.iter().enumerate();
    let mut kinds: Vec<(u32, InstanceId)> =
        entries.filter_map(|(n, entry)| Some((index(n), of(&entry.crossing)?))).collect();
    let known =
        before.into_iter().flat_map(|before| before.kinds().map(move |(at, kind)| (before, at, kind)));
    for (before, at, kind) in known {
        let Some(number) = (if own { kind.own } else { kind.parts }) else { continue };
        let ret = module.instances[any].ret;
        let fact = before.fact(number);
        let id = module.instances.alloc(Instance {
            key: InstanceKey::Kept(number),
            symbol: fact.symbol.clone(),
            body: None,
            params: vec![Param { ty: bytes(), ownership: Ownership::Borrowed }],
            ret,
            may_panic: fact.may_panic,
            foreign: None,
            for_c: None,
            kept: Some(number),
        });
        kinds.push((at, id));
    }
    kinds
}

/// Variables that each task has are a place, too, in which any function may keep something.
fn may_keep(module: &Module, before: Option<&Before<'_>>) -> Body {
    let mut b = builder("what may be kept", common().bool);
    let object = b.param(bytes(), None);
    let of_tasks =
        module.statics.iter().any(|(_, it)| it.of_task) || before.is_some_and(|it| it.facts.of_tasks);
    let index = |n: usize| module.indexes.get(n).copied().unwrap_or(FIRST_TYPE + n as u32);
    let entries = module.types.iter().enumerate().filter(|(_, entry)| entry.crossing.keeps_nothing);
    let own = entries.map(|(n, _)| index(n));
    let known =
        before.into_iter().flat_map(|it| it.kinds()).filter(|(_, kind)| kind.keeps_nothing).map(|it| it.0);
    let kinds: Vec<i128> = own.chain(known).map(i128::from).collect();
    if !kinds.is_empty() && !of_tasks {
        let index =
            call(&mut b, Callee::Runtime(rt::object_type), vec![Operand::local(object)], common().int);
        let (nothing, something) = (b.new_block(), b.new_block());
        let cases = kinds.into_iter().map(|kind| (kind, nothing)).collect();
        b.end(TermKind::Switch { value: Operand::local(index), cases, otherwise: Some(something) });
        b.switch_to(nothing);
        give(&mut b, truth(false));
        b.switch_to(something);
    }
    give(&mut b, truth(true));
    b.finish()
}

fn leads_nowhere(module: &Module, before: Option<&Before<'_>>) -> Body {
    let mut b = builder("what leads nowhere", common().bool);
    let object = b.param(bytes(), None);
    let index = |n: usize| module.indexes.get(n).copied().unwrap_or(FIRST_TYPE + n as u32);
    let entries = module.types.iter().enumerate().filter(|(_, entry)| entry.crossing.parts.is_some());
    let own = entries.map(|(n, _)| index(n));
    let known = before.into_iter().flat_map(|it| it.kinds()).filter(|(_, kind)| kind.parts.is_some());
    let kinds = own.chain(known.map(|it| it.0));
    let index = call(&mut b, Callee::Runtime(rt::lone_type), vec![Operand::local(object)], common().int);
    let (leads, nowhere) = (b.new_block(), b.new_block());
    let cases = kinds.map(|kind| (i128::from(kind), leads)).chain([(NOT_ALONE, leads)]).collect();
    b.end(TermKind::Switch { value: Operand::local(index), cases, otherwise: Some(nowhere) });
    b.switch_to(leads);
    give(&mut b, truth(false));
    b.switch_to(nowhere);
    give(&mut b, truth(true));
    b.finish()
}

fn by_kind(module: &Module, id: InstanceId, kinds: Vec<(u32, InstanceId)>) -> Body {
    let ret = module.instances[id].ret;
    let mut b = builder("by kind of object", ret);
    let object = b.param(bytes(), None);
    let index = call(&mut b, Callee::Runtime(rt::object_type), vec![Operand::local(object)], common().int);
    let (mut cases, mut found) = (Vec::new(), Vec::new());
    for (at, function) in kinds {
        let block = b.new_block();
        cases.push((i128::from(at), block));
        found.push((block, function));
    }
    let nothing = b.new_block();
    b.end(TermKind::Switch { value: Operand::local(index), cases, otherwise: Some(nothing) });
    for (block, function) in found {
        b.switch_to(block);
        let ty = module.instances[function].params[0].ty;
        let this = b.eval(ty, Rvalue::Cast(CastKind::Pointer, Operand::local(object), ty));
        b.call(Body::RETURN, Callee::Instance(function), [Operand::local(this)]);
        b.end(TermKind::Return);
    }
    b.switch_to(nothing);
    nothing_there(&mut b, ret);
    b.finish()
}

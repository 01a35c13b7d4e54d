//! Bodies that no source text stands for: the program's entry, functions as closure values, `dyn` shims,
//! field readers, and what runs when an object's last count goes.
//!
//! Destroy functions and count glue are born with their counts written down and take no part in count
//! placement ([`has_counts`]). How deep destroy functions may nest is the engines' business: they count the
//! depth in the fiber and hand objects over beyond [`qz_rt_abi::fiber::MAX_DROP_DEPTH`].

use qz_base::{FileId, Name, Span, TextRange};
use qz_mir::build::Builder;
use qz_mir::layout::{Layout, Shape};
use qz_mir::{
    AdtKind, BinOp, Body, BodyAttrs, BodyKey, BodyPart, Callee, CastKind, ClosureTarget, Const, InlineHint,
    InstanceKey, Intrinsic, Operand, Place, Proj, Rvalue, TermKind,
};
use qz_rt_abi::object::DYN_PAYLOAD;
use qz_rt_abi::registry::rt;
use qz_types::ty::common;
use qz_types::{FnId, Row, Ty, TyKind};

use crate::drops::Drops;
use crate::instantiate::Instantiator;

pub(crate) mod circles;
pub(crate) mod cross;
mod destroy;
pub(crate) mod made;
pub(crate) mod weak;

pub(crate) use destroy::{count_glue, destroy, destroy_closure, destroy_dyn, release_in_turn};

/// Whether the body of such an instance has its counts already.
pub(crate) fn has_counts(key: &InstanceKey) -> bool {
    matches!(
        key,
        InstanceKey::RetainGlue(_)
            | InstanceKey::ReleaseGlue(_)
            | InstanceKey::DestroyGlue(_)
            | InstanceKey::DestroyClosure(_)
            | InstanceKey::DestroyDyn(_)
            | InstanceKey::Crossing(_)
    )
}

/// No place in any file.
pub(crate) fn nowhere() -> Span {
    Span::new(FileId(0), TextRange::empty(0))
}

pub(crate) fn builder(name: &str, ret: Ty) -> Builder {
    let key = BodyKey::main(FnId::from_raw(u32::MAX));
    Builder::new(key, Name::new(name), ret, nowhere(), BodyAttrs::default())
}

/// `fn(closure, args…)` around a function that takes only the arguments.
pub(crate) fn fn_value(cx: &mut Instantiator, of: &InstanceKey) -> Body {
    let (params, ret) = cx.signature(of);
    let callee = cx.instance(of.clone());
    let mut b = builder("function value", ret);
    b.attrs.inline = InlineHint::Never;
    b.param(Ty::func(&params, ret, Row::EMPTY), None);
    let args: Vec<_> = params.iter().map(|&ty| Operand::local(b.param(ty, None))).collect();
    b.call(Body::RETURN, Callee::Instance(callee), args);
    b.end(TermKind::Return);
    b.finish()
}

/// `fn(args…)` around a function, or a lambda that captures nothing, for the code that C calls.
pub(crate) fn for_c(cx: &mut Instantiator, of: &InstanceKey) -> Body {
    let (params, ret) = cx.signature(of);
    let callee = cx.instance(of.clone());
    let mut b = builder("function for C", ret);
    b.attrs.inline = InlineHint::Never;
    let is_lambda = matches!(of, InstanceKey::Body(body, ..) if matches!(body.part, BodyPart::Lambda(_)));
    // A lambda's first parameter is the closure itself.
    let (own, closure) = if is_lambda { (&params[1..], params.first()) } else { (&params[..], None) };
    let mut args: Vec<_> = own.iter().map(|&ty| Operand::local(b.param(ty, None))).collect();
    if let Some(&ty) = closure {
        let target = Box::new(ClosureTarget::Instance(callee));
        args.insert(0, Operand::local(b.eval(ty, Rvalue::Closure(target, Vec::new()))));
    }
    b.call(Body::RETURN, Callee::Instance(callee), args);
    if ret.is_never() {
        b.end(TermKind::Unreachable);
    } else {
        b.end(TermKind::Return);
    }
    b.finish()
}

/// `fn(dyn, args…)` around a method: takes the value out of its box.
pub(crate) fn dyn_shim(cx: &mut Instantiator, from: Ty, of: &InstanceKey) -> Body {
    let (params, ret) = cx.signature(of);
    let callee = cx.instance(of.clone());
    let mut b = builder("dyn method", ret);
    // Every box is one pointer; which traits it promises does not matter for how it travels.
    let this = b.param(Ty::new(TyKind::Dyn(&[])), None);
    let rest: Vec<_> = params.iter().skip(1).map(|&ty| Operand::local(b.param(ty, None))).collect();
    let payload = payload(&mut b, this, from);
    let receiver = match params.first().map(|ty| *ty.kind()) {
        Some(TyKind::Ref(mutability, _)) => {
            Operand::local(b.eval(params[0], Rvalue::Ref(mutability, payload)))
        }
        _ => Operand::local(b.eval(from, Rvalue::Use(Operand::Copy(payload)))),
    };
    b.call(Body::RETURN, Callee::Instance(callee), [receiver].into_iter().chain(rest));
    b.end(TermKind::Return);
    b.finish()
}

/// The value inside a `dyn` box.
fn payload(b: &mut Builder, object: qz_mir::Local, from: Ty) -> Place {
    let bytes = Ty::ptr(common().u8);
    let to = Ty::ptr(from);
    let at = b.eval(bytes, Rvalue::Cast(CastKind::Pointer, Operand::local(object), bytes));
    let offset = [Operand::local(at), Operand::int(DYN_PAYLOAD as i64)].into_iter().collect();
    let at = b.eval(bytes, Rvalue::Intrinsic(Intrinsic::PtrAdd, offset, bytes));
    let at = b.eval(to, Rvalue::Cast(CastKind::Pointer, Operand::local(at), to));
    Place::local(at).deref()
}

/// Reads a field of a value.
pub(crate) fn field(cx: &mut Instantiator, ty: Ty, index: u32) -> Body {
    let mut b = builder("field", cx.field_ty(ty, index));
    b.attrs.inline = InlineHint::Always;
    let this = Place::local(b.param(ty, None));
    let place = if cx.layouts.is_reference_struct(ty) { this.deref() } else { this };
    b.assign_local(Body::RETURN, Rvalue::Use(Operand::Copy(place.field(index))));
    b.end(TermKind::Return);
    b.finish()
}

/// The program: `main`, and its result as the exit status.
pub(crate) fn entry(cx: &mut Instantiator, main: FnId) -> Body {
    let c = common();
    let key = InstanceKey::Body(BodyKey::main(main), &[], std::sync::Arc::new([]));
    let (_, ret) = cx.signature(&key);
    let callee = Callee::Instance(cx.instance(key));
    let gives_status = ret == c.int;
    let mut b = builder("the program", if gives_status { c.int } else { c.unit });
    b.attrs.inline = InlineHint::Never;
    let result = b.temp(ret);
    b.call(result, callee, []);
    if gives_status {
        check_status(&mut b, result);
        b.assign_local(Body::RETURN, Rvalue::Use(Operand::local(result)));
    }
    b.end(if ret.is_never() { TermKind::Unreachable } else { TermKind::Return });
    b.finish()
}

/// Panics unless the status fits into eight bits.
fn check_status(b: &mut Builder, status: qz_mir::Local) {
    let c = common();
    let word = b.eval(c.u64, Rvalue::Cast(CastKind::Wrapping, Operand::local(status), c.u64));
    let limit = Operand::Const(Const::Int(255, qz_types::IntTy::U64));
    let fits = b.eval(c.bool, Rvalue::Binary(BinOp::Le, Operand::local(word), limit));
    let (fine, bad) = (b.new_block(), b.new_block());
    b.end(TermKind::Branch { cond: Operand::local(fits), then: fine, else_: bad, likely: Some(true) });
    b.switch_to(bad);
    let text = |text: &str| Operand::Const(Const::Str(text.into()));
    let number = b.temp(c.str);
    b.call(number, Callee::Runtime(rt::int_to_str), [Operand::local(status)]);
    let message = b.temp(c.str);
    let pieces = [text("exit status "), Operand::local(number), text(" is not in 0..255")];
    b.call(message, Callee::Runtime(rt::str_concat3), pieces);
    let nothing = b.temp(c.unit);
    b.call(nothing, Callee::Runtime(rt::panic), [Operand::local(message)]);
    b.end(TermKind::Unreachable);
    b.switch_to(fine);
}

/// The parts of an object or value that hold counts, by variant where there are several.
enum Parts {
    Fields(Vec<(Place, Ty)>),
    Variants(Vec<Vec<(Place, Ty)>>),
}

fn counted(drops: &Drops, base: &Place, tys: &[Ty]) -> Vec<(Place, Ty)> {
    let parts = tys.iter().enumerate().filter(|&(_, &ty)| drops.is_counted(ty));
    parts.map(|(i, &ty)| (base.field(i as u32), ty)).collect()
}

/// What an object of a reference struct, or a cell of a boxed enum, holds.
fn object_parts(cx: &Instantiator, this: &Place, ty: Ty) -> Parts {
    let TyKind::Adt(id, _) = *ty.kind() else { unreachable!("{ty:?} has no objects") };
    match &cx.source.adt(id).kind {
        AdtKind::Reference(_) => {
            let fields = cx.layouts.object(ty).fields.tys.clone();
            Parts::Fields(counted(cx.drops, &this.deref(), &fields))
        }
        _ => value_parts(cx.drops, this, &cx.layouts.of(ty)),
    }
}

/// What an unboxed value holds.
fn value_parts(drops: &Drops, this: &Place, layout: &Layout) -> Parts {
    match &layout.shape {
        Shape::Product(fields) => Parts::Fields(counted(drops, this, &fields.tys)),
        Shape::Enum(it) => {
            let variants = it.variants.iter().enumerate();
            let parts =
                variants.map(|(v, fields)| counted(drops, &this.then(Proj::Variant(v as u32)), &fields.tys));
            Parts::Variants(parts.collect())
        }
        Shape::Never | Shape::Scalar(_) | Shape::Object | Shape::Pointer => Parts::Fields(Vec::new()),
    }
}

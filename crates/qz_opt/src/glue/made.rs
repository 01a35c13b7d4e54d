//! Functions of the library whose bodies are written when their type arguments are known.

use qz_mir::build::Builder;
use qz_mir::{
    Body, BodyKey, Callee, CastKind, Const, Crossing, InstanceKey, Made, Operand, Place, Rvalue, TermKind,
};
use qz_types::ty::common;
use qz_types::{Ty, TyKind, Tys};

use super::builder;
use crate::instantiate::{Instantiator, no_evidence};

pub(crate) fn made(cx: &mut Instantiator, what: Made, args: Tys) -> Body {
    match what {
        Made::CrossAt => forward(cx, Crossing::Place(args[0]), Ty::ptr(args[0]), common().unit),
        Made::CrossParts => cross_parts(cx),
        Made::MayKeep => of_object(cx, Crossing::MayKeep, args[0]),
        Made::LeadsNowhere => leads_nowhere(cx, args[0]),
        Made::CopyAt => copy_at(cx, args[0]),
        Made::TypeName => type_name(cx, args[0]),
    }
}

/// Passes its argument on.
fn forward(cx: &mut Instantiator, to: Crossing, param: Ty, ret: Ty) -> Body {
    let mut b = builder("crossing", ret);
    let arg = Operand::local(b.param(param, None));
    let callee = Callee::Instance(cx.instance(InstanceKey::Crossing(Box::new(to))));
    b.call(Body::RETURN, callee, [arg]);
    b.end(TermKind::Return);
    b.finish()
}

fn cross_parts(cx: &mut Instantiator) -> Body {
    let mut b = builder("parts of what crosses", common().unit);
    let object = Operand::local(b.param(Ty::ptr(common().u8), None));
    let any = Callee::Instance(cx.instance(InstanceKey::Crossing(Box::new(Crossing::AnyParts))));
    let unchanging = b.temp(common().bool);
    b.call(unchanging, any, [object]);
    b.end(TermKind::Return);
    b.finish()
}

/// Asks of an object's kind.
fn of_object(cx: &mut Instantiator, what: Crossing, ty: Ty) -> Body {
    let mut b = builder("of an object's kind", common().bool);
    let value = Operand::local(b.param(ty, None));
    let bytes = Ty::ptr(common().u8);
    let object = b.eval(bytes, Rvalue::Cast(CastKind::Pointer, value, bytes));
    let callee = Callee::Instance(cx.instance(InstanceKey::Crossing(Box::new(what))));
    b.call(Body::RETURN, callee, [Operand::local(object)]);
    b.end(TermKind::Return);
    b.finish()
}

/// Asked of closures: for others a walk that ends at once costs less than their kinds would.
fn leads_nowhere(cx: &mut Instantiator, ty: Ty) -> Body {
    if let TyKind::Fn(_) = ty.kind() {
        return of_object(cx, Crossing::LeadsNowhere, ty);
    }
    let mut b = builder("what leads nowhere", common().bool);
    b.param(ty, None);
    b.assign_local(Body::RETURN, Rvalue::Use(Operand::Const(Const::Bool(false))));
    b.end(TermKind::Return);
    b.finish()
}

fn copy_at(cx: &mut Instantiator, ty: Ty) -> Body {
    if let TyKind::Fn(_) | TyKind::Dyn(_) = ty.kind() {
        return forward(cx, Crossing::OwnPlace(ty), Ty::ptr(ty), common().bool);
    }
    let mut b = builder("copying", common().bool);
    let place = Place::local(b.param(Ty::ptr(ty), None)).deref();
    let is_copied = match cx.source.clone_of(ty) {
        Some((function, args)) => {
            let key = InstanceKey::Body(BodyKey::main(function), args, no_evidence());
            copy(&mut b, Callee::Instance(cx.instance(key)), place, ty);
            true
        }
        None => false,
    };
    b.assign_local(Body::RETURN, Rvalue::Use(Operand::Const(Const::Bool(is_copied))));
    b.end(TermKind::Return);
    b.finish()
}

fn copy(b: &mut Builder, clone: Callee, place: Place, ty: Ty) {
    let value = b.eval(ty, Rvalue::Use(Operand::Copy(place.clone())));
    let copy = b.temp(ty);
    b.call(copy, clone, [Operand::local(value)]);
    b.assign(place, Rvalue::Use(Operand::local(copy)));
}

fn type_name(cx: &Instantiator, ty: Ty) -> Body {
    let mut b = builder("a type's name", common().str);
    let name = Const::Str(cx.name_of(ty).as_str().into());
    b.assign_local(Body::RETURN, Rvalue::Use(Operand::Const(name)));
    b.end(TermKind::Return);
    b.finish()
}

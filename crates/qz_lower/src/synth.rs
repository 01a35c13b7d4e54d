//! Functions that exist only as MIR: constructors as values, the start of programs whose `main` gives a
//! `Result`, the initialisation of module variables.

use qz_base::{Name, Span};
use qz_hir::Whose;
use qz_mir::build::Builder;
use qz_mir::{
    AggregateKind, BinOp, Body, BodyAttrs, BodyKey, Callee, CastKind, ClosureTarget, Const, FnInfo, FnKind,
    InlineHint, Intrinsic, Operand, Place, Proj, Rvalue, StmtKind, TermKind,
};
use qz_rt_abi::registry::rt;
use qz_types::ty::common;
use qz_types::{AdtId, FnId, Mutability, Row, StaticId, Ty, TyKind, Tys};

use crate::{DerivePart, Lowerer, Synth, derive, main_key};

/// Parameters, result and name of a synthesised function.
pub(crate) fn signature(lw: &Lowerer<'_, '_>, what: Synth) -> (Name, Vec<Ty>, Ty, Span) {
    let defs = lw.defs();
    let c = common();
    match what {
        Synth::DeriveAdt(derived, adt) => {
            let ty = defs.adt_identity(adt);
            let path = format!("{}::{}", defs.adt_path(adt), derive::method_name(derived));
            let (params, ret) = derive::types(derived, ty);
            (Name::new(&path), params, ret, defs.adt_span(adt))
        }
        Synth::Derive(part, adt) => {
            let ty = defs.adt_identity(adt);
            let (name, params, ret) = match part {
                DerivePart::Show => ("show_parts", vec![ty], c.str),
                DerivePart::Inspect => ("inspect", vec![ty], c.str),
                DerivePart::Start => ("clone_start", vec![ty], ty),
                DerivePart::Finish => ("clone_finish", vec![ty, ty], c.unit),
            };
            (Name::new(&format!("{}::{name}", defs.adt_path(adt))), params, ret, defs.adt_span(adt))
        }
        Synth::DeriveTuple(derived, n) => {
            let (params, ret) = derive::types(derived, Ty::tuple(&type_params(n)));
            let path = format!("std::Tuple{n}::{}", derive::method_name(derived));
            (Name::new(&path), params, ret, nowhere(lw))
        }
        Synth::DeriveRecord(derived, ty) => {
            let (params, ret) = derive::types(derived, ty);
            let names: Vec<&str> = derive::record_fields(ty).iter().map(|it| it.0.as_str()).collect();
            let path = format!("std::{{{}}}::{}", names.join(","), derive::method_name(derived));
            (Name::new(&path), params, ret, nowhere(lw))
        }
        Synth::DeriveOpaque(derived) => {
            let (params, ret) = derive::types(derived, Ty::param(0, Name::new("T")));
            let path = format!("std::Fn::{}", derive::method_name(derived));
            (Name::new(&path), params, ret, nowhere(lw))
        }
        Synth::JoinTuples(left, right) => {
            let parts = type_params(left + right);
            let (first, second) = parts.split_at(left as usize);
            let path = format!("std::Tuple{left}::op_add{right}");
            (Name::new(&path), vec![Ty::tuple(first), Ty::tuple(second)], Ty::tuple(&parts), nowhere(lw))
        }
        Synth::Variant(adt, variant) => {
            let fields = defs.adt_fields(adt);
            let variant = &fields.variants[variant as usize];
            let params = variant.fields.iter().map(|it| it.ty).collect();
            let path = format!("{}::{}", defs.adt_path(adt), variant.name);
            (Name::new(&path), params, defs.adt_identity(adt), defs.adt_span(adt))
        }
        Synth::Newtype(adt) => {
            let fields = defs.adt_fields(adt);
            let params = vec![fields.variants[0].fields[0].ty];
            (defs.adt_path(adt), params, defs.adt_identity(adt), defs.adt_span(adt))
        }
        Synth::Main(main) => (defs.fn_path(main), Vec::new(), c.int, defs.fn_span(main)),
        Synth::DynCall(dyn_ty, slot) => {
            let (bound, method) = qz_mir::Source::dyn_slots(lw, dyn_ty)[slot as usize];
            let function = defs.traits[bound.trait_id].methods[method as usize];
            let scheme = lw.ck.scheme(function);
            let mut args = vec![dyn_ty];
            args.extend(bound.args);
            let ty = |ty: Ty| lw.ck.normalize(qz_types::subst(ty, &args));
            let params = scheme.params.iter().map(|&it| ty(it)).collect();
            (defs.fn_path(function), params, ty(scheme.ret), defs.fn_span(function))
        }
        Synth::Static(id) => {
            let info = qz_mir::Source::static_var(lw, id);
            (Name::new(&format!("{}::storage", info.path)), Vec::new(), Ty::ptr(info.ty), info.span)
        }
        Synth::StaticMake(id) | Synth::StaticEnd(id) => {
            let info = qz_mir::Source::static_var(lw, id);
            let part = if what == Synth::StaticMake(id) { "make" } else { "end" };
            (Name::new(&format!("{}::{part}", info.path)), vec![Ty::ptr(info.ty)], c.unit, info.span)
        }
    }
}

/// A type parameter for each part of a tuple.
pub(crate) fn type_params(n: u32) -> Vec<Ty> {
    (0..n).map(|i| Ty::param(i, Name::new(&format!("T{i}")))).collect()
}

pub(crate) fn tuple_parts(ty: Ty) -> Tys {
    match *ty.kind() {
        TyKind::Tuple(parts) => parts,
        _ => unreachable!("asked of tuples only"),
    }
}

/// The place of things that stand in no file of the user's: the prelude's first byte.
fn nowhere(lw: &Lowerer<'_, '_>) -> Span {
    let defs = lw.defs();
    let module = defs.prelude.or_else(|| defs.modules.ids().next()).expect("there is a module");
    Span::new(defs.file_of(module), qz_base::TextRange::default())
}

pub(crate) fn info(lw: &Lowerer<'_, '_>, what: Synth) -> FnInfo {
    let (path, params, ret, _) = signature(lw, what);
    FnInfo { path, params, ret, kind: FnKind::Quartz, owns_from: None, export: None }
}

pub(crate) fn body(lw: &Lowerer<'_, '_>, key: BodyKey, what: Synth) -> Body {
    let (path, params, ret, span) = signature(lw, what);
    let attrs = BodyAttrs { inline: InlineHint::Auto, track_caller: true, is_const: false };
    let mut b = Builder::new(key, path, ret, span, attrs);
    let params: Vec<Operand> = params.into_iter().map(|ty| Operand::local(b.param(ty, None))).collect();
    match what {
        Synth::DeriveAdt(derived, adt) => derive::adt(lw, &mut b, derived, adt),
        Synth::Derive(part, adt) => derive::part(lw, &mut b, part, adt),
        Synth::DeriveTuple(derived, n) => derive::tuple(lw, &mut b, derived, n),
        Synth::DeriveRecord(derived, ty) => derive::record(lw, &mut b, derived, ty),
        Synth::DeriveOpaque(derived) => derive::opaque(&mut b, derived),
        Synth::JoinTuples(left, right) => derive::joined(&mut b, left, right, ret),
        Synth::Variant(_, variant) => {
            let value = Rvalue::Aggregate(AggregateKind::Variant(ret, variant), params);
            b.assign_local(Body::RETURN, value);
        }
        Synth::Newtype(_) => {
            b.assign_local(Body::RETURN, Rvalue::Aggregate(AggregateKind::Value(ret), params));
        }
        Synth::Main(main) => main_body(lw, &mut b, main),
        Synth::DynCall(dyn_ty, slot) => {
            let (bound, method) = qz_mir::Source::dyn_slots(lw, dyn_ty)[slot as usize];
            b.call(Body::RETURN, Callee::Dyn { trait_id: bound.trait_id, method, slot }, params);
        }
        Synth::Static(id) => static_body(lw, &mut b, id),
        Synth::StaticMake(id) => static_make(lw, &mut b, id, &params[0]),
        Synth::StaticEnd(id) => static_end(lw, &mut b, id, &params[0]),
    }
    b.end(TermKind::Return);
    b.finish()
}

/// `main` with a `Result`: an error is shown on standard error and gives 1.
fn main_body(lw: &Lowerer<'_, '_>, b: &mut Builder, main: FnId) {
    let ret = lw.ck.scheme(main).ret;
    let result: AdtId = lw.lang_adt("Result");
    let args = ret.as_adt().expect("a Result").1;
    let dest = b.temp(ret);
    b.call(dest, Callee::Fn(main_key(main), &[], [].into()), []);
    let tag = b.eval(common().int, Rvalue::Discriminant(Place::local(dest)));
    let (ok, err) = (lw.variant_index(result, "Ok"), lw.variant_index(result, "Err"));
    let (good, bad) = (b.new_block(), b.new_block());
    let is_ok = Rvalue::Binary(BinOp::Eq, Operand::local(tag), Operand::int(ok as i64));
    let is_ok = b.eval(common().bool, is_ok);
    b.branch(Operand::local(is_ok), good, bad);
    b.switch_to(bad);
    let error = Place::local(dest).then(Proj::Variant(err)).field(0);
    let error = b.eval(args[1], Rvalue::Use(Operand::Copy(error)));
    let report = lw.lang_fn("report_error");
    let unit = b.temp(common().unit);
    let type_args = Ty::list(&[args[1]]);
    b.call(unit, Callee::Fn(main_key(report), type_args, [].into()), [Operand::local(error)]);
    b.assign_local(Body::RETURN, Rvalue::Use(Operand::int(1)));
    b.end(TermKind::Return);
    b.switch_to(good);
    let status = if args[0] == common().int {
        Operand::Copy(Place::local(dest).then(Proj::Variant(ok)).field(0))
    } else {
        Operand::int(0)
    };
    b.assign_local(Body::RETURN, Rvalue::Use(status));
}

/// Where the value lies in the storage that a parameter or local leads to.
fn stored(storage: &Operand) -> Place {
    match storage {
        Operand::Copy(place) | Operand::Move(place) => place.deref().field(1),
        Operand::Const(_) => unreachable!("a pointer to storage is a parameter or a temporary"),
    }
}

/// Gives the variable's storage for the task at work; its value has been made.
fn static_body(lw: &Lowerer<'_, '_>, b: &mut Builder, id: StaticId) {
    let info = qz_mir::Source::static_var(lw, id);
    let pointer = Ty::ptr(info.ty);
    let whose = Operand::int(lw.defs().statics[id].whose as i64);
    let storage = b.eval(pointer, Rvalue::StaticRef(id));
    let storage = match lw.defs().statics[id].whose {
        Whose::All => storage,
        Whose::Task | Whose::Thread => {
            let size =
                b.eval(common().u64, Rvalue::Intrinsic(Intrinsic::SizeOf, Default::default(), info.ty));
            let own = b.temp(pointer);
            let args = [Operand::local(storage), Operand::local(size), whose.clone()];
            b.call(own, Callee::Runtime(rt::variable_place), args);
            own
        }
    };
    b.assign_local(Body::RETURN, Rvalue::Use(Operand::local(storage)));
    let state = b.temp(common().int);
    let (whole_word, acquire) = (Operand::int(3), Operand::int(1));
    b.call(state, Callee::Runtime(rt::atomic_load), [Operand::local(storage), whole_word, acquire]);
    let (done, start) = (b.new_block(), b.new_block());
    b.end(TermKind::Switch {
        value: Operand::local(state),
        cases: vec![(MADE, done)],
        otherwise: Some(start),
    });
    b.switch_to(start);
    let mut args =
        vec![Operand::local(storage), whose, Operand::Const(Const::Str(info.path.as_str().into()))];
    for part in [Synth::StaticMake(id), Synth::StaticEnd(id)] {
        let target = ClosureTarget::Fn(Callee::Fn(main_key(lw.synth(part)), &[], [].into()));
        let ty = Ty::func(&[pointer], common().unit, Row::EMPTY);
        args.push(Operand::local(b.eval(ty, Rvalue::Closure(Box::new(target), Vec::new()))));
    }
    let unit = b.temp(common().unit);
    let start_variable = main_key(lw.lang_fn("start_variable"));
    b.call(unit, Callee::Fn(start_variable, Ty::list(&[info.ty]), [].into()), args);
    b.goto(done);
    b.switch_to(done);
}

/// What the first word of a variable's storage says when the value is there.
const MADE: i128 = 2;

/// Makes the value, fit for other tasks if they will see it.
fn static_make(lw: &Lowerer<'_, '_>, b: &mut Builder, id: StaticId, storage: &Operand) {
    let ty = lw.static_ty(id);
    let value = b.temp(ty);
    let init = lw.defs().statics[id].init;
    b.call(value, Callee::Fn(main_key(init), &[], [].into()), []);
    if lw.defs().statics[id].whose != Whose::Task {
        let reference = Rvalue::Ref(Mutability::Mut, Place::local(value));
        let reference = b.eval(Ty::reference(Mutability::Mut, ty), reference);
        let pointer = Ty::ptr(ty);
        let place = b.eval(pointer, Rvalue::Cast(CastKind::Pointer, Operand::local(reference), pointer));
        let unit = b.temp(common().unit);
        let cross = main_key(lw.lang_fn("cross_place"));
        b.call(unit, Callee::Fn(cross, Ty::list(&[ty]), [].into()), [Operand::local(place)]);
    }
    b.push(StmtKind::Init(stored(storage), Rvalue::Use(Operand::local(value))));
}

/// Lets go of the value.
fn static_end(lw: &Lowerer<'_, '_>, b: &mut Builder, id: StaticId, storage: &Operand) {
    b.eval(lw.static_ty(id), Rvalue::Use(Operand::Move(stored(storage))));
}

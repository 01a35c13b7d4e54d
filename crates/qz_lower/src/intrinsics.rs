//! Functions that the library declares with `extern "intrinsic"`: what each means in MIR. And wrappers, for
//! the rare place where an intrinsic or runtime function is used as a value.

use qz_hir::FnKind;
use qz_mir::build::Builder;
use qz_mir::{
    AggregateKind, BinOp, Body, BodyAttrs, BodyKey, Callee, CastKind, Const, InlineHint, Intrinsic, Local,
    Made, Operand, Place, Proj, Rvalue, StmtKind, TermKind,
};
use qz_rt_abi::RtFn;
use qz_types::ty::common;
use qz_types::{FnId, Ty, Tys};
use smallvec::SmallVec;

use crate::body::{Cx, int_ty};
use crate::{Lowerer, main_key};

impl Cx<'_, '_, '_> {
    pub(crate) fn intrinsic(
        &mut self,
        function: FnId,
        type_args: Tys,
        args: Vec<Operand>,
        ret: Ty,
    ) -> Operand {
        emit(self.lw, &mut self.b, function, type_args, args, ret)
    }
}

/// The intrinsic of this name, if it is a plain operation.
fn plain(name: &str) -> Option<Intrinsic> {
    Some(match name {
        "ptr_add" => Intrinsic::PtrAdd,
        "ptr_diff" => Intrinsic::PtrDiff,
        "ptr_eq" => Intrinsic::PtrEq,
        "ptr_copy" => Intrinsic::PtrCopy,
        "ptr_read_volatile" => Intrinsic::ReadVolatile,
        "ptr_write_volatile" => Intrinsic::WriteVolatile,
        "ptr_fill" => Intrinsic::PtrFill,
        "ptr_compare" => Intrinsic::PtrCompare,
        "count_ones" => Intrinsic::CountOnes,
        "leading_zeros" => Intrinsic::LeadingZeros,
        "trailing_zeros" => Intrinsic::TrailingZeros,
        "byte_swap" => Intrinsic::ByteSwap,
        "rotate_left" => Intrinsic::RotateLeft,
        "mul_high" => Intrinsic::MulHigh,
        "float_sqrt" => Intrinsic::Sqrt,
        "float_floor" => Intrinsic::Floor,
        "float_ceil" => Intrinsic::Ceil,
        "float_trunc" => Intrinsic::Trunc,
        "float_round_even" => Intrinsic::RoundEven,
        "float_abs" => Intrinsic::FloatAbs,
        "float_copysign" => Intrinsic::CopySign,
        "str_ptr" => Intrinsic::StrPtr,
        "str_len" => Intrinsic::StrLen,
        "str_chars" => Intrinsic::StrChars,
        "same_object" => Intrinsic::SameObject,
        "is_unique" => Intrinsic::IsUnique,
        "uninit" => Intrinsic::Uninit,
        "forget" => Intrinsic::Forget,
        _ => return None,
    })
}

/// The intrinsic of this name, if it is a function that is made for each type.
pub(crate) fn made(name: &str) -> Option<Made> {
    Some(match name {
        "cross_at" => Made::CrossAt,
        "cross_parts" => Made::CrossParts,
        "may_keep" => Made::MayKeep,
        "leads_nowhere" => Made::LeadsNowhere,
        "copy_at" => Made::CopyAt,
        "type_name" => Made::TypeName,
        _ => return None,
    })
}

/// Writes an intrinsic's MIR into the open block.
fn emit(
    lw: &Lowerer<'_, '_>,
    b: &mut Builder,
    function: FnId,
    type_args: Tys,
    args: Vec<Operand>,
    ret: Ty,
) -> Operand {
    let name = lw.defs().fns[function].name.as_str();
    if made(name).is_some() {
        let dest = b.temp(ret);
        b.call(dest, Callee::Fn(main_key(function), type_args, [].into()), args);
        return if ret.is_unit() { Operand::Const(Const::Unit) } else { Operand::local(dest) };
    }
    if let Some(intrinsic) = plain(name) {
        let args: SmallVec<[Operand; 3]> = args.into_iter().collect();
        return result(b, ret, Rvalue::Intrinsic(intrinsic, args, ret));
    }
    let of_type = |intrinsic: Intrinsic| Rvalue::Intrinsic(intrinsic, SmallVec::new(), type_args[0]);
    match name {
        "size_of" => result(b, ret, of_type(Intrinsic::SizeOf)),
        "align_of" => result(b, ret, of_type(Intrinsic::AlignOf)),
        "needs_release" => result(b, ret, of_type(Intrinsic::NeedsRelease)),
        "leads_back" => result(b, ret, of_type(Intrinsic::LeadsBack)),
        "is_object" => result(b, ret, of_type(Intrinsic::IsObject)),
        "is_ordinal" => result(b, ret, of_type(Intrinsic::IsOrdinal)),
        "is_watched" => result(b, ret, of_type(Intrinsic::IsWatched)),
        "is_shared" => result(b, ret, of_type(Intrinsic::IsShared)),
        "type_key" => result(b, ret, of_type(Intrinsic::TypeKey)),
        "place_of" => result(b, ret, Rvalue::Cast(CastKind::Pointer, args[0].clone(), ret)),
        "may_repeat" => result(b, ret, of_type(Intrinsic::MayRepeat)),
        "ptr_null" => Operand::Const(Const::Null(ret)),
        "ptr_is_null" => {
            let ty = Ty::ptr(type_args[0]);
            let null = Operand::Const(Const::Null(ty));
            let args = SmallVec::from_iter([args[0].clone(), null]);
            result(b, ret, Rvalue::Intrinsic(Intrinsic::PtrEq, args, ret))
        }
        "ptr_cast" => result(b, ret, Rvalue::Cast(CastKind::Pointer, args[0].clone(), ret)),
        "ptr_get" => {
            let place = element(b, type_args[0], &args);
            result(b, ret, Rvalue::Use(Operand::Copy(place)))
        }
        // The value is taken out: the memory holds nothing afterwards.
        "ptr_take" => {
            let place = element(b, type_args[0], &args);
            result(b, ret, Rvalue::Use(Operand::Move(place)))
        }
        "ptr_set" => {
            let place = element(b, type_args[0], &args);
            b.push(StmtKind::Init(place, Rvalue::Use(args[2].clone())));
            Operand::Const(Const::Unit)
        }
        // As an assignment: what was there ends when the value is in its place.
        "ptr_replace" => {
            let place = element(b, type_args[0], &args);
            b.assign(place, Rvalue::Use(args[2].clone()));
            Operand::Const(Const::Unit)
        }
        "add_overflowing" => {
            result(b, ret, Rvalue::Overflowing(BinOp::Add, args[0].clone(), args[1].clone()))
        }
        "sub_overflowing" => {
            result(b, ret, Rvalue::Overflowing(BinOp::Sub, args[0].clone(), args[1].clone()))
        }
        "mul_overflowing" => {
            result(b, ret, Rvalue::Overflowing(BinOp::Mul, args[0].clone(), args[1].clone()))
        }
        "float_bits" | "float_from_bits" | "char_to_u32" | "char_from_u32" => {
            result(b, ret, Rvalue::Cast(CastKind::Bits, args[0].clone(), ret))
        }
        "handed_over" => handed_over(b, &args[0], ret),
        "attempt" => attempt(lw, b, type_args[0], &args[0], ret),
        unknown => panic!("the standard library declares an unknown intrinsic `{unknown}`"),
    }
}

fn result(b: &mut Builder, ret: Ty, value: Rvalue) -> Operand {
    let dest = b.eval(ret, value);
    if ret.is_unit() { Operand::Const(Const::Unit) } else { Operand::local(dest) }
}

/// Moves a value out of its name, though that may be one that keeps its value to the end of its scope.
pub(crate) fn handed_over(b: &mut Builder, value: &Operand, ty: Ty) -> Operand {
    let moved = Operand::local(b.eval(ty, Rvalue::Use(value.clone())));
    if let Some(name) = value.place().and_then(Place::as_local) {
        b.push(StmtKind::EndScope(name));
    }
    moved
}

/// Calls `body`, a `Fn(): T`, and takes a panic that comes out of it: `ret` is a Result of the value, or of the
/// panic's message, place and backtrace.
fn attempt(lw: &Lowerer<'_, '_>, b: &mut Builder, value_ty: Ty, body: &Operand, ret: Ty) -> Operand {
    let known = common();
    let (adt, type_args) = ret.as_adt().expect("`attempt` gives a Result");
    let variant = |name: &str, value: Local| {
        let kind = AggregateKind::Variant(ret, lw.variant_index(adt, name));
        Rvalue::Aggregate(kind, vec![Operand::local(value)])
    };
    let result = b.temp(ret);
    let depth = runtime(b, "panic_depth", known.int, &[]);
    let (after, caught) = (b.new_block(), b.new_block());
    let was_cleanup = b.set_cleanup(true);
    let pad = b.new_block();
    b.set_cleanup(was_cleanup);

    let outer = b.set_unwind(Some(pad));
    b.refresh();
    let value = b.temp(value_ty);
    b.call(value, Callee::Value(body.clone()), []);
    b.set_unwind(outer);
    b.refresh();
    b.assign_local(result, variant("Ok", value));
    b.goto(after);

    b.switch_to(pad);
    runtime(b, "settle_panics", known.unit, &[Operand::local(depth)]);
    let place = runtime(b, "panic_place", known.str, &[]);
    let trace = runtime(b, "panic_trace", known.str, &[]);
    let message = runtime(b, "take_panic", known.str, &[]);
    b.goto(caught);

    b.switch_to(caught);
    let parts = [message, place, trace].map(Operand::local).to_vec();
    let error = b.eval(type_args[1], Rvalue::Aggregate(AggregateKind::Tuple(type_args[1]), parts));
    b.assign_local(result, variant("Err", error));
    b.goto(after);
    b.switch_to(after);
    Operand::local(result)
}

/// Calls a function of the runtime.
pub(crate) fn runtime(b: &mut Builder, name: &str, ret: Ty, args: &[Operand]) -> Local {
    let function = RtFn::by_name(name).unwrap_or_else(|| panic!("the runtime has no function `{name}`"));
    let dest = b.temp(ret);
    b.call(dest, Callee::Runtime(function), args.iter().cloned());
    dest
}

/// `pointer[index]` as a place.
fn element(b: &mut Builder, elem: Ty, args: &[Operand]) -> Place {
    let pointer = b.eval(Ty::ptr(elem), Rvalue::Use(args[0].clone()));
    let index = b.eval(int_ty(), Rvalue::Use(args[1].clone()));
    Place::local(pointer).then(Proj::Index(index))
}

/// A body that does nothing but the operation.
pub(crate) fn wrapper(lw: &Lowerer<'_, '_>, key: BodyKey) -> Body {
    let def = &lw.defs().fns[key.function];
    let scheme = lw.ck.scheme(key.function);
    let attrs = BodyAttrs { inline: InlineHint::Always, track_caller: true, is_const: false };
    let mut b = Builder::new(
        key,
        lw.defs().fn_path(key.function),
        scheme.ret,
        lw.defs().fn_span(key.function),
        attrs,
    );
    let params: Vec<Local> = scheme.params.iter().map(|&ty| b.param(ty, None)).collect();
    let args: Vec<Operand> = params.into_iter().map(Operand::local).collect();
    let value = match def.kind {
        FnKind::Intrinsic => {
            let type_args = Ty::list(&scheme.generics.identity());
            emit(lw, &mut b, key.function, type_args, args, scheme.ret)
        }
        _ => Operand::local(runtime(&mut b, def.name.as_str(), scheme.ret, &args)),
    };
    if scheme.ret.is_never() {
        b.end(TermKind::Unreachable);
    } else if scheme.ret != common().unit {
        b.assign_local(Body::RETURN, Rvalue::Use(value));
    }
    b.end(TermKind::Return);
    b.finish()
}

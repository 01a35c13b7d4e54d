//! Generic bodies as bytes, for caches ([`qz_types::kept`]). What stands in bodies with concrete types alone is not kept.

use qz_rt_abi::RtFn;
use qz_types::keep;
use qz_types::kept::{Keep, Reader, Within, Writer};

use crate::body::{
    AggregateKind, BinOp, Block, Body, BodyAttrs, Call, Callee, CastKind, ClosureTarget, Const, Evidence,
    InlineHint, Intrinsic, LocalDecl, Operand, Ownership, Place, Proj, Rvalue, SourceInfo, SourceScope, Stmt,
    StmtKind, TermKind, Terminator, UnOp,
};
use crate::program::{BodyKey, BodyPart, FnInfo, FnKind, Instance, Made, StaticData, Vtable};

impl Within for LocalDecl {}
impl Within for Block {}
impl Within for SourceScope {}

impl Within for Instance {
    const IS_KEPT: bool = false;
}
impl Within for Vtable {
    const IS_KEPT: bool = false;
}
impl Within for StaticData {
    const IS_KEPT: bool = false;
}

keep!(struct Body { key, locals, param_count, blocks, scopes, captures, attrs });
keep!(struct BodyKey { function, part });
keep!(
    enum BodyPart {
        Main,
        Lambda(number),
        Default(param),
    }
);
keep!(struct BodyAttrs { inline, track_caller, is_const });
keep!(units InlineHint: Auto Always Never Rare);
keep!(struct LocalDecl { ty, name, span, scope, ownership });
keep!(units Ownership: Owned Borrowed);
keep!(struct SourceInfo { span, scope });
keep!(struct SourceScope { function, declared, track_caller, inlined_at });

keep!(struct Block { stmts, term, unwind, cleanup });
keep!(struct Stmt { kind, source });
keep!(
    enum StmtKind {
        Assign(place, value),
        Init(place, value),
        Call(call),
        EndScope(local),
        Retain(place),
        Release(place),
        Nop,
    }
);
keep!(struct Terminator { kind, source });
keep!(enum TermKind {
    Goto(to), Branch { cond, then, else_, likely }, Switch { value, cases, otherwise }, Return, Unreachable, Resume,
});
keep!(struct Call { dest, callee, args });
impl Keep for Callee {
    fn put(&self, out: &mut Writer<'_>) {
        match self {
            Callee::Fn(key, args, evidence) => {
                out.byte(0);
                key.put(out);
                args.put(out);
                evidence.put(out);
            }
            Callee::Method { trait_id, method, args, own_args } => {
                out.byte(1);
                trait_id.put(out);
                method.put(out);
                args.put(out);
                own_args.put(out);
            }
            Callee::Member(number) => {
                out.byte(2);
                number.put(out);
            }
            Callee::Value(operand) => {
                out.byte(3);
                operand.put(out);
            }
            Callee::Dyn { trait_id, method, slot } => {
                out.byte(4);
                trait_id.put(out);
                method.put(out);
                slot.put(out);
            }
            // The number is one compiler's own.
            Callee::Runtime(RtFn(number)) => {
                out.byte(5);
                u32::from(*number).put(out);
            }
            Callee::Instance(_) => out.lose(),
        }
    }

    fn take(input: &mut Reader<'_>) -> Option<Callee> {
        Some(match input.bytes.byte()? {
            0 => Callee::Fn(Keep::take(input)?, Keep::take(input)?, Keep::take(input)?),
            1 => Callee::Method {
                trait_id: Keep::take(input)?,
                method: Keep::take(input)?,
                args: Keep::take(input)?,
                own_args: Keep::take(input)?,
            },
            2 => Callee::Member(Keep::take(input)?),
            3 => Callee::Value(Keep::take(input)?),
            4 => Callee::Dyn {
                trait_id: Keep::take(input)?,
                method: Keep::take(input)?,
                slot: Keep::take(input)?,
            },
            5 => Callee::Runtime(RtFn(u32::take(input)?.try_into().ok()?)),
            _ => return None,
        })
    }
}

keep!(enum Evidence {
    Fn(function, args, evidence), Method { trait_id, method, args, own_args }, Field { ty, index }, Member(number),
});

keep!(struct Place { local, proj });
keep!(
    enum Proj {
        Deref,
        Field(index),
        Variant(index),
        Index(local),
        Capture(index),
    }
);
keep!(
    enum Operand {
        Copy(place),
        Move(place),
        Const(value),
    }
);
keep!(
    enum Const {
        Unit,
        Bool(value),
        Int(value, ty),
        F32(bits),
        F64(bits),
        Char(value),
        Str(text),
        Null(ty),
        Item(item, args, ty),
        Static(data, ty),
    }
);
keep!(enum Rvalue {
    Use(operand), Unary(op, operand), Binary(op, a, b), Checked(op, a, b), Overflowing(op, a, b), Cast(kind, operand, ty),
    Discriminant(place), Aggregate(kind, operands), New(ty, operands), Closure(target, operands),
    MakeDyn { value, from, ty, vtable }, Ref(mutability, place), StaticRef(id), Intrinsic(which, operands, ty),
    Reuse(token, value),
});
keep!(
    enum ClosureTarget {
        Lambda(key),
        Fn(callee),
        ForC(target),
        Instance(id),
    }
);
keep!(
    enum AggregateKind {
        Tuple(ty),
        Extend(ty, names),
        Value(ty),
        Variant(ty, index),
    }
);
keep!(units UnOp: Neg Not);
keep!(units BinOp: Add Sub Mul Div Rem BitAnd BitOr BitXor Shl Shr Eq Ne Lt Le Gt Ge);
keep!(units CastKind: Checked Wrapping Bits Pointer);
keep!(units Intrinsic:
    SizeOf AlignOf NeedsRelease LeadsBack MayRepeat IsShared IsObject IsOrdinal IsWatched TypeKey PtrAdd PtrDiff PtrEq
    PtrCopy PtrFill ReadVolatile WriteVolatile PtrCompare CountOnes LeadingZeros TrailingZeros ByteSwap RotateLeft
    MulHigh Sqrt Floor Ceil Trunc RoundEven FloatAbs CopySign StrPtr StrLen StrChars SameObject IsUnique
    TakeBlock GiveBlock Uninit Forget
);

keep!(struct FnInfo { path, params, ret, kind, owns_from, export });
keep!(enum FnKind { Quartz, Extern { symbol, variadic }, Made(made) });
keep!(units Made: CrossAt CrossParts MayKeep LeadsNowhere CopyAt TypeName);

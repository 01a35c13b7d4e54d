//! Places exist, values fit where they are stored, calls fit their callees. Function types are compared only
//! loosely: their effect rows do not matter for code.

use qz_types::ty::common;
use qz_types::{FloatTy, Ty, TyKind};

use super::Cx;
use crate::body::*;
use crate::layout::{Layouts, PlaceTy, Shape};
use crate::program::Module;
use crate::visit::{each_place, term_operand};

pub(super) fn check(cx: &mut Cx, module: &Module, layouts: &Layouts) {
    let types = Types { body: cx.body, module, layouts };
    for (id, block) in cx.body.blocks.iter() {
        for stmt in &block.stmts {
            if let Err(wrong) = types.stmt(&stmt.kind) {
                cx.problem_in(id, &stmt.kind, wrong);
            }
        }
        if let Err(wrong) = types.term(&block.term.kind) {
            cx.problem(id, wrong);
        }
    }
}

type Check = Result<(), String>;

struct Types<'a> {
    body: &'a Body,
    module: &'a Module,
    layouts: &'a Layouts<'a>,
}

impl Types<'_> {
    fn project(&self, from: PlaceTy, proj: Proj) -> Option<PlaceTy> {
        let fine = match (from, proj) {
            (PlaceTy::Value(ty), Proj::Deref) => {
                matches!(ty.kind(), TyKind::Ref(..) | TyKind::Ptr(_)) || self.layouts.is_reference_struct(ty)
            }
            (PlaceTy::Object(ty), Proj::Field(i)) => (i as usize) < self.layouts.object(ty).fields.len(),
            (PlaceTy::Value(ty), Proj::Field(i)) => match &self.layouts.of(ty).shape {
                Shape::Product(fields) => (i as usize) < fields.len(),
                _ => false,
            },
            (PlaceTy::Value(ty), Proj::Variant(v)) => match &self.layouts.of(ty).shape {
                Shape::Enum(it) => (v as usize) < it.variants.len(),
                _ => false,
            },
            (PlaceTy::Variant(ty, v), Proj::Field(i)) => {
                (i as usize) < self.layouts.of(ty).as_enum().variants[v as usize].len()
            }
            (PlaceTy::Value(ty), Proj::Index(_)) => matches!(ty.kind(), TyKind::Ptr(_)),
            (PlaceTy::Value(_), Proj::Capture(i)) => (i as usize) < self.body.captures.len(),
            _ => false,
        };
        fine.then(|| self.layouts.project(from, proj, &self.body.captures))
    }

    fn place(&self, place: &Place) -> Result<Ty, String> {
        let mut at = PlaceTy::Value(self.layouts.resolve(self.body.locals[place.local].ty));
        for (i, &proj) in place.proj.iter().enumerate() {
            at = self.project(at, proj).ok_or_else(|| format!("step {i} ({proj:?}) does not fit {at:?}"))?;
        }
        match at {
            PlaceTy::Value(ty) => Ok(ty),
            other => Err(format!("{other:?} is not a value")),
        }
    }

    fn operand(&self, operand: &Operand) -> Result<Ty, String> {
        let c = common();
        Ok(match operand {
            Operand::Copy(place) | Operand::Move(place) => self.place(place)?,
            Operand::Const(value) => match value {
                Const::Unit => c.unit,
                Const::Bool(_) => c.bool,
                Const::Int(_, int) => Ty::new(TyKind::Int(*int)),
                Const::F32(_) => Ty::new(TyKind::Float(FloatTy::F32)),
                Const::F64(_) => c.f64,
                Const::Char(_) => c.char,
                Const::Str(_) => c.str,
                Const::Null(ty) | Const::Item(_, _, ty) | Const::Static(_, ty) => self.layouts.resolve(*ty),
            },
        })
    }

    fn same(&self, a: Ty, b: Ty) -> bool {
        let (a, b) = (self.layouts.resolve(a), self.layouts.resolve(b));
        a == b
            || a.is_never()
            || b.is_never()
            || match (a.kind(), b.kind()) {
                (TyKind::Fn(_), TyKind::Fn(_)) | (TyKind::Dyn(_), TyKind::Dyn(_)) => true,
                (TyKind::Ref(_, a), TyKind::Ref(_, b)) | (TyKind::Ptr(a), TyKind::Ptr(b)) => {
                    self.same(*a, *b)
                }
                (TyKind::Tuple(xs), TyKind::Tuple(ys)) => self.all_same(xs, ys),
                (TyKind::Record(xs), TyKind::Record(ys)) => {
                    xs.len() == ys.len()
                        && xs.iter().zip(ys.iter()).all(|(x, y)| x.0 == y.0 && self.same(x.1, y.1))
                }
                (TyKind::Adt(x, xs), TyKind::Adt(y, ys)) => x == y && self.all_same(xs, ys),
                _ => false,
            }
    }

    fn all_same(&self, xs: &[Ty], ys: &[Ty]) -> bool {
        xs.len() == ys.len() && xs.iter().zip(ys).all(|(&x, &y)| self.same(x, y))
    }

    fn fits(&self, to: Ty, from: Ty) -> Check {
        if self.same(to, from) { Ok(()) } else { Err(format!("{from:?} does not fit {to:?}")) }
    }

    fn term(&self, term: &TermKind) -> Check {
        let Some(operand) = term_operand(term) else { return Ok(()) };
        let ty = self.operand(operand)?;
        match term {
            TermKind::Branch { .. } => self.fits(common().bool, ty),
            _ if ty.is_integer() || matches!(ty.kind(), TyKind::Char | TyKind::Bool) => Ok(()),
            _ => Err(format!("switches on {ty:?}")),
        }
    }

    fn stmt(&self, stmt: &StmtKind) -> Check {
        let mut result: Check = Ok(());
        each_place(stmt, &mut |place, _| {
            for index in place.index_locals() {
                if !self.layouts.resolve(self.body.locals[index].ty).is_integer() {
                    result = Err("an index is no integer".into());
                }
            }
        });
        result?;
        match stmt {
            StmtKind::Assign(place, value) | StmtKind::Init(place, value) => {
                let to = self.place(place)?;
                match self.value(value, to)? {
                    Some(from) => self.fits(to, from),
                    None => Ok(()),
                }
            }
            StmtKind::Call(call) => self.call(call),
            StmtKind::Retain(place) | StmtKind::Release(place) => self.place(place).map(|_| ()),
            StmtKind::EndScope(_) | StmtKind::Nop => Ok(()),
        }
    }

    /// The type of a value; `None` where it is whatever it is stored to.
    fn value(&self, value: &Rvalue, to: Ty) -> Result<Option<Ty>, String> {
        let c = common();
        Ok(Some(match value {
            Rvalue::Use(operand) | Rvalue::Unary(_, operand) => self.operand(operand)?,
            Rvalue::Binary(op, a, b) | Rvalue::Checked(op, a, b) | Rvalue::Overflowing(op, a, b) => {
                let (a, b) = (self.operand(a)?, self.operand(b)?);
                if !matches!(op, BinOp::Shl | BinOp::Shr) {
                    self.fits(a, b)?;
                }
                match value {
                    Rvalue::Overflowing(..) => Ty::tuple(&[a, c.bool]),
                    _ if op.is_comparison() => c.bool,
                    _ => a,
                }
            }
            Rvalue::Cast(_, operand, ty) => {
                self.operand(operand)?;
                *ty
            }
            Rvalue::Discriminant(place) => match &self.layouts.of(self.place(place)?).shape {
                Shape::Enum(_) => c.int,
                _ => return Err("only enums have discriminants".into()),
            },
            Rvalue::Aggregate(kind, operands) => {
                let layout = self.layouts.of(kind.ty());
                let fields = match (kind, &layout.shape) {
                    (AggregateKind::Variant(_, v), Shape::Enum(it)) => it.variants.get(*v as usize),
                    (AggregateKind::Tuple(_) | AggregateKind::Value(_), Shape::Product(fields)) => {
                        Some(fields)
                    }
                    _ => None,
                };
                self.parts(operands, &fields.ok_or("no such value")?.tys)?;
                kind.ty()
            }
            Rvalue::New(ty, operands) => {
                self.parts(operands, &self.layouts.object(*ty).fields.tys)?;
                *ty
            }
            Rvalue::Closure(target, operands) => {
                if let ClosureTarget::Instance(id) = **target
                    && let Some(body) = &self.module.instances[id].body
                {
                    self.parts(operands, &body.captures)?;
                }
                to
            }
            Rvalue::MakeDyn { value, from, ty, .. } => {
                let found = self.operand(value)?;
                self.fits(*from, found)?;
                *ty
            }
            Rvalue::Ref(mutability, place) => Ty::reference(*mutability, self.place(place)?),
            Rvalue::StaticRef(_) => return Ok(None),
            Rvalue::Intrinsic(which, operands, ty) => return self.intrinsic(*which, operands, *ty),
            Rvalue::Reuse(token, value) => {
                let from = self.block_of(token)?;
                let made = self.value(value, to)?;
                if let Some(needed) = self.layouts.allocated(self.module, value)
                    && needed != from
                {
                    return Err(format!("an object of {needed:?} bytes in a block of {from:?}"));
                }
                return Ok(made);
            }
        }))
    }

    /// Size and alignment of the block that a token stands for.
    fn block_of(&self, token: &Operand) -> Result<(u32, u32), String> {
        let ty = self.operand(token)?;
        let block = match ty.kind() {
            TyKind::Ptr(of) => self.layouts.block(*of),
            _ => None,
        };
        block.ok_or_else(|| format!("{ty:?} is no token"))
    }

    fn parts(&self, operands: &[Operand], tys: &[Ty]) -> Check {
        if operands.len() != tys.len() {
            return Err(format!("{} parts instead of {}", operands.len(), tys.len()));
        }
        for (operand, &ty) in operands.iter().zip(tys) {
            self.fits(ty, self.operand(operand)?)?;
        }
        Ok(())
    }

    fn intrinsic(&self, which: Intrinsic, operands: &[Operand], ty: Ty) -> Result<Option<Ty>, String> {
        for operand in operands {
            self.operand(operand)?;
        }
        let arity = arity(which);
        if operands.len() != arity {
            return Err(format!("{} operands instead of {arity}", operands.len()));
        }
        // These name the type that is asked about, not the result.
        let about = matches!(
            which,
            Intrinsic::SizeOf
                | Intrinsic::AlignOf
                | Intrinsic::NeedsRelease
                | Intrinsic::LeadsBack
                | Intrinsic::MayRepeat
                | Intrinsic::IsObject
                | Intrinsic::IsOrdinal
                | Intrinsic::IsWatched
                | Intrinsic::IsShared
                | Intrinsic::TypeKey
        );
        Ok((!about).then_some(ty))
    }

    fn call(&self, call: &Call) -> Check {
        for arg in &call.args {
            self.operand(arg)?;
        }
        match &call.callee {
            Callee::Instance(id) => {
                if id.index() >= self.module.instances.len() {
                    return Err("the instance is not there".into());
                }
                let instance = &self.module.instances[*id];
                if instance.body.is_none() && instance.foreign.is_none() {
                    // Under way: its parameters are not known yet.
                    return Ok(());
                }
                let tys: Vec<Ty> = instance.params.iter().map(|param| param.ty).collect();
                let variadic = instance.foreign.as_ref().is_some_and(|it| it.variadic);
                let args =
                    if variadic { &call.args[..tys.len().min(call.args.len())] } else { &call.args[..] };
                self.parts(args, &tys)?;
                self.fits(self.body.locals[call.dest].ty, instance.ret)
            }
            Callee::Value(operand) => match *self.operand(operand)?.kind() {
                TyKind::Fn(f) => {
                    self.parts(&call.args, f.params)?;
                    self.fits(self.body.locals[call.dest].ty, f.ret)
                }
                _ => Err("calls what is no function".into()),
            },
            Callee::Runtime(f) => match f.def().sig.params.len() == call.args.len() {
                true => Ok(()),
                false => Err(format!("the runtime's function takes {} arguments", f.def().sig.params.len())),
            },
            Callee::Dyn { .. } => match call.args.first().map(|arg| self.operand(arg)).transpose()? {
                Some(ty) if matches!(ty.kind(), TyKind::Dyn(_)) => Ok(()),
                _ => Err("the first argument is no `dyn` value".into()),
            },
            Callee::Fn(..) | Callee::Method { .. } | Callee::Member(_) => Ok(()),
        }
    }
}

/// How many operands an intrinsic takes.
fn arity(which: Intrinsic) -> usize {
    match which {
        Intrinsic::SizeOf
        | Intrinsic::AlignOf
        | Intrinsic::NeedsRelease
        | Intrinsic::LeadsBack
        | Intrinsic::MayRepeat
        | Intrinsic::IsObject
        | Intrinsic::IsOrdinal
        | Intrinsic::IsWatched
        | Intrinsic::IsShared
        | Intrinsic::TypeKey
        | Intrinsic::Uninit => 0,
        Intrinsic::CountOnes
        | Intrinsic::LeadingZeros
        | Intrinsic::TrailingZeros
        | Intrinsic::ByteSwap
        | Intrinsic::Sqrt
        | Intrinsic::Floor
        | Intrinsic::Ceil
        | Intrinsic::Trunc
        | Intrinsic::RoundEven
        | Intrinsic::FloatAbs
        | Intrinsic::StrPtr
        | Intrinsic::StrLen
        | Intrinsic::StrChars
        | Intrinsic::IsUnique
        | Intrinsic::Forget
        | Intrinsic::TakeBlock
        | Intrinsic::GiveBlock
        | Intrinsic::ReadVolatile => 1,
        Intrinsic::PtrAdd
        | Intrinsic::PtrDiff
        | Intrinsic::PtrEq
        | Intrinsic::RotateLeft
        | Intrinsic::MulHigh
        | Intrinsic::CopySign
        | Intrinsic::SameObject
        | Intrinsic::WriteVolatile => 2,
        Intrinsic::PtrCopy | Intrinsic::PtrFill | Intrinsic::PtrCompare => 3,
    }
}

//! Which integer locals never hold a negative number: an index of a counting loop, say. What is known this way
//! lets the place of an element be computed without asking whether it counts from the end.
//!
//! Optimistic: every local is taken for one until a definition is found that may give a negative number, and
//! then those that were defined by it are looked at again (as in sparse constant propagation, Wegman and
//! Zadeck 1991). Each definition is looked at again once per local it reads, so this is linear.
//!
//! A local that only ever grows by wrapping steps of one from a number that is not negative counts as well:
//! it would take 2^63 steps to wrap.

use qz_mir::visit::{PlaceRef, Use, each_place};
use qz_mir::{BinOp, Body, CastKind, Const, Intrinsic, Local, Operand, Rvalue, StmtKind};
use qz_types::{IntTy, Ty, TyKind};

/// What is known of a body's locals.
pub(crate) struct Signs {
    never_negative: Vec<bool>,
}

fn int_of(ty: Ty) -> Option<IntTy> {
    match ty.kind() {
        TyKind::Int(int) => Some(*int),
        _ => None,
    }
}

impl Signs {
    pub(crate) fn new(body: &Body) -> Signs {
        let mut signs =
            Signs { never_negative: body.locals.values().map(|it| int_of(it.ty).is_some()).collect() };
        let mut lost: Vec<Local> = Vec::new();
        for local in std::iter::once(Body::RETURN).chain(body.params()) {
            signs.lose(local, body, &mut lost);
        }
        let mut definitions: Vec<(Local, &Rvalue)> = Vec::new();
        for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
            match &stmt.kind {
                StmtKind::Assign(place, value) | StmtKind::Init(place, value)
                    if place.as_local().is_some() =>
                {
                    definitions.push((place.local, value));
                }
                kind => each_place(kind, &mut |place, how| {
                    if matches!(how, Use::Store | Use::Address) {
                        signs.lose_own(place, body, &mut lost);
                    }
                }),
            }
            // The address of a local in a value that is assigned.
            if let StmtKind::Assign(_, Rvalue::Ref(_, place)) | StmtKind::Init(_, Rvalue::Ref(_, place)) =
                &stmt.kind
            {
                signs.lose(place.local, body, &mut lost);
            }
        }
        let mut users: Vec<Vec<u32>> = vec![Vec::new(); body.locals.len()];
        for (index, &(to, value)) in definitions.iter().enumerate() {
            qz_mir::visit::each_operand(value, &mut |operand| {
                if let Some(local) = operand.place().and_then(|place| place.as_local()) {
                    users[local.index()].push(index as u32);
                }
            });
            if !signs.gives_none(body, to, value) {
                signs.lose(to, body, &mut lost);
            }
        }
        while let Some(local) = lost.pop() {
            for &index in &users[local.index()] {
                let (to, value) = definitions[index as usize];
                if !signs.gives_none(body, to, value) {
                    signs.lose(to, body, &mut lost);
                }
            }
        }
        signs
    }

    fn lose(&mut self, local: Local, body: &Body, lost: &mut Vec<Local>) {
        let unsigned = int_of(body.locals[local].ty).is_some_and(|int| !int.signed());
        if !unsigned && std::mem::replace(&mut self.never_negative[local.index()], false) {
            lost.push(local);
        }
    }

    fn lose_own(&mut self, place: PlaceRef, body: &Body, lost: &mut Vec<Local>) {
        if place.is_whole() || matches!(place, PlaceRef::Local(_)) {
            self.lose(place.local(), body, lost);
        }
    }

    /// Whether an operand is an integer that is not negative.
    pub(crate) fn never_negative(&self, operand: &Operand) -> bool {
        match operand {
            Operand::Const(Const::Int(value, _)) => *value >= 0,
            Operand::Const(_) => false,
            Operand::Copy(place) | Operand::Move(place) => {
                place.as_local().is_some_and(|local| self.never_negative[local.index()])
            }
        }
    }

    /// Whether a definition never gives a negative number.
    fn gives_none(&self, body: &Body, to: Local, value: &Rvalue) -> bool {
        let both = |a, b| self.never_negative(a) && self.never_negative(b);
        match value {
            Rvalue::Use(operand) => self.never_negative(operand),
            Rvalue::Checked(BinOp::Add | BinOp::Mul | BinOp::Div, a, b) => both(a, b),
            Rvalue::Checked(BinOp::Rem | BinOp::Shr, a, _)
            | Rvalue::Binary(BinOp::Rem | BinOp::Shr, a, _) => self.never_negative(a),
            Rvalue::Binary(BinOp::BitAnd, a, b) => self.never_negative(a) || self.never_negative(b),
            Rvalue::Binary(BinOp::BitOr | BinOp::BitXor | BinOp::Div, a, b) => both(a, b),
            Rvalue::Binary(BinOp::Add, a, Operand::Const(Const::Int(1, IntTy::I64))) => {
                a.place().and_then(|place| place.as_local()) == Some(to) && self.never_negative(a)
            }
            Rvalue::Cast(kind, operand, ty) => self.cast(body, *kind, operand, *ty),
            Rvalue::Discriminant(_) => true,
            Rvalue::Intrinsic(which, ..) => matches!(
                which,
                Intrinsic::SizeOf
                    | Intrinsic::AlignOf
                    | Intrinsic::CountOnes
                    | Intrinsic::LeadingZeros
                    | Intrinsic::TrailingZeros
                    | Intrinsic::StrLen
                    | Intrinsic::StrChars
            ),
            _ => false,
        }
    }

    fn cast(&self, body: &Body, kind: CastKind, operand: &Operand, to: Ty) -> bool {
        let from = match operand {
            Operand::Const(_) => return false,
            Operand::Copy(place) | Operand::Move(place) => match place.as_local() {
                Some(local) => body.locals[local].ty,
                None => return false,
            },
        };
        let Some(to) = int_of(to) else { return false };
        let bits = match from.kind() {
            TyKind::Bool => 8,
            TyKind::Char => 32,
            TyKind::Int(from) if !from.signed() => from.bits(),
            TyKind::Int(from) if self.never_negative(operand) => from.bits() - 1,
            _ => return false,
        };
        match kind {
            // What does not fit panics.
            CastKind::Checked => true,
            CastKind::Wrapping => bits < to.bits(),
            CastKind::Bits | CastKind::Pointer => false,
        }
    }
}

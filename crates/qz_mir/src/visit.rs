//! Walks over everything a statement or terminator reads and writes. The matches are total, so a new
//! kind of statement cannot be forgotten.

use crate::body::*;

/// How a place is used.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// Read as a value.
    Copy,
    Move,
    /// Written; what stood there is gone.
    Store,
    /// Its address is taken.
    Address,
    /// Only looked at: discriminant, end of scope, counts.
    Inspect,
}

pub fn each_operand<'a>(value: &'a Rvalue, f: &mut dyn FnMut(&'a Operand)) {
    match value {
        Rvalue::Use(a) | Rvalue::Unary(_, a) | Rvalue::Cast(_, a, _) => f(a),
        Rvalue::Binary(_, a, b) | Rvalue::Checked(_, a, b) | Rvalue::Overflowing(_, a, b) => {
            f(a);
            f(b);
        }
        Rvalue::Aggregate(_, list) | Rvalue::New(_, list) => list.iter().for_each(f),
        Rvalue::Closure(target, list) => {
            if let ClosureTarget::Fn(Callee::Value(op)) = &**target {
                f(op);
            }
            list.iter().for_each(f);
        }
        Rvalue::MakeDyn { value, .. } => f(value),
        Rvalue::Intrinsic(_, list, _) => list.iter().for_each(f),
        Rvalue::Reuse(token, value) => {
            f(token);
            each_operand(value, f);
        }
        Rvalue::Discriminant(_) | Rvalue::Ref(..) | Rvalue::StaticRef(_) => {}
    }
}

pub fn each_operand_mut(value: &mut Rvalue, f: &mut dyn FnMut(&mut Operand)) {
    match value {
        Rvalue::Use(a) | Rvalue::Unary(_, a) | Rvalue::Cast(_, a, _) => f(a),
        Rvalue::Binary(_, a, b) | Rvalue::Checked(_, a, b) | Rvalue::Overflowing(_, a, b) => {
            f(a);
            f(b);
        }
        Rvalue::Aggregate(_, list) | Rvalue::New(_, list) => list.iter_mut().for_each(f),
        Rvalue::Closure(target, list) => {
            if let ClosureTarget::Fn(Callee::Value(op)) = &mut **target {
                f(op);
            }
            list.iter_mut().for_each(f);
        }
        Rvalue::MakeDyn { value, .. } => f(value),
        Rvalue::Intrinsic(_, list, _) => list.iter_mut().for_each(f),
        Rvalue::Reuse(token, value) => {
            f(token);
            each_operand_mut(value, f);
        }
        Rvalue::Discriminant(_) | Rvalue::Ref(..) | Rvalue::StaticRef(_) => {}
    }
}

fn operand_place<'a>(op: &'a Operand, f: &mut dyn FnMut(&'a Place, Use)) {
    match op {
        Operand::Copy(place) => f(place, Use::Copy),
        Operand::Move(place) => f(place, Use::Move),
        Operand::Const(_) => {}
    }
}

fn rvalue_places<'a>(value: &'a Rvalue, f: &mut dyn FnMut(&'a Place, Use)) {
    each_operand(value, &mut |op| operand_place(op, f));
    match value {
        Rvalue::Discriminant(place) => f(place, Use::Inspect),
        Rvalue::Ref(_, place) => f(place, Use::Address),
        _ => {}
    }
}

/// Every place a statement touches: what it reads first, what it writes last. [`Proj::Index`] locals
/// inside a place are the caller's to look at.
pub fn each_place<'a>(stmt: &'a StmtKind, f: &mut dyn FnMut(PlaceRef<'a>, Use)) {
    match stmt {
        StmtKind::Assign(dest, value) | StmtKind::Init(dest, value) => {
            rvalue_places(value, &mut |place, how| f(PlaceRef::Place(place), how));
            f(PlaceRef::Place(dest), Use::Store);
        }
        StmtKind::Call(call) => {
            if let Callee::Value(op) = &call.callee {
                operand_place(op, &mut |place, how| f(PlaceRef::Place(place), how));
            }
            for arg in &call.args {
                operand_place(arg, &mut |place, how| f(PlaceRef::Place(place), how));
            }
            f(PlaceRef::Local(call.dest), Use::Store);
        }
        StmtKind::EndScope(local) => f(PlaceRef::Local(*local), Use::Inspect),
        StmtKind::Retain(place) | StmtKind::Release(place) => f(PlaceRef::Place(place), Use::Inspect),
        StmtKind::Nop => {}
    }
}

/// A place, or a whole local where the statement stores only that.
#[derive(Copy, Clone, Debug)]
pub enum PlaceRef<'a> {
    Place(&'a Place),
    Local(Local),
}

impl PlaceRef<'_> {
    pub fn local(self) -> Local {
        match self {
            PlaceRef::Place(place) => place.local,
            PlaceRef::Local(local) => local,
        }
    }

    pub fn is_whole(self) -> bool {
        match self {
            PlaceRef::Place(place) => place.proj.is_empty(),
            PlaceRef::Local(_) => true,
        }
    }

    /// Locals used as element indexes on the way.
    pub fn index_locals(self) -> impl Iterator<Item = Local> {
        let proj: &[Proj] = match self {
            PlaceRef::Place(place) => &place.proj,
            PlaceRef::Local(_) => &[],
        };
        proj.iter().filter_map(|p| match p {
            Proj::Index(local) => Some(*local),
            _ => None,
        })
    }
}

/// The operand a terminator reads.
pub fn term_operand(term: &TermKind) -> Option<&Operand> {
    match term {
        TermKind::Branch { cond, .. } => Some(cond),
        TermKind::Switch { value, .. } => Some(value),
        TermKind::Goto(_) | TermKind::Return | TermKind::Unreachable | TermKind::Resume => None,
    }
}

pub fn term_operand_mut(term: &mut TermKind) -> Option<&mut Operand> {
    match term {
        TermKind::Branch { cond, .. } => Some(cond),
        TermKind::Switch { value, .. } => Some(value),
        TermKind::Goto(_) | TermKind::Return | TermKind::Unreachable | TermKind::Resume => None,
    }
}

/// Every operand of a statement.
pub fn each_stmt_operand<'a>(stmt: &'a StmtKind, f: &mut dyn FnMut(&'a Operand)) {
    match stmt {
        StmtKind::Assign(_, value) | StmtKind::Init(_, value) => each_operand(value, f),
        StmtKind::Call(call) => {
            if let Callee::Value(op) = &call.callee {
                f(op);
            }
            call.args.iter().for_each(f);
        }
        StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Release(_) | StmtKind::Nop => {}
    }
}

/// Every operand of a statement, for rewriting.
pub fn each_stmt_operand_mut(stmt: &mut StmtKind, f: &mut dyn FnMut(&mut Operand)) {
    match stmt {
        StmtKind::Assign(_, value) | StmtKind::Init(_, value) => each_operand_mut(value, f),
        StmtKind::Call(call) => {
            if let Callee::Value(op) = &mut call.callee {
                f(op);
            }
            call.args.iter_mut().for_each(f);
        }
        StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Release(_) | StmtKind::Nop => {}
    }
}

/// Every place of a statement, for rewriting. Whole-local destinations of calls and `EndScope` are
/// passed to `local`.
pub fn each_place_mut(
    stmt: &mut StmtKind,
    place: &mut dyn FnMut(&mut Place),
    local: &mut dyn FnMut(&mut Local),
) {
    let operand = |op: &mut Operand, place: &mut dyn FnMut(&mut Place)| match op {
        Operand::Copy(p) | Operand::Move(p) => place(p),
        Operand::Const(_) => {}
    };
    match stmt {
        StmtKind::Assign(dest, value) | StmtKind::Init(dest, value) => {
            each_operand_mut(value, &mut |op| operand(op, place));
            match value {
                Rvalue::Discriminant(p) | Rvalue::Ref(_, p) => place(p),
                _ => {}
            }
            place(dest);
        }
        StmtKind::Call(call) => {
            if let Callee::Value(op) = &mut call.callee {
                operand(op, place);
            }
            call.args.iter_mut().for_each(|op| operand(op, place));
            local(&mut call.dest);
        }
        StmtKind::EndScope(it) => local(it),
        StmtKind::Retain(p) | StmtKind::Release(p) => place(p),
        StmtKind::Nop => {}
    }
}

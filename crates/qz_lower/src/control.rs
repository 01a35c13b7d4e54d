//! Branches and ways out.

use qz_hir::body::{Arm, Expr, ExprId, LoopId, UnaryOp};
use qz_mir::{BlockId, Body, Const, Local, Operand, Rvalue};
use qz_types::Ty;
use qz_types::ty::common;

use crate::body::Cx;

impl Cx<'_, '_, '_> {
    /// The local that branches put their value into; nothing for values without content.
    pub(crate) fn join_dest(&mut self, ty: Ty) -> Option<Local> {
        (!ty.is_unit() && !ty.is_never()).then(|| self.b.temp(ty))
    }

    /// One branch's value, then on to `after`.
    pub(crate) fn join_branch(&mut self, branch: ExprId, dest: Option<Local>, after: BlockId) {
        let value = self.value(branch);
        if let Some(dest) = dest
            && !self.value_ty(branch).is_never()
        {
            self.b.assign_local(dest, Rvalue::Use(value));
        }
        self.b.goto(after);
    }

    pub(crate) fn joined(&self, dest: Option<Local>) -> Operand {
        dest.map_or(self.unit(), Operand::local)
    }

    pub(crate) fn if_(&mut self, id: ExprId, cond: ExprId, then: ExprId, else_: Option<ExprId>) -> Operand {
        let dest = self.join_dest(self.ty(id));
        let (yes, no, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.open_scope();
        self.condition(cond, yes, no);
        self.b.switch_to(yes);
        self.join_scoped(then, dest);
        self.close_scope();
        self.b.goto(after);
        self.b.switch_to(no);
        match else_ {
            Some(else_) => self.join_branch(else_, dest, after),
            None => self.b.goto(after),
        }
        self.b.switch_to(after);
        self.joined(dest)
    }

    fn join_scoped(&mut self, branch: ExprId, dest: Option<Local>) {
        let value = self.value(branch);
        if let Some(dest) = dest
            && !self.value_ty(branch).is_never()
        {
            self.b.assign_local(dest, Rvalue::Use(value));
        }
    }

    /// Control by a condition: names that its `is` tests bind are bound on the way to `yes`.
    pub(crate) fn condition(&mut self, cond: ExprId, yes: BlockId, no: BlockId) {
        match self.body.exprs[cond].clone() {
            Expr::And { lhs, rhs } => {
                let middle = self.b.new_block();
                self.condition(lhs, middle, no);
                self.b.switch_to(middle);
                self.condition(rhs, yes, no);
            }
            Expr::Or { lhs, rhs } => {
                let middle = self.b.new_block();
                self.condition(lhs, yes, middle);
                self.b.switch_to(middle);
                self.condition(rhs, yes, no);
            }
            Expr::Unary { op: UnaryOp::Not, operand } => self.condition(operand, no, yes),
            Expr::Is { value, pat } => self.is_test(value, pat, yes, no),
            _ => {
                let value = self.value(cond);
                self.b.branch(value, yes, no);
            }
        }
    }

    /// A condition as a value.
    pub(crate) fn condition_value(&mut self, id: ExprId) -> Operand {
        let dest = self.b.temp(common().bool);
        let (yes, no, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.condition(id, yes, no);
        for (block, value) in [(yes, true), (no, false)] {
            self.b.switch_to(block);
            self.b.assign_local(dest, Rvalue::Use(Operand::Const(Const::Bool(value))));
            self.b.goto(after);
        }
        self.b.switch_to(after);
        Operand::local(dest)
    }

    pub(crate) fn match_(&mut self, id: ExprId, subject: ExprId, arms: &[Arm]) -> Operand {
        let dest = self.join_dest(self.ty(id));
        let ty = self.value_ty(subject);
        let value = self.value(subject);
        let subject = self.fix(value, ty);
        self.match_arms(subject, ty, arms, dest);
        self.joined(dest)
    }

    pub(crate) fn return_(&mut self, value: Option<ExprId>) -> Operand {
        match value {
            Some(value) => {
                let ret = self.b.locals[Body::RETURN].ty;
                self.store(value, Body::RETURN, ret);
            }
            None => {
                let unit = self.unit();
                self.b.assign_local(Body::RETURN, Rvalue::Use(unit));
            }
        }
        self.leave();
        self.unit()
    }

    fn frame(&self, loop_: LoopId) -> (BlockId, BlockId, Option<Local>, usize) {
        let frame = self.loops.iter().rev().find(|it| it.id == loop_).expect("the loop is around");
        (frame.next, frame.exit, frame.value, frame.depth)
    }

    pub(crate) fn break_(&mut self, loop_: LoopId, value: Option<ExprId>) -> Operand {
        let (_, exit, dest, depth) = self.frame(loop_);
        if let Some(value) = value {
            let operand = self.value(value);
            if let Some(dest) = dest {
                self.b.assign_local(dest, Rvalue::Use(operand));
            }
        }
        self.leave_to(depth);
        self.b.goto(exit);
        self.unit()
    }

    pub(crate) fn next(&mut self, loop_: LoopId) -> Operand {
        let (next, _, _, depth) = self.frame(loop_);
        self.leave_to(depth);
        self.b.goto(next);
        self.unit()
    }
}

//! Loops: over conditions, ranges, vectors, iterators.

use qz_hir::body::{Expr, ExprId, LoopId, PatId};
use qz_infer::{Callee, ForPlan};
use qz_mir::{BinOp, BlockId, Const, Local, Operand, Place, Proj, Rvalue};
use qz_types::ty::common;
use qz_types::{IntTy, Ty, TyKind};

use crate::body::{Cx, LoopFrame, int_ty};

/// What a range loop counts with.
struct Count {
    counter: Local,
    stop: Operand,
    /// `None` for a step of one.
    step: Option<Operand>,
    inclusive: Inclusive,
    ty: Ty,
}

/// Whether the end belongs to the range.
enum Inclusive {
    Known(bool),
    /// Flags of a range value.
    Flags(Operand),
}

fn int_of(ty: Ty) -> IntTy {
    match ty.kind() {
        TyKind::Int(int) => *int,
        _ => unreachable!("range loops count with integers"),
    }
}

impl Cx<'_, '_, '_> {
    fn enter(&mut self, id: LoopId, next: BlockId, exit: BlockId, value: Option<Local>) {
        let depth = self.scopes.len();
        self.loops.push(LoopFrame { id, next, exit, value, depth });
    }

    pub(crate) fn while_(&mut self, cond: ExprId, body: ExprId, loop_: LoopId) -> Operand {
        let (head, inside, exit) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.goto(head);
        self.b.switch_to(head);
        self.enter(loop_, head, exit, None);
        self.open_scope();
        self.condition(cond, inside, exit);
        self.b.switch_to(inside);
        self.effect(body);
        self.close_scope();
        self.loops.pop();
        self.b.goto(head);
        self.b.switch_to(exit);
        self.unit()
    }

    pub(crate) fn loop_(&mut self, id: ExprId, body: ExprId, loop_: LoopId) -> Operand {
        let value = self.join_dest(self.ty(id));
        let (head, exit) = (self.b.new_block(), self.b.new_block());
        self.b.goto(head);
        self.b.switch_to(head);
        self.enter(loop_, head, exit, value);
        self.effect(body);
        self.loops.pop();
        self.b.goto(head);
        self.b.switch_to(exit);
        self.joined(value)
    }

    pub(crate) fn for_(
        &mut self,
        id: ExprId,
        pats: &[PatId],
        iter: ExprId,
        body: ExprId,
        loop_: LoopId,
    ) -> Operand {
        match self.types().loops[id].clone() {
            ForPlan::Range => self.for_range(pats, iter, body, loop_),
            ForPlan::Vec => self.for_vec(pats, iter, body, loop_),
            ForPlan::Iterator { iter: through, iter_ty, next, item, by_pair } => {
                self.for_iterator(pats, iter, body, loop_, through, iter_ty, next, item, by_pair);
            }
        }
        self.unit()
    }

    /// One turn: names bound, body run.
    fn turn(&mut self, pats: &[PatId], values: &[(Operand, Ty)], body: ExprId) {
        self.open_scope();
        for (&pat, (value, ty)) in pats.iter().zip(values) {
            let subject = self.b.eval(*ty, Rvalue::Use(value.clone()));
            self.destructure(pat, Place::local(subject));
        }
        self.effect(body);
        self.close_scope();
    }

    // --------------------------------------------------------------------------------------------- ranges

    fn for_range(&mut self, pats: &[PatId], iter: ExprId, body: ExprId, loop_: LoopId) {
        let count = self.count(iter);
        let index = (pats.len() == 2).then(|| self.b.eval(int_ty(), Rvalue::Use(Operand::int(0))));
        let (head, next, exit) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        let inside = self.b.new_block();
        self.b.goto(head);
        self.b.switch_to(head);
        self.range_test(&count, inside, exit);
        self.b.switch_to(inside);
        self.enter(loop_, next, exit, None);
        let value = (Operand::local(count.counter), count.ty);
        match index {
            Some(index) => self.turn(pats, &[(Operand::local(index), int_ty()), value], body),
            None => self.turn(pats, &[value], body),
        }
        self.loops.pop();
        self.b.goto(next);
        self.b.switch_to(next);
        if let Some(index) = index {
            let plus = Rvalue::Binary(BinOp::Add, Operand::local(index), Operand::int(1));
            self.b.assign_local(index, plus);
        }
        self.range_step(&count, head, exit);
        self.b.switch_to(exit);
    }

    fn count(&mut self, iter: ExprId) -> Count {
        let range_ty = self.value_ty(iter);
        let ty = range_ty.as_adt().expect("a range").1[0];
        if let Expr::Range { start: Some(start), end: Some(end), step, inclusive } =
            self.body.exprs[iter].clone()
        {
            let start = self.value(start);
            let counter = self.b.eval(ty, Rvalue::Use(start));
            let stop = self.value(end);
            let stop = match stop {
                Operand::Const(_) => stop,
                other => Operand::local(self.b.eval(ty, Rvalue::Use(other))),
            };
            let step = step.map(|step| {
                let value = self.value(step);
                let step = Operand::local(self.b.eval(ty, Rvalue::Use(value)));
                self.check_step(step.clone(), ty);
                step
            });
            return Count { counter, stop, step, inclusive: Inclusive::Known(inclusive), ty };
        }
        let value = self.value(iter);
        let range = Place::local(self.fix(value, range_ty));
        let adt = self.lw.lang_adt("Range");
        let field = |name: &str| range.field(self.lw.field_index(adt, name));
        let (start, stop, step, flags) = (field("start"), field("stop"), field("step"), field("flags"));
        let counter = self.b.eval(ty, Rvalue::Use(Operand::Copy(start)));
        let stop = self.read(stop, ty);
        let step = self.read(step, ty);
        self.check_step(step.clone(), ty);
        let flags = self.read(flags, int_ty());
        Count { counter, stop, step: Some(step), inclusive: Inclusive::Flags(flags), ty }
    }

    fn zero(&self, ty: Ty) -> Operand {
        Operand::Const(Const::Int(0, int_of(ty)))
    }

    /// A step of zero would never end.
    fn check_step(&mut self, step: Operand, ty: Ty) {
        let (bad, good) = (self.b.new_block(), self.b.new_block());
        let is_zero = self.b.eval(common().bool, Rvalue::Binary(BinOp::Eq, step, self.zero(ty)));
        self.b.branch(Operand::local(is_zero), bad, good);
        self.b.switch_to(bad);
        self.panic("the step of a range is 0");
        self.b.switch_to(good);
    }

    fn compare(&mut self, op: BinOp, left: Operand, right: Operand) -> Operand {
        Operand::local(self.b.eval(common().bool, Rvalue::Binary(op, left, right)))
    }

    /// Whether the counter is still inside.
    fn range_test(&mut self, count: &Count, inside: BlockId, exit: BlockId) {
        let counter = Operand::local(count.counter);
        let signed = int_of(count.ty).signed();
        let Some(step) = count.step.clone().filter(|_| signed) else {
            return self.upward_test(count, counter, inside, exit);
        };
        let (up, down) = (self.b.new_block(), self.b.new_block());
        let zero = self.zero(count.ty);
        let is_up = self.compare(BinOp::Gt, step, zero);
        self.b.branch(is_up, up, down);
        self.b.switch_to(up);
        self.upward_test(count, counter.clone(), inside, exit);
        self.b.switch_to(down);
        self.bounded_test(count, BinOp::Gt, BinOp::Ge, counter, inside, exit);
    }

    fn upward_test(&mut self, count: &Count, counter: Operand, inside: BlockId, exit: BlockId) {
        self.bounded_test(count, BinOp::Lt, BinOp::Le, counter, inside, exit);
    }

    fn bounded_test(
        &mut self,
        count: &Count,
        open: BinOp,
        closed: BinOp,
        counter: Operand,
        inside: BlockId,
        exit: BlockId,
    ) {
        match &count.inclusive {
            Inclusive::Known(inclusive) => {
                let op = if *inclusive { closed } else { open };
                let test = self.compare(op, counter, count.stop.clone());
                self.b.branch(test, inside, exit);
            }
            Inclusive::Flags(flags) => {
                let (with_end, without) = (self.b.new_block(), self.b.new_block());
                let one =
                    self.b.eval(int_ty(), Rvalue::Binary(BinOp::BitAnd, flags.clone(), Operand::int(1)));
                let is_inclusive = self.compare(BinOp::Eq, Operand::local(one), Operand::int(1));
                self.b.branch(is_inclusive, with_end, without);
                self.b.switch_to(with_end);
                let test = self.compare(closed, counter.clone(), count.stop.clone());
                self.b.branch(test, inside, exit);
                self.b.switch_to(without);
                let test = self.compare(open, counter, count.stop.clone());
                self.b.branch(test, inside, exit);
            }
        }
    }

    /// The next value; a step past the type's last value ends the loop.
    fn range_step(&mut self, count: &Count, head: BlockId, exit: BlockId) {
        let ty = count.ty;
        let counter = Operand::local(count.counter);
        let one = Operand::Const(Const::Int(1, int_of(ty)));
        if matches!(count.inclusive, Inclusive::Known(false)) && count.step.is_none() {
            // Below an end there is always a next value.
            self.b.assign_local(count.counter, Rvalue::Binary(BinOp::Add, counter, one));
            self.b.goto(head);
            return;
        }
        let step = count.step.clone().unwrap_or(one);
        let pair_ty = Ty::tuple(&[ty, common().bool]);
        let pair = self.b.eval(pair_ty, Rvalue::Overflowing(BinOp::Add, counter, step));
        let over = self.read(Place::local(pair).field(1), common().bool);
        let go_on = self.b.new_block();
        self.b.branch(over, exit, go_on);
        self.b.switch_to(go_on);
        let next = Operand::Copy(Place::local(pair).field(0));
        self.b.assign_local(count.counter, Rvalue::Use(next));
        self.b.goto(head);
    }

    // -------------------------------------------------------------------------------------------- vectors

    /// The length and the elements of a vector, as places.
    pub(crate) fn vec_places(&self, vec: Local) -> (Place, Place) {
        let adt = self.lw.lang_adt("Vec");
        let object = Place::local(vec).deref();
        (object.field(self.lw.field_index(adt, "len")), object.field(self.lw.field_index(adt, "data")))
    }

    fn for_vec(&mut self, pats: &[PatId], iter: ExprId, body: ExprId, loop_: LoopId) {
        let vec_ty = self.value_ty(iter);
        let elem_ty = vec_ty.as_adt().expect("a vector").1[0];
        let value = self.value(iter);
        // The vector itself must live as long as the loop, whatever the body does to the name.
        let vec = self.b.eval(vec_ty, Rvalue::Use(value));
        let (len, data) = self.vec_places(vec);
        let size = self.b.eval(int_ty(), Rvalue::Use(Operand::Copy(len.clone())));
        let index = self.b.eval(int_ty(), Rvalue::Use(Operand::int(0)));
        let (head, same, inside, next, exit) = (
            self.b.new_block(),
            self.b.new_block(),
            self.b.new_block(),
            self.b.new_block(),
            self.b.new_block(),
        );
        let changed = self.b.new_block();
        self.b.goto(head);
        self.b.switch_to(head);
        let now = self.read(len, int_ty());
        let unchanged = self.compare(BinOp::Eq, now, Operand::local(size));
        self.b.branch(unchanged, same, changed);
        self.b.switch_to(changed);
        self.at(iter);
        self.panic("the size of a vector changed while a loop walked it");
        self.b.switch_to(same);
        let more = self.compare(BinOp::Lt, Operand::local(index), Operand::local(size));
        self.b.branch(more, inside, exit);
        self.b.switch_to(inside);
        self.enter(loop_, next, exit, None);
        let elem = Operand::Copy(data.then(Proj::Index(index)));
        match pats.len() {
            2 => self.turn(pats, &[(Operand::local(index), int_ty()), (elem, elem_ty)], body),
            _ => self.turn(pats, &[(elem, elem_ty)], body),
        }
        self.loops.pop();
        self.b.goto(next);
        self.b.switch_to(next);
        self.b.assign_local(index, Rvalue::Binary(BinOp::Add, Operand::local(index), Operand::int(1)));
        self.b.goto(head);
        self.b.switch_to(exit);
        self.b.push(qz_mir::StmtKind::EndScope(vec));
    }

    // ------------------------------------------------------------------------------------------ iterators

    #[allow(clippy::too_many_arguments, reason = "the parts of a loop and of its plan")]
    fn for_iterator(
        &mut self,
        pats: &[PatId],
        iter: ExprId,
        body: ExprId,
        loop_: LoopId,
        through: Option<Callee>,
        iter_ty: Ty,
        next_callee: Callee,
        item: Ty,
        by_pair: bool,
    ) {
        let value = self.value(iter);
        let iterator = match through {
            Some(callee) => {
                let target = self.mir_callee(&callee);
                let dest = self.b.temp(iter_ty);
                self.b.call(dest, target, [value]);
                dest
            }
            None => self.b.eval(iter_ty, Rvalue::Use(value)),
        };
        let index =
            (pats.len() == 2 && !by_pair).then(|| self.b.eval(int_ty(), Rvalue::Use(Operand::int(0))));
        let option_ty = Ty::adt(self.lw.lang_adt("Option"), &[item]);
        let (head, inside, exit) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        let next = self.b.new_block();
        self.b.goto(head);
        self.b.switch_to(head);
        self.at(iter);
        let target = self.mir_callee(&next_callee);
        let step = self.b.temp(option_ty);
        self.b.call(step, target, [Operand::local(iterator)]);
        let more = self.is_some(Place::local(step), option_ty);
        self.b.branch(more, inside, exit);
        self.b.switch_to(inside);
        self.enter(loop_, next, exit, None);
        let elem = Place::local(step).then(Proj::Variant(self.some_index())).field(0);
        match (by_pair, index, *item.kind()) {
            (true, _, TyKind::Tuple(&[key, value])) => {
                let (k, v) = (Operand::Copy(elem.field(0)), Operand::Copy(elem.field(1)));
                self.turn(pats, &[(k, key), (v, value)], body);
            }
            (_, Some(index), _) => {
                self.turn(pats, &[(Operand::local(index), int_ty()), (Operand::Copy(elem), item)], body);
            }
            _ => self.turn(pats, &[(Operand::Copy(elem), item)], body),
        }
        self.loops.pop();
        self.b.goto(next);
        self.b.switch_to(next);
        if let Some(index) = index {
            self.b.assign_local(index, Rvalue::Binary(BinOp::Add, Operand::local(index), Operand::int(1)));
        }
        self.b.goto(head);
        self.b.switch_to(exit);
        self.b.push(qz_mir::StmtKind::EndScope(iterator));
    }
}

//! Operations on atomic numbers that are instructions.

use qz_codegen::atomics::{Action, Atomic, Order, Update};

use crate::function::FnCx;
use crate::ir::{LlTy, Value};

impl FnCx<'_, '_> {
    /// The operation on the number at `values[0]`; what comes back, as 64 bits.
    pub(crate) fn atomic(&mut self, atomic: &Atomic, values: &[Value]) -> Option<Value> {
        let ty = LlTy::int(atomic.bits);
        let align = atomic.bits / 8;
        let order = word(atomic.order);
        let at = values[0];
        let numbers: Vec<Value> = values[1..].iter().map(|&value| self.resized(value, ty)).collect();
        let before = match (atomic.action, numbers.as_slice()) {
            (Action::Store, &[value]) => {
                self.w.line(format_args!("store atomic {ty} {value}, ptr {at} {order}, align {align}"));
                return None;
            }
            (Action::Update(update), &[value]) => {
                let operation = operation(update, atomic.signed);
                let text =
                    format_args!("atomicrmw {operation} ptr {at}, {ty} {value} {order}, align {align}");
                self.w.set(ty, text)
            }
            (Action::Exchange, &[expected, value]) => {
                let failed = if_it_fails(atomic.order);
                let n = self.w.next_number();
                self.w.line(format_args!(
                    "%r{n} = cmpxchg ptr {at}, {ty} {expected}, {ty} {value} {order} {failed}, align {align}"
                ));
                self.w.set(ty, format_args!("extractvalue {{ {ty}, i1 }} %r{n}, 0"))
            }
            _ => self.w.set(ty, format_args!("load atomic {ty}, ptr {at} {order}, align {align}")),
        };
        Some(self.resized_as(before, LlTy::I64, atomic.signed))
    }
}

fn word(order: Order) -> &'static str {
    match order {
        Order::Relaxed => "monotonic",
        Order::Acquire => "acquire",
        Order::Release => "release",
        Order::AcqRel => "acq_rel",
        Order::SeqCst => "seq_cst",
    }
}

/// The order of an exchange that does not take place.
fn if_it_fails(order: Order) -> &'static str {
    match order {
        Order::Relaxed | Order::Release => "monotonic",
        Order::Acquire | Order::AcqRel => "acquire",
        Order::SeqCst => "seq_cst",
    }
}

fn operation(update: Update, signed: bool) -> &'static str {
    match update {
        Update::Exchange => "xchg",
        Update::Add => "add",
        Update::Sub => "sub",
        Update::Min if signed => "min",
        Update::Min => "umin",
        Update::Max if signed => "max",
        Update::Max => "umax",
        Update::And => "and",
        Update::Or => "or",
        Update::Xor => "xor",
    }
}

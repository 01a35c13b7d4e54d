//! Which operations on atomic numbers are known well enough to be instructions: those whose kind, operation and order
//! are constants. The numbers are those of `qz_rt::atomics`.

use qz_rt_abi::RtFn;
use qz_rt_abi::registry::rt;

/// How an operation is ordered with those before and after it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    SeqCst,
}

/// What is done to the number; numbers pass as 64 bits, extended after their own type.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Arguments: the address.
    Load,
    /// Address and value.
    Store,
    /// Address and value; the old one comes back.
    Update(Update),
    /// Address, expected and new value; the old one comes back.
    Exchange,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Update {
    Exchange,
    Add,
    Sub,
    Min,
    Max,
    And,
    Or,
    Xor,
}

/// An operation on an atomic number.
#[derive(Copy, Clone, Debug)]
pub struct Atomic {
    pub action: Action,
    pub bits: u32,
    pub signed: bool,
    /// One that the action can have.
    pub order: Order,
}

impl Atomic {
    /// The operation that a call of the runtime asks for, and which of its arguments are values. `number` knows the
    /// arguments that are constant where the call is made, variables that were given a constant among them.
    pub fn of(f: RtFn, number: impl Fn(usize) -> Option<i64>) -> Option<(Atomic, &'static [usize])> {
        let (action, values, order): (_, &[usize], _) = match f {
            rt::atomic_load => (Action::Load, &[0], 2),
            rt::atomic_store => (Action::Store, &[0, 2], 3),
            rt::atomic_update => (Action::Update(update(number(2)?)), &[0, 3], 4),
            rt::atomic_cas => (Action::Exchange, &[0, 2, 3], 4),
            _ => return None,
        };
        let kind = number(1)?;
        let order = order_of(number(order)?, action);
        Some((Atomic { action, bits: 8 << (kind & 3), signed: kind < 4, order }, values))
    }
}

fn update(op: i64) -> Update {
    match op {
        0 => Update::Exchange,
        1 => Update::Add,
        2 => Update::Sub,
        3 => Update::Min,
        4 => Update::Max,
        5 => Update::And,
        6 => Update::Or,
        _ => Update::Xor,
    }
}

fn order_of(code: i64, action: Action) -> Order {
    match (code, action) {
        (0, _) => Order::Relaxed,
        (1, Action::Load | Action::Update(_) | Action::Exchange) => Order::Acquire,
        (2, Action::Store | Action::Update(_) | Action::Exchange) => Order::Release,
        (3, Action::Update(_) | Action::Exchange) => Order::AcqRel,
        _ => Order::SeqCst,
    }
}

//! Functions on their way from CLIF to machine code, several at a time: translation needs the whole program and goes
//! one by one, Cranelift's own work needs only the function. What comes out is in the order of translation, whatever
//! finished first.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;

use crate::CompileError;

/// So many functions are kept in memory at a time.
pub(crate) const SIZE: usize = 32;
/// Fewer are not worth a thread.
const FEW: usize = 8;

/// A function and how it went.
struct Slot<'a, T> {
    function: &'a mut (Context, T),
    result: Result<(), CompileError>,
}

/// Makes code of each function; `name` is for the message, if Cranelift finds fault with one.
pub(crate) fn compile<T: Send>(
    batch: &mut [(Context, T)],
    isa: &dyn TargetIsa,
    name: &(dyn Fn(&T) -> String + Sync),
) -> Result<(), CompileError> {
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get()).min(batch.len() / FEW);
    let one = |(cx, what): &mut (Context, T)| match cx.compile(isa, &mut ControlPlane::default()) {
        Ok(_) => Ok(()),
        Err(error) => {
            let reason = cranelift_codegen::print_errors::pretty_error(error.func, error.inner);
            Err(CompileError::Internal(format!("{}: {reason}", name(what))))
        }
    };
    if workers < 2 {
        return batch.iter_mut().try_for_each(one);
    }
    let next = AtomicUsize::new(0);
    let slots: Vec<Mutex<Slot<T>>> =
        batch.iter_mut().map(|function| Mutex::new(Slot { function, result: Ok(()) })).collect();
    let work = || {
        while let Some(slot) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut slot = slot.lock().unwrap_or_else(|poison| poison.into_inner());
            slot.result = one(slot.function);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let results = slots.into_iter().map(|slot| slot.into_inner().unwrap_or_else(|it| it.into_inner()).result);
    results.collect()
}

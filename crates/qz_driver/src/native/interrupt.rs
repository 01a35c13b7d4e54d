//! Ctrl-C while a build writes: the build ends at its next step, with everything tidied up, instead of at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{SigId, flag, low_level};

use crate::run::Failure;

/// Watches while it lives; a second signal of a kind ends the process at once.
pub(super) struct Interrupt {
    /// The last one that came, or 0.
    signal: Arc<AtomicUsize>,
    actions: Vec<SigId>,
}

impl Interrupt {
    /// Where watching is not possible, a signal ends the process as ever.
    pub(super) fn watch() -> Interrupt {
        let signal = Arc::new(AtomicUsize::new(0));
        let mut actions = Vec::new();
        for kind in [SIGINT, SIGTERM] {
            let seen = Arc::new(AtomicBool::new(false));
            actions.extend(flag::register_conditional_default(kind, seen.clone()));
            actions.extend(flag::register(kind, seen));
            actions.extend(flag::register_usize(kind, signal.clone(), kind as usize));
        }
        Interrupt { signal, actions }
    }

    /// That a signal came is the error, and wins over what went wrong because of it.
    pub(super) fn check<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        match self.signal.load(Ordering::Relaxed) {
            0 => result,
            signal => Err(Failure::Interrupted(signal as i32)),
        }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.actions.drain(..).for_each(|action| {
            low_level::unregister(action);
        });
    }
}

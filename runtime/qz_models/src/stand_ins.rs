//! What `qz_sched`'s locks know of fibers, of the threads that run them and of waits, in terms of the models' fibers.

pub mod fiber {
    pub use crate::Fiber;
    use crate::wait::WaitCell;

    pub enum Reason {
        Lock,
    }

    pub(crate) struct Scheduler;

    impl Scheduler {
        /// So that nobody turns: the checker would try each number of turns.
        pub(crate) fn runs_alone(&self) -> bool {
            true
        }
    }

    impl Fiber {
        pub(crate) fn scheduler(&self) -> Scheduler {
            Scheduler
        }

        pub(crate) fn of_cell(cell: *const WaitCell) -> *mut Fiber {
            cell.cast::<Fiber>().cast_mut()
        }
    }
}

pub mod thread {
    use crate::Fiber;
    use crate::queue::Woken;

    pub(crate) struct Thread {
        pub(crate) patience: Patience,
    }

    pub(crate) struct Patience;

    impl Patience {
        pub(crate) fn is_hindered(&self) -> bool {
            true
        }
    }

    impl Thread {
        pub(crate) unsafe fn of(_fiber: *const Fiber) -> Thread {
            Thread { patience: Patience }
        }

        pub(crate) fn resume(&self, fiber: *mut Fiber) {
            crate::resume(Some(Woken(fiber.cast())));
        }
    }
}

pub mod block {
    use super::fiber::Reason;
    use crate::Fiber;
    use crate::queue::Node;
    use crate::wait::{Generation, Outcome};

    #[derive(Copy, Clone)]
    pub struct Terms {
        pub interruptible: bool,
    }

    impl Terms {
        pub const FOREVER: Terms = Terms { interruptible: true };
    }

    pub(crate) struct Wait {
        fiber: *mut Fiber,
        generation: Generation,
    }

    impl Wait {
        pub(crate) unsafe fn begin(fiber: *mut Fiber) -> Wait {
            // SAFETY: the models' fibers stay.
            Wait { fiber, generation: unsafe { (*fiber).cell.begin() } }
        }

        pub(crate) fn asking(&self, amount: u64) -> Node {
            // SAFETY: as above.
            Node::asking(unsafe { &raw const (*self.fiber).cell }, self.generation, amount)
        }

        pub(crate) unsafe fn finish(self, _reason: Reason, terms: Terms) -> Outcome {
            // SAFETY: as above.
            let fiber = unsafe { &*self.fiber };
            if terms.interruptible { fiber.finish(self.generation) } else { fiber.park() }
        }
    }
}

//! Words that threads share, changed for less while there is only one of them.
//!
//! An operation that other processors respect waits until all that was stored before it has left the processor: some
//! forty cycles, twenty times for a task. While one thread runs all fibers there is nobody to respect, so a word is
//! changed by a load and a store. A second thread that runs fibers ends that when it comes, before it reaches a shared
//! word, and when it has slept for long it is so again ([`Presence::away`]). Whoever reaches shared words from a thread
//! that runs no fibers calls [`end`] first: from then on, and for good, every change is of the other kind.
//!
//! [`crate::bias`] says how that is safe: by `membarrier`, as in userspace RCU and the biased locks of Java's machines.
//! Where there is no such call nobody is ever alone.

#[cfg(loom)]
pub(crate) use modelled::enter;
#[cfg(not(loom))]
pub use real::{Presence, bias, end};
#[cfg(not(loom))]
pub(crate) use real::{enter, fence};

/// A word that is changed as if by one instruction. Orders are those of the operations of `std`'s atomics; alone, all
/// are in the order of the program.
pub trait SharedWord {
    type Value;
    fn exchange(&self, value: Self::Value, order: std::sync::atomic::Ordering) -> Self::Value;
    /// Puts `to` in the place of `from`; what was there, if it is not `from`.
    fn replace(
        &self,
        from: Self::Value,
        to: Self::Value,
        orders: (std::sync::atomic::Ordering, std::sync::atomic::Ordering),
    ) -> Result<(), Self::Value>;
    /// A store that comes before every later load.
    fn publish(&self, value: Self::Value);
}

/// Numbers; each gives what was there before.
pub trait SharedNumber: SharedWord {
    fn plus(&self, value: Self::Value, order: std::sync::atomic::Ordering) -> Self::Value;
    fn minus(&self, value: Self::Value, order: std::sync::atomic::Ordering) -> Self::Value;
    fn with_bits(&self, value: Self::Value, order: std::sync::atomic::Ordering) -> Self::Value;
    fn without_bits(&self, value: Self::Value, order: std::sync::atomic::Ordering) -> Self::Value;
}

#[cfg(not(loom))]
mod real {
    use std::sync::atomic::{
        AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence,
    };
    use std::sync::{Mutex, MutexGuard};

    use super::{SharedNumber, SharedWord};
    use crate::barrier;
    use crate::bias::{Bias, Inside};

    /// Whether one thread runs all fibers of the process, and whether it is changing a word just now.
    static BIAS: Bias = Bias::new();
    static PRESENT: Mutex<Present> =
        Mutex::new(Present { schedulers: 0, threads: 0, is_ready: false, is_over: false });

    struct Present {
        schedulers: usize,
        /// Those that run fibers, without those that sleep and said so.
        threads: usize,
        /// The system was asked whether it makes other processors pass a barrier, and does.
        is_ready: bool,
        /// Nobody is alone any more: there were several schedulers, or somebody comes from outside, or the system does
        /// not help.
        is_over: bool,
    }

    /// A scheduler, or a thread that runs fibers. Made before it reaches a shared word.
    #[derive(Debug)]
    pub struct Presence {
        is_thread: bool,
    }

    /// A thread that sleeps and reaches nothing while it has this.
    #[must_use]
    pub(crate) struct Away<'a>(&'a Presence);

    fn present() -> MutexGuard<'static, Present> {
        PRESENT.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    impl Presence {
        pub(crate) fn scheduler() -> Presence {
            Presence::new(false)
        }

        pub(crate) fn thread() -> Presence {
            Presence::new(true)
        }

        fn new(is_thread: bool) -> Presence {
            let mut present = present();
            *present.count(is_thread) += 1;
            present.is_over |= present.schedulers > 1;
            present.settle();
            #[cfg(debug_assertions)]
            if is_thread && present.threads == 1 {
                check::is_owner();
            }
            Presence { is_thread }
        }

        /// For a thread that is about to sleep for long: the one that is left is alone until this one wakes.
        pub(crate) fn away(&self) -> Away<'_> {
            let mut present = present();
            *present.count(self.is_thread) -= 1;
            #[cfg(debug_assertions)]
            check::is_nobody();
            present.settle();
            Away(self)
        }
    }

    impl Drop for Away<'_> {
        fn drop(&mut self) {
            let mut present = present();
            *present.count(self.0.is_thread) += 1;
            present.settle();
        }
    }

    impl Drop for Presence {
        fn drop(&mut self) {
            let mut present = present();
            *present.count(self.is_thread) -= 1;
            if present.threads > 0 {
                return;
            }
            #[cfg(debug_assertions)]
            check::is_nobody();
            if present.schedulers == 0 {
                // Whoever comes now came from nowhere, and nobody is in the midst of a change.
                BIAS.forget();
            }
        }
    }

    impl Present {
        fn count(&mut self, is_thread: bool) -> &mut usize {
            if is_thread { &mut self.threads } else { &mut self.schedulers }
        }

        /// Makes it so that somebody is alone, or that nobody is.
        fn settle(&mut self) {
            if self.threads > 1 || self.is_over {
                return BIAS.end();
            }
            if !BIAS.is_given() {
                self.is_ready = self.is_ready || barrier::register();
                self.is_over = !self.is_ready;
                if self.is_ready {
                    BIAS.give();
                }
            }
        }
    }

    /// For compiled code, which looks at it in place.
    pub fn bias() -> *const () {
        (&raw const BIAS).cast()
    }

    /// From now on there may be threads that change words and are none of a scheduler's. When this returns, the others
    /// know.
    pub fn end() {
        let mut present = present();
        present.is_over = true;
        present.settle();
    }

    /// Nobody else reaches what threads share for as long as the caller has this, if it is alone. Meanwhile it waits for
    /// no other thread.
    #[inline(always)]
    pub(crate) fn enter() -> Option<Inside<'static>> {
        if !BIAS.is_given() {
            return None;
        }
        #[cfg(debug_assertions)]
        check::enters();
        BIAS.enter()
    }

    #[inline(always)]
    fn either<R>(alone: impl FnOnce() -> R, among_many: impl FnOnce() -> R) -> R {
        match enter() {
            Some(_inside) => alone(),
            None => among_many(),
        }
    }

    /// A barrier against loads that overtake stores.
    #[inline]
    pub(crate) fn fence() {
        either(|| compiler_fence(Ordering::SeqCst), || std::sync::atomic::fence(Ordering::SeqCst));
    }

    /// What was there before.
    macro_rules! change {
        ($word:ident, $before:ident => $after:expr) => {{
            let $before = $word.load(Ordering::Relaxed);
            $word.store($after, Ordering::Relaxed);
            $before
        }};
    }
    macro_rules! word {
        ($atomic:ty, $value:ty $(, $parameter:ident)?) => {
            impl$(<$parameter>)? SharedWord for $atomic {
                type Value = $value;

                #[inline]
                fn exchange(&self, value: $value, order: Ordering) -> $value {
                    either(|| change!(self, _before => value), || self.swap(value, order))
                }

                #[inline]
                fn replace(&self, from: $value, to: $value, orders: (Ordering, Ordering)) -> Result<(), $value> {
                    let alone = || {
                        let before = change!(self, before => if before == from { to } else { before });
                        if before == from { Ok(()) } else { Err(before) }
                    };
                    either(alone, || self.compare_exchange(from, to, orders.0, orders.1).map(drop))
                }

                #[inline]
                fn publish(&self, value: $value) {
                    either(|| self.store(value, Ordering::Relaxed), || self.store(value, Ordering::SeqCst))
                }
            }
        };
    }

    macro_rules! number {
        ($atomic:ty, $value:ty) => {
            word!($atomic, $value);

            impl SharedNumber for $atomic {
                #[inline]
                fn plus(&self, value: $value, order: Ordering) -> $value {
                    either(|| change!(self, it => it.wrapping_add(value)), || self.fetch_add(value, order))
                }

                #[inline]
                fn minus(&self, value: $value, order: Ordering) -> $value {
                    either(|| change!(self, it => it.wrapping_sub(value)), || self.fetch_sub(value, order))
                }

                #[inline]
                fn with_bits(&self, value: $value, order: Ordering) -> $value {
                    either(|| change!(self, it => it | value), || self.fetch_or(value, order))
                }

                #[inline]
                fn without_bits(&self, value: $value, order: Ordering) -> $value {
                    either(|| change!(self, it => it & !value), || self.fetch_and(!value, order))
                }
            }
        };
    }

    word!(AtomicBool, bool);
    word!(AtomicPtr<T>, *mut T, T);
    number!(AtomicI32, i32);
    number!(AtomicU32, u32);
    number!(AtomicU64, u64);
    number!(AtomicUsize, usize);

    /// Does nobody but the thread that runs the fibers take itself for alone?
    #[cfg(debug_assertions)]
    mod check {
        use std::sync::atomic::{AtomicUsize, Ordering};

        use super::BIAS;

        thread_local!(static OWN: u8 = const { 0 });

        static OWNER: AtomicUsize = AtomicUsize::new(0);

        #[inline(never)]
        fn this_thread() -> usize {
            OWN.with(|it| &raw const *it as usize)
        }

        pub(super) fn is_owner() {
            OWNER.store(this_thread(), Ordering::Relaxed);
        }

        pub(super) fn is_nobody() {
            OWNER.store(0, Ordering::Relaxed);
        }

        pub(super) fn enters() {
            let own = this_thread();
            // The first that comes after another one went.
            let owner =
                OWNER.compare_exchange(0, own, Ordering::Relaxed, Ordering::Relaxed).err().unwrap_or(own);
            if owner != own && BIAS.is_given() {
                // No panic: this may be anywhere in the runtime.
                eprintln!(
                    "internal error: another thread than the one at work changes a word as if it were alone"
                );
                std::process::abort();
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use std::sync::atomic::{AtomicU64, Ordering};

        use super::{SharedNumber, either, end};

        /// No change is lost when a second thread comes in the midst of the first one's. That happens once in a process,
        /// and does not always meet a change.
        #[test]
        #[cfg_attr(miri, ignore = "it starts processes")]
        fn nothing_is_lost_when_it_ends() {
            in_own_processes("a_second_thread_comes");
        }

        /// Nor when threads sleep and wake again and again, each alone for a while.
        #[test]
        #[cfg_attr(miri, ignore = "it starts processes")]
        fn nothing_is_lost_when_threads_sleep() {
            in_own_processes("threads_sleep");
        }

        fn in_own_processes(test: &str) {
            let own = std::env::current_exe().expect("the test has a file");
            for _ in 0..12 {
                let name = format!("alone::real::tests::{test}");
                let once = ["--ignored", "--exact", &name];
                let output = std::process::Command::new(&own).args(once).output().expect("it starts again");
                let said = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success() && said.contains("1 passed"), "{said}");
            }
        }

        #[test]
        #[ignore = "a test above runs it, each time in a process of its own"]
        fn threads_sleep() {
            const NAPS: u64 = 2_000;
            const BETWEEN: u64 = 200;
            let (_scheduler, word) = (super::Presence::scheduler(), AtomicU64::new(0));
            let alone = AtomicU64::new(0);
            std::thread::scope(|scope| {
                for number in 0..2 {
                    let (word, alone) = (&word, &alone);
                    scope.spawn(move || {
                        let presence = super::Presence::thread();
                        for nap in 0..NAPS {
                            for _ in 0..BETWEEN {
                                word.plus(1, Ordering::Relaxed);
                            }
                            alone.fetch_add(either(|| 1, || 0), Ordering::Relaxed);
                            let _away = presence.away();
                            // Not always as long as the other one.
                            (0..(nap * (number + 1)) % 700).for_each(|_| std::hint::spin_loop());
                        }
                    });
                }
            });
            assert_eq!(word.into_inner(), 2 * NAPS * BETWEEN);
            let is_possible = super::present().is_ready;
            assert!(!is_possible || alone.into_inner() > 0, "one was alone while the other slept");
        }

        #[test]
        #[ignore = "a test above runs it, each time in a process of its own"]
        fn a_second_thread_comes() {
            const EACH: u64 = 200_000;
            let (_scheduler, word) = (super::Presence::scheduler(), AtomicU64::new(0));
            std::thread::scope(|scope| {
                scope.spawn(|| (0..EACH).for_each(|_| assert!(word.plus(1, Ordering::Relaxed) < 2 * EACH)));
                scope.spawn(|| {
                    while word.load(Ordering::Relaxed) < EACH / 8 {
                        std::hint::spin_loop();
                    }
                    end();
                    (0..EACH).for_each(|_| assert!(word.plus(1, Ordering::Relaxed) < 2 * EACH));
                });
            });
            assert_eq!(word.into_inner(), 2 * EACH);
            assert!(!either(|| true, || false), "nobody is alone any more");
        }
    }
}

/// The model checker's words: there are always several threads.
#[cfg(loom)]
mod modelled {
    use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

    use super::{SharedNumber, SharedWord};

    pub(crate) fn enter() -> Option<std::convert::Infallible> {
        None
    }

    macro_rules! word {
        ($atomic:ty, $value:ty) => {
            impl SharedWord for $atomic {
                type Value = $value;

                fn exchange(&self, value: $value, order: Ordering) -> $value {
                    self.swap(value, order)
                }

                fn replace(
                    &self,
                    from: $value,
                    to: $value,
                    orders: (Ordering, Ordering),
                ) -> Result<(), $value> {
                    self.compare_exchange(from, to, orders.0, orders.1).map(drop)
                }

                fn publish(&self, value: $value) {
                    self.store(value, Ordering::SeqCst)
                }
            }
        };
    }

    macro_rules! number {
        ($atomic:ty, $value:ty) => {
            word!($atomic, $value);

            impl SharedNumber for $atomic {
                fn plus(&self, value: $value, order: Ordering) -> $value {
                    self.fetch_add(value, order)
                }

                fn minus(&self, value: $value, order: Ordering) -> $value {
                    self.fetch_sub(value, order)
                }

                fn with_bits(&self, value: $value, order: Ordering) -> $value {
                    self.fetch_or(value, order)
                }

                fn without_bits(&self, value: $value, order: Ordering) -> $value {
                    self.fetch_and(!value, order)
                }
            }
        };
    }

    word!(AtomicBool, bool);
    number!(AtomicU32, u32);
    number!(AtomicU64, u64);
    number!(AtomicUsize, usize);
}

#[cfg(loom)]
pub(crate) fn fence() {
    loom::sync::atomic::fence(loom::sync::atomic::Ordering::SeqCst);
}

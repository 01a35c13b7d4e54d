//! Fibers and what they wait on: their stacks ([`stack`]), the switch between them, the threads that run them
//! ([`sched`], `thread`, `idle`, `rest`, `monitor`), one wait of one fiber ([`wait`]), and the things that are waited for:
//! channels ([`channel`], [`select`]), tasks ([`task`]), locks ([`locks`]), time (`timer`). [`trace`] keeps a record.
//!
//! Values are bytes here, and what a fiber runs is a function and a word. What they mean, and whether a wait that
//! was cancelled becomes a panic, is the business of `qz_rt`. Start with [`block`], which is what it calls, then
//! [`wait`], the protocol below all of it.

pub mod alone;
mod barrier;
mod bias;
pub mod block;
pub mod channel;
mod ending;
pub mod fiber;
pub mod generator;
mod heard;
mod idle;
mod interrupt;
pub mod locks;
mod lottery;
mod monitor;
mod patience;
mod pause;
pub mod poll;
mod queue;
mod reactor;
mod rest;
mod runnable;
pub mod sched;
pub mod select;
pub mod stack;
mod switch;
mod sync;
pub mod task;
mod thread;
mod timer;
pub mod trace;
mod turn;
pub mod wait;
#[cfg(qz_tsan)]
mod watch;

pub use ending::Drain;
pub use fiber::{Fiber, Job, Phase, Reason};
pub use sched::{Config, Hooks, Scheduler, State};
pub use task::{Options, Task};
pub use thread::Thread;
pub use timer::NEVER;
pub use wait::Outcome;

//! The `quartz` command: arguments in, text out. What each command does is in [`commands`].
//!
//! Exit status: 1 for problems in the program, 2 for wrong use, 101 for a panic of the program, 70 for a
//! mistake of ours.

mod cli;
mod commands;

use std::process::ExitCode;

use clap::Parser;

/// Stages make many small things and let them go together, which this allocator is quicker at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A mistake of ours.
const STATUS_INTERNAL: u8 = 70;

fn main() -> ExitCode {
    let cli = cli::Cli::parse_from(cli::arguments());
    std::panic::set_hook(Box::new(|_| {}));
    ExitCode::from(guarded(|| commands::dispatch(&cli)))
}

/// What this gives; a panic is told, and its status instead.
fn guarded(run: impl FnOnce() -> u8) -> u8 {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let words = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        commands::report_internal(words);
        STATUS_INTERNAL
    })
}

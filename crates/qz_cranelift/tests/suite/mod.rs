//! Programs built by hand, with what they must print: one suite for all engines.

#![allow(unreachable_pub, reason = "shared by the test binaries of several crates")]

pub mod arith;
pub mod calls;
pub mod enums;
pub mod failure;
pub mod memory;
pub mod program;

use qz_mir::Module;
use qz_mir::layout::Layouts;

pub use program::{Body, Program};

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub stdout: String,
    pub stderr: String,
    pub status: i32,
    /// Names of types with objects left over.
    pub leaks: Vec<(String, i64)>,
}

/// Runs a program, counting its objects.
pub type Engine = fn(&Module, &Layouts) -> Ended;

/// Runs and compares; nothing may be left over.
#[track_caller]
pub fn check(engine: Engine, program: Program, stdout: &str, status: i32) {
    let ended = program.run(engine);
    let expected = Ended { stdout: stdout.into(), stderr: String::new(), status, leaks: Vec::new() };
    assert_eq!(ended, expected);
}

/// Runs a program that ends in a panic and compares what it reports.
#[track_caller]
pub fn check_panic(engine: Engine, program: Program, stdout: &str, report: &str) {
    let ended = program.run(engine);
    let expected = Ended { stdout: stdout.into(), stderr: report.into(), status: 101, leaks: Vec::new() };
    assert_eq!(ended, expected);
}

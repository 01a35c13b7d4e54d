//! Do machine code and the interpreter agree on generated programs? `QUARTZ` names the command to ask; without it,
//! the development build's is taken.
#![no_main]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use libfuzzer_sys::fuzz_target;

fn run(engine: &str, program: &str) -> Output {
    let quartz = std::env::var("QUARTZ").unwrap_or_else(|_| "../target/debug/quartz".into());
    let mut child = Command::new(quartz)
        .args(["run", "--leaks", "--engine", engine, "-"])
        .env("QUARTZ_HASH_SEED", "7")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`QUARTZ` names the command");
    child.stdin.take().expect("piped").write_all(program.as_bytes()).ok();
    child.wait_with_output().expect("the command ends")
}

fuzz_target!(|seed: u64| {
    let program = qz_progen::program(seed);
    let (machine, interpreter) = (run("cranelift", &program), run("interp", &program));
    assert!(matches!(machine.status.code(), Some(0 | 101)), "{seed}: {:?}", machine.status);
    assert_eq!(machine.status, interpreter.status, "{seed}");
    assert_eq!(machine.stdout, interpreter.stdout, "{seed}");
});

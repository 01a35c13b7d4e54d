//! Generic programs as text, through instantiation and count placement, run to their end: what they print,
//! and that nothing is left over.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use qz_codegen::locations::NoFiles;
use qz_cranelift::{Jit, Options};
use qz_mir::layout::Layouts;
use qz_mir::text::TextProgram;
use qz_opt::{OptLevel, SourceDefs, SourceNames, Stage, build_module};

/// Standard output is captured for the whole process, so programs run one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn run_at(text: &str, level: OptLevel) -> String {
    let program = TextProgram::read(text).expect("the program is well formed");
    let main = program.function_id("main").expect("there is a `main`");
    let options = qz_opt::Options { level, verify: true, ..Default::default() };
    let show = std::env::var_os("SHOW_MIR").is_some();
    let module = build_module(&program, Some(main), &options, &mut |stage, module| {
        if show && stage != Stage::Instantiated {
            println!("---- {stage:?}\n{}", qz_mir::print::print_module(module, &SourceNames(&program)));
        }
    });
    let module = module.expect("the program can be built");
    let defs = SourceDefs(&program);
    let layouts = Layouts::new(&defs);
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let options = Options { count_objects: true, ..Options::default() };
    let jit = Jit::new(&module, &layouts, Box::new(NoFiles), options).expect("compiles");
    qz_rt::streams::start_capture();
    let outcome = jit.run();
    let (stdout, _) = qz_rt::streams::end_capture();
    let outcome = outcome.expect("runs");
    let mut result = String::from_utf8(stdout).expect("UTF-8");
    if let Some(panic) = outcome.panic {
        let report = panic.report();
        writeln!(result, "{}", report.lines().next().unwrap_or_default()).expect("a String takes all text");
    }
    if outcome.status != 0 {
        writeln!(result, "status {}", outcome.status).expect("a String takes all text");
    }
    for (name, count) in outcome.leaks {
        writeln!(result, "leak: {count} of {name}").expect("a String takes all text");
    }
    result
}

#[track_caller]
fn check(text: &str, expected: &str) {
    for level in [OptLevel::None, OptLevel::Speed] {
        assert_eq!(run_at(text, level), expected, "at {level:?}");
    }
}

#[path = "optimised/programs.rs"]
mod programs;
#[path = "optimised/random.rs"]
mod random;

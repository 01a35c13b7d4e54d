//! Input that nobody means: it is answered by problems, quickly, and never by a crash or a hang.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A fresh folder for one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("quartz-bad-input-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Scratch(folder)
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.join(name), bytes).expect("the file can be written");
    }

    fn quartz(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quartz"));
        command.current_dir(&self.0).args(args).stdin(Stdio::null()).output().expect("the command starts")
    }

    /// Problems are told: status 1, this text, and no mention of the compiler's own errors.
    fn fails_with(&self, args: &[&str], wanted: &str) {
        let found = self.quartz(args);
        let stderr = String::from_utf8_lossy(&found.stderr);
        assert_eq!(found.status.code(), Some(1), "{stderr:.2000}");
        assert!(stderr.contains(wanted), "lacks {wanted:?}: {stderr:.2000}");
        assert!(!stderr.contains("QZ9501") && !stderr.contains("panicked"), "{stderr:.2000}");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

const CHECK: [&str; 3] = ["check", "--color=never", "a.qz"];

#[test]
fn bytes_that_are_no_text() {
    let scratch = Scratch::new("utf8");
    scratch.file("a.qz", b"def main\n  puts(\"\xff\xfe\")\nend\n");
    scratch.fails_with(&CHECK, "QZ9002");
    scratch.file("a.qz", b"def main\n  puts(\"a\")\0\nend\n");
    scratch.fails_with(&CHECK, "QZ0100");
    scratch.file("a.qz", &[0; 1000]);
    scratch.fails_with(&CHECK, "QZ0100");
}

#[test]
fn brackets_without_end() {
    let scratch = Scratch::new("brackets");
    for (open, close) in [("(", ")"), ("[", "]"), ("{ 1 => ", "}"), ("-", ""), ("not ", ""), ("f(", ")")] {
        let text = format!("def main\n  x = {}1{}\nend\n", open.repeat(10_000), close.repeat(10_000));
        scratch.file("a.qz", text.as_bytes());
        let found = scratch.quartz(&CHECK);
        let stderr = String::from_utf8_lossy(&found.stderr);
        assert!(matches!(found.status.code(), Some(0 | 1)), "{open:?}: {:?} {stderr:.500}", found.status);
        assert!(!stderr.contains("QZ9501"), "{open:?}: {stderr:.500}");
    }
    let text = format!("def main\n{}{}end\n", "if true\n".repeat(10_000), "end\n".repeat(10_000));
    scratch.file("a.qz", text.as_bytes());
    assert!(matches!(scratch.quartz(&CHECK).status.code(), Some(0 | 1)));
}

#[test]
fn strings_without_end() {
    let scratch = Scratch::new("strings");
    for (text, code) in [
        ("def main\n  puts(\"abc", "QZ0101"),
        ("def main\n  puts(\"abc#{1 + ", "QZ0103"),
        ("def main\n  puts(\"\"\"abc\n", "QZ0101"),
        ("def main\n  puts(<<~X)\nabc\n", "QZ0102"),
        ("def main\n  c = '", "QZ0109"),
    ] {
        scratch.file("a.qz", text.as_bytes());
        scratch.fails_with(&CHECK, code);
    }
    let mut nested = String::from("def main\n  x = ");
    for _ in 0..2_000 {
        nested.push_str("\"#{");
    }
    scratch.file("a.qz", nested.as_bytes());
    scratch.fails_with(&CHECK, "QZ01");
}

#[test]
fn files_beyond_all_measure() {
    let scratch = Scratch::new("huge");
    scratch.file("a.qz", b"def main = puts(1)\n");
    let file = std::fs::OpenOptions::new().write(true).open(scratch.0.join("a.qz")).expect("can be opened");
    // Zeros without end that take no room.
    file.set_len(100_000_000).expect("can grow");
    scratch.fails_with(&CHECK, "QZ9003");
    file.set_len(1 << 40).expect("can grow");
    scratch.fails_with(&CHECK, "QZ9003");
}

/// What is below the limit is worked through, in linear time, which tests of the parser measure.
#[test]
fn large_files() {
    let scratch = Scratch::new("large");
    let mut text = String::new();
    for n in 0..20_000 {
        let _ =
            writeln!(text, "def f{n}(a: Int, b: Int): Int = a * {n} + b # a comment to fill the line up\n");
    }
    text.push_str("def main = puts(f7(1, 2))\n");
    scratch.file("a.qz", text.as_bytes());
    let found = scratch.quartz(&["run", "a.qz"]);
    assert_eq!(String::from_utf8_lossy(&found.stdout), "9\n");
    scratch.file("a.qz", "x".repeat(2_000_000).as_bytes());
    assert_eq!(scratch.quartz(&CHECK).status.code(), Some(1));
    scratch.file("a.qz", "\n".repeat(2_000_000).as_bytes());
    assert!(matches!(scratch.quartz(&CHECK).status.code(), Some(0 | 1)));
}

#[test]
fn files_that_are_not_there() {
    let scratch = Scratch::new("missing");
    scratch.fails_with(&CHECK, "QZ9001");
    std::fs::create_dir_all(scratch.0.join("folder")).expect("can be made");
    scratch.file("a.qz", b"import folder\nimport nowhere\ndef main = puts(1)\n");
    scratch.fails_with(&CHECK, "QZ0414");
    scratch.fails_with(&CHECK, "QZ0401");
    assert!(matches!(scratch.quartz(&["check", "folder"]).status.code(), Some(0..=2)));
}

#[test]
fn a_file_that_changes_while_it_is_read() {
    let scratch = Scratch::new("changes");
    let path = scratch.0.join("a.qz");
    let long = format!("def main = puts(1)\n{}", "# filled up\n".repeat(50_000));
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (stop, path) = (stop.clone(), path.clone());
        move || {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let mut file = std::fs::File::create(&path).expect("can be written");
                file.write_all(long.as_bytes()).expect("can be written");
            }
        }
    });
    while !path.exists() {
        std::thread::yield_now();
    }
    for _ in 0..5 {
        let found = scratch.quartz(&CHECK);
        assert!(matches!(found.status.code(), Some(0 | 1)), "{:?}", found.status);
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().expect("the writer ends");
}

#[test]
fn programs_that_fail() {
    let scratch = Scratch::new("programs");
    for (body, message) in [
        ("puts(Int.max_value() + args().size + 1)", "integer overflow"),
        ("puts([1][args().size + 5])", "out of bounds"),
        ("puts({ 1 => 2 }[args().size + 9])", "key 9 is not in the map"),
        ("puts(1 / args().size)", "division by zero"),
        ("puts(args().first!)", "there is no value"),
        ("puts(down(1))", "stack overflow"),
    ] {
        let text = format!("def down(n: Int): Int = 1 + down(n + 1)\ndef main\n  {body}\nend\n");
        scratch.file("a.qz", text.as_bytes());
        for engine in ["cranelift", "interp"] {
            let found = scratch.quartz(&["run", "--engine", engine, "a.qz"]);
            let stderr = String::from_utf8_lossy(&found.stderr);
            assert_eq!(found.status.code(), Some(101), "{body} on {engine}: {stderr:.1000}");
            assert!(stderr.contains(message), "{body} on {engine}: {stderr:.1000}");
        }
    }
}

/// Types without end are found when functions are made for them, which is after checking.
#[test]
fn type_arguments_without_end() {
    let scratch = Scratch::new("growing");
    let nest = "def nest<T>(n: Int, value: T): Int = if n == 0 then 0 else nest(n - 1, [value]) end\n";
    let pairs = "def one<T>(n: Int, a: T): Int = if n == 0 then 0 else other(n, (a, n)) end\n\n\
                 def other<T>(n: Int, a: T): Int = one(n - 1, a)\n";
    let cell = "struct Cell<T>\n  value: T\n\n  def deeper(self, n: Int): Int = if n == 0 then 0 else Cell { value: self }.deeper(n - 1) end\nend\n";
    for (text, call, wanted) in [
        (nest, "nest(3, 1)", "a.qz:1:5\n"),
        (pairs, "one(3, 1)", "type arguments of `o"),
        (cell, "Cell { value: 1 }.deeper(3)", "type arguments of `deeper` grow without end"),
    ] {
        scratch.file("a.qz", format!("{text}\ndef main\n  puts({call})\nend\n").as_bytes());
        assert_eq!(scratch.quartz(&CHECK).status.code(), Some(0));
        for command in ["run", "build"] {
            scratch.fails_with(&[command, "--color=never", "a.qz"], "error[QZ0620]");
            scratch.fails_with(&[command, "--color=never", "a.qz"], wanted);
        }
    }
    // The same after an edit, when functions are made one by one.
    scratch.file("a.qz", b"def nest<T>(n: Int, value: T): Int = n\n\ndef main\n  puts(nest(3, 1))\nend\n");
    assert_eq!(scratch.quartz(&["run", "a.qz"]).stdout, b"3\n");
    scratch.file("a.qz", format!("{nest}\ndef main\n  puts(nest(3, 1))\nend\n").as_bytes());
    scratch.fails_with(&["run", "--color=never", "a.qz"], "error[QZ0620]");
}

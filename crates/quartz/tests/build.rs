//! `quartz build` when something around it is wrong: a clear error, the right status, and nothing left behind.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A fresh folder with a program in it, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("quartz-build-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let scratch = Scratch(folder);
        scratch.file("a.qz", "def main = puts(42)\n");
        scratch
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("the file can be written");
    }

    /// A program that stands in for clang.
    /// Another process writes the file. Were this one to, a child that another test starts at that
    /// moment would hold the file open for a while, and the kernel would not run it.
    fn script(&self, text: &str) -> PathBuf {
        let path = self.0.join("clang");
        let mut write = Command::new("sh");
        write.args(["-c", r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod 755 "$0""#]).arg(&path).arg(text);
        assert!(write.status().expect("a shell starts").success());
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quartz"));
        command.current_dir(&self.0).args(["--color=never"]).args(args).stdin(Stdio::null());
        command
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("the folder is there").flatten();
        let mut names: Vec<String> =
            entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The build fails with this status and these words, and leaves the folder as it was.
    fn fails(&self, command: &mut Command, status: i32, words: &[&str]) {
        let before = self.names();
        let found = command.output().expect("the command starts");
        let stderr = String::from_utf8_lossy(&found.stderr);
        assert_eq!(found.status.code(), Some(status), "{stderr}");
        words.iter().for_each(|it| assert!(stderr.contains(it), "lacks {it:?}: {stderr}"));
        assert_eq!(self.names(), before, "something was left behind");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Answers as clang 19 does when it is asked for its version.
const CLANG_19: &str = "if [ \"$1\" = --version ]; then echo 'clang version 19.1.7'; exit; fi";

/// Any file stands in for the runtime where it is not reached.
fn with(command: &mut Command, clang: &Path) -> Command {
    let mut with = Command::new(command.get_program());
    with.args(command.get_args()).current_dir(command.get_current_dir().expect("it was set"));
    with.env("QUARTZ_CLANG", clang).env("QUARTZ_RUNTIME", clang).stdin(Stdio::null());
    with
}

#[test]
fn no_clang() {
    let scratch = Scratch::new("no-clang");
    let build = ["build", "a.qz"];
    scratch.fails(
        scratch.command(&build).env("PATH", "/nowhere").env_remove("QUARTZ_CLANG"),
        1,
        &["QZ9005", "apt-get install clang"],
    );
    scratch.fails(
        scratch.command(&build).env("QUARTZ_CLANG", "/nowhere/clang"),
        1,
        &["QZ9005", "/nowhere/clang"],
    );
}

#[test]
fn clang_that_is_none_or_too_old() {
    let scratch = Scratch::new("garbage");
    let clang = scratch.script("echo 'no \u{1} idea'");
    scratch.fails(
        &mut with(&mut scratch.command(&["build", "a.qz"]), &clang),
        1,
        &["QZ9005", "does not say"],
    );
    let clang = scratch.script("echo 'clang version 11.0.1'");
    scratch.fails(&mut with(&mut scratch.command(&["build", "a.qz"]), &clang), 1, &["QZ9005", "version 11"]);
}

#[test]
fn clang_that_fails() {
    let scratch = Scratch::new("fails");
    scratch.file("a", "an older program");
    for (does, words) in [
        ("echo boom >&2; exit 1", "boom"),
        ("exit 3", "exit status 3"),
        ("kill -9 $$", "it was killed"),
        ("exit 0", "wrote nothing"),
        // Something that is no program.
        (
            "for last; do :; done; while [ $# -gt 1 ]; do [ \"$1\" = -o ] && echo x > \"$2\"; shift; done",
            "linked no program",
        ),
    ] {
        let clang = scratch.script(&format!("{CLANG_19}\n{does}"));
        let mut release = with(&mut scratch.command(&["build", "--release", "a.qz"]), &clang);
        scratch.fails(&mut release, 1, &["QZ9006", words]);
        // Without `--release` it only links.
        let words = if words == "wrote nothing" { "linked no program" } else { words };
        let mut debug = with(&mut scratch.command(&["build", "a.qz"]), &clang);
        scratch.fails(&mut debug, 1, &["QZ9006", words]);
    }
    let older = std::fs::read_to_string(scratch.0.join("a")).expect("it is still there");
    assert_eq!(older, "an older program");
}

/// A signal while a tool works: the build ends as the signal says, and leaves nothing.
#[test]
fn interrupted() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let scratch = Scratch::new(&format!("interrupted-{signal}"));
        // The tool waits until the test has seen that it runs, and for the signal to have come.
        let clang =
            scratch.script(&format!("{CLANG_19}\ntouch started; while [ ! -e go ]; do sleep 0.01; done"));
        let before = scratch.names();
        let mut build = with(&mut scratch.command(&["build", "--release", "a.qz"]), &clang);
        let mut child = build.stderr(Stdio::piped()).spawn().expect("the command starts");
        while !scratch.0.join("started").exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let pid = child.id().to_string();
        assert!(
            Command::new("kill").args([format!("-{signal}"), pid]).status().expect("it starts").success()
        );
        scratch.file("go", "");
        assert_eq!(child.wait().expect("it ends").code(), Some(status));
        std::fs::remove_file(scratch.0.join("started")).expect("it is there");
        std::fs::remove_file(scratch.0.join("go")).expect("it is there");
        assert_eq!(scratch.names(), before, "something was left behind");
    }
}

/// A file system without room, where one can be had: an error, and nothing half written. It is
/// mounted for the shell alone and ends with it.
#[test]
fn a_full_disk() {
    const NO_MOUNT: i32 = 77;
    let script = r#"mount -t tmpfs -o size=16k quartz-test small 2>/dev/null || exit 77
        "$0" --color=never build a.qz -o small/a; status=$?; ls -A small; exit $status"#;
    let scratch = Scratch::new("full");
    std::fs::create_dir(scratch.0.join("small")).expect("the folder can be made");
    let mut build = Command::new("unshare");
    build.args(["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_quartz")]).current_dir(&scratch.0);
    let Ok(found) = build.stdin(Stdio::null()).output() else {
        return eprintln!("not tested: there is no `unshare`");
    };
    let stderr = String::from_utf8_lossy(&found.stderr);
    if found.status.code() == Some(NO_MOUNT) || stderr.starts_with("unshare") {
        return eprintln!("not tested: no small file system can be mounted");
    }
    if stderr.contains("QZ9005") {
        return eprintln!("not tested: a linker or the runtime library is missing");
    }
    assert_eq!(found.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("QZ9007") || stderr.contains("QZ9006"), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&found.stdout), "", "something was left behind");
}

#[test]
fn outputs_that_cannot_be() {
    let scratch = Scratch::new("outputs");
    let clang = scratch.script(CLANG_19);
    let fails = |out: &str, words: &str| {
        let mut build = with(&mut scratch.command(&["build", "a.qz", "-o", out]), &clang);
        scratch.fails(&mut build, 1, &["QZ9007", words]);
    };
    fails(".", "it is a folder");
    fails("missing/a", "No such file");
    fails("a.qz/a", "Not a directory");
    fails("a.qz", "it is the program itself");
    fails("/dev/null", "not a regular file");
    std::fs::create_dir(scratch.0.join("locked")).expect("the folder can be made");
    let locked = scratch.0.join("locked");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).expect("it is ours");
    // Who may write everywhere is not stopped by permissions.
    if std::fs::write(locked.join("probe"), "").is_err() {
        fails("locked/a", "Permission denied");
    }
}

#[test]
fn no_runtime_library() {
    let scratch = Scratch::new("runtime");
    let clang = scratch.script(CLANG_19);
    let mut build = scratch.command(&["build", "a.qz"]);
    build.env("QUARTZ_CLANG", &clang).env("QUARTZ_RUNTIME", "/nowhere");
    scratch.fails(&mut build, 1, &["QZ9005", "/nowhere", "put it beside the compiler"]);
}

#[test]
fn wrong_use() {
    let scratch = Scratch::new("use");
    scratch.fails(&mut scratch.command(&["build", "a.qz", "--opt=9"]), 2, &["--opt"]);
    scratch.fails(&mut scratch.command(&["build", "a.qz", "-o", "-"]), 2, &["--emit=llvm-ir"]);
    scratch.fails(&mut scratch.command(&["a.qz", "more"]), 2, &["more"]);
}

#[test]
fn problems_of_the_program_come_first() {
    let scratch = Scratch::new("problems");
    // Without any tool.
    let build = || {
        let mut command = scratch.command(&["build", "a.qz"]);
        command.env("QUARTZ_RUNTIME", "/nowhere").env("PATH", "/nowhere");
        command
    };
    scratch.file("a.qz", "def main = nope()\n");
    scratch.fails(&mut build(), 1, &["QZ0400"]);
    scratch.file("a.qz", "def f = 1\n");
    scratch.fails(&mut build(), 1, &["QZ9004"]);
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn llvm_ir_needs_no_llvm_and_is_the_same_everywhere() {
    let scratch = Scratch::new("ir");
    let print = |args: &[&str]| {
        let mut command = scratch.command(args);
        stdout(&command.env("PATH", "/nowhere").output().expect("the command starts"))
    };
    let ir = print(&["a.qz"]);
    assert!(ir.contains("define i32 @main("), "{ir}");
    print(&["build", "--emit=llvm-ir", "a.qz"]);
    assert_eq!(std::fs::read_to_string(scratch.0.join("a.ll")).expect("it was made"), ir);
    let other = Scratch::new("ir-elsewhere");
    let again = other.command(&["a.qz"]).output().expect("the command starts");
    assert_eq!(stdout(&again), ir);
}

/// A function of many statements gives up objects by short code, which leaves their end to a function of its own.
#[test]
fn large_functions_end_no_object_in_place() {
    let scratch = Scratch::new("large");
    let ends = |vectors: usize| {
        let made = |n: usize| format!("  v{n} = [n + {n}]\n  puts(v{n}.size + n)\n");
        let body: String = (0..vectors).map(made).collect();
        scratch.file("a.qz", &format!("@inline(never)\ndef f(n: Int)\n{body}end\ndef main = f(1)\n"));
        let ir = stdout(&scratch.command(&["a.qz"]).output().expect("the command starts"));
        let function =
            ir.split("define ").find(|it| it.split('(').next().unwrap_or_default().contains("a.f."));
        let function = function.expect("there is an `f`").to_owned();
        (function.matches("Vec.destroy").count(), function.matches("@qz.release").count())
    };
    assert_eq!(ends(2).0, 2);
    let (in_place, by_call) = ends(100);
    assert_eq!(in_place, 0);
    assert!(by_call >= 100, "{by_call}");
}

/// The texts of a program's functions before an engine makes code of them, but of those that perform effects.
fn functions(mir: &str) -> Vec<&str> {
    let all = mir.split("\nfn ").skip(1).map(|it| it.split("\n}").next().unwrap_or_default());
    // Printing is an effect.
    let performs = ["the program(", "p::main", "p::more", "std::effects::"];
    all.filter(|it| !performs.iter().any(|start| it.starts_with(start))).collect()
}

#[test]
fn code_that_performs_no_effect_is_what_it_is_without_effects() {
    const PLAIN: &str = r##"
struct Account
  name: String
  moves: Vec<Int>

  def total(self): Int = self.moves.sum()
end

@inline(never)
def describe(account: Account): String
  parts = account.moves.map { "#{it}" }
  "#{account.name}: #{parts.join(", ")} = #{account.total()}"
end

@inline(never)
def each_of(accounts: Vec<Account>, f: Fn(Account): String): String
  accounts.filter { it.total() > 1 }.map { f(it) }.join("\n")
end

def main
  puts(each_of([Account { name: "a", moves: [1, 2, 3] }]) { describe(it) })
  puts(more())
end

@inline(never)
"##;
    const WITHOUT: &str = "def more(): Int = 7\n";
    const WITH: &str = r##"def more(): Int
  quiet = handler Audit
    def note(text) = resume(text.size)
  end
  counted = handler Audit
    def note(text)
      rest = resume(1)
      rest + 1
    end
  end
  with quiet do audited(3) end + with counted do audited(4) end
end

effect Audit
  def note(text: String): Int
end

def audited(n: Int): Int = note("at #{n}") + n
"##;
    let scratch = Scratch::new("no-effects");
    let mir = |name: &str, text: String| {
        scratch.file(name, &text);
        stdout(&scratch.command(&["run", "--emit=mir-opt", name]).output().expect("the command starts"))
    };
    let plain = mir("p.qz", format!("{PLAIN}{WITHOUT}"));
    let both = mir("p.qz", format!("{PLAIN}{WITH}"));
    let (plain, both) = (functions(&plain), functions(&both));
    assert!(plain.iter().any(|it| it.starts_with("p::describe(")), "{plain:?}");
    assert!(both.len() > plain.len());
    plain.iter().for_each(|it| assert!(both.contains(it), "is another with effects elsewhere:\n{it}"));
}

/// Builds with what is installed; nothing if something is not.
fn built(scratch: &Scratch, args: &[&str]) -> Option<Output> {
    let output = scratch.command(args).output().expect("the command starts");
    let missing = String::from_utf8_lossy(&output.stderr).contains("QZ9005");
    if missing {
        eprintln!("not tested: {}", String::from_utf8_lossy(&output.stderr));
    }
    (!missing).then_some(output)
}

#[test]
fn every_kind_of_output() {
    let scratch = Scratch::new("kinds");
    for (flags, starts) in [
        (&["--emit=asm", "-o", "a.s"][..], "\t"),
        (&["--emit=obj", "-o", "a.o"], "\u{7f}ELF"),
        (&["--emit=obj", "--opt=s", "-o", "again.o"], "\u{7f}ELF"),
        (&["-o", "program"], "\u{7f}ELF"),
        (&["--release", "--strip", "-o", "program"], "\u{7f}ELF"),
        (&["--opt=3", "--target-cpu=native", "-o", "program"], "\u{7f}ELF"),
        (&["--static", "-o", "program"], "\u{7f}ELF"),
    ] {
        let Some(output) = built(&scratch, &[&["build", "a.qz"], flags].concat()) else { return };
        stdout(&output);
        let to = scratch.0.join(flags.last().expect("the output comes last"));
        let made = std::fs::read(&to).expect("it was made");
        assert!(made.starts_with(starts.as_bytes()), "{flags:?}");
        if flags.last() == Some(&"program") {
            assert_eq!(stdout(&Command::new(&to).output().expect("it starts")), "42\n");
        }
    }
    assert_eq!(scratch.names(), ["a.o", "a.qz", "a.s", "again.o", "program"]);
}

/// What only LLVM can do is not passed over without it.
#[test]
fn options_for_llvm_ask_for_llvm() {
    let scratch = Scratch::new("options");
    let clang = scratch.script(&format!("{CLANG_19}\necho \"$*\" >&2; exit 1"));
    let clang_is_told = [("--target-cpu=some-cpu", "some-cpu"), ("--sanitize=address", "-fsanitize=address")];
    for (option, passed) in clang_is_told {
        let mut build = with(&mut scratch.command(&["build", option, "a.qz"]), &clang);
        scratch.fails(&mut build, 1, &["QZ9006", "cannot compile", passed]);
    }
    for kind in ["address", "thread"] {
        let sanitize = format!("--sanitize={kind}");
        let ir = scratch.command(&["build", &sanitize, "--emit=llvm-ir", "-o", "-", "a.qz"]).output();
        assert!(stdout(&ir.expect("the command starts")).contains(&format!(" sanitize_{kind}")));
    }
    // The usual runtime changes stacks without a word to the thread sanitizer.
    let mut build = with(&mut scratch.command(&["build", "--sanitize=thread", "a.qz"]), &clang);
    scratch.fails(&mut build, 1, &["QZ9005", "is not built for the thread sanitizer", "QUARTZ_RUNTIME"]);
}

/// A large program is compiled in parts.
#[test]
fn large_programs_have_several_parts() {
    let scratch = Scratch::new("parts");
    let large = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/pebble.qz");
    scratch.file("large.qz", &std::fs::read_to_string(large).expect("part of the project"));
    let wrote = "for last; do :; done; echo x > \"$last\"; echo part >> parts";
    for (file, several) in [("a.qz", false), ("large.qz", true)] {
        let clang =
            scratch.script(&format!("{CLANG_19}\ncase \"$*\" in *'-x ir'*) {wrote};; *) exit 1;; esac"));
        let mut build = with(&mut scratch.command(&["build", "--release", file]), &clang);
        build.output().expect("the command starts");
        let parts = std::fs::read_to_string(scratch.0.join("parts")).expect("clang was called");
        assert_eq!(parts.lines().count() > 1, several, "{file}: {parts}");
        std::fs::remove_file(scratch.0.join("parts")).expect("it is there");
    }
}

#[test]
fn the_same_program_is_the_same_bytes() {
    let (one, other) = (Scratch::new("bytes"), Scratch::new("bytes-elsewhere"));
    // A large program is made in several parts.
    let large = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/pebble.qz");
    let large = std::fs::read_to_string(large).expect("part of the project");
    [&one, &other].iter().for_each(|scratch| scratch.file("large.qz", &large));
    let make = |scratch: &Scratch, args: &[&str]| {
        let output = built(scratch, &[&["build", "-o", "made"], args].concat())?;
        stdout(&output);
        Some(std::fs::read(scratch.0.join("made")).expect("it was made"))
    };
    for args in [&["a.qz"][..], &["large.qz"], &["--release", "a.qz"], &["--release", "large.qz"]] {
        let (Some(a), Some(b)) = (make(&one, args), make(&other, args)) else { return };
        assert!(a == b, "{args:?}: two folders, two programs");
    }
}

/// The move generator agrees with the numbers of the literature to depth 4: 10,746,440 positions.
#[test]
fn chess_to_depth_four() {
    let scratch = Scratch::new("chess");
    let chess = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/chess.qz");
    scratch.file("chess.qz", &std::fs::read_to_string(chess).expect("part of the project"));
    if built(&scratch, &["build", "--release", "chess.qz"]).is_none() {
        return;
    }
    let output = Command::new(scratch.0.join("chess")).arg("4").output().expect("it was made");
    let told = stdout(&output);
    assert!(output.status.success() && told.contains("  4: 4085603\n"), "{told}");
}

#[test]
fn a_runtime_library_of_another_compiler() {
    let scratch = Scratch::new("abi");
    // The installed clang, which gets a program that another compiler could have made.
    let clang = scratch.script(
        "for n in 22 21 20 19 18 17 16 15; do command -v clang-$n >/dev/null && break; done\n\
         case \"$*\" in\n\
         *'-x ir'*) sed 's/{ i64 [0-9-]*, ptr @qz.run/{ i64 1, ptr @qz.run/' | clang-$n \"$@\" ;;\n\
         *) exec clang-$n \"$@\" ;;\n\
         esac",
    );
    let mut command = scratch.command(&["build", "--release", "a.qz"]);
    let built = command.env("QUARTZ_CLANG", clang).output().expect("the command starts");
    if String::from_utf8_lossy(&built.stderr).contains("QZ9005") {
        return eprintln!("not tested: clang or the runtime library is missing");
    }
    stdout(&built);
    let ran = Command::new(scratch.0.join("a")).output().expect("it starts");
    assert_eq!(ran.status.code(), Some(70));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("another compiler"));
    assert!(ran.stdout.is_empty());
}

#[test]
fn a_stripped_program_is_small() {
    let scratch = Scratch::new("small");
    let Some(output) = built(&scratch, &["build", "--release", "--strip", "a.qz"]) else { return };
    stdout(&output);
    let size = scratch.0.join("a").metadata().expect("it was made").len();
    // The runtime is larger in a debug build of the compiler.
    let most = if cfg!(debug_assertions) { 750_000 } else { 600_000 };
    assert!(size < most, "{size} bytes");
}

#[test]
fn a_foreign_function_that_no_library_has() {
    let scratch = Scratch::new("symbols");
    scratch.file(
        "a.qz",
        "extern \"C\" def no_such_function(n: Int): Int\n\ndef main = puts(unsafe do no_such_function(1) end)\n",
    );
    let Some(output) = built(&scratch, &["build", "a.qz"]) else { return };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("QZ9008") && stderr.contains("a.qz:1:"), "{stderr}");
    assert_eq!(scratch.names(), ["a.qz"]);
}

/// The runtime library, where cargo keeps it beside the compiler.
fn runtime() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_quartz")).parent().expect("in a folder").join("deps");
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("libqz_rt_native-") && name.ends_with(".a")
    };
    let all = std::fs::read_dir(folder).expect("the folder is there").flatten().map(|it| it.path());
    all.filter(is_one).max_by_key(|it| it.metadata().and_then(|it| it.modified()).ok()).expect("it was built")
}

const PARTS: [(&str, &str); 2] = [
    (
        "a.qz",
        "import shapes\n\ndef main\n  total = shapes::sum([shapes::Shape::Dot, shapes::Shape::Box(2, 3)])\n  puts(total)\nend\n",
    ),
    (
        "shapes.qz",
        "enum Shape\n  Dot\n  Box(Int, Int)\nend\n\ndef sum(all: Vec<Shape>): Int\n  var total = 0\n  for s in all\n    total += match s\n      Shape::Dot => 1\n      Shape::Box(w, h) => if h == 0 then total else w * h + sum([Shape::Dot]) end\n    end\n  end\n  total\nend\n",
    ),
];

#[test]
fn an_object_for_each_module() {
    let scratch = Scratch::new("separate");
    PARTS.iter().for_each(|(name, text)| scratch.file(name, text));
    let built =
        scratch.command(&["build", "--separate", "--emit=obj", "--release", "-o", "parts", "a.qz"]).output();
    let built = built.expect("the command starts");
    let stderr = String::from_utf8_lossy(&built.stderr);
    if stderr.contains("QZ9005") {
        return;
    }
    assert!(built.status.success(), "{stderr}");
    let mut objects: Vec<PathBuf> = std::fs::read_dir(scratch.0.join("parts"))
        .expect("it was made")
        .flatten()
        .map(|it| it.path())
        .collect();
    objects.sort();
    let names: Vec<String> =
        objects.iter().map(|it| it.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect();
    assert!(names.contains(&"shapes.o".to_owned()) && names.contains(&"(program).o".to_owned()), "{names:?}");
    let mut link = Command::new("cc");
    link.args(&objects).arg(runtime()).args(["-lm", "-lpthread", "-ldl", "-o"]).arg(scratch.0.join("linked"));
    assert!(link.status().expect("a C compiler is there").success());
    let ran = Command::new(scratch.0.join("linked")).output().expect("the program starts");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "8\n");
}

#[test]
fn llvm_ir_for_each_module() {
    let scratch = Scratch::new("separate-ir");
    PARTS.iter().for_each(|(name, text)| scratch.file(name, text));
    let built = scratch.command(&["build", "--separate", "a.qz"]).output().expect("the command starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let text = std::fs::read_to_string(scratch.0.join("a.parts/shapes.ll")).expect("it was made");
    assert!(text.contains("define") && text.contains("shapes"), "{text}");
    scratch.fails(&mut scratch.command(&["build", "--separate", "--emit=asm", "a.qz"]), 2, &["--emit=obj"]);
}

#[test]
fn dependencies_are_told() {
    let scratch = Scratch::new("deps");
    PARTS.iter().for_each(|(name, text)| scratch.file(name, text));
    let built =
        scratch.command(&["build", "--emit-deps", "-o", "a out", "a.qz"]).output().expect("it starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let rule = std::fs::read_to_string(scratch.0.join("a out.d")).expect("it was made");
    assert_eq!(rule, "a\\ out: a.qz shapes.qz\n\nshapes.qz:\n");
    let text = std::fs::read_to_string(scratch.0.join("a out.deps.json")).expect("it was made");
    let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(value["files"][1]["path"], "shapes.qz");
    assert_eq!(value["target"], "a out");
}

/// What is built already is left as it is, but only that.
#[test]
fn outputs_that_are_there_are_not_made_again() {
    let scratch = Scratch::new("again");
    let made = scratch.0.join("out");
    let builds = |more: &[&str]| -> bool {
        let args = [&["build", "a.qz", "-o", "out", "--explain-cache"], more].concat();
        let mut command = scratch.command(&args);
        let output = command.env("QUARTZ_CACHE_DIR", scratch.0.join("cache")).output().expect("it starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        !stderr.lines().any(|it| it.starts_with("(the output)") && it.ends_with("reused"))
    };
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    assert!(builds(&[]));
    if !made.exists() {
        return;
    }
    let says_what_it_read = !builds(&[]);
    // Linkers that do not say what they read are asked again each time.
    if !says_what_it_read {
        return;
    }
    let file = std::fs::File::options().write(true).open(&made).expect("it is there");
    file.set_modified(old).expect("its time can be changed");
    drop(file);
    assert!(!builds(&[]));
    let time = made.metadata().and_then(|it| it.modified()).expect("it has a time");
    assert!(time > old, "it is as new as if it had been made");
    for (what, spoil) in [
        ("gone", Box::new(|| std::fs::remove_file(&made)) as Box<dyn Fn() -> std::io::Result<()>>),
        ("other bytes", Box::new(|| std::fs::write(&made, "other"))),
        ("may not be run", Box::new(|| std::fs::set_permissions(&made, PermissionsExt::from_mode(0o644)))),
        ("another text", Box::new(|| std::fs::write(scratch.0.join("a.qz"), "def main = puts(43)\n"))),
    ] {
        spoil().expect("it can be spoilt");
        assert!(builds(&[]), "{what}");
        let found = Command::new(&made).output().expect("it runs");
        assert_eq!(stdout(&found), if what == "another text" { "43\n" } else { "42\n" });
        assert!(!builds(&[]), "after it was {what}");
    }
    assert!(builds(&["--leaks"]));
    assert!(builds(&[]), "what is there was built otherwise");
    assert!(builds(&["--emit-deps"]), "more is asked for");
    assert!(!builds(&[]), "the file is the same");
}

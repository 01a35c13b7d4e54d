//! What files and processes show of C: libraries and headers for C programs, calls from threads that C made, panics
//! that come to C, and what is said when a library or a function is missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A fresh folder, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("quartz-foreign-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Scratch(folder)
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("the file can be written");
    }

    fn quartz(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quartz"));
        command.current_dir(&self.0).arg("--color=never").args(args).stdin(Stdio::null());
        command.output().expect("the command starts")
    }

    /// Builds; false if something is not installed.
    fn built(&self, args: &[&str]) -> bool {
        let found = self.quartz(&[&["build"], args].concat());
        let words = stderr(&found);
        if words.contains("QZ9005") {
            eprintln!("not tested: {words}");
            return false;
        }
        assert!(found.status.success(), "{words}");
        true
    }

    /// Compiles by the system's C compiler; false if there is none.
    fn compiled(&self, args: &[&str]) -> bool {
        let names = (15..=22).rev().map(|n| format!("clang-{n}")).chain(["clang".into(), "cc".into()]);
        for name in names {
            let found = Command::new(name).current_dir(&self.0).args(args).stdin(Stdio::null()).output();
            if let Ok(found) = found {
                assert!(found.status.success(), "{}", stderr(&found));
                return true;
            }
        }
        eprintln!("not tested: there is no C compiler");
        false
    }

    fn run(&self, name: &str, args: &[&str]) -> Output {
        let mut command = Command::new(self.0.join(name));
        command.current_dir(&self.0).args(args).env("LD_LIBRARY_PATH", &self.0).stdin(Stdio::null());
        command.output().expect("it starts")
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("the folder is there").flatten();
        let mut names: Vec<String> =
            entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Both commands fail with these words, and leave the folder as it was.
    fn fails(&self, words: &[&str]) {
        let before = self.names();
        for args in [&["run", "a.qz"][..], &["build", "a.qz"], &["build", "--release", "a.qz"]] {
            let found = self.quartz(args);
            let said = stderr(&found);
            if said.contains("QZ9005") {
                eprintln!("not tested: {said}");
                continue;
            }
            assert_eq!(found.status.code(), Some(1), "{args:?}: {said}");
            words.iter().for_each(|it| assert!(said.contains(it), "{args:?} lacks {it:?}: {said}"));
            assert_eq!(self.names(), before, "something was left behind");
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{:?}: {}", output.status, stderr(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const LIBRARY: &str = r#"
import Atomic, Mutex from std/sync

var calls = Atomic.new(0)
var longest = Mutex.new("")

@task_local
var lines: Vec<Int> = []

@value
@repr(C)
struct Point
  x: CDouble
  y: CDouble
end

@value
@repr(C)
struct Named
  name: Ptr<CChar>
  points: (Point, Point)
  tag: (U8, U8, U8)
end

newtype Handle = CPtr

@repr(C)
enum Turn
  Left = -1
  Ahead
  Right
end

@repr(u8)
enum Level
  Low = 1
  High = 200
end

@value
@repr(C)
struct Step
  level: Level
  turn: Turn
end

extern "C" def turned(step: Step, by: Turn, level: Level): Step
  turn = match (step.turn, by)
    (it, Ahead) | (Ahead, it) => it
    (Left, Right) | (Right, Left) => Turn::Ahead
    (it, _) => it
  end
  Step { turn, level: if level == step.level then level else Level::High end }
end
extern "C" def level_of(turn: Turn): Level = if turn is Left then Low else High end
extern "C" def turns(level: Level, each: CFn<Fn(Level, Turn): Turn>): Turn = unsafe do each.call(level, Turn::Left) end

def checked(n: Int): Int = 100 / n

extern "C" def scaled(p: Point, by: CFloat): Point = Point { x: p.x * (by as F64), y: p.y * (by as F64) }
extern "C" def first_of(named: Named): Point = named.points.0
extern "C" def each(n: CInt, f: CFn<Fn(CInt, CPtr): Bool>, user: CPtr): Bool = f.null?
extern "C" def divided(n: CLong): CLong = checked(n)
extern "C" def greet(name: Ptr<CChar>)
  puts("hello #{unsafe do name.text_lossy end}")
end
extern "C" def count_words(text: Ptr<CChar>): CSize
  words = unsafe do text.text_lossy end.split(" ").filter { not it.empty? }
  calls.fetch_add(1)
  lines.push(1)
  longest.update { if it.size < words.size then words[0] else it end }
  words.size as CSize
end
extern "C" def calls_so_far: CLong = calls.load() + longest.get().size + lines.size
@link_name("renamed_function")
extern "C" def renamed(default: Handle): Handle = default
extern "C" def order(a: Ptr<CInt>, b: Ptr<CInt>): CInt = unsafe do a.read() - b.read() end
"#;

const CALLER: &str = r#"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "points.h"

static void *in_thread(void *unused) {
    char text[] = "four words of text";
    for (int i = 0; i < 1000; i++)
        if (count_words(text) != 4) return 0;
    return text == unused ? 0 : (void *)1;
}

static Turn turn_of(Level level, Turn turn) { return level == Level_High && turn == Turn_Left ? Turn_Right : Turn_Ahead; }

int main(int argc, char **argv) {
    Step step = turned((Step){Level_Low, Turn_Left}, Turn_Ahead, Level_High);
    printf("%d %d %zu\n", step.level, step.turn, sizeof step);
    printf("%d %d %d %d\n", level_of(Turn_Left), level_of(Turn_Right), turns(Level_High, turn_of), turns(Level_Low, turn_of));
    Point p = scaled((Point){1.5, -2}, 2);
    printf("%g %g\n", p.x, p.y);
    Named named = {"n", {{3, 4}, {5, 6}}, {1, 2, 3}};
    p = first_of(named);
    printf("%g %g\n", p.x, p.y);
    printf("%d %d\n", each(1, 0, 0), each(1, (bool (*)(int32_t, void *))main, 0));
    fflush(stdout);
    greet("C");
    printf("%ld\n", (long)divided(3));
    int here;
    printf("%d\n", renamed_function(&here) == &here);
    int xs[] = {3, 1, 2};
    qsort(xs, 3, sizeof *xs, (int (*)(const void *, const void *))order);
    printf("%d %d %d\n", xs[0], xs[1], xs[2]);
    pthread_t threads[4];
    int fine = 0;
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, in_thread, 0);
    for (int i = 0; i < 4; i++) { void *result; pthread_join(threads[i], &result); fine += result != 0; }
    printf("%d\n", fine);
    printf("%ld\n", (long)calls_so_far());
    fflush(stdout);
    if (argc > 1) divided(0);
    return 0;
}
"#;

const CALLED: &str = "200 -1 8\n1 200 1 0\n3 -4\n3 4\n1 0\nhello C\n33\n1\n1 2 3\n4\n4004\n";

#[test]
fn c_programs_use_libraries_made_of_quartz() {
    let scratch = Scratch::new("library");
    scratch.file("points.qz", LIBRARY);
    scratch.file("main.c", CALLER);
    for level in [&[][..], &["--release"]] {
        for kind in ["lib", "shared"] {
            let emit = format!("--emit={kind}");
            if !scratch.built(&[level, &[&emit, "points.qz"]].concat())
                || !scratch.built(&["--emit=header", "points.qz"])
            {
                return;
            }
            let library = if kind == "lib" { "libpoints.a" } else { "./libpoints.so" };
            let flags = ["-Wall", "-Werror", "main.c", library, "-lpthread", "-ldl", "-lm", "-o", "main"];
            if !scratch.compiled(&flags) {
                return;
            }
            assert_eq!(stdout(&scratch.run("main", &[])), CALLED, "{level:?} {kind}");
            let failed = scratch.run("main", &["fail"]);
            assert_eq!(failed.status.code(), None, "it aborts");
            assert_eq!(String::from_utf8_lossy(&failed.stdout), CALLED);
            let words = stderr(&failed);
            for part in
                ["panic: division by zero", "points::checked (points.qz:", "C called `points::divided`"]
            {
                assert!(words.contains(part), "{level:?} {kind} lacks {part}: {words}");
            }
        }
    }
}

#[test]
fn headers_say_what_c_needs_to_know() {
    let scratch = Scratch::new("header");
    scratch.file("points.qz", LIBRARY);
    let header = stdout(&scratch.quartz(&["build", "--emit=header", "-o", "-", "points.qz"]));
    for line in [
        "#ifndef QUARTZ_POINTS_H",
        "typedef struct Point Point;",
        "    Point points[2];",
        "    uint8_t tag[3];",
        "typedef enum Turn {",
        "    Turn_Left = -1,",
        "} Turn;",
        "typedef uint8_t Level;",
        "    Level_High = 200,",
        "Step turned(Step step, Turn by, Level level);",
        "Point scaled(Point p, float by);",
        "bool each(int32_t n, bool (*f)(int32_t, void *), void *user);",
        "void greet(char *name);",
        "void *renamed_function(void *default_);",
        "extern \"C\" {",
    ] {
        assert!(header.lines().any(|it| it == line), "lacks {line}: {header}");
    }
    assert_eq!(scratch.names(), ["points.qz"]);
    scratch.file("a.qz", "def main = ()\n");
    for emit in ["--emit=header", "--emit=lib", "--emit=shared"] {
        let found = scratch.quartz(&["build", emit, "a.qz"]);
        assert_eq!(found.status.code(), Some(1));
        assert!(stderr(&found).contains("QZ9004"), "{}", stderr(&found));
    }
    assert_eq!(scratch.names(), ["a.qz", "points.qz"]);
}

#[test]
fn objects_of_quartz_and_c_make_a_program() {
    let scratch = Scratch::new("objects");
    scratch.file(
        "a.qz",
        "@link(\"./twice.o\")\nextern \"C\" def twice_by_c(n: CInt): CInt\n\nextern \"C\" def by_quartz(n: CInt): CInt = n * 10\n\n\
         def main = puts(unsafe do twice_by_c(4) end)\n",
    );
    scratch.file("twice.c", "int by_quartz(int n);\nint twice_by_c(int n) { return 2 * by_quartz(n); }\n");
    if !scratch.compiled(&["-c", "twice.c"]) {
        return;
    }
    for level in [&["a.qz", "-o", "a"][..], &["--release", "a.qz", "-o", "a"]] {
        if !scratch.built(level) {
            return;
        }
        assert_eq!(stdout(&scratch.run("a", &[])), "80\n");
    }
}

/// Large programs are compiled in parts, and functions for C are used from all of them.
#[test]
fn functions_for_c_in_a_program_of_several_parts() {
    let scratch = Scratch::new("parts");
    let mut text = String::from(
        "extern \"C\" def qsort(data: Ptr<CInt>, n: CSize, size: CSize, order: CFn<Fn(Ptr<CInt>, Ptr<CInt>): CInt>)\n\
         extern \"C\" def shared(a: Ptr<CInt>, b: Ptr<CInt>): CInt = unsafe do a.read() - b.read() end\n",
    );
    let count = 70;
    for f in 0..count {
        let steps: String = (0..22)
            .map(|n| format!("  total = total &* {} &+ x / {} - (total % {})\n", n + 3, n + f + 1, n + 7))
            .collect();
        text += &format!(
            "@inline(never)\ndef f{f}(x: Int): Int\n  var total = x\n{steps}  xs: Vec<CInt> = [3, 1, 2]\n  unsafe do\n    \
             qsort(xs.ptr, 3, 4, c_fn(shared))\n    qsort(xs.ptr, 3, 4, c_fn(g{f}))\n  end\n  total + xs[0] as Int\nend\n\
             def g{f}(a: Ptr<CInt>, b: Ptr<CInt>): CInt = unsafe do (a.read() - b.read()) * {} end\n",
            f % 2 * 2 - 1
        );
    }
    let calls: String = (0..count).map(|f| format!("  sum = sum &+ f{f}({f})\n")).collect();
    text += &format!("def main\n  var sum = 0\n{calls}  puts(sum)\nend\n");
    scratch.file("a.qz", &text);
    let expected = stdout(&scratch.quartz(&["run", "a.qz"]));
    for level in [&["a.qz", "-o", "a"][..], &["--opt=1", "a.qz", "-o", "a"]] {
        if scratch.built(level) {
            assert_eq!(stdout(&scratch.run("a", &[])), expected);
        }
    }
}

#[test]
fn a_panic_that_comes_to_c_ends_the_program() {
    let scratch = Scratch::new("panic");
    scratch.file(
        "a.qz",
        "extern \"C\" def qsort(data: Ptr<CInt>, n: CSize, size: CSize, order: CFn<Fn(Ptr<CInt>, Ptr<CInt>): CInt>)\n\n\
         def compare(a: Ptr<CInt>, b: Ptr<CInt>): CInt = panic(\"no order\")\n\n\
         def main\n  xs: Vec<CInt> = [1, 2]\n  puts(\"before\")\n  unsafe do qsort(xs.ptr, 2, 4, c_fn(compare)) end\nend\n",
    );
    let check = |found: Output| {
        assert_eq!(found.status.code(), None, "it aborts");
        assert_eq!(String::from_utf8_lossy(&found.stdout), "before\n");
        let words = stderr(&found);
        for part in ["panic: no order", "a.qz:3:", "C called `a::compare`, and a panic cannot pass through C"]
        {
            assert!(words.contains(part), "lacks {part}: {words}");
        }
    };
    check(scratch.quartz(&["run", "a.qz"]));
    check(scratch.quartz(&["run", "--unoptimised", "a.qz"]));
    for level in [&["a.qz", "-o", "a"][..], &["--release", "a.qz", "-o", "a"]] {
        if scratch.built(level) {
            check(scratch.run("a", &[]));
        }
    }
}

#[test]
fn recursion_by_way_of_c_is_a_stack_overflow() {
    let scratch = Scratch::new("recursion");
    scratch.file(
        "a.qz",
        "extern \"C\" def qsort(data: Ptr<CInt>, n: CSize, size: CSize, order: CFn<Fn(Ptr<CInt>, Ptr<CInt>): CInt>)\n\n\
         def sort(xs: Vec<CInt>) = unsafe do qsort(xs.ptr, 2, 4, c_fn(compare)) end\n\
         def compare(_a: Ptr<CInt>, _b: Ptr<CInt>): CInt\n  sort([2, 1])\n  0\nend\n\n\
         def main\n  xs: Vec<CInt> = [1, 2]\n  sort(xs)\nend\n",
    );
    let check = |found: Output| {
        let words = stderr(&found);
        assert_eq!(found.status.code(), None, "{words}");
        for part in ["panic: stack overflow", "C called `a::compare`"] {
            assert!(words.contains(part), "lacks {part}: {words}");
        }
    };
    check(scratch.quartz(&["run", "a.qz"]));
    for level in [&["a.qz", "-o", "a"][..], &["--release", "a.qz", "-o", "a"]] {
        if scratch.built(level) {
            check(scratch.run("a", &[]));
        }
    }
}

#[test]
fn c_that_needs_more_stack_than_there_is_says_so_and_can_have_more() {
    let scratch = Scratch::new("deep");
    scratch.file(
        "deep.c",
        "int deep(int n) {\n    volatile char bytes[1024];\n    bytes[n % 1024] = 1;\n    \
         return n == 0 ? 0 : deep(n - 1) + bytes[n % 1024];\n}\n",
    );
    if !scratch.compiled(&["-shared", "-fPIC", "deep.c", "-o", "libdeep.so"]) {
        return;
    }
    scratch.file(
        "a.qz",
        "@link(\"deep\")\nextern \"C\" def deep(n: CInt): CInt\n\n\
         def more(): CInt = unsafe do deep(4_000) end\n\n\
         def main\n  puts(await go unsafe do deep(50) end)\n  puts(await go(stack: 8_000_000) more())\n  flush()\n  \
         puts(await go more())\nend\n",
    );
    let check = |found: Output| {
        let words = stderr(&found);
        assert_eq!((found.status.code(), &*found.stdout), (Some(101), &b"50\n4000\n"[..]), "{words}");
        for part in ["panic: stack overflow in code that does not check", "`go(stack: 8_000_000) …`"] {
            assert!(words.contains(part), "lacks {part}: {words}");
        }
    };
    check(scratch.quartz(&["run", "-L", ".", "a.qz"]));
    for level in [&["-L", ".", "a.qz", "-o", "a"][..], &["-L", ".", "--release", "a.qz", "-o", "a"]] {
        if scratch.built(level) {
            check(scratch.run("a", &[]));
        }
    }
}

#[test]
fn what_is_missing_is_told_where_it_was_declared() {
    let scratch = Scratch::new("missing");
    scratch.file(
        "a.qz",
        "@link(\"nosuchlibrary\")\nextern \"C\" def f(): CInt\n\ndef main = puts(unsafe do f() end)\n",
    );
    scratch.fails(&["QZ9009", "`nosuchlibrary` is missing", "a.qz:1:1"]);
    scratch.file(
        "a.qz",
        "@link(\"./nosuch.so\")\nextern \"C\" def f(): CInt\n\ndef main = puts(unsafe do f() end)\n",
    );
    scratch.fails(&["QZ9009", "nosuch.so", "a.qz:1:1"]);
    scratch.file(
        "a.qz",
        "extern \"C\"\n  def no_such_one(): CInt\n  @link_name(\"no_such_symbol\")\n  def other(): CInt\n  def unused_and_missing()\nend\n\n\
         def main = puts(unsafe do no_such_one() + other() end)\n",
    );
    scratch.fails(&[
        "QZ9008",
        "no library has a function `no_such_one`",
        "a.qz:2:",
        "no library has a function `no_such_symbol`",
        "a.qz:4:",
    ]);
    scratch.file("text.so", "this is no library\n");
    scratch.file(
        "a.qz",
        "@link(\"./text.so\")\nextern \"C\" def f(): CInt\n\ndef main = puts(unsafe do f() end)\n",
    );
    let found = scratch.quartz(&["run", "a.qz"]);
    assert_eq!(found.status.code(), Some(1));
    assert!(stderr(&found).contains("QZ9009"), "{}", stderr(&found));
}

#[test]
fn libraries_are_found_where_the_command_says() {
    let scratch = Scratch::new("folders");
    std::fs::create_dir(scratch.0.join("deep")).expect("the folder can be made");
    scratch.file("three.c", "int three(void) { return 3; }\n");
    if !scratch.compiled(&["-shared", "-fPIC", "three.c", "-o", "deep/libthree.so"]) {
        return;
    }
    let text = |link: &str| {
        format!(
            "@link(\"{link}\")\nextern \"C\" def three(): CInt\n\ndef main = puts(unsafe do three() end)\n"
        )
    };
    scratch.file("a.qz", &text("three"));
    assert_eq!(stdout(&scratch.quartz(&["run", "-L", "deep", "a.qz"])), "3\n");
    assert_eq!(scratch.quartz(&["run", "a.qz"]).status.code(), Some(1));
    // A path is seen from the file it stands in, wherever the command runs.
    scratch.file("deep/a.qz", &text("./libthree.so"));
    assert_eq!(stdout(&scratch.quartz(&["run", "deep/a.qz"])), "3\n");
    if scratch.built(&["deep/a.qz", "-o", "by_path"]) {
        assert_eq!(stdout(&scratch.run("by_path", &[])), "3\n");
    }
}

#[test]
fn who_cannot_call_c_says_so() {
    let scratch = Scratch::new("refused");
    scratch.file("a.qz", "extern \"C\" def abs(n: CInt): CInt\n\ndef main = puts(unsafe do abs(-2) end)\n");
    let found = scratch.quartz(&["run", "--engine=interp", "a.qz"]);
    assert_eq!(found.status.code(), Some(1));
    let words = stderr(&found);
    assert!(words.contains("QZ9010") && words.contains("a.qz:1:"), "{words}");
    scratch.file(
        "a.qz",
        "extern \"C\" def abs(n: CInt): CInt\n\ndef two(): CInt = unsafe do abs(-2) end\nconst N = two()\n\ndef main = puts(N)\n",
    );
    let found = scratch.quartz(&["run", "a.qz"]);
    assert_eq!(found.status.code(), Some(1));
    let words = stderr(&found);
    assert!(words.contains("QZ0700") && words.contains("it calls the C function `abs`"), "{words}");
}

#[test]
fn a_closed_library_keeps_its_words_to_itself() {
    // What a shared library of Quartz shows is what its functions for C are called, and nothing of the runtime.
    let scratch = Scratch::new("symbols");
    scratch.file("points.qz", LIBRARY);
    if !scratch.built(&["--release", "--emit=shared", "points.qz"]) || !Path::new("/usr/bin/nm").exists() {
        return;
    }
    let found =
        Command::new("nm").args(["-D", "--defined-only", "libpoints.so"]).current_dir(&scratch.0).output();
    let text = stdout(&found.expect("it starts"));
    assert!(text.contains(" T scaled"), "{text}");
    assert!(!text.contains("qz_"), "{text}");
}

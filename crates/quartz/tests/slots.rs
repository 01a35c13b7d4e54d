//! Is an operator or macro expanded and run wherever an expression may stand? The list of places comes from the
//! definition of the nodes: a field that may hold an expression and has neither a program here nor a reason why
//! there can be none fails the test, and so does an entry for a field that is not there any more.
//!
//! A program is a function whose body has a hole `@` for a whole number (`@@` where no counter is at hand). The hole is filled with `f(1)!`,
//! `f(1)?`, `try f(1)`, `$unwrap(f(1))`, `$try(f(1))`, `$debug(g(1))` and a block with an `$assert`; `f` and `g`
//! count their calls. All programs of one form are one program; it runs on both engines and prints a line for
//! each place: how often the hole ran, and the function's value. Then everything runs again with `f` failing.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use qz_syntax::ast::NODE_FIELDS;

mod slots {
    pub(crate) mod table;
}

use slots::table::{Case, NONE, TABLE};

/// A way to write the hole.
struct Form {
    name: &'static str,
    text: &'static str,
    /// It leaves the function when there is no value.
    leaves: bool,
}

const FORMS: &[Form] = &[
    Form { name: "unwrap", text: "f(c)!", leaves: false },
    Form { name: "unwrap_macro", text: "$unwrap(f(c))", leaves: false },
    Form { name: "debug_macro", text: "$debug(g(c))", leaves: false },
    Form { name: "assert_macro", text: "(if true; $assert(g(c) == 1); 1 else 2 end)", leaves: false },
    Form { name: "user_macro", text: "$once(f(c))", leaves: false },
    Form { name: "user_macro_of_statements", text: "$steps(f(c))", leaves: false },
    Form { name: "user_macro_in_macros", text: "$outer(f(c))", leaves: false },
    Form { name: "user_macro_that_leaves", text: "$leave(f(c))", leaves: true },
    Form { name: "question", text: "f(c)?", leaves: true },
    Form { name: "try_word", text: "(try f(c))", leaves: true },
    Form { name: "try_macro", text: "$try(f(c))", leaves: true },
];

/// Whether a field's declaration lets an expression stand there.
fn holds_expr(how: &str) -> bool {
    let words: Vec<&str> = how.split(|c: char| !c.is_alphanumeric()).collect();
    !how.starts_with("token") && words.iter().any(|word| matches!(*word, "Expr" | "Arg" | "Stmt"))
}

#[test]
fn every_slot_of_the_grammar_is_covered() {
    let mut wanted: BTreeMap<String, bool> = BTreeMap::new();
    for &(node, field, how) in NODE_FIELDS {
        if holds_expr(how) {
            wanted.insert(format!("{node}.{field}"), false);
        }
    }
    let mut problems = Vec::new();
    let named = TABLE.iter().map(|case| case.slot).chain(NONE.iter().map(|it| it.0));
    for name in named {
        // `Node.field/variation`
        let slot = name.split('/').next().expect("a name has a first part");
        match wanted.get_mut(slot) {
            Some(seen) => *seen = true,
            None => problems.push(format!("`{slot}` is no place of the grammar that can hold an expression")),
        }
    }
    let missing = wanted.iter().filter(|(_, seen)| !**seen).map(|(slot, _)| slot);
    problems.extend(missing.map(|slot| format!("no program puts an operator into `{slot}`")));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The program that has all cases that can take a form.
fn program(form: &Form) -> (String, Vec<&'static Case>) {
    let cases: Vec<&Case> = TABLE.iter().filter(|case| case.may_leave || !form.leaves).collect();
    let mut text = String::from(PRELUDE);
    for (n, case) in cases.iter().enumerate() {
        let own = form.text.replace("(c)", "(Calls { ok: true })");
        let fill = |text: &str| {
            text.replace("@@", &own)
                .replace('@', form.text)
                .replace("case_", &format!("case{n}_"))
                .replace("Case_", &format!("Case{n}_"))
        };
        text.push_str(&fill(case.top));
        let body: String = case.body.lines().map(|line| format!("  {line}\n")).collect();
        text.push_str(&format!("def case{n}(c: Calls): Int?\n{}end\n", fill(&body)));
    }
    text.push_str("def main\n  ok = args().size == 0\n");
    for n in 0..cases.len() {
        let line = format!("  c{n} = Calls {{ ok: ok }}\n  r{n} = case{n}(c{n})\n");
        text.push_str(&format!("{line}  puts(\"{n} #{{c{n}.n}} #{{r{n}}}\")\n"));
    }
    text.push_str("end\n");
    (text, cases)
}

const PRELUDE: &str = "\
macro once(e)
  quote do
    $e!
  end
end
macro steps(e)
  quote do
    n = $e
    x = n!
    x
  end
end
macro outer(e)
  quote do
    $unwrap(Some($once($e)))
  end
end
macro leave(e)
  quote do
    n = $e
    n?
  end
end
struct Calls
  ok: Bool
  n: Int = 0
end
def f(c: Calls): Int?
  c.n += 1
  if c.ok then Some(1) else nil end
end
def g(c: Calls): Int
  c.n += 1
  1
end
def add(a: Int, b: Int): Int = a * 10 + b
def sum(*xs: Int): Int = xs.sum
def apply(f: Fn(): Int?): Int? = f()
@value
struct Pair
  x: Int
  y: Int = 5
end
struct Box
  n: Int
  xs: Vec<Int> = [7, 8, 9]
  def plus(self, k: Int): Int = self.n + k
end
";

fn run(engine: &str, text: &str, args: &[&str]) -> (Option<i32>, Vec<String>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_quartz"))
        .args(["run", "--color=never", "--leaks", "--engine", engine, "-"])
        .args(args)
        .env("QUARTZ_HASH_SEED", "7")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut pipe = child.stdin.take().expect("piped");
    let text = text.to_owned();
    let writer = std::thread::spawn(move || pipe.write_all(text.as_bytes()).ok());
    let found = child.wait_with_output().expect("the command ends");
    writer.join().expect("written");
    let lines = String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned).collect();
    (found.status.code(), lines, String::from_utf8_lossy(&found.stderr).into_owned())
}

fn check(form: &Form) {
    let (text, cases) = program(form);
    for engine in ["cranelift", "interp"] {
        let (status, lines, stderr) = run(engine, &text, &[]);
        let errors: String =
            stderr.lines().filter(|line| !line.contains("warning")).collect::<Vec<_>>().join("\n");
        assert_eq!(status, Some(0), "{} on {engine}:\n{errors}", form.name);
        assert_eq!(lines.len(), cases.len(), "{} on {engine}", form.name);
        for (n, (line, case)) in lines.iter().zip(&cases).enumerate() {
            let wanted = format!("{n} {} Some({})", case.runs, case.value);
            assert_eq!(
                *line, wanted,
                "{} in {} on {engine}:\n{}{}",
                form.name, case.slot, case.top, case.body
            );
        }
        if form.leaves {
            let (status, lines, stderr) = run(engine, &text, &["fail"]);
            assert_eq!(status, Some(0), "{} failing on {engine}:\n{stderr}", form.name);
            for (n, (line, case)) in lines.iter().zip(&cases).enumerate() {
                let wanted = format!("{n} 1 {}", case.failing);
                assert_eq!(
                    *line, wanted,
                    "{} failing in {} on {engine}:\n{}",
                    form.name, case.slot, case.body
                );
            }
        }
    }
}

#[test]
fn unwrap_runs_everywhere() {
    check(&FORMS[0]);
    check(&FORMS[1]);
}

#[test]
fn debug_and_assert_run_everywhere() {
    check(&FORMS[2]);
    check(&FORMS[3]);
}

#[test]
fn propagation_runs_everywhere() {
    check(&FORMS[4]);
    check(&FORMS[5]);
    check(&FORMS[6]);
}

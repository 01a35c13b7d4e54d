//! `quartz test`: which tests are run, what fails alone, and how it is told.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of its own with files in it, gone at the end.
struct Project(PathBuf);

impl Project {
    fn new(name: &str, files: &[(&str, &str)]) -> Project {
        let folder = std::env::temp_dir().join(format!("quartz-test-command-{}-{name}", std::process::id()));
        std::fs::remove_dir_all(&folder).ok();
        for (file, text) in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().expect("below the folder")).expect("it can be written");
            std::fs::write(path, text).expect("it can be written");
        }
        Project(folder)
    }

    /// One specification with these tests.
    fn of_tests(name: &str, tests: &str) -> Project {
        Project::new(name, &[("a_spec.qz", &spec(tests))])
    }

    /// Exit status, standard output, standard error.
    fn test(&self, args: &[&str]) -> (Option<i32>, String, String) {
        self.run(&[&["test", "--color=never", "--seed=1"], args].concat())
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quartz"));
        let found = command.current_dir(&self.0).args(args).output().expect("the command starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (found.status.code(), text(&found.stdout), text(&found.stderr))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn spec(tests: &str) -> String {
    format!("import * from qspec\n\ndef main(): Int\n{tests}\n  qspec_main()\nend\n")
}

/// Each part stands in the text, one after the other.
#[track_caller]
fn has(text: &str, parts: &[&str]) {
    let mut from = 0;
    for part in parts {
        match text[from..].find(part) {
            Some(at) => from += at + part.len(),
            None => panic!("{part:?} is missing after byte {from} of:\n{text}"),
        }
    }
}

/// The names that a run tells of as JSON, with their status, in order.
fn told(project: &Project, args: &[&str]) -> Vec<(String, String)> {
    let (_, stdout, _) = project.test(&[&["--format=json"], args].concat());
    let values = stdout.lines().map(|it| serde_json::from_str::<serde_json::Value>(it).expect("JSON"));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    values.filter(|it| it["name"].is_string()).map(|it| (text(&it["name"]), text(&it["status"]))).collect()
}

fn names(project: &Project, args: &[&str]) -> Vec<String> {
    told(project, args).into_iter().map(|it| it.0).collect()
}

const NASTY: &str = r#"
  it "passes first" do -> assert_eq(1, 1) end
  it "panics" do -> panic("on purpose") end
  it "exits" do
    puts("about to leave")
    exit(3)
  end
  it "exits well" do -> exit(0) end
  it "never ends", timeout: 300 do
    eputs("for ever")
    var n = 0
    loop
      n = n &+ 1
    end
  end
  it "overflows" do -> assert_eq(deep(0), 1) end
  it "waits in a task", timeout: 300 do -> await go do -> sleep(100_000) end end
  it "passes last" do -> assert_eq(1, 1) end"#;

fn nasty(name: &str) -> Project {
    let text = spec(NASTY) + "\ndef deep(n: Int): Int = 1 + deep(n + 1)\n";
    Project::new(name, &[("a_spec.qz", &text)])
}

fn each_fails_alone(project: &Project, engine: &str) {
    let mut found = told(project, &[engine]);
    found.sort();
    let failed = ["exits", "exits well", "never ends", "overflows", "panics"];
    let mut wanted: Vec<(String, String)> = failed.map(|it| (it.into(), "failed".into())).into();
    wanted.extend(["passes first", "passes last"].map(|it| (it.into(), "passed".into())));
    wanted.push(("waits in a task".into(), "failed".into()));
    assert_eq!(found, wanted);
}

#[test]
fn a_test_that_takes_its_process_down_fails_alone() {
    each_fails_alone(&nasty("nasty"), "--engine=cranelift");
}

#[test]
fn a_test_that_takes_its_process_down_fails_alone_when_interpreted() {
    each_fails_alone(&nasty("nasty_interp"), "--engine=interp");
}

#[test]
fn it_is_told_how_a_test_ended() {
    let (status, stdout, _) = nasty("how").test(&[]);
    assert_eq!(status, Some(1));
    for parts in [
        &[
            ") exits\n",
            "at a_spec.qz:7:3",
            "the process ended with status 3",
            "standard output:\n   | about to leave",
        ][..],
        &[") exits well\n", "it ends the process, with status 0"],
        &[") never ends\n", "it takes longer than 300 ms", "standard error:\n   | for ever"],
        &[") overflows\n", "panic: stack overflow", "a_spec::deep", "…"],
        &[") panics\n", "at a_spec.qz:6:21", "panic: on purpose"],
        &["8 tests in 1 file: 2 passed, 6 failed\norder: --seed=1\n"],
    ] {
        has(&stdout, parts);
    }
}

#[test]
fn a_failing_assertion_tells_place_and_difference() {
    let project = Project::of_tests(
        "difference",
        r#"
  describe "sums" do ->
    it "adds" do -> assert_eq(1 + 1, 3) end
  end
  it "tells lines" do -> expect("one\ntwo\nthree").to_eq("one\n2\nthree") end"#,
    );
    let (status, stdout, _) = project.test(&["."]);
    assert_eq!(status, Some(1));
    has(&stdout, &["✗ a_spec.qz  2 tests, 2 failed"]);
    has(
        &stdout,
        &["sums adds\n   at a_spec.qz:6:21\n", "the values differ\n     expected: 3\n        found: 2"],
    );
    has(&stdout, &["tells lines", "       one\n     - 2\n     + two\n       three\n"]);
}

#[test]
fn a_specification_is_an_ordinary_program() {
    let tests = r#"
  describe "sums" do ->
    it "adds" do -> assert_eq(1 + 1, 2) end
    it "errs" do -> assert_eq(1 + 1, 3) end
    it_pending("later")
  end"#;
    let (status, stdout, _) = Project::of_tests("ordinary", tests).run(&["run", "--leaks", "a_spec.qz"]);
    assert_eq!(status, Some(1));
    let lines = ["sums\n  ✓ adds\n  ✗ errs\n  - later (pending)\n", "1) sums errs\n   at a_spec.qz:7:21\n"];
    has(&stdout, &lines);
    has(&stdout, &["3 tests: 1 passed, 1 failed, 1 skipped\n"]);
    let good = Project::of_tests("ordinary_good", "  it \"is\" do -> assert_true(true) end");
    assert_eq!(good.run(&["run", "--leaks", "a_spec.qz"]).0, Some(0));
}

const TAGGED: &str = r#"
  describe "net", tags: ["net"] do ->
    it "reads" do -> assert_true(true) end
    it "reads much", tags: ["slow"] do -> assert_true(true) end
  end
  it "is slow", tags: ["slow"] do -> assert_true(true) end
  it "is plain" do -> assert_true(true) end"#;

#[test]
fn tests_are_chosen_by_name_and_tag() {
    let project = Project::of_tests("chosen", TAGGED);
    let chosen = |args: &[&str]| {
        let mut names = names(&project, args);
        names.sort();
        names
    };
    assert_eq!(chosen(&["--filter=net reads"]), ["net reads", "net reads much"]);
    assert_eq!(chosen(&["--tag=slow"]), ["is slow", "net reads much"]);
    assert_eq!(chosen(&["--tag=slow", "--tag=~net"]), ["is slow"]);
    assert_eq!(chosen(&["--tag=~slow", "--filter=is"]), ["is plain"]);
    let (status, _, stderr) = project.test(&["--filter=nothing like it"]);
    assert_eq!(status, Some(2));
    has(&stderr, &["there is no test that was asked for"]);
}

#[test]
fn names_are_listed_in_the_order_of_the_file() {
    let project = Project::of_tests("listed", TAGGED);
    let (status, stdout, _) = project.test(&["--list"]);
    assert_eq!(status, Some(0));
    let wanted =
        ["net reads", "net reads much", "is slow", "is plain"].map(|it| format!("a_spec.qz: {it}\n"));
    assert_eq!(stdout, wanted.concat());
}

#[test]
fn the_order_follows_from_the_seed() {
    let tests: String = (0..12).map(|n| format!("  it \"{n}\" do -> assert_true(true) end\n")).collect();
    let project = Project::of_tests("seeds", &tests);
    let order = |seed: &str| names(&project, &["--jobs=1", seed]);
    assert_eq!(order("--filter=").len(), 12);
    let run = |seed: &str| {
        let (_, stdout, _) = project.run(&["test", seed, "--format=tap"]);
        stdout
    };
    assert_eq!(run("--seed=5"), run("--seed=5"));
    assert_ne!(run("--seed=5"), run("--seed=6"));
}

#[test]
fn only_focused_tests_of_a_file_are_run() {
    let tests = r#"
  it "a" do -> fail("never run") end
  fit "b" do -> assert_true(true) end
  xit "c" do -> fail("never run") end"#;
    assert_eq!(told(&Project::of_tests("focus", tests), &[]), [("b".into(), "passed".into())]);
}

#[test]
fn what_is_pending_or_skipped_is_counted() {
    let tests = r#"
  it_pending("a")
  it_pending "b" do -> fail("never run") end
  xit "c" do -> fail("never run") end
  it "d" do
    skip_unless(false, "no disk")
    fail("never run")
  end
  describe "e" do ->
    skip_unless(1 > 2, "no net")
    it "f" do -> fail("never run") end
  end
  it "g" do -> assert_true(true) end"#;
    let (status, stdout, _) = Project::of_tests("pending", tests).test(&["--format=tap"]);
    assert_eq!(status, Some(0));
    for line in
        ["a # SKIP pending", "b # SKIP pending", "c # SKIP skipped", "d # SKIP no disk", "e f # SKIP no net"]
    {
        has(&stdout, &[&format!(" - a_spec.qz: {line}\n")]);
    }
    has(&stdout, &["TAP version 14\n1..6\n"]);
}

#[test]
fn bail_stops_at_the_first_failure() {
    let tests: String = (0..8).map(|n| format!("  it \"{n}\" do -> fail(\"no\") end\n")).collect();
    let text = spec(&tests);
    let project = Project::new("bail", &[("a_spec.qz", &text), ("b_spec.qz", &text)]);
    assert_eq!(names(&project, &["--bail", "--jobs=1"]).len(), 1);
    assert_eq!(names(&project, &["--jobs=1"]).len(), 16);
}

#[test]
fn hooks_run_around_tests() {
    let tests = r#"
  log = Vec<String>.new()
  describe "outer" do ->
    before_all do -> log.push("all") end
    before do -> log.push("before") end
    after do -> log.push("after") end
    after_all do -> puts("end: #{log.join(" ")}") end
    describe "inner" do ->
      before do -> log.push("inner before") end
      after do -> log.push("inner after") end
      it "a" do
        log.push("test")
        fail("shows what was printed")
      end
    end
  end"#;
    let (_, stdout, _) = Project::of_tests("hooks", tests).test(&["--format=junit"]);
    // `after_all` belongs to the last test.
    has(&stdout, &["<system-out>end: all before inner before test inner after after\n"]);
}

#[test]
fn a_hook_that_fails_fails_its_tests() {
    let tests = r#"
  describe "a" do ->
    before_all do -> panic("no room") end
    it "b" do -> assert_true(true) end
    it "c" do -> assert_true(true) end
  end
  describe "d" do ->
    after do -> fail("not clean") end
    it "e" do -> assert_true(true) end
  end"#;
    let (_, stdout, _) = Project::of_tests("bad_hooks", tests).test(&[]);
    has(&stdout, &["3 tests in 1 file: 0 passed, 3 failed"]);
    has(&stdout, &["panic: before_all: no room"]);
    has(&stdout, &["not clean"]);
}

#[test]
fn a_leak_fails_the_test_that_leaves_it() {
    let text = spec(
        r#"
  it "leaks" do
    n = Node { inbox: channel_new(1) }
    n.inbox.send(n)!
  end
  it "does not" do -> assert_none((Node { inbox: channel_new(1) }).next.map { 1 }) end"#,
    ) + "\nstruct Node\n  next: Node? = nil\n  inbox: Channel<Node>\nend\n";
    let project = Project::new("leaks", &[("a_spec.qz", &text)]);
    assert_eq!(project.test(&[]).0, Some(0));
    for engine in ["--engine=cranelift", "--engine=interp"] {
        let (status, stdout, _) = project.test(&["--leaks", engine]);
        assert_eq!(status, Some(1));
        // What is in a channel refers to the channel: a circle that the collector does not see.
        has(&stdout, &[") leaks\n", "objects are left over: ", "1 × a_spec::Node", "1 passed, 1 failed"]);
    }
}

#[test]
fn a_file_that_is_no_specification_is_broken() {
    let project = Project::new(
        "broken",
        &[
            ("a_spec.qz", "def main = puts(nothing)\n"),
            (
                "b_spec.qz",
                "import * from qspec\n\ndef main(): Int\n  it \"a\" do -> fail(\"never\") end\n  0\nend\n",
            ),
            ("c_spec.qz", &spec("  describe \"c\" do -> panic(\"while naming\") end")),
            ("d_spec.qz", &spec("  it \"d\" do -> assert_true(true) end")),
        ],
    );
    let (status, stdout, _) = project.test(&[]);
    assert_eq!(status, Some(1));
    has(&stdout, &["✗ a_spec.qz", "✗ b_spec.qz", "✗ c_spec.qz", "✓ d_spec.qz  1 test\n"]);
    has(&stdout, &[") a_spec.qz\n   it does not compile\n", "QZ0400"]);
    has(&stdout, &[") b_spec.qz\n   the program does not reach `qspec_main()`"]);
    has(&stdout, &[") c_spec.qz\n", "while naming"]);
    has(&stdout, &["1 test in 4 files: 1 passed, 3 files broken"]);
}

#[test]
fn snapshots_are_compared_and_updated() {
    let text = |value: &str| spec(&format!("  it \"draws\" do -> assert_snapshot(\"{value}\") end"));
    let project = Project::new("snapshots", &[("below/a_spec.qz", &text("one\\ntwo"))]);
    let (status, stdout, _) = project.test(&[]);
    assert_eq!(status, Some(1));
    has(&stdout, &["there is no snapshot `below/snapshots/a_spec.draws.txt`"]);
    assert_eq!(project.test(&["--update-snapshots"]).0, Some(0));
    let file = project.0.join("below/snapshots/a_spec.draws.txt");
    assert_eq!(std::fs::read_to_string(&file).expect("it was written"), "one\ntwo\n");
    assert_eq!(project.test(&[]).0, Some(0));
    std::fs::write(project.0.join("below/a_spec.qz"), text("one\\n2")).expect("it can be written");
    let (_, stdout, _) = project.test(&[]);
    has(&stdout, &["it is not the snapshot", "- two\n", "+ 2\n"]);
}

#[test]
fn properties_are_made_smaller() {
    let tests = "  it \"sums\" do\n    forall vecs_of(ints()) do xs -> assert_true(xs.sum < 100) end\n  end";
    let project = Project::of_tests("forall", tests);
    let (status, stdout, _) = project.test(&[]);
    assert_eq!(status, Some(1));
    has(&stdout, &["it does not hold for [", "made smaller", "of seed 1"]);
    assert_eq!(project.test(&[]).1, stdout);
}

#[test]
fn examples_of_doc_comments_and_pages_are_tests() {
    let module = "## Twice.\n##\n## ```quartz\n## import * from geo\n## puts(twice(2))     # 4\n## ```\ndef twice(n: Int): Int = n * 2\n";
    let wrong = module.replace("# 4", "# 5");
    let page = "# Page\n\n```quartz\ndef main = $assert(1 + 1 == 3)\n```\n";
    let project = Project::new("examples", &[("geo.qz", module), ("page.md", page)]);
    let (status, stdout, _) = project.test(&["."]);
    assert_eq!((status, stdout.lines().next()), (Some(0), Some("✓ geo.qz  1 test")));
    let (status, stdout, _) = project.test(&["page.md"]);
    assert_eq!(status, Some(1));
    has(
        &stdout,
        &[
            "the example at line 4\n   at page.md:4:1\n",
            "it ends with status 101",
            "assertion failed: 1 + 1 == 3",
        ],
    );
    std::fs::write(project.0.join("geo.qz"), wrong).expect("it can be written");
    has(&project.test(&["."]).1, &["it does not print \"5\""]);
}

#[test]
fn the_compiler_is_tested_by_programs_as_texts() {
    let tests = r#"
  it "runs" do
    done = subprocess_run("import double from geo\ndef main = puts(double(args()[0].to_int()!))", args: ["4"], files: { "geo.qz" => "def double(n: Int): Int = n * 2" })
    assert_eq((done.exit_code, done.stdout_content, done.stderr_content), (0, "8\n", ""))
  end
  it "exits" do -> assert_run_exits("def main = exit(7)", 7) end
  it "panics" do -> assert_run_panics("def main = panic(\"ink\")", "ink") end
  it "prints" do -> assert_run_prints("def main = puts(1)", "1\n") end
  it "complains" do -> assert_compile_error("def main = puts(nothing)", "QZ0400") end
  it "fails" do -> assert_compile_fails("def main = puts(nothing)") end
  it "compiles" do -> assert_compile_succeeds("def main = puts(1)") end
  it "has code" do
    assert_ir_contains("def main = puts(1)", "define ")
    assert_ir_not_contains("def main = puts(1)", "no such thing")
  end
  it "tells" do
    assert_panics "the exit status is 0" do -> assert_run_exits("def main = puts(\"out\")", 1) end
  end"#;
    let (status, stdout, _) = Project::of_tests("subprocess", tests).test(&[]);
    assert_eq!(status, Some(0), "{stdout}");
}

/// An effect is watched for by a handler; what nobody performs is told at the assertion.
#[test]
fn effects_are_seen() {
    let tests = r#"
  it "sees what is performed first, and goes on" do ->
    trail: Vec<String> = []
    seen = assert_raises_effect do raised ->
      with noting(raised) do
        trail.push((ask("a") + ask("b")).show)
      end
    end
    assert_eq(seen, "a")
    assert_eq(trail, ["14"])
  end
  it "sees through functions" do ->
    assert_eq(assert_raises_effect do raised -> with noting(raised) do [1].each do n -> ask(n.show) end end end, "1")
  end
  it "misses it" do ->
    _ = assert_raises_effect do raised -> with noting(raised) do trim(" x ") end end
  end
  it "passes panics on" do ->
    _ = assert_raises_effect do raised -> with noting(raised) do panic("too early") end end
  end"#;
    let declared = r#"
effect Ask
  def ask(what: String): Int
end

def trim(text: String): String = text.trim()

def noting(raised: Fn(String): Void): Handler<Ask>
  handler Ask
    def ask(what)
      raised(what)
      resume(7)
    end
  end
end
"#;
    let project = Project::new("effects", &[("a_spec.qz", &(spec(tests) + declared))]);
    for engine in ["--engine=cranelift", "--engine=interp"] {
        let (status, stdout, _) = project.test(&[engine]);
        assert_eq!(status, Some(1), "{stdout}");
        has(
            &stdout,
            &[
                "assertion failed: the block performs no operation that is watched for",
                "4 tests in 1 file: 2 passed, 2 failed",
            ],
        );
        has(&stdout, &["too early"]);
        has(&stdout, &["a_spec.qz:19:"]);
    }
}

#[test]
fn results_come_as_xml() {
    let tests = "  it \"a < b\" do -> fail(\"<&>\") end\n  it \"c\" do -> assert_true(true) end";
    let (_, stdout, _) = Project::of_tests("xml", tests).test(&["--format=junit"]);
    has(
        &stdout,
        &["<?xml version=\"1.0\"", "<testsuites tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">"],
    );
    has(&stdout, &["<testcase name=\"a &lt; b\"", "<failure message=\"assertion failed: &lt;&amp;&gt;\">"]);
    assert!(stdout.ends_with("</testsuites>\n"));
}

#[test]
fn coverage_tells_which_lines_were_run() {
    let module = "def area(w: Int): Int\n  if w < 0\n    panic(\"negative\")\n  end\n  w * w\nend\n\ndef never(n: Int): Int\n  n + 1\nend\n";
    let tests = "  it \"is\" do -> assert_eq(area(2), 4) end\n  it \"leaves\" do\n    _ = area(3)\n    exit(0)\n  end";
    let spec = format!("import * from geo\n{}", spec(tests));
    let project = Project::new("coverage", &[("geo.qz", module), ("a_spec.qz", &spec)]);
    for engine in ["--engine=cranelift", "--engine=interp"] {
        let (_, _, stderr) = project.test(&["--coverage", engine]);
        has(&stderr, &["coverage: 2 of 4 lines"]);
        let read = |name: &str| std::fs::read_to_string(project.0.join("coverage").join(name));
        let lcov = read("lcov.info").expect("it was written");
        assert_eq!(lcov, "TN:\nSF:geo.qz\nDA:2,2\nDA:3,0\nDA:5,2\nDA:9,0\nLF:4\nLH:2\nend_of_record\n");
        has(
            &read("index.html").expect("it was written"),
            &["geo.qz</a>", "50 %", "2 of 4 lines", "class=\"line missed\""],
        );
    }
}

/// Where arms meet, what is left to do is no run of the last arm; and a line in several blocks is run once. Constants are
/// evaluated while the program is compiled, where nothing counts.
#[test]
fn coverage_counts_how_often_lines_are_run() {
    let module = "const NAMES: Vec<String> = [name(\"a\"), \"b\"]\nconst LONG = name(\"c\")\n\ndef name(text: String): String = \"<\" + text\n\n\
        def find(n: Int): String\n  match NAMES.get(n)\n    Some(it) => it\n    None => LONG\n  end\nend\n\n\
        def sum(n: Int): Int\n  var sum = 0\n  for i in 0..n\n    match i\n      0 => sum += 1\n      _ => sum += 2\n    end\n  end\n  sum\nend\n";
    let tests =
        "  it \"finds\" do -> assert_eq(find(1), \"b\") end\n  it \"sums\" do -> assert_eq(sum(10), 19) end";
    let spec = format!("import * from table\n{}", spec(tests));
    let project = Project::new("counts", &[("table.qz", module), ("a_spec.qz", &spec)]);
    let (status, stdout, stderr) = project.test(&["--coverage"]);
    assert_eq!(status, Some(0), "{stdout}{stderr}");
    let lcov = std::fs::read_to_string(project.0.join("coverage/lcov.info")).expect("it was written");
    has(&lcov, &["DA:7,1\nDA:8,1\nDA:9,0\n"]);
    has(&lcov, &["DA:14,1\n", "DA:16,10\nDA:17,1\nDA:18,9\nDA:21,1\n"]);
}

#[test]
fn wrong_use_is_told() {
    let project = Project::new("wrong", &[("notes.txt", "")]);
    assert_eq!(project.test(&[]).0, Some(2));
    has(&project.test(&["nowhere"]).2, &["error: `nowhere` does not exist"]);
    has(&project.test(&["notes.txt"]).2, &["`notes.txt` is neither .qz nor .md"]);
    assert!(!Path::new("nowhere").exists());
}

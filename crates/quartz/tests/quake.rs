//! `quake`: what tasks do, in which order, what people are told, and when the Quakefile is compiled again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A folder of its own with a Quakefile in it, gone at the end.
struct Project(PathBuf);

impl Project {
    /// The lines stand in `main`.
    fn new(name: &str, tasks: &str) -> Project {
        let folder = std::env::temp_dir().join(format!("quake-{}-{name}", std::process::id()));
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).expect("it can be made");
        let project = Project(folder);
        project.tasks(tasks);
        project
    }

    fn tasks(&self, tasks: &str) {
        self.write(
            "Quakefile.qz",
            &format!("import * from quake\n\ndef main(): Int\n{tasks}\n  quake_main()\nend\n"),
        );
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("it can be made");
        std::fs::write(path, text).expect("it can be written");
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.join(file)).unwrap_or_default()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quake"));
        command.current_dir(&self.0).args(words).env_remove("QUARTZ_EXE").stdin(Stdio::null());
        command
    }

    /// Exit status, standard output, standard error.
    fn run(&self, words: &[&str]) -> (Option<i32>, String, String) {
        said(&mut self.command(words))
    }

    /// What a run prints that goes well and tells nothing else.
    #[track_caller]
    fn prints(&self, words: &[&str]) -> String {
        let (status, stdout, stderr) = self.run(words);
        assert_eq!(status, Some(0), "{stdout}{stderr}");
        stdout
    }

    /// What a run tells that ends so.
    #[track_caller]
    fn fails(&self, expected: i32, words: &[&str]) -> String {
        let (status, stdout, stderr) = self.run(words);
        assert_eq!(status, Some(expected), "{stdout}{stderr}");
        stderr
    }

    /// The compiled Quakefiles, and everything else in the cache.
    fn cached(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.join(".quartz-cache/quake")).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> =
            entries.map(|it| it.path()).filter(|it| !it.ends_with("targets")).collect();
        paths.sort();
        paths
    }

    fn programs(&self) -> Vec<PathBuf> {
        self.cached().into_iter().filter(|it| it.is_file() && it.extension().is_none()).collect()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn said(command: &mut Command) -> (Option<i32>, String, String) {
    let found = command.output().expect("the command starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (found.status.code(), text(&found.stdout), text(&found.stderr))
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

const DIAMOND: &str = r#"
  task("ground", "is first") do -> puts("ground") end
  task_dep("left", "", ["ground"]) do -> puts("left") end
  task_dep("right", "", ["ground"]) do -> puts("right") end
  task_dep("top", "is last", ["left", "right"], args: ["WHO"]) do -> puts("top") end
  task_alias("t", "top")
"#;

#[test]
fn what_comes_before_runs_once_and_first() {
    let project = Project::new("diamond", DIAMOND);
    assert_eq!(project.prints(&["-j1", "top"]), "ground\nleft\nright\ntop\n");
    assert_eq!(project.prints(&["-j1", "right", "t", "left", "top"]), "ground\nright\nleft\ntop\n");
    let any = project.prints(&["top"]);
    has(&any, &["ground", "left", "top"]);
    has(&any, &["ground", "right", "top"]);
}

#[test]
fn tasks_are_listed_foretold_and_drawn() {
    let project = Project::new("told", DIAMOND);
    let list = "quake ground     # is first\nquake left\nquake right\nquake top WHO=…  # is last\nquake t          # the same as top\n";
    assert_eq!(project.prints(&["--list"]), list);
    assert_eq!(project.prints(&[]), list, "there is no default");
    assert_eq!(project.prints(&["--dry-run", "right"]), "would run ground\nwould run right\n");
    let graph = project.prints(&["--graph", "left"]);
    assert_eq!(
        graph,
        "digraph tasks {\n  rankdir = LR;\n  \"ground\";\n  \"left\";\n  \"left\" -> \"ground\";\n}\n"
    );
    let (_, stdout, stderr) = project.run(&["--trace", "left"]);
    assert_eq!(stdout, "ground\nleft\n");
    has(&stderr, &["trace: `ground` begins", "trace: `ground` is over after 0.", "trace: `left` begins"]);
    let (_, _, stderr) = project.run(&["-v", "left"]);
    has(&stderr, &["[1/2] ground", "✓ ground", "[2/2] left"]);
    let (_, _, stderr) = project.run(&["left"]);
    assert_eq!(stderr, "", "this is no terminal");
}

#[test]
fn names_that_are_not_there_are_answered() {
    let project = Project::new("names", DIAMOND);
    has(&project.fails(2, &["gruond"]), &["error: there is no task `gruond`; did you mean `ground`?"]);
    has(&project.fails(2, &["xyzzy"]), &["error: there is no task `xyzzy`\n"]);
    has(&project.fails(2, &["top", "WOH=me"]), &["no task takes `WOH`; did you mean `WHO`?"]);
    has(&project.fails(2, &["--jobs=0", "top"]), &["0 is not in 1..=65535"]);
    has(&project.fails(2, &["--lsit"]), &["unexpected argument '--lsit'", "--list"]);
    project.tasks("  task_dep(\"a\", \"\", [\"b\"])\n  task_dep(\"b\", \"\", [\"c\"])\n  task_dep(\"c\", \"\", [\"b\"])");
    has(&project.fails(2, &["a"]), &["error: these tasks wait for each other: b -> c -> b\n"]);
    project.tasks("  task_dep(\"a\", \"\", [\"bulid\"])\n  task_dep(\"build\", \"\", [])");
    has(
        &project.fails(2, &["a"]),
        &["the task `a` needs `bulid`, which there is not; did you mean `build`?"],
    );
    project.tasks("  task_dep(\"a\", \"\", [])\n  task_alias(\"a\", \"b\")");
    has(&project.fails(2, &["a"]), &["there are two tasks named `a`"]);
    project.tasks("  task_alias(\"a\", \"b\")\n  task_alias(\"b\", \"a\")");
    has(&project.fails(2, &["a"]), &["`a` is another name of `b`, which there is not"]);
}

#[test]
fn namespaces_are_searched_from_inside() {
    let project = Project::new(
        "spaces",
        r#"
  task("stamp") do -> puts("outer") end
  task("default") do -> puts("default") end
  namespace "guard" do ->
    task("stamp") do -> puts("inner") end
    task_dep("check", "", ["stamp", "default"])
    task_alias("c", "check")
  end
"#,
    );
    assert_eq!(project.prints(&["-j1", "guard:check"]), "inner\ndefault\n");
    assert_eq!(project.prints(&["-j1", "guard:c"]), "inner\ndefault\n");
    assert_eq!(project.prints(&["stamp"]), "outer\n");
    assert_eq!(project.prints(&[]), "default\n");
}

#[test]
fn variables_come_from_the_command_line_and_the_environment() {
    let tasks = r#"  task("greet") do -> sh("echo hello $WHO"); puts(env("WHO") + env("MARK", "!")) end"#;
    let project = Project::new("variables", tasks);
    assert_eq!(project.prints(&["greet", "WHO=you"]), "hello you\nyou!\n");
    let (_, stdout, _) = said(project.command(&["WHO=you", "greet"]).env("WHO", "me").env("MARK", "?"));
    assert_eq!(stdout, "hello you\nyou?\n");
    let told = project.fails(1, &["greet"]);
    has(
        &told,
        &[
            "the task `greet` failed: `WHO` is not set; say it like this: `quake greet WHO=…`",
            "at Quakefile.qz:4:",
        ],
    );
}

#[test]
fn independent_tasks_run_at_the_same_time() {
    // Each waits for a file that the other makes: one after the other they would wait for ever.
    let meet = |own: &str, other: &str| {
        format!(
            "  task(\"{own}\") do -> sh(\"touch {own}.here; while [ ! -e {other}.here ]; do sleep 0.01; done\") end\n"
        )
    };
    let project = Project::new(
        "parallel",
        &(meet("a", "b") + &meet("b", "a") + "  task_dep(\"both\", \"\", [\"a\", \"b\"])"),
    );
    project.prints(&["--jobs=2", "both"]);
}

#[test]
fn no_more_tasks_run_at_once_than_is_said() {
    let task =
        |n: usize| format!("  task(\"t{n}\") do -> sh(\"mkdir busy && sleep 0.02 && rmdir busy\") end\n");
    let project = Project::new("jobs", &(0..4).map(task).collect::<String>());
    project.prints(&["-q", "-j", "1", "t0", "t1", "t2", "t3"]);
}

#[test]
fn nothing_begins_after_a_failure_and_what_runs_goes_on() {
    let project = Project::new(
        "failure",
        r#"
  task("bad") do -> sh("while [ ! -e begun ]; do sleep 0.01; done; exit 7") end
  task("slow") do -> sh("touch begun; sleep 0.2; touch slow.done") end
  task_dep("after", "", ["slow"]) do -> sh("touch after.done") end
"#,
    );
    let told = project.fails(1, &["-j2", "bad", "after"]);
    has(
        &told,
        &[
            "error: the task `bad` failed: `while [ ! -e begun ]",
            "ended with status 7\n  at Quakefile.qz:5:",
            "1 task was not begun",
        ],
    );
    assert!(project.0.join("slow.done").exists() && !project.0.join("after.done").exists());
}

#[test]
fn the_shell_is_told_of_and_its_end_is_named() {
    let project = Project::new(
        "shell",
        r#"
  task("sh") do -> sh("echo out; echo err >&2") end
  task("folder") do -> sh("pwd; echo $X", folder: "/", variables: { "X" => "y" }) end
  task("maybe") do -> puts(sh_maybe("exit 3")) end
  task("capture") do -> puts(sh_capture("echo 'a b'; echo c").lines) end
  task("quiet") do -> sh_quiet("echo never") end
  task("loud") do -> sh_quiet("echo why; echo and >&2; exit 4") end
  task("buffered") do -> sh_buffered("echo 1; echo 2 >&2; echo 3") end
  task("killed") do -> sh("kill -SEGV $$") end
  task("lost") do -> sh_capture("exit 9") end
  task("fail") do -> fail("no luck") end
  task("step") do -> puts(step("counting") do -> 1 + 1 end) end
  task("panic") do -> puts([1][1]) end
"#,
    );
    assert_eq!(project.run(&["sh"]), (Some(0), "out\n".into(), "$ echo out; echo err >&2\nerr\n".into()));
    assert_eq!(project.run(&["-q", "sh"]), (Some(0), "out\n".into(), "err\n".into()));
    assert_eq!(project.prints(&["folder"]), "/\ny\n");
    assert_eq!(project.prints(&["maybe"]), "3\n");
    assert_eq!(project.run(&["capture"]), (Some(0), "[\"a b\", \"c\"]\n".into(), "".into()));
    assert_eq!(project.run(&["quiet"]), (Some(0), "".into(), "".into()));
    has(
        &project.fails(1, &["loud"]),
        &["why\nand\n", "`echo why; echo and >&2; exit 4` ended with status 4"],
    );
    assert_eq!(project.prints(&["buffered"]), "1\n2\n3\n");
    has(
        &project.fails(1, &["killed"]),
        &["`kill -SEGV $$` was ended by signal 11 (SIGSEGV)", "at Quakefile.qz:12:"],
    );
    has(&project.fails(1, &["lost"]), &["`exit 9` ended with status 9"]);
    has(&project.fails(1, &["fail"]), &["error: the task `fail` failed: no luck\n  at Quakefile.qz:14:"]);
    assert_eq!(project.run(&["step"]), (Some(0), "2\n".into(), "-- counting\n".into()));
    has(&project.fails(1, &["--trace", "panic"]), &["index 1", "at Quakefile.qz:16:", "main"]);
}

#[test]
fn files_are_moved_copied_and_found() {
    let project = Project::new(
        "files",
        r#"
  task("all") do ->
    mkdir_p("a/b/c")
    sh_quiet("echo 1 > a/x.txt; echo 2 > a/b/y.txt; echo 3 > a/b/c/z.rs; echo 4 > a/.hidden.txt; chmod +x a/x.txt")
    puts(glob("a/**/*.txt"))
    puts(glob("a/*/?.{txt,rs}"))
    puts(glob("a/.*"))
    cp("a", "copy")
    cp("a/x.txt", "copy/b")
    mv("copy/b/x.txt", "moved")
    sh("./moved || test -x moved")
    rm("moved")
    rm("moved")
    rm_rf("a")
    rm_rf("a")
    puts(glob("**/*.{txt,rs}"))
  end
  task("bad") do -> cp("nothing", "there") end
  task("worse") do -> rm_rf(".") end
"#,
    );
    let printed = project.prints(&["-q", "all"]);
    let expected = "[\"a/b/y.txt\", \"a/x.txt\"]\n[\"a/b/y.txt\"]\n[\"a/.hidden.txt\"]\n\
                    [\"copy/b/c/z.rs\", \"copy/b/y.txt\", \"copy/x.txt\"]\n";
    assert_eq!(printed, expected);
    has(
        &project.fails(1, &["bad"]),
        &["$ cp nothing there", "`bad` failed: ", "nothing", "at Quakefile.qz:21:"],
    );
    has(&project.fails(1, &["worse"]), &["`rm_rf` will not delete `.`"]);
}

const TARGETS: &str = r#"
  file_target("out/all.txt", ["src/*.txt"], "all texts") do ->
    mkdir_p("out")
    puts("joined")
    sh("cat src/*.txt > out/all.txt")
  end
  file_target("out/size", ["out/all.txt"]) do ->
    puts("counted")
    sh("wc -c < out/all.txt > out/size")
  end
  file_target("never", ["src/a.txt"]) do -> () end
  file_target("orphan", ["gone.txt"]) do -> () end
"#;

#[test]
fn files_are_made_when_contents_changed() {
    let project = Project::new("targets", TARGETS);
    project.write("src/a.txt", "one");
    let made = |words: &[&str]| project.prints(words);
    assert_eq!(
        made(&["-n", "out/size"]),
        "would make out/all.txt: it is missing\nwould make out/size: a source is made anew\n"
    );
    assert_eq!(made(&["-q", "out/size"]), "joined\ncounted\n");
    assert_eq!(made(&["out/size"]), "", "nothing changed");
    assert_eq!(made(&["-n", "out/size"]), "is fresh: out/all.txt\nis fresh: out/size\n");
    // Times say nothing.
    project.write("src/a.txt", "one");
    assert_eq!(made(&["out/size"]), "");
    project.write("src/a.txt", "two");
    let (_, stdout, stderr) = project.run(&["--trace", "out/size"]);
    assert_eq!(stdout, "joined\ncounted\n");
    has(&stderr, &["`out/all.txt` is made: `src/a.txt` changed"]);
    project.write("src/b.txt", "");
    assert_eq!(made(&["out/size"]), "joined\n", "a source more, and the same result");
    std::fs::remove_file(project.0.join("src/b.txt")).expect("it is there");
    assert_eq!(made(&["out/size"]), "joined\n", "a source less");
    project.write("out/all.txt", "by hand");
    assert_eq!(made(&["out/size"]), "joined\n");
    assert_eq!(project.read("out/size").trim(), "3");
    has(&project.fails(1, &["never"]), &["the task is over, and `never` is not there"]);
    has(&project.fails(1, &["orphan"]), &["`orphan` is made from `gone.txt`, which is not there"]);
    project.tasks(&TARGETS.replace("\"joined\"", "\"put together\""));
    assert_eq!(made(&["out/all.txt"]), "put together\n", "the recipe changed");
}

#[test]
fn a_target_whose_making_failed_is_made_again() {
    let tasks = r#"  file_target("out", ["in"]) do -> sh("cat in > out; test -e good") end"#;
    let project = Project::new("half", tasks);
    project.write("in", "text");
    project.fails(1, &["out"]);
    project.fails(1, &["out"]);
    project.write("good", "");
    has(&project.run(&["out"]).2, &["$ cat in > out"]);
    assert_eq!(project.run(&["out"]).2, "");
}

// ---- the compiled Quakefile

#[test]
fn the_quakefile_is_found_upwards_and_runs_in_its_folder() {
    let project =
        Project::new("upwards", r#"  task("where") do -> sh("pwd -P"); puts(env("QUAKE_FROM")) end"#);
    let inner = project.0.join("a/b");
    std::fs::create_dir_all(&inner).expect("it can be made");
    let (_, stdout, _) = said(project.command(&["where"]).current_dir(&inner));
    let real = |path: &Path| path.canonicalize().expect("it is there").display().to_string();
    assert_eq!(stdout, format!("{}\n{}\n", real(&project.0), real(&inner)));
    let (status, _, stderr) = said(project.command(&[]).current_dir("/"));
    assert_eq!(status, Some(2));
    has(&stderr, &["error: there is no Quakefile.qz here, nor in the folders around", "= help: write one"]);
}

#[test]
fn what_changed_is_compiled_again_and_nothing_else() {
    let project = Project::new("again", r#"  task("say") do -> puts("one") end"#);
    assert_eq!(project.prints(&["say"]), "one\n");
    let before = project.cached();
    assert_eq!(before.len(), 2, "a program and a note: {before:?}");
    let time = |path: &PathBuf| path.metadata().and_then(|it| it.modified()).expect("it is there");
    let times: Vec<_> = before.iter().map(time).collect();
    assert_eq!(project.prints(&["say"]), "one\n");
    assert_eq!(times, project.cached().iter().map(time).collect::<Vec<_>>());
    project.tasks(r#"  task("say") do -> puts("two") end"#);
    assert_eq!(project.prints(&["say"]), "two\n");
    assert_eq!(project.programs().len(), 2, "the old one is kept for those who go back");
}

#[test]
fn imported_files_count_those_that_come_into_being_too() {
    let project = Project::new("imports", "");
    let main = "import * from quake\nimport word from tools/words\n\ndef main(): Int\n  task(\"say\") do -> puts(word()) end\n  quake_main()\nend\n";
    project.write("Quakefile.qz", main);
    project.write("tools/words/mod.qz", "def word(): String = \"module\"\n");
    assert_eq!(project.prints(&["say"]), "module\n");
    project.write("tools/words/mod.qz", "def word(): String = \"changed\"\n");
    assert_eq!(project.prints(&["say"]), "changed\n");
    project.write("tools/words.qz", "def word(): String = \"nearer\"\n");
    assert_eq!(project.prints(&["say"]), "nearer\n");
}

#[test]
fn damaged_entries_are_made_anew() {
    let project = Project::new("damaged", r#"  task("say") do -> puts("well") end"#);
    assert_eq!(project.prints(&["say"]), "well\n");
    let note = project.cached().into_iter().find(|it| it.extension().is_some()).expect("there is a note");
    let program = project.programs().pop().expect("there is a program");
    let whole = std::fs::read(&program).expect("it can be read");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0x40;
    for damaged in [&whole[..whole.len() / 2], &flipped, b""] {
        std::fs::remove_file(&program).expect("it is there");
        std::fs::write(&program, damaged).expect("it can be written");
        assert_eq!(project.prints(&["say"]), "well\n");
    }
    std::fs::remove_file(&program).expect("it is there");
    assert_eq!(project.prints(&["say"]), "well\n");
    for damaged in ["", "nonsense", "\n", "file x y\nprogram 1 2\n"] {
        std::fs::write(&note, damaged).expect("it can be written");
        assert_eq!(project.prints(&["say"]), "well\n");
    }
}

#[test]
fn a_build_that_is_killed_leaves_nothing_that_is_believed() {
    let project = Project::new("killed", r#"  task("say") do -> puts("well") end"#);
    for wait in [5, 30, 80, 150, 250] {
        project.tasks(&format!("  task(\"say\") do -> puts(\"well {wait}\") end"));
        let mut command = project.command(&["say"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().ok();
        child.wait().expect("it ends");
        assert_eq!(project.prints(&["say"]), format!("well {wait}\n"));
    }
    // The compiler of a killed run may still be at work in its folder; later runs clear it away.
    let end = Instant::now() + Duration::from_secs(10);
    let is_work =
        |it: &PathBuf| it.file_name().is_some_and(|name| name.to_string_lossy().starts_with("work-"));
    while project.cached().iter().any(is_work) && Instant::now() < end {
        project.tasks(&format!("  task(\"say\") do -> puts({:?}) end", format!("{:?}", Instant::now())));
        project.prints(&["say"]);
    }
    assert!(!project.cached().iter().any(is_work), "{:?}", project.cached());
}

#[test]
fn problems_of_the_quakefile_are_told_and_nothing_is_kept() {
    let project = Project::new("problems", "  taks(\"a\") do -> () end");
    has(&project.fails(1, &["a"]), &["error[QZ", "taks", "Quakefile.qz:4:3"]);
    assert_eq!(project.cached(), Vec::<PathBuf>::new());
    let (status, _, stderr) = said(project.command(&[]).env("QUARTZ_EXE", "/no/such/quartz"));
    assert_eq!(status, Some(1));
    has(&stderr, &["error: QUARTZ_EXE names `/no/such/quartz`, which is not there"]);
}

#[test]
fn several_runs_at_once_do_not_disturb_each_other() {
    let project = Project::new("several", r#"  task("say") do -> puts("well") end"#);
    let runs: Vec<_> = (0..4)
        .map(|_| project.command(&["say"]).stdout(Stdio::piped()).spawn().expect("it starts"))
        .collect();
    for run in runs {
        let output = run.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "well\n");
    }
}

#[test]
fn each_task_has_what_its_block_captured() {
    let project = Project::new(
        "captured",
        r#"
  files = ["a"]
  task("x") do -> puts(files << "x") end
  task("y") do -> puts(files << "y") end
  var n = 0
  task("one") do -> n += 1; puts(n) end
  task("two") do -> n += 1; puts(n) end
"#,
    );
    assert_eq!(project.prints(&["-j1", "x", "y"]), "[\"a\", \"x\"]\n[\"a\", \"y\"]\n");
    assert_eq!(project.prints(&["-j1", "one", "two"]), "1\n1\n");
}

/// The chores of this repository, over a few programs: builds with cold, warm and damaged caches give the same bytes, and
/// all engines the same results.
#[test]
fn the_chores_of_this_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("it stands two folders down");
    let corpus = "CORPUS=tests/run/{basics,closures}/*.qz";
    let prints = |words: &[&str], wanted: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quake"));
        command.current_dir(root).args(words).env_remove("QUARTZ_EXE").stdin(Stdio::null());
        let (status, stdout, stderr) = said(command.env("QUARTZ", env!("CARGO_BIN_EXE_quartz")));
        assert!(status == Some(0) && stdout.contains(wanted), "{words:?}: {stdout}{stderr}");
    };
    prints(&["guard", corpus], "objects, the same bytes 9 times; ");
    prints(&["guard:check", corpus], "the stamp holds");
    prints(&["fixpoint", corpus], "engines: equal results");
    prints(&["smoke"], " passed");
}

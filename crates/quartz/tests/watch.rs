//! `quartz watch` does it again when a file is saved, and ends a program that still runs first.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Far more than any step takes.
const LONG: Duration = Duration::from_secs(60);

struct Watching {
    folder: PathBuf,
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(name: &str, what: &str, files: &[(&str, &str)], args: &[&str]) -> Watching {
        let folder = std::env::temp_dir().join(format!("quartz-watch-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        files.iter().for_each(|(file, text)| std::fs::write(folder.join(file), text).expect("written"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_quartz"));
        command.current_dir(&folder).args(["watch", what]).args(args);
        command.env("QUARTZ_CACHE_DIR", folder.join("cache")).stdin(Stdio::null()).process_group(0);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (sender, lines) = channel();
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let to = sender.clone();
        std::thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).try_for_each(|it| to.send(it))
        });
        std::thread::spawn(move || {
            BufReader::new(err).lines().map_while(Result::ok).try_for_each(|it| sender.send(it))
        });
        Watching { folder, child, lines }
    }

    fn save(&self, file: &str, text: &str) {
        std::fs::write(self.folder.join(file), text).expect("the file can be written");
    }

    /// Of the watcher, and of the group of what it starts.
    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for the file that says that the program runs.
    #[cfg(target_os = "linux")]
    fn expect_start(&self) {
        let deadline = Instant::now() + LONG;
        while !self.folder.join("started").exists() {
            assert!(Instant::now() < deadline, "it does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until nothing runs any more that works in this folder.
    #[cfg(target_os = "linux")]
    fn expect_nobody(&mut self) {
        let deadline = Instant::now() + LONG;
        self.child.wait().expect("it was started");
        while let Some(who) = somebody_in(&self.folder) {
            assert!(Instant::now() < deadline, "process {who} lives on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for a line with these words.
    fn expect(&self, words: &str) {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(LONG) {
                Ok(line) if line.contains(words) => return,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no line has {words:?}; there were {seen:?}"),
            }
        }
    }
}

/// A process that works in this folder.
#[cfg(target_os = "linux")]
fn somebody_in(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().expect("it is there");
    let processes = std::fs::read_dir("/proc").expect("Linux has it").flatten();
    let mut there =
        processes.filter(|it| std::fs::read_link(it.path().join("cwd")).is_ok_and(|its| its == folder));
    there.next().map(|it| it.file_name().to_string_lossy().into_owned())
}

impl Drop for Watching {
    fn drop(&mut self) {
        kill_process_group(self.pid(), Signal::KILL).ok();
        self.child.wait().ok();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

#[test]
fn a_program_runs_again() {
    let files = [("a.qz", "import b\n\ndef main = puts(b::text())\n"), ("b.qz", "def text = \"one\"\n")];
    let watching = Watching::start("run", "run", &files, &["a.qz"]);
    watching.expect("one");
    watching.save("b.qz", "def text = \"two\"\n");
    watching.expect("two");
    watching.save("b.qz", "def text = tow\n");
    watching.expect("QZ0400");
    watching.save("b.qz", "def text = \"three\"\n");
    watching.expect("three");
}

#[test]
fn a_program_that_still_runs_is_asked_to_end() {
    let text = |word: &str| {
        format!(
            "def main\n  defer puts(\"bye {word}\")\n  puts(\"hello {word}\")\n  await go sleep(3_600_000)\nend\n"
        )
    };
    let watching = Watching::start("end", "run", &[("a.qz", &text("one"))], &["a.qz"]);
    watching.expect("hello one");
    watching.save("a.qz", &text("two"));
    watching.expect("bye one");
    watching.expect("hello two");
}

/// Says that it runs, and hears of nothing from then on.
const BUSY: &str = "File.write(\"started\", \"\")!\n  var n = 0\n  loop\n    n = (n + 1) % 7\n  end\n";

/// Who is killed cannot end anybody.
#[cfg(target_os = "linux")]
#[test]
fn a_program_does_not_outlive_a_watcher_that_is_killed() {
    let text = format!("import File from std/file\n\ndef main\n  {BUSY}end\n");
    let mut watching = Watching::start("killed", "run", &[("a.qz", &text)], &["a.qz"]);
    watching.expect_start();
    kill_process(watching.pid(), Signal::KILL).expect("it runs");
    watching.expect_nobody();
}

/// Three processes stand between the watcher and a test.
#[cfg(target_os = "linux")]
#[test]
fn a_test_does_not_outlive_a_watcher_that_is_killed() {
    let head = "import * from qspec\nimport File from std/file\n\ndef main(): Int\n";
    let spec = format!("{head}  it \"is endless\" do ->\n    {BUSY}  end\n  qspec_main()\nend\n");
    let mut watching = Watching::start("killed-test", "test", &[("a_spec.qz", &spec)], &["."]);
    watching.expect_start();
    kill_process(watching.pid(), Signal::KILL).expect("it runs");
    watching.expect_nobody();
}

/// As a terminal does it: the program hears of it too, and has time to end in order.
#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_the_program_in_order() {
    let text = "def main\n  defer puts(\"bye\")\n  puts(\"hello\")\n  await go sleep(3_600_000)\nend\n";
    let mut watching = Watching::start("interrupt", "run", &[("a.qz", text)], &["a.qz"]);
    watching.expect("hello");
    kill_process_group(watching.pid(), Signal::INT).expect("it runs");
    watching.expect("bye");
    watching.expect_nobody();
}

/// A signal for the watcher alone.
#[cfg(target_os = "linux")]
#[test]
fn a_watcher_that_is_to_end_asks_its_program_to_end() {
    let text = "def main\n  defer puts(\"bye\")\n  puts(\"hello\")\n  await go sleep(3_600_000)\nend\n";
    let mut watching = Watching::start("term", "run", &[("a.qz", text)], &["a.qz"]);
    watching.expect("hello");
    kill_process(watching.pid(), Signal::TERM).expect("it runs");
    watching.expect("bye");
    watching.expect_nobody();
}

#[test]
fn tests_are_run_again() {
    let spec = |n: u32| {
        format!(
            "import * from qspec\n\ndef main(): Int\n  describe \"sums\" do ->\n    it \"adds\" do -> assert_eq(1 + 1, {n}) end\n  end\n  qspec_main()\nend\n"
        )
    };
    let watching = Watching::start("test", "test", &[("a_spec.qz", &spec(3))], &[]);
    watching.expect("1 failed");
    watching.save("a_spec.qz", &spec(2));
    watching.expect("1 passed");
}

#[test]
fn what_is_watched_has_to_be_said() {
    let found =
        Command::new(env!("CARGO_BIN_EXE_quartz")).args(["watch", "run"]).output().expect("it starts");
    assert_eq!(found.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&found.stderr).contains("quartz watch run FILE.qz"));
}

//! `quartz watch` does it again when a file is saved, and ends a program that still runs first.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

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
        command.env("QUARTZ_CACHE_DIR", folder.join("cache")).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let (sender, lines) = channel();
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let to = sender.clone();
        std::thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).try_for_each(|it| to.send(it)));
        std::thread::spawn(move || {
            BufReader::new(err).lines().map_while(Result::ok).try_for_each(|it| sender.send(it))
        });
        Watching { folder, child, lines }
    }

    fn save(&self, file: &str, text: &str) {
        std::fs::write(self.folder.join(file), text).expect("the file can be written");
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

impl Drop for Watching {
    fn drop(&mut self) {
        self.child.kill().ok();
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
        format!("def main\n  defer puts(\"bye {word}\")\n  puts(\"hello {word}\")\n  await go sleep(3_600_000)\nend\n")
    };
    let watching = Watching::start("end", "run", &[("a.qz", &text("one"))], &["a.qz"]);
    watching.expect("hello one");
    watching.save("a.qz", &text("two"));
    watching.expect("bye one");
    watching.expect("hello two");
}

#[test]
fn tests_are_run_again() {
    let spec = |n: u32| {
        format!("import * from qspec\n\ndef main(): Int\n  describe \"sums\" do ->\n    it \"adds\" do -> assert_eq(1 + 1, {n}) end\n  end\n  qspec_main()\nend\n")
    };
    let watching = Watching::start("test", "test", &[("a_spec.qz", &spec(3))], &[]);
    watching.expect("1 failed");
    watching.save("a_spec.qz", &spec(2));
    watching.expect("1 passed");
}

#[test]
fn what_is_watched_has_to_be_said() {
    let found = Command::new(env!("CARGO_BIN_EXE_quartz")).args(["watch", "run"]).output().expect("it starts");
    assert_eq!(found.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&found.stderr).contains("quartz watch run FILE.qz"));
}

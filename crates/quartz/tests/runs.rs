//! What others see of a program that runs: signals, its end, its standard input, limits of the system, the record of its
//! tasks. Order comes from the lines that it prints.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A fresh folder with a built program, removed at its end.
struct Program(PathBuf);

impl Program {
    fn new(name: &str, text: &str) -> Program {
        Program::built(name, text, &[]).expect("this needs no LLVM")
    }

    /// The program, built in this way; none if that needs an LLVM which is not here.
    fn built(name: &str, text: &str, way: &[&str]) -> Option<Program> {
        let folder = std::env::temp_dir().join(format!("quartz-runs-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let program = Program(folder);
        std::fs::write(program.0.join("a.qz"), text).expect("the file can be written");
        let mut build = Command::new(env!("CARGO_BIN_EXE_quartz"));
        build.current_dir(&program.0).args(["--color=never", "build", "-o", "a", "a.qz"]).args(way);
        let built = build.stdin(Stdio::null()).output().expect("the command starts");
        let errors = String::from_utf8_lossy(&built.stderr);
        if errors.contains("QZ9005") {
            eprintln!("not tested: {errors}");
            return None;
        }
        assert!(built.status.success(), "{errors}");
        Some(program)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.0.join("a"));
        command.current_dir(&self.0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self) -> Running {
        Running::of(&mut self.command())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Running {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// How a program ended, and what it had not yet been heard to say.
struct Ended {
    status: ExitStatus,
    output: String,
    errors: String,
}

impl Running {
    fn of(command: &mut Command) -> Running {
        let mut child = command.spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Running { input: child.stdin.take(), child, output }
    }

    /// The next line.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the program's output can be read");
        line.trim_end().to_owned()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("`kill` starts").success());
    }

    fn say(&mut self, text: &str) {
        self.input.as_mut().expect("piped").write_all(text.as_bytes()).expect("the program reads");
    }

    fn end(mut self) -> Ended {
        let (mut output, mut errors) = (String::new(), String::new());
        self.output.read_to_string(&mut output).expect("the program's output can be read");
        self.child.stderr.take().expect("piped").read_to_string(&mut errors).expect("as above");
        Ended { status: self.child.wait().expect("it ends"), output, errors }
    }
}

// ---- signals

const WAITS: &str = "
def main
  go do -> channel_new<Int>(0).recv() end
  defer puts(\"cleaned up\")
  puts(\"ready\")
  flush()
  channel_new<Int>(0).recv()
end
";

#[test]
fn a_signal_ends_main_and_what_is_deferred_runs() {
    let program =
        Program::new("signal", &WAITS.replace("channel_new<Int>(0).recv()\nend", "sleep(1_000_000)\nend"));
    for (name, status) in [("TERM", 143), ("INT", 130)] {
        let mut running = program.start();
        assert_eq!(running.line(), "ready");
        running.signal(name);
        let ended = running.end();
        assert_eq!(
            (ended.output.as_str(), ended.status.code()),
            ("cleaned up\n", Some(status)),
            "{}",
            ended.errors
        );
        assert_eq!(ended.errors, "");
    }
}

#[test]
fn a_signal_ends_a_read_of_standard_input() {
    let program =
        Program::new("reader", &WAITS.replace("  channel_new<Int>(0).recv()\nend", "  read_line()\nend"));
    let mut running = program.start();
    assert_eq!(running.line(), "ready");
    running.signal("TERM");
    let ended = running.end();
    assert_eq!((ended.output.as_str(), ended.status.code()), ("cleaned up\n", Some(143)), "{}", ended.errors);
}

#[test]
fn a_second_signal_kills() {
    let text = "
def hold
  puts(\"ending\")
  flush()
  sleep(1_000_000)
end

def main
  go do -> sleep(1_000_000) end
  defer hold()
  puts(\"ready\")
  flush()
  sleep(1_000_000)
end
";
    let program = Program::new("second", text);
    let mut running = program.start();
    assert_eq!(running.line(), "ready");
    running.signal("TERM");
    assert_eq!(running.line(), "ending");
    // What comes at once is the same signal, sent to a process and to its group.
    running.signal("TERM");
    std::thread::sleep(Duration::from_millis(200));
    running.signal("TERM");
    assert_eq!(running.end().status.signal(), Some(15));
}

#[test]
fn tasks_that_compute_do_not_hold_up_the_end() {
    let text = "
import args from std/args

def spin: Int
  var n = 0
  while n >= 0
    n = (n + 1) % 1000
  end
  n
end

def main
  defer puts(\"main ends\")
  waits = go do
    defer puts(\"the task ends\")
    sleep(1_000_000)
  end
  _ = go spin()
  while not waits.waiting?
    sched_yield()
  end
  puts(\"ready\")
  flush()
  await waits if args().empty?
end
";
    let program = Program::new("spins", text);
    for workers in ["1", "2", "8"] {
        let mut running = Running::of(program.command().env("QUARTZ_WORKERS", workers));
        assert_eq!(running.line(), "ready");
        running.signal("TERM");
        let ended = running.end();
        assert_eq!((ended.output.as_str(), ended.status.code()), ("main ends\nthe task ends\n", Some(143)));
        let ended = Running::of(program.command().arg("at-once").env("QUARTZ_WORKERS", workers)).end();
        let expected = "ready\nmain ends\nthe task ends\n";
        assert_eq!((ended.output.as_str(), ended.status.code()), (expected, Some(0)));
    }
}

#[test]
fn clean_ups_that_compute_come_to_their_end() {
    let text = "
import Instant from std/time

def compute: Void
  began = Instant.now()
  while began.elapsed().as_millis < 1000
  end
  puts(\"cleaned up\")
end

def main
  waits = go do
    defer compute()
    sleep(1_000_000)
  end
  while not waits.waiting?
    sched_yield()
  end
end
";
    let ended = Program::new("cleans", text).start().end();
    assert_eq!((ended.output.as_str(), ended.status.code()), ("cleaned up\n", Some(0)));
}

#[test]
fn a_computation_that_waits_for_nothing_is_killed() {
    let text = "
def main
  await go 1
  puts(\"busy\")
  flush()
  var n = 0
  loop
    n = (n + 1) % 1000
  end
end
";
    let program = Program::new("busy", text);
    let mut running = program.start();
    assert_eq!(running.line(), "busy");
    running.signal("INT");
    assert_eq!(running.end().status.signal(), Some(2));
}

#[test]
fn the_table_of_tasks_says_who_waits_where() {
    let text = "
import scope from std/scope
import Mutex from std/sync
import pipe from std/net

def listen(numbers: Channel<Int>): Int
  numbers.recv()!
end

def called(f: Fn(): Int): Int = f() + 1

def main
  numbers = channel_new<Int>(0)
  lock = Mutex.new(0)
  (reader, writer) = pipe()!
  tasks = [
    go_with(name: \"listens\") do listen(numbers) end,
    go_with(name: \"is called\") do called(() -> listen(numbers)) end,
    go_with(name: \"selects\") do
      select
        n = recv(numbers) => n ?? 0
        after(1_000_000) => 0
      end
    end,
    go_with(name: \"reads\") do (reader.read_line()!)!.size end,
    # The block notes another place before the scope waits.
    go_with(name: \"has a scope\") do
      scope do s ->
        _ = s.go do listen(numbers) end
        sched_yield()
        1
      end
    end
  ]
  while not tasks.all? { it.waiting? }
    sched_yield()
  end
  lock.with do _ ->
    task = go_with(name: \"locks\") do lock.with do it -> it + 0 end end
    while not task.waiting?
      sched_yield()
    end
    puts(\"ready\")
    flush()
    puts(read_line())
    1
  end
  writer.write(\"x\\n\")!
  for _ in 0..4
    numbers.send(1)!
  end
  for task in tasks
    await task
  end
  puts(\"over\")
end
";
    for way in [&["-g"] as &[&str], &[], &["--opt=0"], &["--release"]] {
        let Some(program) = Program::built("table", text, way) else { continue };
        let mut running = program.start();
        assert_eq!(running.line(), "ready");
        running.signal("USR1");
        let mut errors = BufReader::new(running.child.stderr.take().expect("piped"));
        let mut table = vec![String::new(); 8];
        for line in &mut table {
            errors.read_line(line).expect("it is told");
        }
        assert!(table[0].starts_with("  main "), "{table:?}");
        let waits = |name: &str| {
            let line = table.iter().find(|line| line.contains(name));
            line.unwrap_or_else(|| panic!("no {name} in {table:?}")).split_once(" wait").expect("it waits").1
        };
        let found = [
            waits("listens"),
            waits("is called"),
            waits("selects"),
            waits("reads"),
            waits("has a scope"),
            waits("locks"),
        ];
        let expected = [
            "s to receive at a.qz:7:3",
            "s to receive at a.qz:7:3",
            "s in a select at a.qz:20:7",
            "s for input at a.qz:25:32",
            "s for a task at a.qz:28:7",
            "s for a lock at a.qz:39:38",
        ];
        assert_eq!(found.map(str::trim_end), expected, "{way:?}: {table:?}");
        running.say("go on\n");
        assert_eq!([running.line(), running.line()], ["Some(\"go on\")", "over"]);
        assert!(running.child.wait().expect("it ends").success());
    }
}

// ---- ends

#[test]
fn a_stack_overflow_in_a_task_tells_where() {
    let text = "
def down(n: Int): Int = 1 + down(n + 1)

def main
  task = go down(0)
  while not task.done?
    sched_yield()
  end
end
";
    let ended = Program::new("overflow", text).start().end();
    assert_eq!(ended.status.code(), Some(101));
    let expected = "panic in a task that nobody awaited: stack overflow\n  at a.qz:2:";
    assert!(ended.errors.starts_with(expected), "{}", ended.errors);
    assert!(ended.errors.contains("  … "), "the middle is left out: {}", ended.errors);
}

#[test]
fn a_panic_of_which_nobody_heard_is_a_failure() {
    let text = "
def main
  task = go do -> [1][3] end
  while not task.done?
    sched_yield()
  end
  puts(\"main is over\")
end
";
    let ended = Program::new("unheard", text).start().end();
    assert_eq!((ended.status.code(), ended.output.as_str()), (Some(101), "main is over\n"));
    assert!(
        ended.errors.contains("panic in a task that nobody awaited: index 3 is out of bounds"),
        "{}",
        ended.errors
    );
    assert!(ended.errors.contains("at a.qz:3:"), "{}", ended.errors);
}

#[test]
fn counts_of_workers_that_cannot_be_are_panics() {
    let text = "
def main
  for count in [-1, 257, 1_000_000, 9_000_000_000]
    puts((catch_panic do sched_init(count) end).err?)
  end
  for count in [0, 1, 256]
    sched_init(count)
    puts([await task for task in [go do -> n * 2 end for n in 0..100]].sum)
    sched_shutdown()
  end
end
";
    let ended = Program::new("workers", text).start().end();
    let expected = format!("{}{}", "true\n".repeat(4), "9900\n".repeat(3));
    assert_eq!((ended.output, ended.errors.as_str()), (expected, ""));
}

#[test]
fn counts_of_workers_in_the_environment_that_cannot_be_are_passed_over() {
    let text = "
def main = puts([await task for task in [go do -> n * 2 end for n in 0..100]].sum)
";
    let program = Program::new("many-workers", text);
    for count in ["", "0", "-1", "many", "1.5", "1000000", "99999999999999999999999"] {
        let ended = Running::of(program.command().env("QUARTZ_WORKERS", count)).end();
        assert_eq!((ended.output.as_str(), ended.errors.as_str()), ("9900\n", ""), "{count:?}");
    }
}

/// The program with so many descriptors.
fn with_descriptors(program: &Program, count: usize) -> Ended {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {count}; exec ./a")]).current_dir(&program.0);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Running::of(&mut shell).end()
}

#[test]
fn when_there_are_no_descriptors_left_operations_fail_and_the_server_goes_on() {
    let text = "
import Addr, Stream, Listener, connect, listen from std/net

def serve(server: Listener, log: Channel<String>): Void
  loop
    match server.accept()
      Ok(conn) =>
        go do ->
          _ = conn.write(\"hello\\n\")
          conn.read_line()
        end
      Err(error) =>
        log.try_send(error.reason)
        sleep(1)
    end
  end
end

def main
  server = listen(\"127.0.0.1:0\")!
  address = server.address()!
  log = channel_new<String>(1)
  go serve(server, log)
  conns = Vec<Stream>.new()
  loop
    match connect(address)
      Ok(conn) => conns << conn
      Err(error) =>
        puts(error.reason)
        break
    end
  end
  puts(conns.size > 5)
  # One that waits to be accepted takes none here.
  puts(log.recv()!)
  for conn in conns
    conn.close()
  end
  conns.clear()
  last = connect(address)!
  puts(last.read_line()!)
end
";
    let ended = with_descriptors(&Program::new("descriptors", text), 60);
    let expected = "Too many open files\ntrue\nToo many open files\nSome(\"hello\")\n";
    assert_eq!((ended.output.as_str(), ended.errors.as_str()), (expected, ""));
}

#[test]
fn a_server_that_asks_again_at_once_does_not_use_up_a_processor() {
    let text = "
import Atomic from std/sync
import File from std/file
import Stream, Listener, connect, listen from std/net
import Instant from std/time

def serve(server: Listener, failures: Atomic<Int>): Void
  loop
    match server.accept()
      Ok(conn) =>
        _ = conn.write(\"hello\\n\")
      Err(_) =>
        failures.fetch_add(1)
    end
  end
end

def main
  server = listen(\"127.0.0.1:0\")!
  failures = Atomic.new(0)
  go serve(server, failures)
  begun = Instant.now()
  conn = connect(server.address()!)!
  puts(conn.read_line()!)
  files = Vec<File>.new()
  while File.open(\"a\") is Ok(file)
    files << file
  end
  # The last descriptor is that of who connects, so there is none for the other side.
  files.pop()!.close()!
  wants = connect(server.address()!)!
  while failures.load() < 3
    sleep(1)
  end
  # One for each ten milliseconds.
  puts(failures.load() <= begun.elapsed().as_millis / 10 + 1)
  files.clear()
  puts(wants.read_line()!)
end
";
    let ended = with_descriptors(&Program::new("asks-again", text), 40);
    let expected = "Some(\"hello\")\ntrue\nSome(\"hello\")\n";
    assert_eq!((ended.output.as_str(), ended.errors.as_str()), (expected, ""));
}

#[test]
fn whatever_needs_descriptors_fails_without_and_goes_on_with_them() {
    let text = "
import File from std/file
import std/process
import Stdio from std/process
import Stream, pipe from std/net

def main
  files = Vec<File>.new()
  while File.open(\"a\") is Ok(file)
    files << file
  end
  puts(files.size > 5)
  puts(await go do -> pipe().err? end)
  # Whatever there is too little of: nothing is begun, and nothing lost.
  for left in 0..12
    if files.pop() is Some(file)
      file.close()!
    end
    before = File.exists?(\"begun\")
    child = process::start(\"touch\", [\"begun\"], stdin: Stdio::Pipe, stdout: Stdio::Pipe)
    match child
      Ok(child) => $assert(child.wait()! == 0 and File.exists?(\"begun\"))
      Err(error) => $assert(not before and not File.exists?(\"begun\"), error.reason)
    end
    match pipe()
      Ok((reader, writer)) =>
        writer.write(\"through\\n\")!
        $assert(reader.read_line()! == Some(\"through\"))
      Err(error) => $assert(error.reason == \"Too many open files\", error.reason)
    end
  end
  puts(File.exists?(\"begun\"))
  puts(process::run(\"echo\", [\"all is well\"])!.output.trim)
  # All came back: without the standard streams, and what the system is asked by who is ready.
  # Some come back from other threads, so a little later on a busy machine.
  var tries = 0
  until all_back?(files.size) or tries == 1_000
    tries += 1
    sleep(10)
  end
  puts(tries < 1_000)
end

def all_back?(open: Int): Bool
  again = Vec<File>.new()
  while File.open(\"a\") is Ok(file)
    again << file
  end
  again.size + open >= 40 - 3 - 5
end
";
    let program = Program::new("few", text);
    let ended = with_descriptors(&program, 40);
    let expected = "true\ntrue\ntrue\nall is well\ntrue\n";
    assert_eq!((ended.output.as_str(), ended.errors.as_str()), (expected, ""));
}

// ---- standard input

const READS: &str = "
def main
  go do -> sleep(1_000_000) end
  puts(read_line_timeout(60_000))
  puts(read_lines().size)
end
";

#[test]
fn standard_input_may_be_anything() {
    let program = Program::new("input", READS);
    let file = program.0.join("lines");
    std::fs::write(&file, "one\ntwo\nthree").expect("the file can be written");
    let ended = |stdin: Stdio| Running::of(program.command().stdin(stdin)).end();
    let from_file = ended(std::fs::File::open(&file).expect("it is there").into());
    assert_eq!((from_file.output.as_str(), from_file.errors.as_str()), ("Ok(Some(\"one\"))\n2\n", ""));
    let from_nothing = ended(Stdio::null());
    assert_eq!((from_nothing.output.as_str(), from_nothing.errors.as_str()), ("Ok(None)\n0\n", ""));

    let mut shell = Command::new("sh");
    shell.args(["-c", "exec ./a <&-"]).current_dir(&program.0);
    let closed = Running::of(shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())).end();
    assert_eq!((closed.output.as_str(), closed.errors.as_str()), ("Ok(None)\n0\n", ""));

    let mut terminal = Command::new("script");
    terminal.args(["-qec", "./a", "/dev/null"]).current_dir(&program.0);
    let found = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = found else { return eprintln!("not tested: there is no `script`") };
    child.stdin.take().expect("piped").write_all(b"one\ntwo\n\x04").expect("it reads");
    let shown = child.wait_with_output().expect("it ends").stdout;
    let shown = String::from_utf8_lossy(&shown).replace('\r', "");
    assert!(shown.ends_with("Ok(Some(\"one\"))\n1\n"), "{shown:?}");
}

#[test]
fn input_that_does_not_come_is_an_error_and_its_description_stays_as_it_was() {
    let text = READS
        .replace("60_000", "5")
        .replace("puts(read_line_timeout(5))", "puts(read_line_timeout(5).err?)\n  flush()");
    let program = Program::new("silent", &text);
    let (reader, mut writer) = std::io::pipe().expect("there are pipes");
    let mut running =
        Running::of(program.command().stdin(reader.try_clone().expect("there are descriptors")));
    assert_eq!(running.line(), "true");
    let flags = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", reader.as_raw_fd()));
    let flags = flags
        .expect("Linux says")
        .lines()
        .nth(1)
        .expect("flags")
        .trim_start_matches("flags:")
        .trim()
        .to_owned();
    let flags = u32::from_str_radix(&flags, 8).expect("octal");
    assert_eq!(flags & 0o4000, 0, "it was made non-blocking");
    writer.write_all(b"a\nb\n").expect("it reads");
    drop(writer);
    assert_eq!(running.end().output, "2\n");
}

#[test]
fn streams_that_others_made_non_blocking_lose_nothing() {
    let text = "
def main
  for n in 0..20_000
    puts(n)
  end
  puts(read_lines().size)
end
";
    let program = Program::new("non-blocking", text);
    let pair = || UnixStream::pair().expect("there are sockets");
    let ((reader, writer), (theirs, mut ours)) = (pair(), pair());
    // What is set here holds for all who have the same description.
    for stream in [&writer, &theirs] {
        stream.set_nonblocking(true).expect("it is open");
    }
    let mut command = program.command();
    command.stdin(OwnedFd::from(theirs)).stdout(OwnedFd::from(writer));
    let mut child = command.spawn().expect("the program starts");
    drop(command);
    let mut output = BufReader::new(reader);
    let mut lines = 0;
    let mut line = String::new();
    while lines < 19_000 {
        line.clear();
        output.read_line(&mut line).expect("the program's output can be read");
        assert_eq!(line.trim_end(), lines.to_string());
        lines += 1;
    }
    ours.write_all(b"one\ntwo\n").expect("it reads");
    drop(ours);
    let rest = output.lines().map_while(Result::ok).last();
    assert_eq!((rest.as_deref(), child.wait().expect("it ends").code()), (Some("2"), Some(0)));
}

// ---- the record of tasks

/// Checks what was written: for each thread ends follow beginnings, and each arrow has two ends. The names.
fn checked_record(program: &Program) -> Vec<String> {
    let file = program.0.join("quartz-tasks.json");
    let text = std::fs::read_to_string(&file).expect("it was written");
    let record: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    std::fs::remove_file(&file).expect("it is there");
    let mut at_work = std::collections::HashMap::new();
    let mut arrows = std::collections::HashMap::new();
    let mut names = Vec::new();
    for event in record["traceEvents"].as_array().expect("a list") {
        let thread = event["tid"].as_u64().expect("a thread");
        match event["ph"].as_str().expect("a phase") {
            "B" => {
                names.push(event["name"].as_str().expect("a name").to_owned());
                assert!(
                    !std::mem::replace(at_work.entry(thread).or_insert(false), true),
                    "two at a time: {text}"
                );
            }
            "E" => assert_eq!(at_work.insert(thread, false), Some(true), "no beginning: {text}"),
            "s" | "f" => *arrows.entry(event["id"].as_u64().expect("a number")).or_insert(0) += 1,
            _ => {}
        }
    }
    assert!(at_work.values().all(|runs| !runs), "no end: {text}");
    assert!(arrows.values().all(|&ends| ends == 2), "{text}");
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_record_of_tasks_is_written_however_the_program_ends() {
    let text = "
def main
  numbers = channel_new<Int>(0)
  adder = go_with(name: \"the \\\"adder\\\"\") do
    var sum = 0
    while numbers.recv() is Some(n)
      sum += n
    end
    sum
  end
  for n in 0..10
    numbers.send(n)!
  end
  puts(adder.name)
  #END
end
";
    let ends = [
        ("numbers.close()\n  puts(await adder)", 0),
        ("panic(\"so be it\")", 101),
        ("puts(await adder)", 101),
    ];
    for (end, status) in ends {
        let program = Program::new("record", &text.replace("#END", end));
        let ended = Running::of(program.command().env("QUARTZ_TRACE_TASKS", "1")).end();
        assert_eq!(ended.status.code(), Some(status), "{}", ended.errors);
        assert_eq!(checked_record(&program), ["main", "the \"adder\""]);
    }
}

#[test]
fn a_record_that_cannot_be_written_is_said() {
    let program = Program::new("no-record", "def main = puts(await go 1)\n");
    let ended = Running::of(program.command().env("QUARTZ_TRACE_TASKS", "/no/such/folder/file")).end();
    assert_eq!((ended.status.code(), ended.output.as_str()), (Some(0), "1\n"));
    assert!(
        ended.errors.starts_with("cannot write the tasks' times to `/no/such/folder/file`"),
        "{}",
        ended.errors
    );
}

//! Going through the files: which process tests which file, and when?

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::examples::{Example, examples_of_module, examples_of_page};
use crate::find::{Target, find};
use crate::host::HostOptions;
use crate::report::{Format, Reporter};
use crate::result::{Case, FileResult, Status, Told};
use crate::server::{Hosting, Server};
use crate::tied::ends_with_us;

/// Problems in the program.
const STATUS_PROBLEMS: u8 = 1;
/// Wrong use of the tool.
const STATUS_USE: u8 = 2;
/// How long an example may take.
const EXAMPLE_TIMEOUT: Duration = Duration::from_secs(20);

/// What `quartz test` was asked for.
#[derive(Clone, Debug)]
pub struct Options {
    pub paths: Vec<PathBuf>,
    pub host: HostOptions,
    /// How many files at once.
    pub jobs: usize,
    /// `cranelift` or `interp`.
    pub engine: String,
    /// What every program hears that is started anew, such as names for `@cfg(feature: …)`.
    pub told: Vec<String>,
    /// What hosts say on standard error is shown.
    pub explains: bool,
    pub format: Format,
    /// Tell which tests took longest.
    pub times: bool,
    /// Write which lines were run.
    pub coverage: bool,
    pub colored: bool,
    /// Standard error is a terminal.
    pub terminal: bool,
    /// This program.
    pub compiler: PathBuf,
}

/// Tests everything; gives the exit status. Specifications are hosted by processes that are forked from this one, which
/// must have one thread.
pub fn test(options: &Options, hosting: &dyn Hosting) -> u8 {
    let targets = match find(&options.paths) {
        Ok(targets) => targets,
        Err(words) => {
            eprintln!("error: {words}");
            return STATUS_USE;
        }
    };
    let servers = match start_servers(options, &targets, hosting) {
        Ok(servers) => servers,
        Err(error) => {
            eprintln!("error: no process can be started: {error}");
            return STATUS_PROBLEMS;
        }
    };
    let mut reporter = Reporter::new(options);
    let results = run_all(options, &targets, servers, &mut reporter);
    if results.iter().all(|it| it.cases.is_empty() && it.broken.is_none()) {
        eprintln!(
            "error: there is no test {}",
            if targets.is_empty() { "here" } else { "that was asked for" }
        );
        eprintln!(
            "  = help: tests stand in files whose names end in `_spec.qz`, and in examples of doc comments"
        );
        return STATUS_USE;
    }
    reporter.end(&results);
    if options.coverage && !write_coverage(&results) {
        return STATUS_PROBLEMS;
    }
    if results.iter().all(FileResult::ok) { 0 } else { STATUS_PROBLEMS }
}

/// Tells on standard error, for standard output may be meant for tools.
fn write_coverage(results: &[FileResult]) -> bool {
    let folder = Path::new("coverage");
    let lines = crate::coverage::merged(results.iter().flat_map(|it| &it.lines));
    match crate::coverage::write(&lines, folder) {
        Ok((run, all)) => {
            eprintln!("coverage: {run} of {all} lines, see coverage/index.html and coverage/lcov.info");
            true
        }
        Err(error) => {
            eprintln!("error: `{}` cannot be written: {error}", folder.display());
            false
        }
    }
}

/// One for each file that is tested at a time; none where there is no specification.
fn start_servers(
    options: &Options,
    targets: &[Target],
    hosting: &dyn Hosting,
) -> std::io::Result<Vec<Option<Server>>> {
    let has_specs = targets.iter().any(|it| matches!(it, Target::Spec(_)));
    let jobs = 0..options.jobs.clamp(1, targets.len().max(1));
    jobs.map(|_| has_specs.then(|| Server::start(&options.compiler, hosting)).transpose()).collect()
}

/// Results in the order of the files, whichever ended first.
fn run_all(
    options: &Options,
    targets: &[Target],
    servers: Vec<Option<Server>>,
    reporter: &mut Reporter<'_>,
) -> Vec<FileResult> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    let mut results: Vec<Option<FileResult>> = vec![None; targets.len()];
    std::thread::scope(|scope| {
        for mut server in servers {
            let (sender, next, stop) = (sender.clone(), &next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(target) = targets.get(n) else { return };
                    let result = run_target(options, target, server.as_mut());
                    if options.host.bail && !result.ok() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    if sender.send((n, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut shown = 0;
        for (n, result) in receiver {
            results[n] = Some(result);
            while let Some(Some(result)) = results.get(shown) {
                reporter.file(result);
                shown += 1;
            }
            let done = results.iter().flatten();
            reporter.progress(done, targets.len());
        }
        // After a bail there may be gaps.
        results.iter().skip(shown).flatten().for_each(|result| reporter.file(result));
    });
    results.into_iter().flatten().collect()
}

fn run_target(options: &Options, target: &Target, server: Option<&mut Server>) -> FileResult {
    let since = Instant::now();
    let mut result = match target {
        Target::Spec(path) => {
            run_spec(options, path, server.expect("there is one if there is a specification"))
        }
        Target::Module(path) => run_examples(options, path, examples_of_module),
        Target::Page(path) => run_examples(options, path, examples_of_page),
    };
    result.file = target.path().display().to_string();
    result.time = since.elapsed();
    result
}

fn run_spec(options: &Options, path: &Path, server: &mut Server) -> FileResult {
    let mut result = FileResult::default();
    let output = match server.run(path) {
        Ok(output) => output,
        Err(error) => {
            result.broken = Some(format!("the process that starts others is gone: {error}"));
            return result;
        }
    };
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match Told::from_line(line) {
            Some(Told::Case(case)) => result.cases.push(case),
            Some(Told::Broken(words)) => result.broken = Some(words),
            Some(Told::Lines(lines)) => result.lines = lines,
            None => {}
        }
    }
    if options.explains && output.status.success() {
        // A reader that went away is no reason to fail.
        std::io::stderr().write_all(&output.stderr).ok();
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        result.broken = Some(match output.status.code() {
            Some(1) => format!("it does not compile\n{}", said.trim_end()),
            _ => format!(
                "the process that holds the tests ended badly ({})\n{}",
                output.status,
                said.trim_end()
            ),
        });
    }
    result
}

fn run_examples(options: &Options, path: &Path, examples: fn(&str) -> Vec<Example>) -> FileResult {
    let mut result = FileResult::default();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            result.broken = Some(format!("it cannot be read: {error}"));
            return result;
        }
    };
    for example in examples(&text) {
        let path_of_case = vec![format!("the example at line {}", example.line)];
        let name = &path_of_case[0];
        let choice = &options.host.choice;
        let is_wanted = choice.filter.as_ref().is_none_or(|part| name.contains(part.as_str()));
        if !is_wanted || choice.tags.iter().any(|it| !it.starts_with('~')) {
            continue;
        }
        let since = Instant::now();
        let mut case = Case {
            path: path_of_case,
            tags: Vec::new(),
            status: if options.host.list { Status::Listed } else { Status::Passed },
            message: String::new(),
            place: format!("{}:{}:1", path.display(), example.line),
            trace: String::new(),
            stdout: String::new(),
            stderr: String::new(),
            time: Duration::ZERO,
        };
        if !options.host.list {
            run_example(options, path, &example, &mut case);
        }
        case.time = since.elapsed();
        let failed = case.status == Status::Failed;
        result.cases.push(case);
        if failed && options.host.bail {
            break;
        }
    }
    result
}

/// Runs an example where the file lies, so that it may import the file.
fn run_example(options: &Options, path: &Path, example: &Example, case: &mut Case) {
    let mut command = Command::new(&options.compiler);
    command.args(["run", "--color=never", "--engine", &options.engine]).args(&options.told);
    command.args(options.host.leaks.then_some("--leaks")).arg("-");
    command.env("QUARTZ_EXE", &options.compiler);
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        command.current_dir(folder);
    }
    let fail = |case: &mut Case, words: String| {
        case.status = Status::Failed;
        case.message = words;
    };
    let ended = match run_within(command, &example.program, EXAMPLE_TIMEOUT) {
        Ok(ended) => ended,
        Err(error) => return fail(case, format!("the compiler cannot be started: {error}")),
    };
    case.stdout = ended.stdout;
    case.stderr = ended.stderr;
    match ended.status {
        None => fail(case, format!("it takes longer than {EXAMPLE_TIMEOUT:?}")),
        Some(0) => {
            let printed: Vec<&str> = case.stdout.lines().map(str::trim).collect();
            let missing = example.promises.iter().find(|it| !printed.contains(&it.as_str()));
            if let Some(missing) = missing {
                fail(case, format!("it does not print {missing:?}"));
            }
        }
        Some(status) => fail(case, format!("it ends with status {status}")),
    }
}

struct Ran {
    /// None if it took too long.
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

fn run_within(mut command: Command, input: &str, timeout: Duration) -> std::io::Result<Ran> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    ends_with_us(&mut command);
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (done, is_done) = mpsc::channel();
    std::thread::scope(|scope| {
        // A child may end before it has read everything.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let read = |stream: Option<Box<dyn Read + Send>>| {
            let mut bytes = Vec::new();
            stream.map(|mut stream| stream.read_to_end(&mut bytes));
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let errors = scope.spawn(move || read(stderr.map(|it| Box::new(it) as Box<dyn Read + Send>)));
        let output = scope.spawn(move || {
            let text = read(stdout.map(|it| Box::new(it) as Box<dyn Read + Send>));
            done.send(()).ok();
            text
        });
        let in_time = is_done.recv_timeout(timeout).is_ok();
        if !in_time {
            child.kill()?;
        }
        let status = child.wait()?;
        let text = |it: std::thread::ScopedJoinHandle<'_, String>| it.join().unwrap_or_default();
        let status = in_time.then(|| {
            use std::os::unix::process::ExitStatusExt;
            status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
        });
        Ok(Ran { status, stdout: text(output), stderr: text(errors) })
    })
}

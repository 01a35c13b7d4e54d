//! The process that holds one compiled specification: which of its tests are run, by which workers, and what became of
//! each?

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use qz_driver::Start;

use crate::choose::Choice;
use crate::result::{Case, Status, Told};
use crate::worker::{Ended, Event, Listed, Plan, Worker};

/// How long a program may take to name its tests, and to end after them.
const AROUND: Duration = Duration::from_secs(30);

/// Bytes that the program reads of an answer.
const LONGEST_ANSWER: usize = 65_536;

/// What a host is asked for.
#[derive(Clone, Debug, Default)]
pub struct HostOptions {
    pub choice: Choice,
    /// A worker for each test, which tells what is left over.
    pub leaks: bool,
    pub list: bool,
    pub bail: bool,
    pub update_snapshots: bool,
}

/// Runs the tests of a program that was made ready; tells of them on standard output.
pub fn host(start: Start<'_>, options: &HostOptions) -> io::Result<()> {
    let mut told = |it: Told| writeln!(io::stdout(), "{}", it.to_line());
    let (tests, lister) = match list(start, options)? {
        Ok(listed) => listed,
        Err(words) => return told(Told::Broken(words)),
    };
    let mut order = options.choice.order(&tests);
    if options.list {
        order.sort_unstable();
        return order.iter().try_for_each(|&n| told(Told::Case(case_of(&tests[n], Status::Listed))));
    }
    let mut left = VecDeque::from(order);
    let mut lister = Some(lister);
    while !left.is_empty() {
        let before = left.len();
        let mut round = Round { tests: &tests, options, left: &mut left, told: &mut told, stop: false };
        let worker = round.worker(start, lister.take())?;
        let broken = round.run(worker)?;
        if round.stop {
            return Ok(());
        }
        if let Some(words) = broken {
            told(Told::Broken(words))?;
        }
        if left.len() == before {
            return Ok(());
        }
    }
    Ok(())
}

/// Tells how often lines were run.
pub fn tell_lines(lines: Vec<crate::coverage::Line>) -> io::Result<()> {
    writeln!(io::stdout(), "{}", Told::Lines(lines).to_line())
}

fn plan(what: String, options: &HostOptions) -> Plan {
    let mut variables = vec![("QSPEC_SEED", options.choice.seed.to_string())];
    if options.update_snapshots {
        variables.push(("QSPEC_UPDATE", "1".into()));
    }
    Plan { what, variables }
}

/// The program's tests, and the worker that told them and waits; or why they are not known.
fn list(start: Start<'_>, options: &HostOptions) -> io::Result<Result<(Vec<Listed>, Worker), String>> {
    let mut worker = Worker::start(start, &plan("list".into(), options))?;
    let mut tests = Vec::new();
    let deadline = Instant::now() + AROUND;
    loop {
        match worker.next(deadline) {
            Event::Test(test) => tests.push(test),
            Event::Listed => return Ok(Ok((tests, worker))),
            Event::Closed => {
                let how = worker.end().unwrap_or_else(|| "it ended before".into());
                let words = format!("the program does not reach `qspec_main()`: {how}");
                return Ok(Err(with_output(words, &worker)));
            }
            Event::TimedOut => {
                let words = format!("the program does not reach `qspec_main()` within {AROUND:?}");
                return Ok(Err(with_output(words, &worker)));
            }
            _ => {}
        }
    }
}

fn with_output(words: String, worker: &Worker) -> String {
    let shown: String = (0..2).map(|stream| worker.printed(stream, 0, None)).collect();
    if shown.trim().is_empty() { words } else { format!("{words}\n{}", shown.trim_end()) }
}

/// The calls of a backtrace that are the test's, if there are many without those between.
fn user_calls(trace: &str) -> String {
    const MOST: usize = 20;
    let is_inner = |line: &&str| {
        !["std::qspec::run::run_in (lambda)", "std::panic::catch_panic"].iter().any(|it| line.contains(it))
    };
    let calls: Vec<&str> = trace.lines().take_while(is_inner).collect();
    if calls.len() <= MOST {
        return calls.join("\n");
    }
    let (first, last) = (&calls[..MOST / 2], &calls[calls.len() - 2..]);
    format!("{}\n  …\n{}", first.join("\n"), last.join("\n"))
}

fn case_of(test: &Listed, status: Status) -> Case {
    Case {
        path: test.path.clone(),
        tags: test.tags.clone(),
        status,
        message: String::new(),
        place: test.place.clone(),
        trace: String::new(),
        stdout: String::new(),
        stderr: String::new(),
        time: Duration::ZERO,
    }
}

/// One worker's run over the tests that are left.
struct Round<'a> {
    tests: &'a [Listed],
    options: &'a HostOptions,
    left: &'a mut VecDeque<usize>,
    told: &'a mut dyn FnMut(Told) -> io::Result<()>,
    /// A test failed, and no other is to be run.
    stop: bool,
}

/// A test that a worker is at.
struct Current {
    number: usize,
    since: Instant,
}

impl Round<'_> {
    /// The worker of this round: the one that waits for an answer, if there is one.
    fn worker(&self, start: Start<'_>, waiting: Option<Worker>) -> io::Result<Worker> {
        let n = if self.options.leaks { 1 } else { self.left.len() };
        let numbers: Vec<String> = self.left.iter().take(n).map(usize::to_string).collect();
        let numbers = numbers.join(",");
        let answered = |mut worker: Worker| worker.answer(&numbers).is_ok().then_some(worker);
        match waiting.filter(|_| numbers.len() < LONGEST_ANSWER).and_then(answered) {
            Some(worker) => Ok(worker),
            None => Worker::start(start, &plan(numbers, self.options)),
        }
    }

    /// Says what is wrong with the program besides its tests.
    fn run(&mut self, mut worker: Worker) -> io::Result<Option<String>> {
        let mut current: Option<Current> = None;
        let mut finished: Option<Case> = None;
        let mut leaks: Vec<String> = Vec::new();
        let mut printed = [0, 0];
        let mut is_done = false;
        loop {
            match worker.next(self.deadline(current.as_ref())) {
                Event::Begin(number) => {
                    self.tell(finished.take())?;
                    current = Some(Current { number, since: Instant::now() });
                }
                Event::End(ended) => {
                    current = None;
                    finished = Some(self.ended(&worker, &ended, printed));
                    printed = ended.printed;
                }
                Event::Done => is_done = true,
                Event::Leaked(words) => leaks.push(words),
                Event::TimedOut => {
                    worker.kill();
                    worker.end();
                    self.tell_with_leaks(finished.take(), &leaks)?;
                    let Some(at) = current else {
                        return Ok(Some(format!(
                            "the program does not end within {AROUND:?} after its tests"
                        )));
                    };
                    let words =
                        format!("it takes longer than {} ms", self.tests[at.number].timeout.as_millis());
                    let case = self.taken_down(&worker, &at, words, printed);
                    self.tell(Some(case))?;
                    return Ok(None);
                }
                Event::Closed => {
                    let how = worker.end();
                    self.tell_with_leaks(finished.take(), &leaks)?;
                    return match (current, how) {
                        (Some(at), how) => {
                            let words = how.unwrap_or_else(|| "it ends the process, with status 0".into());
                            let case = self.taken_down(&worker, &at, words, printed);
                            self.tell(Some(case))?;
                            Ok(None)
                        }
                        (None, None) if is_done => Ok(None),
                        (None, how) => {
                            let how = how.unwrap_or_else(|| "the process ended".into());
                            Ok(Some(with_output(format!("outside of tests {how}"), &worker)))
                        }
                    };
                }
                Event::Test(_) | Event::Listed => {}
            }
            if self.stop {
                return Ok(None);
            }
        }
    }

    fn deadline(&self, current: Option<&Current>) -> Instant {
        match current {
            Some(at) => at.since + self.tests[at.number].timeout,
            None => Instant::now() + AROUND,
        }
    }

    fn ended(&mut self, worker: &Worker, ended: &Ended, from: [u64; 2]) -> Case {
        let test = &self.tests[ended.number];
        self.left.retain(|&it| it != ended.number);
        let status = match ended.status.as_str() {
            "passed" => Status::Passed,
            "skipped" => Status::Skipped,
            _ => Status::Failed,
        };
        let mut case = case_of(test, status);
        case.time = ended.time;
        case.message = ended.message.clone();
        if status == Status::Failed {
            case.place = ended.place.clone();
            // An assertion says all there is to say; a panic may come from far below.
            if !ended.message.starts_with("assertion failed") {
                case.message = format!("panic: {}", ended.message);
                case.trace = user_calls(&ended.trace);
            }
        }
        [case.stdout, case.stderr] = [0, 1].map(|it| worker.printed(it, from[it], Some(ended.printed[it])));
        case
    }

    /// A test that its worker did not survive.
    fn taken_down(&mut self, worker: &Worker, at: &Current, words: String, from: [u64; 2]) -> Case {
        self.left.retain(|&it| it != at.number);
        let mut case = case_of(&self.tests[at.number], Status::Failed);
        case.time = at.since.elapsed();
        case.message = words;
        [case.stdout, case.stderr] = [0, 1].map(|it| worker.printed(it, from[it], None));
        case
    }

    fn tell_with_leaks(&mut self, case: Option<Case>, leaks: &[String]) -> io::Result<()> {
        let case = case.map(|mut case| {
            if !leaks.is_empty() && case.status == Status::Passed {
                case.status = Status::Failed;
                case.message = format!("objects are left over: {}", leaks.join(", "));
            }
            case
        });
        self.tell(case)
    }

    fn tell(&mut self, case: Option<Case>) -> io::Result<()> {
        let Some(case) = case else { return Ok(()) };
        self.stop = self.options.bail && case.status == Status::Failed;
        (self.told)(Told::Case(case))
    }
}

//! When did which task run, on which thread, and what was it waiting for? Notes that, if asked to, in the format of
//! Chrome's tracing (`chrome://tracing`, Perfetto).
//!
//! The environment variable `QUARTZ_TRACE_TASKS` asks: `1`, or the name of a file. The newest events are kept; what is
//! written has a beginning for every end, and arrows only between what is there.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use crate::fiber::{Fiber, Reason};
use crate::task::Task;

/// Events that are kept, and names.
const EVENTS: usize = 1 << 18;
const NAMES: usize = 1 << 16;
/// Written to by default.
const FILE: &str = "quartz-tasks.json";
/// The number of those who are no thread of the scheduler's.
const OUTSIDE: u32 = 9999;

/// Takes notes for the whole process.
pub struct Tracer {
    file: String,
    start: Instant,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    events: VecDeque<Event>,
    /// By the number of the fiber.
    names: HashMap<u64, Box<str>>,
    is_written: bool,
}

#[derive(Copy, Clone)]
struct Event {
    nanoseconds: u64,
    thread: u32,
    what: What,
}

#[derive(Copy, Clone)]
enum What {
    /// A task was started; its address.
    Spawn(usize),
    /// It got a fiber.
    Born(u64, usize),
    /// The fiber may go on.
    Wake(u64),
    Begin(u64),
    End(u64, &'static str),
}

static TRACER: OnceLock<Option<Tracer>> = OnceLock::new();

/// The one that takes notes, if somebody asked.
pub(crate) fn tracer() -> Option<&'static Tracer> {
    TRACER.get_or_init(|| Tracer::asked_for(&std::env::var("QUARTZ_TRACE_TASKS").ok()?)).as_ref()
}

/// The process ends: writes what was noted, once. Why that failed, if it did.
pub fn write() -> Option<String> {
    let tracer = TRACER.get()?.as_ref()?;
    let mut notes = tracer.notes();
    if std::mem::replace(&mut notes.is_written, true) {
        return None;
    }
    let text = notes.json(tracer.now());
    let failed = std::fs::write(&tracer.file, text).err()?;
    Some(format!("cannot write the tasks' times to `{}`: {failed}\n", tracer.file))
}

/// The fiber's task has got a name.
pub fn named(fiber: &Fiber, name: &str) {
    if let Some(tracer) = fiber.scheduler().tracer {
        tracer.named(fiber.number(), name.into());
    }
}

impl Tracer {
    fn asked_for(value: &str) -> Option<Tracer> {
        let file = match value {
            "" | "0" => return None,
            "1" => FILE,
            file => file,
        };
        Some(Tracer { file: file.into(), start: Instant::now(), notes: Mutex::default() })
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn note(&self, thread: Option<usize>, what: What) {
        let mut notes = self.notes();
        if notes.events.len() == EVENTS {
            notes.events.pop_front();
        }
        let thread = thread.map_or(OUTSIDE, |slot| slot as u32);
        // Under the lock, so that events stand in the order of their times.
        notes.events.push_back(Event { nanoseconds: self.now(), thread, what });
    }

    pub(crate) fn spawned(&self, thread: usize, task: *const Task) {
        self.note(Some(thread), What::Spawn(task as usize));
    }

    pub(crate) fn born(&self, thread: usize, fiber: &Fiber, task: *const Task) {
        self.note(Some(thread), What::Born(fiber.number(), task as usize));
        if let Some(name) = fiber.task_name() {
            self.named(fiber.number(), name);
        }
    }

    pub(crate) fn named(&self, fiber: u64, name: Box<str>) {
        let mut notes = self.notes();
        if notes.names.len() < NAMES {
            notes.names.insert(fiber, name);
        }
    }

    pub(crate) fn woken(&self, thread: Option<usize>, fiber: &Fiber) {
        self.note(thread, What::Wake(fiber.number()));
    }

    pub(crate) fn begins(&self, thread: usize, fiber: &Fiber) {
        self.note(Some(thread), What::Begin(fiber.number()));
    }

    pub(crate) fn parks(&self, thread: usize, fiber: &Fiber) {
        let why = match fiber.reason() {
            Reason::Nothing => "waits",
            reason => reason.words(),
        };
        self.note(Some(thread), What::End(fiber.number(), why));
    }

    pub(crate) fn yields(&self, thread: usize, fiber: &Fiber) {
        self.note(Some(thread), What::End(fiber.number(), "lets others go first"));
    }

    pub(crate) fn ends(&self, thread: usize, fiber: &Fiber) {
        self.note(Some(thread), What::End(fiber.number(), "is over"));
    }
}

/// What is written, event by event.
struct Page<'a> {
    text: String,
    names: &'a HashMap<u64, Box<str>>,
    /// Where and when tasks were started, and fibers woken, that have not run since.
    spawned: HashMap<usize, (u64, u32)>,
    woken: HashMap<u64, (u64, u32)>,
    /// What runs on each thread.
    at_work: HashMap<u32, u64>,
    arrows: u64,
}

impl Notes {
    fn json(&self, now: u64) -> String {
        let mut page = Page {
            text: "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n".into(),
            names: &self.names,
            spawned: HashMap::new(),
            woken: HashMap::new(),
            at_work: HashMap::new(),
            arrows: 0,
        };
        self.events.iter().for_each(|&event| page.add(event));
        let mut left: Vec<u32> = page.at_work.keys().copied().collect();
        left.sort_unstable();
        for thread in left {
            page.end(now, thread, "runs on");
        }
        // The last event has no comma behind it: this is one.
        page.text.push_str("{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"tid\":0,");
        page.text.push_str("\"args\":{\"name\":\"tasks\"}}\n]}\n");
        page.text
    }
}

impl Page<'_> {
    fn add(&mut self, event: Event) {
        let Event { nanoseconds, thread, what } = event;
        match what {
            What::Spawn(task) => {
                self.spawned.insert(task, (nanoseconds, thread));
            }
            What::Born(fiber, task) => {
                if let Some(spawn) = self.spawned.remove(&task) {
                    self.woken.insert(fiber, spawn);
                }
            }
            What::Wake(fiber) => {
                self.woken.insert(fiber, (nanoseconds, thread));
            }
            What::Begin(fiber) => self.begin(nanoseconds, thread, fiber),
            What::End(fiber, why) if self.at_work.get(&thread) == Some(&fiber) => {
                self.end(nanoseconds, thread, why);
            }
            // Its beginning is forgotten.
            What::End(..) => {}
        }
    }

    fn begin(&mut self, at: u64, thread: u32, fiber: u64) {
        self.at_work.insert(thread, fiber);
        let name = match self.names.get(&fiber) {
            Some(name) => quoted(name),
            None => format!("\"task {fiber}\""),
        };
        self.line(&format!("\"name\":{name},\"ph\":\"B\",\"args\":{{\"task\":{fiber}}}"), at, thread);
        if let Some((from, by)) = self.woken.remove(&fiber) {
            self.arrows += 1;
            let arrow = format!("\"name\":\"goes on\",\"cat\":\"wake\",\"id\":{}", self.arrows);
            self.line(&format!("{arrow},\"ph\":\"s\""), from, by);
            self.line(&format!("{arrow},\"ph\":\"f\",\"bp\":\"e\""), at, thread);
        }
    }

    fn end(&mut self, at: u64, thread: u32, why: &str) {
        self.at_work.remove(&thread);
        self.line(&format!("\"ph\":\"E\",\"args\":{{\"then\":\"{why}\"}}"), at, thread);
    }

    fn line(&mut self, what: &str, at: u64, thread: u32) {
        let (micros, nanos) = (at / 1000, at % 1000);
        let _ = writeln!(self.text, "{{{what},\"ts\":{micros}.{nanos:03},\"pid\":1,\"tid\":{thread}}},");
    }
}

/// The text as JSON has it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if (c as u32) < 32 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

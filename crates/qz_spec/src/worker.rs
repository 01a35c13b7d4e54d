//! A process that runs tests of a compiled specification, seen from the host: it is forked, it tells what it does, and
//! it may be ended at any time. The other side is `std/qspec/main.qz`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use qz_driver::{Failure, Start};

/// What a worker is to do, and what it tells its program.
pub(crate) struct Plan {
    /// `list`, after which the worker waits for an answer, or numbers of tests.
    pub(crate) what: String,
    /// Variables of the environment.
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// A test as a worker lists it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listed {
    pub(crate) path: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) place: String,
    pub(crate) timeout: Duration,
    pub(crate) focused: bool,
}

/// How a test ended that did not take its worker down.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) number: usize,
    pub(crate) time: Duration,
    /// How much the worker has printed so far, to standard output and standard error.
    pub(crate) printed: [u64; 2],
    pub(crate) status: String,
    pub(crate) message: String,
    pub(crate) place: String,
    pub(crate) trace: String,
}

pub(crate) enum Event {
    Test(Listed),
    Listed,
    Begin(usize),
    End(Ended),
    Done,
    /// Objects that are left: how many, of which type.
    Leaked(String),
    /// Nothing was told in time.
    TimedOut,
    /// The worker is gone, or is about to go.
    Closed,
}

pub(crate) struct Worker {
    pid: libc::pid_t,
    events: UnixStream,
    /// What was read of the events and not yet understood.
    unread: Vec<u8>,
    /// Where standard output and standard error go.
    output: [File; 2],
    /// Whether the process was waited for.
    gone: bool,
}

impl Worker {
    /// Starts a process that runs the program by a plan.
    pub(crate) fn start(start: Start<'_>, plan: &Plan) -> io::Result<Worker> {
        let (events, theirs) = UnixStream::pair()?;
        let output = [nameless_file()?, nameless_file()?];
        io::stdout().flush()?;
        let host = std::process::id();
        // SAFETY: the host has one thread, so the child finds no lock held by a thread that it does not have.
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => Err(io::Error::last_os_error()),
            0 => work(start, plan, host, theirs, &output),
            _ => Ok(Worker { pid, events, unread: Vec::new(), output, gone: false }),
        }
    }

    /// Tells a worker that listed its tests which of them to run.
    pub(crate) fn answer(&mut self, numbers: &str) -> io::Result<()> {
        self.events.write_all(numbers.as_bytes())?;
        self.events.write_all(b"\n")
    }

    /// What the worker tells next.
    pub(crate) fn next(&mut self, deadline: Instant) -> Event {
        loop {
            if let Some(end) = self.unread.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line[..end]).into_owned();
                match understand(&line) {
                    Some(event) => return event,
                    None => continue,
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.events.set_read_timeout(Some(left)).is_err() {
                return Event::TimedOut;
            }
            let mut chunk = [0; 4096];
            match self.events.read(&mut chunk) {
                Ok(0) => return Event::Closed,
                Ok(n) => self.unread.extend(&chunk[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Event::TimedOut;
                }
                Err(_) => return Event::Closed,
            }
        }
    }

    /// What was printed to standard output (0) or standard error (1) between two positions.
    pub(crate) fn printed(&self, stream: usize, from: u64, to: Option<u64>) -> String {
        let file = &self.output[stream];
        let end = file.metadata().map_or(0, |it| it.len());
        let mut bytes = vec![0; to.unwrap_or(end).min(end).saturating_sub(from) as usize];
        let read = file.read_at(&mut bytes, from).unwrap_or(0);
        bytes.truncate(read);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Ends the worker and whatever it started.
    pub(crate) fn kill(&mut self) {
        if !self.gone {
            // SAFETY: the worker leads a group of its own, and was not waited for, so its number is still its own.
            unsafe { libc::kill(-self.pid, libc::SIGKILL) };
        }
    }

    /// Waits for the end; says how it came about if it is not the ordinary one.
    pub(crate) fn end(&mut self) -> Option<String> {
        let status = crate::server::wait_for(self.pid);
        // What it started and left behind goes, too. The group outlives its leader, or is gone.
        // SAFETY: as in `kill`; a group number is not given out again while the group has members.
        unsafe { libc::kill(-self.pid, libc::SIGKILL) };
        self.gone = true;
        if libc::WIFSIGNALED(status) {
            return Some(format!("the process was ended by {}", signal_name(libc::WTERMSIG(status))));
        }
        match libc::WEXITSTATUS(status) {
            0 => None,
            101 => Some("the process ended with status 101, as after a panic".into()),
            status => Some(format!("the process ended with status {status}")),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.gone {
            self.kill();
            self.end();
        }
    }
}

fn signal_name(signal: i32) -> String {
    let known = match signal {
        libc::SIGSEGV => "a segmentation fault",
        libc::SIGABRT => "abort",
        libc::SIGBUS => "a bus error",
        libc::SIGFPE => "an arithmetic exception",
        libc::SIGILL => "an illegal instruction",
        libc::SIGKILL => "SIGKILL",
        libc::SIGTERM => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    known.to_owned()
}

/// A file that is gone when nobody has it open.
pub(crate) fn nameless_file() -> io::Result<File> {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("quartz-test-{}-{n}", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// The child's part: runs the program, tells what is left over, ends.
fn work(start: Start<'_>, plan: &Plan, host: u32, mut events: UnixStream, output: &[File; 2]) -> ! {
    if crate::tied::tie(host).is_err() {
        // SAFETY: ends this process only, which nobody waits for.
        unsafe { libc::_exit(1) };
    }
    // SAFETY: only descriptors of this process are touched; the variables are set while there is one thread.
    unsafe {
        libc::setpgid(0, 0);
        libc::dup2(output[0].as_raw_fd(), 1);
        libc::dup2(output[1].as_raw_fd(), 2);
        std::env::set_var("QSPEC_EVENTS", events.as_raw_fd().to_string());
        std::env::set_var("QSPEC_PLAN", &plan.what);
        for (name, value) in &plan.variables {
            std::env::set_var(name, value);
        }
    }
    if let Ok(nothing) = File::open("/dev/null") {
        // SAFETY: as above.
        unsafe { libc::dup2(nothing.as_raw_fd(), 0) };
    }
    let finished = std::panic::catch_unwind(std::panic::AssertUnwindSafe(start));
    let status = match finished {
        Ok(Ok(finished)) => {
            for (name, count) in &finished.leaks {
                writeln!(events, "leaked\t{count} × {name}").ok();
            }
            finished.status
        }
        Ok(Err(Failure::Internal(words))) => {
            eprintln!("an error in the compiler: {words}");
            70
        }
        Ok(Err(_)) | Err(_) => 70,
    };
    // SAFETY: ends this process only. What the host has in its buffers is the host's to write.
    unsafe { libc::_exit(status) }
}

/// An event from its line; nothing if it is none.
fn understand(line: &str) -> Option<Event> {
    let parts: Vec<String> = line.split('\t').map(unescaped).collect();
    let text = |n: usize| parts.get(n).cloned();
    let number = |n: usize| parts.get(n)?.parse::<u64>().ok();
    let list = |n: usize, separator: char| {
        let all = parts.get(n)?;
        Some(all.split(separator).filter(|it| !it.is_empty()).map(str::to_owned).collect::<Vec<_>>())
    };
    Some(match parts[0].as_str() {
        "test" => Event::Test(Listed {
            focused: text(2)? == "focused",
            timeout: Duration::from_millis(number(3)?),
            place: text(4)?,
            tags: list(5, '\u{1f}')?,
            groups: list(6, '.')?,
            path: list(7, '\u{1f}')?,
        }),
        "listed" => Event::Listed,
        "begin" => Event::Begin(number(1)? as usize),
        "end" => Event::End(Ended {
            number: number(1)? as usize,
            time: Duration::from_nanos(number(2)?),
            printed: [number(3)?, number(4)?],
            status: text(5)?,
            message: text(6)?,
            place: text(7)?,
            trace: text(8)?,
        }),
        "done" => Event::Done,
        "leaked" => Event::Leaked(text(1)?),
        _ => return None,
    })
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

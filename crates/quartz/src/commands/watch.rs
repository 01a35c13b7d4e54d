//! `quartz watch`: a command again and again, whenever a file is saved.
//!
//! Each time is a process of its own, which reuses what the cache has. A program that still runs is asked to end first, and
//! does not outlive the one that watches.

use std::ffi::OsStr;
use std::io::{IsTerminal, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use notify::{EventKind, RecursiveMode, Watcher};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level;

use super::{STATUS_PROBLEMS, STATUS_USE};
use crate::cli::{Watch, Watched};

/// Editors save in several steps.
const SETTLED: Duration = Duration::from_millis(40);
/// How often a program that runs is looked after.
const LOOK: Duration = Duration::from_millis(50);
/// How long a program may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is waited for.
#[derive(Copy, Clone)]
enum Heard {
    Saved,
    /// A signal that asks the watcher to end.
    Asked(i32),
}

pub(super) fn watch(command: &Watch) -> u8 {
    let name = match command.what {
        Watched::Check => "check",
        Watched::Run => "run",
        Watched::Test => "test",
    };
    let Ok(compiler) = std::env::current_exe() else {
        eprintln!("error: the compiler does not find itself");
        return STATUS_PROBLEMS;
    };
    let named = command.args.iter().take(if command.what == Watched::Run { 1 } else { usize::MAX });
    let mut folders: Vec<PathBuf> =
        named.filter(|it| !it.starts_with('-')).filter_map(|it| folder_of(Path::new(it))).collect();
    if folders.is_empty() {
        if command.what != Watched::Test {
            eprintln!("error: which program? write `quartz watch {name} FILE.qz`");
            return STATUS_USE;
        }
        folders.push(PathBuf::from("."));
    }
    let (sender, heard) = channel();
    hear_signals(&sender);
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| matters(&event)) {
            sender.send(Heard::Saved).ok();
        }
    });
    let watching = watcher.and_then(|mut watcher| {
        folders.iter().try_for_each(|folder| watcher.watch(folder, RecursiveMode::Recursive))?;
        Ok(watcher)
    });
    let _watcher = match watching {
        Ok(watcher) => watcher,
        Err(error) => {
            eprintln!("error: files cannot be watched: {error}");
            return STATUS_PROBLEMS;
        }
    };
    loop {
        let mut again = Command::new(&compiler);
        again.arg(name).args(&command.args);
        match once(again, &heard) {
            Ok(Heard::Saved) => {}
            Ok(Heard::Asked(signal)) => {
                // As if it had never been caught, for whoever waits.
                low_level::emulate_default_handler(signal).ok();
                return 128 + signal as u8;
            }
            Err(error) => {
                eprintln!("error: `quartz {name}` cannot be started: {error}");
                return STATUS_PROBLEMS;
            }
        }
    }
}

/// From now on signals that end this process are heard of instead, so that the program can end in order before. Where that
/// is not possible, they end it as ever.
fn hear_signals(to: &Sender<Heard>) {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let Ok((mut reader, writer)) = UnixStream::pair() else { return };
        let to = to.clone();
        std::thread::spawn(move || {
            while reader.read_exact(&mut [0]).is_ok() && to.send(Heard::Asked(signal)).is_ok() {}
        });
        low_level::pipe::register(signal, writer).ok();
    }
}

fn folder_of(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.to_owned());
    }
    let folder = path.parent()?;
    Some(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() })
}

/// Whether a source file changed, and not what tools keep for themselves.
fn matters(event: &notify::Event) -> bool {
    let is_source = |path: &PathBuf| {
        let hidden = path.iter().any(|part| part.to_string_lossy().starts_with(".quartz"));
        path.extension() == Some(OsStr::new("qz")) && !hidden
    };
    !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(is_source)
}

/// Runs the command; comes back when something was saved, or when the watcher is to end.
fn once(mut command: Command, heard: &Receiver<Heard>) -> std::io::Result<Heard> {
    let started = Instant::now();
    qz_spec::ends_with_us(&mut command);
    let mut child = command.spawn()?;
    let mut told = false;
    let what = loop {
        if !told && let Some(status) = child.try_wait()? {
            tell(status, started.elapsed());
            told = true;
        }
        match heard.recv_timeout(if told { Duration::from_secs(3600) } else { LOOK }) {
            Ok(what) => break what,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(std::io::Error::other("nobody watches")),
        }
    };
    let what = settled(what, heard);
    // A terminal sends Ctrl-C to everybody, and asking twice would be taken for impatience.
    let is_asked = matches!(what, Heard::Asked(SIGINT));
    end(child, is_asked).map(|()| what)
}

/// Waits until a save is through.
fn settled(mut what: Heard, heard: &Receiver<Heard>) -> Heard {
    while let Heard::Saved = what
        && let Ok(next) = heard.recv_timeout(SETTLED)
    {
        what = next;
    }
    what
}

/// Ends a program that may still run, gently if that will do.
fn end(mut child: Child, is_asked: bool) -> std::io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    if !is_asked
        && child.try_wait()?.is_none()
        && let Some(pid) = Pid::from_raw(child.id() as i32)
    {
        kill_process(pid, Signal::TERM).ok();
    }
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Says how it ended, where somebody looks.
fn tell(status: ExitStatus, took: Duration) {
    if std::io::stderr().is_terminal() {
        let how = match status.code() {
            Some(0) => "fine".to_owned(),
            Some(code) => format!("status {code}"),
            None => status.to_string(),
        };
        eprintln!("— {how}, {} ms; waiting for the next change —", took.as_millis());
    }
}

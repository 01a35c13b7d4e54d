//! `quartz watch`: a command again and again, whenever a file is saved.
//!
//! Each time is a process of its own, which reuses what the cache has. A program that still runs is asked to end first.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use notify::{EventKind, RecursiveMode, Watcher};
use rustix::process::{Pid, Signal, kill_process};

use super::{STATUS_PROBLEMS, STATUS_USE};
use crate::cli::{Watch, Watched};

/// Editors save in several steps.
const SETTLED: Duration = Duration::from_millis(40);
/// How often a program that runs is looked after.
const LOOK: Duration = Duration::from_millis(50);
/// How long a program may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(2);

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
    let (sender, saved) = channel();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| matters(&event)) {
            sender.send(()).ok();
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
        if let Err(error) = once(again, &saved) {
            eprintln!("error: `quartz {name}` cannot be started: {error}");
            return STATUS_PROBLEMS;
        }
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

/// Runs the command; comes back when something was saved.
fn once(mut command: Command, saved: &Receiver<()>) -> std::io::Result<()> {
    let started = Instant::now();
    let mut child = command.spawn()?;
    let mut told = false;
    loop {
        if !told && let Some(status) = child.try_wait()? {
            tell(status, started.elapsed());
            told = true;
        }
        match saved.recv_timeout(if told { Duration::from_secs(3600) } else { LOOK }) {
            Ok(()) => break,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(std::io::Error::other("nobody watches")),
        }
    }
    while saved.recv_timeout(SETTLED).is_ok() {}
    end(child)
}

/// Ends a program that may still run, gently if that will do.
fn end(mut child: Child) -> std::io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    // Asked once: a second time would be taken for impatience.
    if child.try_wait()?.is_none()
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

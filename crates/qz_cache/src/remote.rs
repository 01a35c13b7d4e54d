//! A store that several machines share. It is behind the local one, and nobody relies on it: what it gives is verified
//! like any entry, and a store that is away or lies costs time and one warning.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// After so many failures a run asks no more.
const PATIENCE: u32 = 2;

/// Bytes by name, somewhere else. Calls may block; each has its own limit of time.
pub trait Remote: Send + Sync {
    /// `None` if there is nothing of this name.
    fn get(&self, name: &str) -> io::Result<Option<Vec<u8>>>;
    fn put(&self, name: &str, bytes: Vec<u8>) -> io::Result<()>;
    /// For messages: where it is.
    fn place(&self) -> String;
}

/// One run's dealings with a shared store.
#[derive(Default)]
pub(crate) struct Asked {
    troubles: Arc<Mutex<Troubles>>,
    writer: Mutex<Option<Writer>>,
}

#[derive(Default)]
struct Troubles {
    failures: u32,
    told: Vec<String>,
}

/// Entries on their way out, written while the compiler goes on.
struct Writer {
    queue: Sender<(String, Vec<u8>)>,
    thread: JoinHandle<()>,
}

impl Asked {
    pub(crate) fn get(&self, remote: &dyn Remote, name: &str) -> Option<Vec<u8>> {
        if gave_up(&self.troubles) {
            return None;
        }
        match remote.get(name) {
            Ok(bytes) => bytes,
            Err(error) => {
                failed(&self.troubles, remote, &error);
                None
            }
        }
    }

    pub(crate) fn put(&self, remote: Arc<dyn Remote>, name: String, bytes: Vec<u8>) {
        let mut writer = lock(&self.writer);
        let writer = writer.get_or_insert_with(|| start(remote, self.troubles.clone()));
        // A writer that is gone has said why.
        writer.queue.send((name, bytes)).ok();
    }

    pub(crate) fn complain(&self, words: &str) {
        let mut troubles = lock(&self.troubles);
        troubles.failures += 1;
        if !troubles.told.iter().any(|it| it == words) {
            troubles.told.push(words.to_owned());
        }
    }

    pub(crate) fn take_complaints(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.troubles).told)
    }

    pub(crate) fn finish(&self) {
        if let Some(Writer { queue, thread }) = lock(&self.writer).take() {
            drop(queue);
            thread.join().ok();
        }
    }
}

fn start(remote: Arc<dyn Remote>, troubles: Arc<Mutex<Troubles>>) -> Writer {
    let (queue, entries) = channel::<(String, Vec<u8>)>();
    let thread = std::thread::spawn(move || {
        for (name, bytes) in entries {
            if !gave_up(&troubles)
                && let Err(error) = remote.put(&name, bytes)
            {
                failed(&troubles, &*remote, &error);
            }
        }
    });
    Writer { queue, thread }
}

fn gave_up(troubles: &Mutex<Troubles>) -> bool {
    lock(troubles).failures >= PATIENCE
}

fn failed(troubles: &Mutex<Troubles>, remote: &dyn Remote, error: &io::Error) {
    let mut troubles = lock(troubles);
    troubles.failures += 1;
    if troubles.failures == 1 {
        troubles.told.push(format!("the shared cache at {} cannot be used: {error}", remote.place()));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poison| poison.into_inner())
}

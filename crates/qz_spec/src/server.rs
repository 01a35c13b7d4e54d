//! Processes from which hosts are forked: what all hosts need is in their memory already, and starting a program anew
//! costs more than some of them take.
//!
//! A server has one host at a time. It is asked by a socket for the path of a specification (its length in four bytes, then
//! the path) and answers with the host's wait status when that ended; what the host printed stands in files that both
//! sides know.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use crate::tied::tie;
use crate::worker::nameless_file;

/// What hosts do.
pub trait Hosting {
    /// Hosts the specification at a path and gives the exit status; nothing if that has to be prepared.
    fn host(&self, path: &Path) -> Option<u8>;

    /// Brings into memory what all hosts need whose specification was not compiled before.
    fn prepare(&self);
}

/// The status of a host that has to be prepared; they give no such one otherwise.
const UNPREPARED: i32 = 200;
/// The status of one that could not even begin: nothing is wrong with its specification.
const NOT_BEGUN: i32 = 201;

/// How a host ended.
pub(crate) struct Hosted {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// A process that hosts are forked from.
pub(crate) struct Server {
    pid: libc::pid_t,
    socket: UnixStream,
    /// Where hosts print to.
    output: [File; 2],
}

impl Server {
    /// Starts one. The process must have one thread; its memory is what hosts start with. Tests find the compiler by
    /// `QUARTZ_EXE`.
    pub(crate) fn start(compiler: &Path, hosting: &dyn Hosting) -> io::Result<Server> {
        let (socket, theirs) = UnixStream::pair()?;
        let output = [nameless_file()?, nameless_file()?];
        io::stdout().flush()?;
        let us = std::process::id();
        // SAFETY: there is one thread by the caller's promise, so the child finds no lock held by one that it does not have.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop(socket);
                // SAFETY: there is one thread.
                unsafe { std::env::set_var("QUARTZ_EXE", compiler) };
                let served = tie(us).and_then(|()| serve(hosting, theirs, &output));
                // SAFETY: ends this process only. What the runner has in its buffers is the runner's to write.
                unsafe { libc::_exit(i32::from(served.is_err())) }
            }
            pid => Ok(Server { pid, socket, output }),
        }
    }

    /// Has a specification hosted, and waits until the host ended.
    pub(crate) fn run(&mut self, path: &Path) -> io::Result<Hosted> {
        let path = path.as_os_str().as_bytes();
        self.socket.write_all(&(path.len() as u32).to_le_bytes())?;
        self.socket.write_all(path)?;
        let mut status = [0; 4];
        self.socket.read_exact(&mut status)?;
        let [stdout, stderr] = [0, 1].map(|it| content(&self.output[it]));
        Ok(Hosted {
            status: ExitStatus::from_raw(i32::from_le_bytes(status)),
            stdout: stdout?,
            stderr: stderr?,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends when nobody can ask any more.
        self.socket.shutdown(std::net::Shutdown::Both).ok();
        wait_for(self.pid);
    }
}

fn content(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; file.metadata()?.len() as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// The server's part: answers until nobody asks.
fn serve(hosting: &dyn Hosting, mut socket: UnixStream, output: &[File; 2]) -> io::Result<()> {
    loop {
        let mut len = [0; 4];
        match socket.read_exact(&mut len) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        }
        let mut path = vec![0; u32::from_le_bytes(len) as usize];
        socket.read_exact(&mut path)?;
        let path = Path::new(OsStr::from_bytes(&path));
        let mut status = host(hosting, path, output)?;
        if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == UNPREPARED {
            hosting.prepare();
            status = host(hosting, path, output)?;
        }
        socket.write_all(&status.to_le_bytes())?;
    }
}

/// Runs a host to its end; its wait status.
fn host(hosting: &dyn Hosting, path: &Path, output: &[File; 2]) -> io::Result<i32> {
    for mut file in output {
        file.set_len(0)?;
        file.rewind()?;
    }
    let us = std::process::id();
    // SAFETY: this process was forked from one with one thread, and started none.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => be_host(hosting, path, us, output),
        pid => Ok(wait_for(pid)),
    }
}

/// The host's part.
fn be_host(hosting: &dyn Hosting, path: &Path, server: u32, output: &[File; 2]) -> ! {
    let status = tie(server).and_then(|()| {
        let nothing = File::open("/dev/null")?;
        for (fd, file) in [&nothing, &output[0], &output[1]].into_iter().enumerate() {
            // SAFETY: only descriptors of this process are touched.
            if unsafe { libc::dup2(file.as_raw_fd(), fd as i32) } == -1 {
                return Err(io::Error::last_os_error());
            }
        }
        let status = hosting.host(path).map_or(UNPREPARED, i32::from);
        io::stdout().flush()?;
        Ok(status)
    });
    // SAFETY: ends this process only, whose output is written.
    unsafe { libc::_exit(status.unwrap_or(NOT_BEGUN)) }
}

/// Waits for the end of a child of ours; its wait status.
pub(crate) fn wait_for(pid: libc::pid_t) -> i32 {
    let mut status = 0;
    // SAFETY: waits for a child of this process, and writes to a local.
    while unsafe { libc::waitpid(pid, &raw mut status, 0) } == -1 {
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            break;
        }
    }
    status
}

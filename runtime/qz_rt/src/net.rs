//! Sockets, and whatever else can be waited for: operations that suspend the task at work, not its thread.
//!
//! An *address* is `1.2.3.4:80`, `[::1]:80` or `unix:/path`. A *result* is a number (of bytes, or a descriptor) or a
//! negated `errno`; an outcome below -1 of a wait (`crate::tasks`) stands [`FAILED_WAIT`] lower. A *socket* is a
//! [`Descriptor`].

use std::io;
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Duration;

use qz_rt_abi::Fiber;
use qz_rt_abi::object::StrObject;
use qz_sched::Outcome;
use qz_sched::block::{self, Terms};
use qz_sched::poll::{Descriptor, Direction};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use crate::context::core;
use crate::files::{error_status, give_text};
use crate::strings;
use crate::tasks::{is_cancelled, terms, told};

/// What outcomes of waits are lowered by among results.
const FAILED_WAIT: i64 = 1_000_000;
/// The result of an operation of a cancelled task.
pub(crate) const CANCELLED: i64 = crate::tasks::CANCELLED - FAILED_WAIT;

fn refused(code: i32) -> io::Error {
    io::Error::from_raw_os_error(code)
}

/// An address in words.
fn parse(text: &str) -> io::Result<SockAddr> {
    if let Some(path) = text.strip_prefix("unix:") {
        return SockAddr::unix(path);
    }
    let parsed: Result<SocketAddr, _> = text.parse();
    parsed.map(SockAddr::from).map_err(|_| refused(libc::EINVAL))
}

/// The kind of an address (0 IPv4, 1 IPv6, 2 of the file system) above its port, and its host or path, each address
/// always in the same words.
fn parts(address: &SockAddr) -> (i64, String) {
    match address.as_socket() {
        Some(SocketAddr::V4(address)) => (address.port() as i64, address.ip().to_string()),
        Some(SocketAddr::V6(address)) => {
            let scope = match address.scope_id() {
                0 => String::new(),
                scope => format!("%{scope}"),
            };
            (1 << 16 | address.port() as i64, format!("{}{scope}", address.ip()))
        }
        None => (2 << 16, address.as_pathname().map_or_else(String::new, |path| path.display().to_string())),
    }
}

pub(crate) unsafe fn net_parse(fiber: *mut Fiber, text: *mut StrObject, out: *mut u8) -> i64 {
    // SAFETY: generated code passes its live fiber, a live string and memory for another.
    unsafe {
        match address(text).map(|address| parts(&address)) {
            Ok((kind_and_port, host)) => {
                give_text(fiber, out, Ok(host));
                kind_and_port
            }
            Err(error) => error_status(&error),
        }
    }
}

fn words(address: &SockAddr) -> String {
    match (address.as_socket(), address.as_pathname()) {
        (Some(address), _) => address.to_string(),
        (None, Some(path)) => format!("unix:{}", path.display()),
        (None, None) => "unix:".to_owned(),
    }
}

fn socket(address: &SockAddr, ty: Type) -> io::Result<Socket> {
    let protocol = (address.domain() != Domain::UNIX).then_some(match ty {
        Type::DGRAM => Protocol::UDP,
        _ => Protocol::TCP,
    });
    let socket = Socket::new(address.domain(), ty.nonblocking().cloexec(), protocol)?;
    Ok(socket)
}

fn result(result: io::Result<i64>) -> i64 {
    result.unwrap_or_else(|error| error_status(&error))
}

/// # Safety
/// The text is a live string.
unsafe fn address(text: *mut StrObject) -> io::Result<SockAddr> {
    // SAFETY: by the caller's promise.
    parse(unsafe { strings::text(text) })
}

/// # Safety
/// `io_open` made the socket, and it was not freed.
unsafe fn descriptor<'a>(socket: *mut u8) -> &'a Descriptor {
    // SAFETY: by the caller's promise.
    unsafe { &*socket.cast::<Descriptor>() }
}

fn on_socket<R>(fd: RawFd, f: impl FnOnce(SockRef<'_>) -> io::Result<R>) -> io::Result<R> {
    // SAFETY: descriptors are open while they are used.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    f(SockRef::from(&fd))
}

fn with_socket<R>(descriptor: &Descriptor, f: impl FnOnce(SockRef<'_>) -> io::Result<R>) -> io::Result<R> {
    descriptor.with(|fd| on_socket(fd, f)).unwrap_or_else(|| Err(refused(libc::EBADF)))
}

/// Tries until it is done, waiting where the system would block.
///
/// # Safety
/// The fiber runs on this thread; the socket stays.
pub(crate) unsafe fn until_done(
    fiber: *mut Fiber,
    socket: &Descriptor,
    direction: Direction,
    timeout: i64,
    attempt: impl FnMut(RawFd) -> io::Result<i64>,
) -> i64 {
    // SAFETY: passed on.
    unsafe { done_on(fiber, socket, direction, terms(fiber, timeout), attempt) }
}

/// # Safety
/// As for [`until_done`].
unsafe fn done_on(
    fiber: *mut Fiber,
    socket: &Descriptor,
    direction: Direction,
    terms: Terms,
    mut attempt: impl FnMut(RawFd) -> io::Result<i64>,
) -> i64 {
    // SAFETY: by the caller's promise.
    if terms.interruptible && unsafe { is_cancelled(fiber) } {
        return CANCELLED;
    }
    if direction == Direction::Read
        && socket.is_drained()
        // SAFETY: by the caller's promise.
        && let Err(status) = unsafe { wait_ready(fiber, socket, direction, terms) }
    {
        return status;
    }
    loop {
        match socket.with(&mut attempt) {
            None => return -(libc::EBADF as i64),
            Some(Ok(done)) => return done,
            Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
            Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => return error_status(&error),
            Some(Err(_)) => {}
        }
        // SAFETY: by the caller's promise.
        if let Err(status) = unsafe { wait_ready(fiber, socket, direction, terms) } {
            return status;
        }
    }
}

/// Waits until an operation may be tried again; a result if it must not be.
///
/// # Safety
/// As for [`until_done`].
pub(crate) unsafe fn wait_ready(
    fiber: *mut Fiber,
    socket: &Descriptor,
    direction: Direction,
    terms: Terms,
) -> Result<(), i64> {
    // SAFETY: by the caller's promise.
    match unsafe { socket.wait(fiber.cast(), direction, terms) } {
        Outcome::Done(_) => Ok(()),
        Outcome::Closed(_) => Err(-(libc::EBADF as i64)),
        Outcome::TimedOut => Err(-(libc::ETIMEDOUT as i64)),
        other => Err(told(other) - FAILED_WAIT),
    }
}

/// A wait of the system's would hold up the thread.
fn set_nonblocking(fd: &OwnedFd) -> io::Result<()> {
    // SAFETY: an open descriptor.
    unsafe {
        let flags = libc::fcntl(fd.as_raw_fd(), libc::F_GETFL);
        if flags < 0 || libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}

pub(crate) unsafe fn io_open(fiber: *mut Fiber, fd: i64, out: *mut u8) -> i64 {
    // SAFETY: generated code passes its live fiber, an open descriptor that becomes the socket's, and memory for a
    // pointer.
    unsafe {
        let fd = OwnedFd::from_raw_fd(fd as RawFd);
        match set_nonblocking(&fd).and_then(|()| Descriptor::new(core(fiber).scheduler(), fd.as_raw_fd())) {
            Ok(descriptor) => {
                let _ = fd.into_raw_fd();
                out.cast::<*mut Descriptor>().write(Box::into_raw(descriptor));
                0
            }
            Err(error) => error_status(&error),
        }
    }
}

pub(crate) unsafe fn io_close(fiber: *mut Fiber, socket: *mut u8) {
    // SAFETY: generated code passes its live fiber and a socket that it holds.
    unsafe { descriptor(socket).close(fiber.cast()) }
}

pub(crate) unsafe fn io_free(fiber: *mut Fiber, socket: *mut u8) {
    // SAFETY: as above, and nobody else knows it any more.
    unsafe {
        descriptor(socket).close(fiber.cast());
        drop(Box::from_raw(socket.cast::<Descriptor>()));
    }
}

pub(crate) unsafe fn io_read(
    fiber: *mut Fiber,
    socket: *mut u8,
    bytes: *mut u8,
    len: u64,
    timeout: i64,
) -> i64 {
    // SAFETY: generated code passes its live fiber, a socket that it holds, and memory for so many bytes.
    unsafe {
        let socket = descriptor(socket);
        let read = |fd| Ok(socket.read(fiber.cast(), fd, bytes, len as usize)? as i64);
        until_done(fiber, socket, Direction::Read, timeout, read)
    }
}

pub(crate) unsafe fn io_write(
    fiber: *mut Fiber,
    socket: *mut u8,
    bytes: *mut u8,
    len: u64,
    timeout: i64,
) -> i64 {
    // SAFETY: as above, with so many bytes to read.
    unsafe {
        let socket = descriptor(socket);
        let write = |fd| Ok(socket.write(fd, bytes, len as usize)? as i64);
        until_done(fiber, socket, Direction::Write, timeout, write)
    }
}

pub(crate) unsafe fn net_listen(_fiber: *mut Fiber, text: *mut StrObject) -> i64 {
    /// Connections that wait to be accepted.
    const WAITING: i32 = 1024;
    // SAFETY: generated code passes a live string.
    let address = unsafe { address(text) };
    result(address.and_then(|address| {
        let socket = socket(&address, Type::STREAM)?;
        if address.domain() != Domain::UNIX {
            socket.set_reuse_address(true)?;
        }
        socket.bind(&address)?;
        socket.listen(WAITING)?;
        Ok(socket.into_raw_fd() as i64)
    }))
}

/// A socket for messages at an address.
pub(crate) unsafe fn net_bind(_fiber: *mut Fiber, text: *mut StrObject) -> i64 {
    // SAFETY: generated code passes a live string.
    let address = unsafe { address(text) };
    result(address.and_then(|address| {
        let socket = socket(&address, Type::DGRAM)?;
        socket.bind(&address)?;
        Ok(socket.into_raw_fd() as i64)
    }))
}

/// Begins to connect: a descriptor, to be waited for by `net_connected`.
pub(crate) unsafe fn net_connect(_fiber: *mut Fiber, text: *mut StrObject) -> i64 {
    // SAFETY: generated code passes a live string.
    let address = unsafe { address(text) };
    result(address.and_then(|address| {
        let socket = socket(&address, Type::STREAM)?;
        match socket.connect(&address) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            Err(error) => return Err(error),
        }
        Ok(socket.into_raw_fd() as i64)
    }))
}

pub(crate) unsafe fn net_connected(fiber: *mut Fiber, socket: *mut u8, timeout: i64) -> i64 {
    // SAFETY: generated code passes its live fiber and a socket that it holds.
    unsafe {
        let socket = descriptor(socket);
        until_done(fiber, socket, Direction::Write, timeout, |fd| on_socket(fd, is_connected))
    }
}

fn is_connected(socket: SockRef<'_>) -> io::Result<i64> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => Ok(0),
        Err(error) if error.raw_os_error() == Some(libc::ENOTCONN) => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error),
    }
}

pub(crate) unsafe fn net_accept(fiber: *mut Fiber, socket: *mut u8, timeout: i64) -> i64 {
    // SAFETY: as above.
    unsafe {
        let socket = descriptor(socket);
        let terms = terms(fiber, timeout);
        let accept = || done_on(fiber, socket, Direction::Read, terms, accepted);
        match accept() {
            lack if LACKS.contains(&lack) => match pause(fiber, PAUSE, terms) {
                Ok(()) => accept(),
                Err(status) => status,
            },
            done => done,
        }
    }
}

/// There is a connection, but no room for it now: no descriptor, no memory.
const LACKS: [i64; 4] =
    [-(libc::EMFILE as i64), -(libc::ENFILE as i64), -(libc::ENOBUFS as i64), -(libc::ENOMEM as i64)];

/// How long to wait for room before its lack is told. Servers that go on at once do not use up a processor meanwhile.
const PAUSE: Duration = Duration::from_millis(10);

fn accepted(fd: RawFd) -> io::Result<i64> {
    match on_socket(fd, |socket| socket.accept()) {
        Ok((accepted, _)) => Ok(accepted.into_raw_fd() as i64),
        // Who wanted to come has gone; the next one, then.
        Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {
            Err(io::ErrorKind::Interrupted.into())
        }
        Err(error) => Err(error),
    }
}

/// Sleeps for so long, within other terms; a result if the operation is to end.
///
/// # Safety
/// The fiber runs on this thread.
pub(crate) unsafe fn pause(fiber: *mut Fiber, time: Duration, within: Terms) -> Result<(), i64> {
    // SAFETY: by the caller's promise.
    unsafe {
        let deadline = core(fiber).scheduler().now().saturating_add(time.as_nanos() as u64);
        let terms = Terms { deadline: deadline.min(within.deadline), ..within };
        match block::sleep(fiber.cast(), terms) {
            Outcome::TimedOut => Ok(()),
            other => Err(told(other) - FAILED_WAIT),
        }
    }
}

pub(crate) unsafe fn net_send_to(
    fiber: *mut Fiber,
    socket: *mut u8,
    bytes: *mut u8,
    len: u64,
    to: *mut StrObject,
) -> i64 {
    // SAFETY: as above, with so many bytes and a live string.
    unsafe {
        let socket = descriptor(socket);
        let address = match address(to) {
            Ok(address) => address,
            Err(error) => return error_status(&error),
        };
        let bytes = std::slice::from_raw_parts(bytes, len as usize);
        until_done(fiber, socket, Direction::Write, -1, |fd| {
            on_socket(fd, |socket| socket.send_to(bytes, &address)).map(|sent| sent as i64)
        })
    }
}

pub(crate) unsafe fn net_recv_from(
    fiber: *mut Fiber,
    socket: *mut u8,
    bytes: *mut u8,
    len: u64,
    timeout: i64,
) -> i64 {
    // SAFETY: as above, with memory for so many bytes.
    unsafe {
        let socket = descriptor(socket);
        let buffer = std::slice::from_raw_parts_mut(bytes.cast::<std::mem::MaybeUninit<u8>>(), len as usize);
        let mut from = None;
        let received = until_done(fiber, socket, Direction::Read, timeout, |fd| {
            let (received, address) = on_socket(fd, |socket| socket.recv_from(buffer))?;
            from = Some(address);
            Ok(received as i64)
        });
        crate::context::state(fiber).sender = from.as_ref().map(words).unwrap_or_default();
        received
    }
}

pub(crate) unsafe fn net_sender(fiber: *mut Fiber) -> *mut StrObject {
    // SAFETY: generated code passes its live fiber.
    unsafe {
        let sender = std::mem::take(&mut crate::context::state(fiber).sender);
        strings::new(fiber, &sender)
    }
}

pub(crate) unsafe fn net_address(fiber: *mut Fiber, socket: *mut u8, peer: u8, out: *mut u8) -> i64 {
    // SAFETY: as above, with memory for a string.
    unsafe {
        let address = with_socket(descriptor(socket), |socket| match peer {
            0 => socket.local_addr(),
            _ => socket.peer_addr(),
        });
        give_text(fiber, out, address.map(|address| words(&address)))
    }
}

/// `how`: 0 reading, 1 writing, 2 both.
pub(crate) unsafe fn net_shutdown(_fiber: *mut Fiber, socket: *mut u8, how: i64) -> i64 {
    let how = match how {
        0 => Shutdown::Read,
        1 => Shutdown::Write,
        _ => Shutdown::Both,
    };
    // SAFETY: as above.
    let socket = unsafe { descriptor(socket) };
    result(with_socket(socket, |socket| socket.shutdown(how)).map(|()| 0))
}

/// Small writes go out at once, or wait for more.
pub(crate) unsafe fn net_no_delay(_fiber: *mut Fiber, socket: *mut u8, on: u8) -> i64 {
    // SAFETY: as above.
    let socket = unsafe { descriptor(socket) };
    result(with_socket(socket, |socket| socket.set_tcp_nodelay(on != 0)).map(|()| 0))
}

/// The addresses of a host, each on a line. The thread waits; others take over its tasks.
pub(crate) unsafe fn net_resolve(fiber: *mut Fiber, host: *mut StrObject, port: i64, out: *mut u8) -> i64 {
    // SAFETY: generated code passes a live string and memory for another.
    unsafe {
        let Ok(port) = u16::try_from(port) else { return -(libc::EINVAL as i64) };
        let found = (strings::text(host), port).to_socket_addrs();
        let found = found.map_err(|error| match error.raw_os_error() {
            Some(_) => error,
            None => refused(libc::ENOENT),
        });
        let lines = |found: std::vec::IntoIter<SocketAddr>| {
            found.map(|address| address.to_string()).collect::<Vec<_>>().join("\n")
        };
        give_text(fiber, out, found.map(lines))
    }
}

/// A pipe: the reading end in the low half, the writing end in the high one.
pub(crate) unsafe fn net_pipe(_fiber: *mut Fiber) -> i64 {
    match std::io::pipe() {
        Ok((reader, writer)) => reader.into_raw_fd() as i64 | (writer.into_raw_fd() as i64) << 32,
        Err(error) => error_status(&error),
    }
}

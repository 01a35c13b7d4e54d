//! A cache that several machines share: Redis, S3, HTTP and a folder, each with a compiler whose own cache is empty; and
//! stores that are away, slow or lie.
//!
//! Redis is Debian's `redis-server`; the S3 server is `moto_server`, which `./test` installs from PyPI. What is not there is
//! left out, with a word.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PROGRAM: [(&str, &str); 2] = [
    ("main.qz", "import util\n\ndef main = puts(util::twice(21))\n"),
    ("util.qz", "def twice(n: Int) = n * 2\n"),
];

/// A folder of one test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("quartz-shared-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let scratch = Scratch(folder);
        for machine in ["one", "two"] {
            let folder = scratch.0.join(machine);
            std::fs::create_dir_all(&folder).expect("a folder in it, too");
            PROGRAM.iter().for_each(|(file, text)| std::fs::write(folder.join(file), text).expect("written"));
        }
        scratch
    }

    /// Runs the program on a machine with a cache of its own.
    fn run(&self, machine: &str, remote: &str, variables: &[(&str, &str)]) -> Output {
        let folder = self.0.join(machine);
        let mut command = Command::new(env!("CARGO_BIN_EXE_quartz"));
        command.args(["run", "--color=never", "--explain-cache=json", "main.qz"]).current_dir(&folder);
        command.env("QUARTZ_CACHE_DIR", folder.join("cache")).env("QUARTZ_CACHE_REMOTE", remote);
        command.envs(variables.iter().copied()).stdin(Stdio::null()).output().expect("the command starts")
    }

    fn forget(&self, machine: &str) {
        std::fs::remove_dir_all(self.0.join(machine).join("cache")).ok();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn is_right(output: &Output) {
    assert_eq!(String::from_utf8_lossy(&output.stdout), "42\n", "{}", stderr(output));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
}

/// Tiers of which everything was reused.
fn reused(output: &Output) -> Vec<String> {
    let lines = stderr(output);
    let lines = lines.lines().filter(|it| it.starts_with('{'));
    let lines = lines.map(|it| serde_json::from_str::<serde_json::Value>(it).expect("an object a line"));
    let hits = lines.filter(|it| it["reused"] == true);
    hits.map(|it| format!("{} {}", it["tier"].as_str().unwrap_or(""), it["module"].as_str().unwrap_or("")))
        .collect()
}

/// What one machine made, another does not make again.
fn is_shared(name: &str, remote: &str, variables: &[(&str, &str)]) {
    let scratch = Scratch::new(name);
    let first = scratch.run("one", remote, variables);
    is_right(&first);
    assert!(!stderr(&first).contains("warning"), "{}", stderr(&first));
    assert_eq!(reused(&first), [""; 0]);
    let second = scratch.run("two", remote, variables);
    is_right(&second);
    assert!(!stderr(&second).contains("warning"), "{}", stderr(&second));
    for wanted in ["parse main", "parse util", "check main", "check util"] {
        assert!(reused(&second).iter().any(|it| it == wanted), "{wanted}: {:?}", reused(&second));
    }
    assert!(reused(&second).iter().any(|it| it.starts_with("code")), "{:?}", reused(&second));
}

#[test]
fn a_folder() {
    let shared = Scratch::new("folder-store");
    is_shared("folder", shared.0.to_str().expect("a name of ours"), &[]);
}

// ---- HTTP

#[derive(Copy, Clone, PartialEq, Eq)]
enum Manner {
    Honest,
    /// Changes a byte of what it gives.
    Lies,
    /// Accepts connections and says nothing.
    Silent,
    /// Answers everything by an error.
    Broken,
}

/// A server for `GET`, `PUT` and what WebDAV asks before it writes.
struct Server {
    address: String,
    kept: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Server {
    fn start(manner: Manner) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = format!("http://{}", listener.local_addr().expect("it is bound"));
        let kept = Arc::new(Mutex::new(BTreeMap::new()));
        let store = kept.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let store = store.clone();
                std::thread::spawn(move || serve(stream, manner, &store).ok());
            }
        });
        Server { address, kept }
    }
}

fn serve(stream: TcpStream, manner: Manner, kept: &Mutex<BTreeMap<String, Vec<u8>>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap_or("").to_owned(), words.next().unwrap_or("").to_owned());
        let mut size = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                size = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; size];
        reader.read_exact(&mut body)?;
        if manner == Manner::Silent {
            std::thread::sleep(Duration::from_secs(60));
            return Ok(());
        }
        let mut kept = kept.lock().expect("nobody panics here");
        let (status, body) = match &*method {
            _ if manner == Manner::Broken => ("500 Internal Server Error", Vec::new()),
            "GET" => match kept.get(&path) {
                Some(bytes) => ("200 OK", bytes.clone()),
                None => ("404 Not Found", Vec::new()),
            },
            "PUT" => {
                kept.insert(path, body);
                ("201 Created", Vec::new())
            }
            "MKCOL" => ("201 Created", Vec::new()),
            "PROPFIND" => ("404 Not Found", Vec::new()),
            _ => ("405 Method Not Allowed", Vec::new()),
        };
        let mut body = body;
        if manner == Manner::Lies
            && let Some(byte) = body.last_mut()
        {
            *byte ^= 1;
        }
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len())?;
        stream.write_all(&body)?;
    }
}

#[test]
fn http() {
    let server = Server::start(Manner::Honest);
    is_shared("http", &format!("{}/cache", server.address), &[]);
    assert!(!server.kept.lock().expect("nobody panics here").is_empty());
}

#[test]
fn a_store_that_lies() {
    let server = Server::start(Manner::Lies);
    let scratch = Scratch::new("lies");
    is_right(&scratch.run("one", &server.address, &[]));
    let second = scratch.run("two", &server.address, &[]);
    is_right(&second);
    assert_eq!(reused(&second), [""; 0]);
    assert_eq!(stderr(&second).matches("warning: the shared cache gave").count(), 1, "{}", stderr(&second));
}

#[test]
fn stores_that_are_away_or_broken() {
    for (name, remote) in [
        ("away", "http://127.0.0.1:1/".to_owned()),
        ("broken", Server::start(Manner::Broken).address),
        ("silent", Server::start(Manner::Silent).address),
        ("redis", "redis://127.0.0.1:1/0".to_owned()),
    ] {
        let scratch = Scratch::new(name);
        let found = scratch.run("one", &remote, &[]);
        is_right(&found);
        let told = stderr(&found).matches("warning: the shared cache at").count();
        assert!((1..=2).contains(&told), "{name}: {}", stderr(&found));
    }
}

#[test]
fn an_address_that_means_nothing() {
    let scratch = Scratch::new("nothing");
    let found = scratch.run("one", "gopher://host/", &[]);
    is_right(&found);
    assert!(stderr(&found).contains("warning: QUARTZ_CACHE_REMOTE names no store"), "{}", stderr(&found));
}

#[test]
fn entries_of_strangers_are_refused() {
    let server = Server::start(Manner::Honest);
    let scratch = Scratch::new("secret");
    is_right(&scratch.run("one", &server.address, &[("QUARTZ_CACHE_SECRET", "theirs")]));
    let ours = scratch.run("two", &server.address, &[("QUARTZ_CACHE_SECRET", "ours")]);
    is_right(&ours);
    assert_eq!(reused(&ours), [""; 0]);
    assert!(stderr(&ours).contains("QUARTZ_CACHE_SECRET"), "{}", stderr(&ours));
    scratch.forget("two");
    is_right(&scratch.run("two", &server.address, &[("QUARTZ_CACHE_SECRET", "ours")]));
}

// ---- Redis and S3

/// A server in a process of its own.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A port that is free now. Somebody else may take it before it is used; then another is tried.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

/// Starts a server on some port and waits until it answers there; nothing if it is not installed.
fn start(program: &Path, arguments: &dyn Fn(u16) -> Vec<String>) -> Option<(Process, u16)> {
    for _ in 0..5 {
        let port = free_port();
        let mut command = Command::new(program);
        command.args(arguments(port)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Process(command.spawn().ok()?);
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline && process.0.try_wait().ok()?.is_none() {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some((process, port));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    panic!("{} does not start", program.display());
}

#[test]
fn redis() {
    let arguments = |port: u16| {
        let words = ["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        words.map(str::to_owned).to_vec()
    };
    let Some((_server, port)) = start(Path::new("redis-server"), &arguments) else {
        eprintln!("redis-server is not installed: left out");
        return;
    };
    is_shared("redis", &format!("redis://127.0.0.1:{port}/0/quartz"), &[]);
}

#[test]
fn s3() {
    let Some(server) = std::env::var_os("QUARTZ_MOTO_SERVER").map(PathBuf::from).filter(|it| it.is_file())
    else {
        eprintln!("QUARTZ_MOTO_SERVER names no server: left out");
        return;
    };
    let arguments = |port: u16| vec!["-H".to_owned(), "127.0.0.1".into(), "-p".into(), port.to_string()];
    let Some((_server, port)) = start(&server, &arguments) else { return };
    make_bucket(port).expect("the server makes a bucket");
    let remote = format!("s3://quartz/some/prefix?endpoint=http%3A%2F%2F127.0.0.1%3A{port}&region=us-east-1");
    let keys = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
    is_shared("s3", &remote, &keys);
}

fn make_bucket(port: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let head = format!(
        "PUT /quartz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, \
         Signature=0\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(std::io::Error::other(answer)) }
}

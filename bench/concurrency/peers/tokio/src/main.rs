//! The programs of this folder on tokio: `peers NAME WORKERS [ADDRESS]`.

use std::convert::Infallible;
use std::future::Future;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::sync::{mpsc, Mutex};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let workers = args.get(1).and_then(|it| it.parse().ok()).unwrap_or(1);
    match args.first().map(String::as_str).unwrap_or_default() {
        "spawn_join" => run(workers, spawn_join()),
        "ping_pong" => run(workers, ping_pong()),
        "buffered" => run(workers, buffered()),
        "ring" => run(workers, ring()),
        "select8" => run(workers, select8()),
        "parallel" => run(workers, parallel()),
        "mutex" => run(workers, mutex()),
        "http_hello" => run(workers, http_hello(args.get(2).cloned())),
        other => panic!("no program is called {other:?}"),
    }
}

/// The program itself is a task, too, as it is in the other languages.
fn run(workers: usize, program: impl Future<Output = i64> + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    let runtime = runtime.expect("the runtime starts");
    println!("{}", runtime.block_on(async { tokio::spawn(program).await.expect("it ends") }));
}

async fn spawn_join() -> i64 {
    let mut sum = 0;
    for n in 0..1_000_000 {
        sum += tokio::spawn(async move { n & 1 }).await.expect("it ends");
    }
    sum
}

async fn ping_pong() -> i64 {
    let (there, mut there_end) = mpsc::channel::<i64>(1);
    let (back, mut back_end) = mpsc::channel::<i64>(1);
    tokio::spawn(async move {
        while let Some(n) = there_end.recv().await {
            back.send(n + 1).await.expect("it is open");
        }
    });
    let mut n = 0;
    for _ in 0..1_000_000 {
        there.send(n).await.expect("it is open");
        n = back_end.recv().await.expect("it is open");
    }
    n
}

async fn buffered() -> i64 {
    let (sender, mut receiver) = mpsc::channel::<i64>(128);
    tokio::spawn(async move {
        for n in 0..5_000_000 {
            sender.send(n).await.expect("it is open");
        }
    });
    let mut sum = 0;
    while let Some(n) = receiver.recv().await {
        sum += n;
    }
    sum
}

async fn ring() -> i64 {
    let (first, mut last) = mpsc::channel::<i64>(1);
    for _ in 0..999 {
        let (to, next) = mpsc::channel::<i64>(1);
        let mut from = std::mem::replace(&mut last, next);
        tokio::spawn(async move {
            while let Some(n) = from.recv().await {
                to.send(n + 1).await.expect("it is open");
            }
        });
    }
    let mut n = 0;
    for _ in 0..1000 {
        first.send(n).await.expect("it is open");
        n = last.recv().await.expect("it is open") + 1;
    }
    n
}

async fn select8() -> i64 {
    let mut ends = Vec::new();
    for _ in 0..8 {
        let (to, end) = mpsc::channel::<i64>(1);
        tokio::spawn(async move {
            for n in 0..100_000 {
                to.send(n).await.expect("it is open");
            }
        });
        ends.push(end);
    }
    let mut ends: [mpsc::Receiver<i64>; 8] = ends.try_into().expect("eight");
    let [a, b, c, d, e, f, g, h] = &mut ends;
    let mut sum = 0;
    for _ in 0..800_000 {
        sum += tokio::select! {
            Some(n) = a.recv() => n,
            Some(n) = b.recv() => n,
            Some(n) = c.recv() => n,
            Some(n) = d.recv() => n,
            Some(n) = e.recv() => n,
            Some(n) = f.recv() => n,
            Some(n) = g.recv() => n,
            Some(n) = h.recv() => n,
            else => break,
        };
    }
    sum
}

fn fib(n: i64) -> i64 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

async fn parallel() -> i64 {
    let tasks: Vec<_> = (0..64).map(|_| tokio::spawn(async { fib(std::hint::black_box(30)) })).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.expect("it ends");
    }
    sum
}

async fn mutex() -> i64 {
    let total = std::sync::Arc::new(Mutex::new(0));
    let task = |total: std::sync::Arc<Mutex<i64>>| async move {
        for _ in 0..100_000 {
            *total.lock().await += 1;
        }
    };
    let tasks: Vec<_> = (0..8).map(|_| tokio::spawn(task(total.clone()))).collect();
    for task in tasks {
        task.await.expect("it ends");
    }
    let total = total.lock().await;
    *total
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"Hello, World!"))))
}

async fn http_hello(address: Option<String>) -> i64 {
    let address = address.unwrap_or_else(|| "127.0.0.1:8080".into());
    let listener = tokio::net::TcpListener::bind(address).await.expect("the address is free");
    println!("listening");
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(hello))
                .await;
        });
    }
}

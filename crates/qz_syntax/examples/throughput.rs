//! How fast are lexer and parser? Repeats the sample programs up to a size and prints MB/s and lines/s:
//! `cargo run --release --example throughput -- [MEGABYTES]`.

#![allow(clippy::print_stdout, reason = "an example's output")]

use std::time::{Duration, Instant};

const SAMPLES: &[&str] = &[
    include_str!("../samples/bank.qz"),
    include_str!("../samples/calc.qz"),
    include_str!("../samples/closures.qz"),
    include_str!("../samples/concurrency.qz"),
    include_str!("../samples/control.qz"),
    include_str!("../samples/effects.qz"),
    include_str!("../samples/formats.qz"),
    include_str!("../samples/geometry.qz"),
    include_str!("../samples/graph.qz"),
    include_str!("../samples/interp.qz"),
    include_str!("../samples/json.qz"),
    include_str!("../samples/life.qz"),
    include_str!("../samples/lowlevel.qz"),
    include_str!("../samples/lru.qz"),
    include_str!("../samples/matrix.qz"),
    include_str!("../samples/server.qz"),
    include_str!("../samples/shapes_dyn.qz"),
    include_str!("../samples/specs.qz"),
    include_str!("../samples/strings.qz"),
    include_str!("../samples/text.qz"),
    include_str!("../samples/traits.qz"),
];

fn main() {
    let megabytes: usize = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(16);
    let mut text = String::new();
    while text.len() < megabytes << 20 {
        for sample in SAMPLES {
            text.push_str(sample);
        }
    }
    let lines = text.lines().count();
    println!("{:.1} MB, {lines} lines", text.len() as f64 / 1e6);
    report("lex", &text, lines, || qz_syntax::lex(&text).tokens.len());
    report("lex + parse", &text, lines, || qz_syntax::parse(&text).tree.len());
    // As a build does it: one file after the other.
    report("file by file", &text, lines, || {
        let rounds = text.len() / SAMPLES.iter().map(|sample| sample.len()).sum::<usize>();
        let all = (0..rounds).flat_map(|_| SAMPLES);
        all.map(|sample| qz_syntax::parse(sample).tree.len()).sum()
    });
}

fn report(what: &str, text: &str, lines: usize, run: impl Fn() -> usize) {
    let mut best = Duration::MAX;
    let mut size = 0;
    for _ in 0..5 {
        let start = Instant::now();
        size = std::hint::black_box(run());
        best = best.min(start.elapsed());
    }
    let seconds = best.as_secs_f64();
    let megabytes = text.len() as f64 / 1e6 / seconds;
    let rate = lines as f64 / 1e6 / seconds;
    println!("{what:12} {megabytes:7.1} MB/s {rate:6.2} M lines/s, {size} elements");
}

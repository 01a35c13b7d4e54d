// A server's log is taken apart line by line, without regular expressions, and summed up.
use std::collections::HashMap;
use std::fmt::Write;

#[derive(Default)]
struct Usage {
    requests: i64,
    bytes: i64,
    failures: i64,
    slowest: i64,
}

struct Entry<'a> {
    hour: usize,
    path: &'a str,
    status: i64,
    bytes: i64,
    micros: i64,
}

/// `2026-03-14T12:34:56 host-7 GET /items/31?page=2 200 5321 812us`
fn parse(line: &str) -> Option<Entry<'_>> {
    let fields: Vec<&str> = line.split(' ').collect();
    if fields.len() != 7 {
        return None;
    }
    let path = match fields[3].split_once('?') {
        Some((path, _)) => path,
        None => fields[3],
    };
    Some(Entry {
        hour: fields[0].get(11..13)?.parse().ok()?,
        path,
        status: fields[4].parse().ok()?,
        bytes: fields[5].parse().ok()?,
        micros: fields[6].strip_suffix("us")?.parse().ok()?,
    })
}

fn example(lines: i64) -> String {
    let mut out = String::new();
    let mut seed: u64 = 11;
    for i in 0..lines {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let x = (seed >> 33) as i64;
        if x % 100 == 7 {
            out.push_str("# rotated\n");
            continue;
        }
        let status = if x % 17 == 0 {
            500
        } else if x % 5 == 0 {
            404
        } else {
            200
        };
        write!(out, "2026-03-14T{:02}:34:56 host-{} GET /items/{}", i * 24 / lines, x % 8, x % 1000).unwrap();
        if x % 3 == 0 {
            write!(out, "?page={}", x % 9).unwrap();
        }
        write!(out, " {status} {} {}us\n", x % 10_000, x % 2_000_000 / 7).unwrap();
    }
    out
}

fn main() {
    let text = example(1_000_000);
    let mut usage: HashMap<&str, Usage> = HashMap::new();
    let mut per_hour = [0i64; 24];
    let mut skipped = 0;
    for line in text.split('\n') {
        match parse(line) {
            Some(entry) => {
                per_hour[entry.hour] += 1;
                let known = usage.entry(entry.path).or_default();
                known.requests += 1;
                known.bytes += entry.bytes;
                if entry.status >= 400 {
                    known.failures += 1;
                }
                known.slowest = known.slowest.max(entry.micros);
            }
            None => skipped += 1,
        }
    }
    let (mut worst, mut failures, mut bytes) = ("", 0, 0);
    for (path, it) in &usage {
        bytes += it.bytes;
        if it.failures > failures || (it.failures == failures && *path < worst) {
            (worst, failures) = (path, it.failures);
        }
    }
    println!("{} paths, {bytes} bytes, {skipped} lines skipped, {} in the last hour", usage.len(), per_hour[23]);
    let it = &usage[worst];
    println!("{worst}: {} of {} failed, the slowest took {} us", it.failures, it.requests, it.slowest);
}

// Text is put together from pieces and numbers, then read byte by byte.
use std::fmt::Write;

fn main() {
    let mut total = 0;
    for round in 0..5 {
        let mut out = String::new();
        for i in 0..1_000_000i64 {
            out.push_str("item ");
            write!(out, "{}", i + round).unwrap();
            out.push_str(if i % 2 == 0 { ", even\n" } else { ", odd\n" });
        }
        let mut sum: i64 = 0;
        for byte in out.bytes() {
            sum = (sum * 31 + byte as i64) % 1_000_003;
        }
        total += sum + out.len() as i64;
    }
    println!("{total}");
}

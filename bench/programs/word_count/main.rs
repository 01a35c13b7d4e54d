// A text of words is made, cut at its spaces and counted in a map.
use std::collections::HashMap;
use std::fmt::Write;

fn text_of(words: i64) -> String {
    let mut out = String::new();
    let mut seed: u64 = 42;
    for _ in 0..words {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let n = (seed >> 33) % 5000;
        write!(out, "w{} ", n * n / 5000).unwrap();
    }
    out
}

fn main() {
    let text = text_of(5_000_000);
    let mut counts: HashMap<String, i64> = HashMap::new();
    for word in text.split(' ') {
        if word.is_empty() {
            continue;
        }
        match counts.get_mut(word) {
            Some(count) => *count += 1,
            None => _ = counts.insert(word.to_owned(), 1),
        }
    }
    let (mut most, mut top) = ("", 0);
    for (word, &count) in &counts {
        if count > top {
            (most, top) = (word, count);
        }
    }
    println!("{} words, the most frequent is {most} with {top}", counts.len());
}

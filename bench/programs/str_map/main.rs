// A map from strings: two million changes of 200,000 keys, then as many look-ups.
use std::collections::HashMap;

fn keys_of(n: i64, word: &str) -> Vec<String> {
    (0..n).map(|i| format!("{word}{i}")).collect()
}

fn advance(seed: u64) -> u64 {
    seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407)
}

fn main() {
    let (known, unknown) = (keys_of(200_000, "known key "), keys_of(50_000, "unknown key "));
    let mut counts: HashMap<&str, i64> = HashMap::new();
    let mut seed: u64 = 1;
    for _ in 0..2_000_000 {
        seed = advance(seed);
        *counts.entry(&known[((seed >> 40) % 200_000) as usize]).or_insert(0) += 1;
    }
    let mut found = 0;
    for i in 0..2_000_000 {
        seed = advance(seed);
        let at = ((seed >> 40) % 250_000) as usize;
        let key: &str = if at < 200_000 { &known[at] } else { &unknown[at - 200_000] };
        found += counts.get(key).copied().unwrap_or(0) * (i % 7);
    }
    println!("{} {found}", counts.len());
}

// A map from integers: three million insertions and changes, then as many look-ups.
use std::collections::HashMap;

fn main() {
    let mut counts: HashMap<i64, i64> = HashMap::new();
    let mut seed: u64 = 1;
    for _ in 0..3_000_000 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *counts.entry(((seed >> 40) % 500_000) as i64).or_insert(0) += 1;
    }
    let mut found = 0;
    for key in 0..3_000_000 {
        found += counts.get(&(key % 700_000)).copied().unwrap_or(0);
    }
    println!("{} {found}", counts.len());
}

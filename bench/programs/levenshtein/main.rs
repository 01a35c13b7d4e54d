// The edit distance of two long rows of bytes.
fn distance(a: &[u8], b: &[u8]) -> i64 {
    let mut before: Vec<i64> = (0..=b.len() as i64).collect();
    for i in 0..a.len() {
        let mut diagonal = before[0];
        before[0] = i as i64 + 1;
        for j in 0..b.len() {
            let cost = if a[i] == b[j] { 0 } else { 1 };
            let best = (diagonal + cost).min(before[j] + 1).min(before[j + 1] + 1);
            diagonal = before[j + 1];
            before[j + 1] = best;
        }
    }
    before[b.len()]
}

fn bytes_of(n: usize, start: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut seed = start;
    for _ in 0..n {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        out.push((seed >> 60) as u8);
    }
    out
}

fn main() {
    println!("{}", distance(&bytes_of(10_000, 1), &bytes_of(9_000, 2)));
}

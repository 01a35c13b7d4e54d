// Half a million strings are sorted by the library.
fn main() {
    let mut words: Vec<String> = Vec::new();
    let mut seed: u64 = 3;
    for _ in 0..500_000 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let mut word = String::new();
        for _ in 0..4 + (seed >> 60) {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            word.push((b'a' + ((seed >> 33) % 26) as u8) as char);
        }
        words.push(word);
    }
    words.sort();
    let mut check = 0;
    for word in &words {
        check = (check * 31 + word.len() as i64 * 256 + word.as_bytes()[2] as i64) % 1_000_003;
    }
    println!("{} {} {} {check}", words[0], words[words.len() / 2], words[words.len() - 1]);
}

// Elements at their own width, nested loops.
fn primes_below(n: usize) -> i64 {
    let mut composite = vec![false; n];
    let mut count = 0;
    for i in 2..n {
        if composite[i] {
            continue;
        }
        count += 1;
        let mut k = i * i;
        while k < n {
            composite[k] = true;
            k += i;
        }
    }
    count
}

fn main() {
    let mut total = 0;
    for round in 0..5 {
        total += primes_below(10_000_000 + round);
    }
    println!("{total}");
}

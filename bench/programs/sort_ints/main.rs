// Two million integers are sorted by merging, written out.
fn sort(v: &mut [i64], work: &mut [i64], from: usize, to: usize) {
    if to - from < 2 {
        return;
    }
    let middle = (from + to) / 2;
    sort(v, work, from, middle);
    sort(v, work, middle, to);
    let (mut a, mut b) = (from, middle);
    for i in from..to {
        if a < middle && (b >= to || v[a] <= v[b]) {
            work[i] = v[a];
            a += 1;
        } else {
            work[i] = v[b];
            b += 1;
        }
    }
    for i in from..to {
        v[i] = work[i];
    }
}

fn main() {
    let n = 2_000_000;
    let mut v: Vec<i64> = Vec::new();
    let mut seed: u64 = 7;
    for _ in 0..n {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        v.push((seed >> 34) as i64);
    }
    sort(&mut v, &mut vec![0; n], 0, n);
    let mut check = 0;
    for x in v {
        check = (check * 31 + x) % 1_000_003;
    }
    println!("{check}");
}

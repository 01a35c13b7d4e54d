// Pancakes flipped in every order of the first ten numbers: the Benchmarks Game's fannkuch.
fn flips(order: &[i64], work: &mut [i64]) -> i64 {
    work.copy_from_slice(order);
    let mut count = 0;
    while work[0] != 0 {
        let (mut low, mut high) = (0, work[0] as usize);
        while low < high {
            work.swap(low, high);
            low += 1;
            high -= 1;
        }
        count += 1;
    }
    count
}

fn main() {
    let n = 10;
    let mut order: Vec<i64> = (0..n as i64).collect();
    let (mut work, mut turns) = (vec![0; n], vec![0; n]);
    let (mut most, mut checksum, mut even, mut r) = (0, 0, true, n);
    loop {
        while r != 1 {
            turns[r - 1] = r;
            r -= 1;
        }
        let count = flips(&order, &mut work);
        most = most.max(count);
        checksum += if even { count } else { -count };
        even = !even;
        loop {
            if r == n {
                println!("{checksum} {most}");
                return;
            }
            let first = order[0];
            for i in 0..r {
                order[i] = order[i + 1];
            }
            order[r] = first;
            turns[r] -= 1;
            if turns[r] > 0 {
                break;
            }
            r += 1;
        }
    }
}

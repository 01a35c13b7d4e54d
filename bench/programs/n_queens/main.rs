// In how many ways thirteen queens stand on a board without seeing each other.
fn place(row: usize, n: usize, columns: &mut [bool], rising: &mut [bool], falling: &mut [bool]) -> i64 {
    if row == n {
        return 1;
    }
    let mut ways = 0;
    for c in 0..n {
        if !(columns[c] || rising[row + c] || falling[row + n - c]) {
            columns[c] = true;
            rising[row + c] = true;
            falling[row + n - c] = true;
            ways += place(row + 1, n, columns, rising, falling);
            columns[c] = false;
            rising[row + c] = false;
            falling[row + n - c] = false;
        }
    }
    ways
}

fn main() {
    let n = 13;
    println!("{}", place(0, n, &mut vec![false; n], &mut vec![false; n * 2], &mut vec![false; n * 2]));
}

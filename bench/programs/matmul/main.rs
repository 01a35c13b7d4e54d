// Two matrices of floats are multiplied, row by row.
fn matrix(n: i64, seed: f64) -> Vec<Vec<f64>> {
    (0..n).map(|i| (0..n).map(|j| seed * (i - j) as f64 * (i + j) as f64).collect()).collect()
}

fn multiply(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = a.len();
    let mut out = Vec::new();
    for i in 0..n {
        let mut row = vec![0.0; n];
        for k in 0..n {
            let (x, from) = (a[i][k], &b[k]);
            for j in 0..n {
                row[j] += x * from[j];
            }
        }
        out.push(row);
    }
    out
}

fn main() {
    let n = 900;
    let c = multiply(&matrix(n, 1.0 / n as f64), &matrix(n, 2.0 / n as f64));
    println!("{:.6}", c[n as usize / 2][n as usize / 2]);
}

// How many points of a grid stay near zero for 100 steps.
fn stays(cr: f64, ci: f64) -> bool {
    let (mut zr, mut zi) = (0.0, 0.0);
    for _ in 0..100 {
        let (r, i) = (zr * zr, zi * zi);
        if r + i > 4.0 {
            return false;
        }
        zi = 2.0 * zr * zi + ci;
        zr = r - i + cr;
    }
    true
}

fn main() {
    let n = 1600;
    let mut inside = 0;
    for y in 0..n {
        for x in 0..n {
            let (cr, ci) = (3.0 * x as f64 / n as f64 - 2.0, 2.0 * y as f64 / n as f64 - 1.0);
            if stays(cr, ci) {
                inside += 1;
            }
        }
    }
    println!("{inside}");
}

// A million points are sorted by a closure: nearest to a place first, of equally near ones the first made.
struct Point {
    x: i64,
    y: i64,
    id: i64,
}

impl Point {
    fn distance(&self, x: i64, y: i64) -> i64 {
        (self.x - x) * (self.x - x) + (self.y - y) * (self.y - y)
    }
}

fn sort_from(points: &mut [Point], x: i64, y: i64) {
    points.sort_by(|a, b| a.distance(x, y).cmp(&b.distance(x, y)).then(a.id.cmp(&b.id)));
}

fn main() {
    let mut points = Vec::new();
    let mut seed: u64 = 5;
    for id in 0..1_000_000 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        points.push(Point { x: ((seed >> 33) % 1000) as i64, y: ((seed >> 48) % 1000) as i64, id });
    }
    for round in 0..2 {
        sort_from(&mut points, 500 - round * 300, 200 + round * 100);
        let mut check = 0;
        for point in &points {
            check = (check * 31 + point.id) % 1_000_003;
        }
        println!("{check}");
    }
}

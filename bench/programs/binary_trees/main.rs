// Many small objects, made and given back.
struct Tree {
    left: Option<Box<Tree>>,
    right: Option<Box<Tree>>,
}

impl Tree {
    fn check(&self) -> i64 {
        let mut sum = 1;
        if let Some(left) = &self.left {
            sum += left.check();
        }
        if let Some(right) = &self.right {
            sum += right.check();
        }
        sum
    }
}

fn make(depth: i64) -> Box<Tree> {
    if depth == 0 {
        return Box::new(Tree { left: None, right: None });
    }
    Box::new(Tree { left: Some(make(depth - 1)), right: Some(make(depth - 1)) })
}

fn main() {
    let (least, most) = (4, 17);
    println!("stretch tree of depth {} check: {}", most + 1, make(most + 1).check());
    let long_lived = make(most);
    for depth in (least..=most).step_by(2) {
        let turns = 1 << (most - depth + least);
        let mut check = 0;
        for _ in 0..turns {
            check += make(depth).check();
        }
        println!("{turns} trees of depth {depth} check: {check}");
    }
    println!("long lived tree of depth {most} check: {}", long_lived.check());
}

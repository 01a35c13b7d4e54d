// A linked list: made, turned around, summed, thinned out and given back.
struct Node {
    value: i64,
    next: Option<Box<Node>>,
}

struct List {
    head: Option<Box<Node>>,
}

impl List {
    fn push(&mut self, value: i64) {
        self.head = Some(Box::new(Node { value, next: self.head.take() }));
    }

    fn reverse(&mut self) {
        let mut done = None;
        let mut rest = self.head.take();
        while let Some(mut node) = rest {
            rest = node.next;
            node.next = done;
            done = Some(node);
        }
        self.head = done;
    }

    /// Takes out what a number divides.
    fn remove_multiples(&mut self, of: i64) {
        let mut at = &mut self.head;
        loop {
            match at {
                None => return,
                Some(node) if node.value % of == 0 => *at = node.next.take(),
                Some(node) => at = &mut node.next,
            }
        }
    }

    fn sum(&self) -> i64 {
        let mut total = 0;
        let mut at = &self.head;
        while let Some(node) = at {
            total += node.value;
            at = &node.next;
        }
        total
    }
}

impl Drop for List {
    // Node by node: what the compiler derives would recurse.
    fn drop(&mut self) {
        let mut at = self.head.take();
        while let Some(mut node) = at {
            at = node.next.take();
        }
    }
}

fn main() {
    let mut total = 0;
    let mut list = List { head: None };
    for i in 0..1_000_000 {
        list.push(i);
    }
    for _ in 0..25 {
        list.reverse();
        total += list.sum();
    }
    list.remove_multiples(3);
    total += list.sum();
    list.remove_multiples(5);
    total += list.sum();
    println!("{total}");
}

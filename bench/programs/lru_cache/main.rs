// A cache that forgets what was used longest ago: a map for finding, a doubly linked list for the order.
use std::collections::HashMap;

const NOWHERE: usize = usize::MAX;

struct Node {
    key: i64,
    value: i64,
    before: usize,
    after: usize,
}

struct LruCache {
    capacity: usize,
    nodes: Vec<Node>,
    places: HashMap<i64, usize>,
    newest: usize,
    oldest: usize,
}

impl LruCache {
    fn new(capacity: usize) -> LruCache {
        LruCache { capacity, nodes: Vec::new(), places: HashMap::new(), newest: NOWHERE, oldest: NOWHERE }
    }

    fn get(&mut self, key: i64) -> Option<i64> {
        let place = *self.places.get(&key)?;
        self.touch(place);
        Some(self.nodes[place].value)
    }

    fn put(&mut self, key: i64, value: i64) {
        if let Some(&place) = self.places.get(&key) {
            self.nodes[place].value = value;
            self.touch(place);
            return;
        }
        let mut place = self.nodes.len();
        if place < self.capacity {
            self.nodes.push(Node { key, value, before: NOWHERE, after: NOWHERE });
        } else {
            place = self.oldest;
            self.unlink(place);
            let node = &mut self.nodes[place];
            self.places.remove(&node.key);
            node.key = key;
            node.value = value;
        }
        self.places.insert(key, place);
        self.link(place);
    }

    /// Makes a node the newest.
    fn touch(&mut self, place: usize) {
        if place != self.newest {
            self.unlink(place);
            self.link(place);
        }
    }

    fn link(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        node.before = NOWHERE;
        node.after = self.newest;
        if self.newest != NOWHERE {
            self.nodes[self.newest].before = place;
        }
        self.newest = place;
        if self.oldest == NOWHERE {
            self.oldest = place;
        }
    }

    fn unlink(&mut self, place: usize) {
        let (before, after) = (self.nodes[place].before, self.nodes[place].after);
        if before == NOWHERE {
            self.newest = after;
        } else {
            self.nodes[before].after = after;
        }
        if after == NOWHERE {
            self.oldest = before;
        } else {
            self.nodes[after].before = before;
        }
    }
}

fn main() {
    let mut cache = LruCache::new(50_000);
    let (mut hits, mut sum, mut seed) = (0, 0, 9u64);
    for i in 0..6_000_000 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        // Small keys are asked for more often.
        let (a, b) = ((seed >> 40) % 400, (seed >> 20) % 400);
        let key = (a * b) as i64;
        match cache.get(key) {
            Some(value) => {
                hits += 1;
                sum = (sum + value) % 1_000_003;
            }
            None => cache.put(key, i),
        }
    }
    println!("{} {hits} {sum}", cache.places.len());
}

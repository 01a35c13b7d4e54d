//! What the collector of circles has met. Nothing here takes longer when there is more of it: rows grow by chunks, and
//! addresses are found in many small tables.

use std::collections::HashMap;
use std::ops::Range;

/// A row that is never moved.
pub(crate) struct Chunked<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

const CHUNK: usize = 4096;

impl<T> Default for Chunked<T> {
    fn default() -> Chunked<T> {
        Chunked { chunks: Vec::new(), len: 0 }
    }
}

impl<T> Chunked<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, value: T) {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks[self.len / CHUNK].push(value);
        self.len += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let value = self.chunks.last_mut()?.pop()?;
        self.len -= 1;
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.pop();
        }
        Some(value)
    }

    pub(crate) fn get(&self, at: usize) -> &T {
        &self.chunks[at / CHUNK][at % CHUNK]
    }

    fn get_mut(&mut self, at: usize) -> &mut T {
        &mut self.chunks[at / CHUNK][at % CHUNK]
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    /// Takes out the last one that is the same.
    pub(crate) fn remove_last(&mut self, value: T)
    where
        T: PartialEq,
    {
        let from_end = self.iter().rev().position(|it| *it == value);
        if let Some(from_end) = from_end
            && let at = self.len - 1 - from_end
            && let Some(last) = self.pop()
            && at < self.len
        {
            *self.get_mut(at) = last;
        }
    }
}

/// Objects, and which refers to which.
#[derive(Default)]
pub(crate) struct Graph {
    nodes: Chunked<Node>,
    indexes: Vec<HashMap<usize, u32, foldhash::fast::FixedState>>,
    edges: Chunked<u32>,
    /// How many nodes were visited.
    visited: usize,
    /// Nodes in use whose edges are to be followed.
    work: Chunked<u32>,
    /// Those of the one of them that are still to be followed.
    following: Range<usize>,
    in_use: usize,
}

struct Node {
    object: *mut u8,
    count: i32,
    /// References met.
    met: i32,
    /// Where its edges begin; they end where those of the next one do.
    edges: u32,
    in_use: bool,
}

const TABLES: usize = 512;

fn table_of(object: *mut u8) -> usize {
    (object as usize >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as usize) >> 55
}

impl Graph {
    /// Whether it is as a new one.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.nodes.len + self.edges.len + self.work.len + self.visited + self.in_use == 0
            && self.indexes.is_empty()
            && self.following == (0..0)
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn object(&self, at: usize) -> *mut u8 {
        self.nodes.get(at).object
    }

    pub(crate) fn count(&self, at: usize) -> i32 {
        self.nodes.get(at).count
    }

    pub(crate) fn in_use(&self) -> usize {
        self.in_use
    }

    /// Adds an object that is not there yet, with the count that it has. How many others that moves: tables grow at
    /// nearly the same time, since they fill evenly.
    pub(crate) fn add(&mut self, object: *mut u8, count: i32) -> usize {
        if self.indexes.is_empty() {
            self.indexes.resize_with(TABLES, HashMap::default);
        }
        let index = self.nodes.len() as u32;
        let table = &mut self.indexes[table_of(object)];
        let moved = if table.len() == table.capacity() { table.len() } else { 0 };
        table.insert(object as usize, index);
        self.nodes.push(Node { object, count, met: 0, edges: 0, in_use: false });
        moved
    }

    /// The object visited last refers to this one.
    pub(crate) fn refer(&mut self, object: *mut u8) {
        if let Some(&to) = self.indexes[table_of(object)].get(&(object as usize)) {
            self.nodes.get_mut(to as usize).met += 1;
            self.edges.push(to);
        }
    }

    pub(crate) fn has_next(&self) -> bool {
        self.visited < self.nodes.len()
    }

    /// The next object to visit.
    pub(crate) fn next(&mut self) -> Option<*mut u8> {
        let edges = self.edges.len() as u32;
        let at = self.visited;
        let node = if at < self.nodes.len() { self.nodes.get_mut(at) } else { return None };
        self.visited += 1;
        node.edges = edges;
        Some(node.object)
    }

    /// Gives some memory back; whether there is more.
    pub(crate) fn shrink(&mut self) -> bool {
        self.nodes.chunks.pop();
        self.edges.chunks.pop();
        self.indexes.pop();
        !(self.nodes.chunks.is_empty() && self.edges.chunks.is_empty() && self.indexes.is_empty())
    }

    /// Whether nobody outside refers to the object, directly or not.
    pub(crate) fn is_loose(&self, at: usize) -> bool {
        !self.nodes.get(at).in_use
    }

    /// A node that has more references than were met is in use.
    pub(crate) fn start_at(&mut self, at: usize) {
        let node = self.nodes.get(at);
        if node.count != node.met {
            self.set_in_use(at);
        }
    }

    pub(crate) fn set_in_use(&mut self, at: usize) {
        let node = self.nodes.get_mut(at);
        if !std::mem::replace(&mut node.in_use, true) {
            self.in_use += 1;
            self.work.push(at as u32);
        }
    }

    /// Follows edges of nodes in use, at most so many; whether there are none left.
    pub(crate) fn spread(&mut self, left: &mut usize) -> bool {
        while *left > 0 {
            let Range { start, end } = self.following;
            let edges = start..end.min(start.saturating_add(*left));
            if edges.is_empty() {
                let Some(at) = self.work.pop() else { return true };
                self.following = self.edges_of(at as usize);
                *left -= 1;
                continue;
            }
            *left -= edges.len();
            self.following.start = edges.end;
            for edge in edges {
                self.set_in_use(*self.edges.get(edge) as usize);
            }
        }
        self.following.is_empty() && self.work.len() == 0
    }

    fn edges_of(&self, at: usize) -> Range<usize> {
        let start = self.nodes.get(at).edges as usize;
        let end = if at + 1 < self.len() { self.nodes.get(at + 1).edges as usize } else { self.edges.len() };
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hub that refers to so many others.
    fn hub(references: usize) -> Graph {
        let mut graph = Graph::default();
        let object = |n: usize| std::ptr::without_provenance_mut((n + 1) << 4);
        for n in 0..=references {
            graph.add(object(n), 1);
        }
        graph.next();
        (1..=references).for_each(|n| graph.refer(object(n)));
        while graph.next().is_some() {}
        graph
    }

    #[test]
    fn references_that_are_followed_are_work() {
        let mut graph = hub(1000);
        graph.set_in_use(0);
        let mut left = 100;
        assert!(!graph.spread(&mut left), "the others wait for the next part");
        assert_eq!((left, graph.in_use()), (0, 100));
        let mut left = 5000;
        assert!(graph.spread(&mut left));
        assert_eq!((left, graph.in_use()), (5000 - 901 - 1000, 1001));
    }
}

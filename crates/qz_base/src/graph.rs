//! Which parts of a directed graph lead back to themselves?

/// The strongly connected components of a graph, each after those that it leads to; members in the order in which they
/// were met. `node` is the number of what an edge leads to.
///
/// Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972) without recursion: chains may be long.
pub fn components<T: Copy>(edges: &[Vec<T>], node: impl Fn(T) -> usize) -> Vec<Vec<usize>> {
    const UNSEEN: u32 = u32::MAX;
    let n = edges.len();
    let (mut index, mut low) = (vec![UNSEEN; n], vec![0u32; n]);
    let (mut on_stack, mut stack, mut found) = (vec![false; n], Vec::new(), Vec::new());
    let mut counter = 0;
    for root in 0..n {
        if index[root] != UNSEEN {
            continue;
        }
        let mut path: Vec<(usize, usize)> = vec![(root, 0)];
        while let Some(&mut (at, ref mut next)) = path.last_mut() {
            if *next == 0 {
                (index[at], low[at]) = (counter, counter);
                counter += 1;
                stack.push(at);
                on_stack[at] = true;
            }
            if let Some(to) = edges[at].get(*next).map(|&to| node(to)) {
                *next += 1;
                if index[to] == UNSEEN {
                    path.push((to, 0));
                } else if on_stack[to] {
                    low[at] = low[at].min(index[to]);
                }
                continue;
            }
            path.pop();
            if let Some(&(parent, _)) = path.last() {
                low[parent] = low[parent].min(low[at]);
            }
            if low[at] == index[at] {
                let from = stack.iter().rposition(|&it| it == at).expect("the node is on the stack");
                let members = stack.split_off(from);
                members.iter().for_each(|&it| on_stack[it] = false);
                found.push(members);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn what_is_led_to_comes_first() {
        let edges = vec![vec![1, 2], vec![2, 3], vec![1], vec![], vec![4]];
        assert_eq!(components(&edges, |it: usize| it), [vec![3], vec![1, 2], vec![0], vec![4]]);
    }

    #[test]
    fn long_chains_need_no_stack() {
        let edges: Vec<Vec<usize>> =
            (1..=100_000).map(|it| if it < 100_000 { vec![it] } else { vec![0] }).collect();
        assert_eq!(components(&edges, |it| it).len(), 1);
    }
}

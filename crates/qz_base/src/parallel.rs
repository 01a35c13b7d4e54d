//! Work on several things at a time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Applies `f` to each item and gives the results in the order of the items, whatever finished first. There are as
/// many threads as processors, but at least `least` items for each; one thread is the caller's own.
pub fn map<T: Send, R: Send>(items: &mut [T], least: usize, f: impl Fn(&mut T) -> R + Sync) -> Vec<R> {
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get()).min(items.len() / least.max(1));
    if workers < 2 {
        return items.iter_mut().map(f).collect();
    }
    let slots: Vec<Mutex<(&mut T, Option<R>)>> =
        items.iter_mut().map(|item| Mutex::new((item, None))).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(slot) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut slot = slot.lock().unwrap_or_else(|poison| poison.into_inner());
            let result = f(slot.0);
            slot.1 = Some(result);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let result = |slot: Mutex<(&mut T, Option<R>)>| slot.into_inner().unwrap_or_else(|it| it.into_inner()).1;
    slots.into_iter().map(|slot| result(slot).expect("every item had its turn")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_are_in_order() {
        let mut items: Vec<u64> = (0..500).collect();
        let doubled = super::map(&mut items, 1, |item| {
            *item += 1;
            *item * 2
        });
        assert_eq!(doubled, (1..=500).map(|n| n * 2).collect::<Vec<u64>>());
        assert_eq!(super::map(&mut [] as &mut [u8], 1, |_| ()), []);
    }
}

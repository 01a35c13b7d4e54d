//! What the types say about the shape of object graphs: can one come back to an object, or reach one twice?
//! Asked by `show` and `clone`, which need to remember objects only then.

use qz_types::{Ty, TyKind};
use rustc_hash::FxHashSet;

use crate::drops::Drops;

/// Types nest without end in programs that are refused later; beyond so many the answer is yes.
const LIMIT: usize = 4096;

/// Whether an object of the type may lead back to itself.
pub(crate) fn leads_back(drops: &Drops, ty: Ty) -> bool {
    let mut seen = FxHashSet::default();
    let mut work = vec![ty];
    while let Some(at) = work.pop() {
        let mut back = false;
        each_edge(drops, at, &mut |to, _| {
            // Nobody knows what is behind a `dyn` value.
            back |= to == ty || matches!(to.kind(), TyKind::Dyn(_));
            if seen.insert(to) {
                work.push(to);
            }
        });
        if back || seen.len() > LIMIT {
            return true;
        }
    }
    false
}

/// Whether an object below one of the type may be reached in two ways. Functions and `dyn` values count as one
/// thing that is not looked into: copies share them.
pub(crate) fn may_repeat(drops: &Drops, ty: Ty) -> bool {
    // Each type is looked at as reached once, and as reached more often.
    let mut seen: FxHashSet<(Ty, bool)> = FxHashSet::from_iter([(ty, false)]);
    let mut work = vec![(ty, false)];
    while let Some((at, many)) = work.pop() {
        let mut repeats = false;
        each_edge(drops, at, &mut |to, each_of_many| {
            let many = many || each_of_many || seen.contains(&(to, false));
            repeats |= many && drops.is_mutable_object(to);
            // A weak reference may lead anywhere.
            repeats |= drops.is_weak(to);
            if seen.insert((to, many)) {
                work.push((to, many));
            }
        });
        if repeats || seen.len() > LIMIT {
            return true;
        }
    }
    false
}

/// The types of a value's parts, and whether there may be many of the kind.
fn each_edge(drops: &Drops, ty: Ty, f: &mut dyn FnMut(Ty, bool)) {
    match *ty.kind() {
        TyKind::Ptr(to) => f(to, true),
        TyKind::Fn(_) | TyKind::Dyn(_) | TyKind::Str => {}
        _ => drops.each_part(ty, &mut |part| f(part, false)),
    }
}

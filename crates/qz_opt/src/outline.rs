//! Counts by a call. Giving up a count and what follows the last one is a good deal of code, and what a value of an
//! enum with several counted variants holds is asked variant by variant; a function that may panic in many places
//! would do all that in each of its cleanups. Where counts of a type are changed often, one function does it for all;
//! engines keep in place what is short and common.

use indexmap::IndexMap;
use qz_mir::layout::{Layouts, Shape};
use qz_mir::{Body, Instance, InstanceKey, Module, Ownership, Param, Source, StmtKind};
use qz_types::Ty;
use qz_types::ty::common;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use crate::callgraph::Panics;
use crate::drops::Drops;
use crate::glue::{self, count_glue};
use crate::symbols::Symbols;

/// Counted words in a value, over all variants, from which on code in place is large.
const WIDE: u32 = 2;
/// So many places in the program are worth a function.
const MANY: u32 = 4;

/// Adds the functions; engines find them by their keys.
pub(crate) fn outline_counts(
    module: &mut Module,
    source: &dyn Source,
    layouts: &Layouts,
    drops: &Drops,
    panics: &Panics,
) {
    let mut widths = FxHashMap::default();
    let mut uses: IndexMap<(Ty, bool), u32, FxBuildHasher> = IndexMap::default();
    for body in module.instances.values().filter_map(|instance| instance.body.as_ref()) {
        let is_large = body.is_large();
        let short = |block: &qz_mir::Block| is_large || block.cleanup;
        let stmts =
            body.blocks.values().flat_map(|block| block.stmts.iter().map(move |stmt| (stmt, short(block))));
        for (stmt, short) in stmts {
            let (place, retain) = match &stmt.kind {
                StmtKind::Retain(place) => (place, true),
                StmtKind::Release(place) => (place, false),
                _ => continue,
            };
            let ty = layouts.resolve(layouts.place_ty(body, place));
            let mut note = |ty| *uses.entry((ty, retain)).or_default() += 1;
            each_outlined(ty, layouts, short && !retain, &mut widths, &mut note);
        }
    }
    let there: FxHashSet<Ty> = releasing(module).collect();
    let symbols = Symbols::new(source);
    for ((ty, retain), _) in uses.into_iter().filter(|&(_, uses)| uses >= MANY) {
        if retain || !there.contains(&ty) {
            let may_panic = !retain && panics.release(ty, drops);
            add(module, &symbols, ty, retain, count_glue(ty, retain), may_panic);
        }
    }
}

fn add(module: &mut Module, symbols: &Symbols, ty: Ty, retain: bool, body: Body, may_panic: bool) {
    let key = if retain { InstanceKey::RetainGlue(ty) } else { InstanceKey::ReleaseGlue(ty) };
    module.instances.alloc(Instance {
        symbol: symbols.of(&key),
        key,
        body: Some(body.into()),
        params: vec![Param { ty, ownership: Ownership::Borrowed }],
        ret: common().unit,
        may_panic,
        foreign: None,
        for_c: None,
        kept: None,
    });
}

/// The types that a function releases.
fn releasing(module: &Module) -> impl Iterator<Item = Ty> {
    module.instances.values().filter_map(|instance| match instance.key {
        InstanceKey::ReleaseGlue(ty) => Some(ty),
        _ => None,
    })
}

/// Adds the functions that release the parts of values in turn, where a panic in one would keep others from it.
pub(crate) fn release_in_turn(
    module: &mut Module,
    source: &dyn Source,
    layouts: &Layouts,
    drops: &Drops,
    panics: &Panics,
) {
    let mut found = IndexMap::default();
    for body in module.instances.values().filter_map(|instance| instance.body.as_ref()) {
        for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
            if let StmtKind::Release(place) = &stmt.kind {
                let ty = layouts.resolve(layouts.place_ty(body, place));
                is_in_turn(ty, layouts, &|ty| panics.release(ty, drops), &mut found);
            }
        }
    }
    let symbols = Symbols::new(source);
    for (ty, _) in found.into_iter().filter(|&(_, is_in_turn)| is_in_turn) {
        add(module, &symbols, ty, false, glue::release_in_turn(drops, &layouts.of(ty)), true);
    }
}

/// Whether a part of the value, or of one inside it, has others behind it when its release panics.
fn is_in_turn(
    ty: Ty,
    layouts: &Layouts,
    panics: &impl Fn(Ty) -> bool,
    found: &mut IndexMap<Ty, bool, FxBuildHasher>,
) -> bool {
    let layout = layouts.of(ty);
    if !layout.needs_release || layout.is_counted_word() || !panics(ty) {
        return false;
    }
    if let Some(&known) = found.get(&ty) {
        return known;
    }
    let variants = match &layout.shape {
        Shape::Product(fields) => std::slice::from_ref(fields),
        Shape::Enum(it) => &it.variants[..],
        _ => &[],
    };
    let mut is = false;
    for fields in variants {
        let tys = fields.tys.iter().map(|&ty| layouts.resolve(ty));
        let counted: Vec<Ty> = tys.filter(|&ty| layouts.of(ty).needs_release).collect();
        is |= counted.split_last().is_some_and(|(_, before)| before.iter().any(|&ty| panics(ty)));
        for ty in counted {
            is |= is_in_turn(ty, layouts, panics, found);
        }
    }
    found.insert(ty, is);
    is
}

/// The types inside a value that functions could be for, outermost first; those inside one of them are its own.
/// Single `words` count only where little is to be in place: in cleanups and large functions.
fn each_outlined(
    ty: Ty,
    layouts: &Layouts,
    words: bool,
    widths: &mut FxHashMap<Ty, u32>,
    f: &mut dyn FnMut(Ty),
) {
    let layout = layouts.of(ty);
    if !layout.needs_release {
        return;
    }
    if layout.is_counted_word() {
        if words {
            f(layouts.counted_object(&layout));
        }
        return;
    }
    if matches!(layout.shape, Shape::Enum(_)) && width(ty, layouts, widths) >= WIDE {
        return f(ty);
    }
    let mut inside = |ty| each_outlined(layouts.resolve(ty), layouts, words, widths, f);
    match &layout.shape {
        Shape::Enum(it) => it.variants.iter().flat_map(|fields| fields.tys.iter().copied()).for_each(inside),
        Shape::Product(fields) => fields.tys.iter().copied().for_each(&mut inside),
        _ => {}
    }
}

/// How many counted words the code for a type looks at.
fn width(ty: Ty, layouts: &Layouts, widths: &mut FxHashMap<Ty, u32>) -> u32 {
    if let Some(&known) = widths.get(&ty) {
        return known;
    }
    let layout = layouts.of(ty);
    let found = if !layout.needs_release {
        0
    } else if layout.is_counted_word() {
        1
    } else {
        match &layout.shape {
            Shape::Product(fields) => {
                fields.tys.iter().map(|&ty| width(layouts.resolve(ty), layouts, widths)).sum()
            }
            Shape::Enum(it) => {
                let all = it.variants.iter().flat_map(|fields| fields.tys.iter().copied());
                all.map(|ty| width(layouts.resolve(ty), layouts, widths)).sum()
            }
            _ => 1,
        }
    };
    widths.insert(ty, found);
    found
}

//! What is wrong with the effects of a function.

use qz_diag::Diagnostic;
use qz_hir::{ActorFn, Container, FnKind};
use qz_types::{FnId, Label};

use super::solve::Rows;
use super::{Origin, walk};
use crate::checker::Checker;
use crate::diagnostics::effects as words;

pub(super) fn label_text(ck: &Checker<'_>, label: Label) -> String {
    label.ty().display(ck.defs).to_string()
}

/// Effects that happen without a handler are nobody's concern.
fn needs_handler(ck: &Checker<'_>, label: Label) -> bool {
    let effect = ck.defs.adts[label.effect].effect;
    effect.is_some_and(|it| !ck.defs.effects[it].has_default(ck.defs))
}

pub(super) fn report(ck: &Checker<'_>, rows: &Rows, id: FnId) {
    let walk::Found { effects: row, escapes, unserved } = walk::row(ck, rows, id);
    for (label, origin, handler) in unserved {
        ck.defs.report(words::unserved(origin.span, &label_text(ck, label), handler));
    }
    let wanted = |label: &Label| needs_handler(ck, *label);
    let mut said: Vec<Label> = Vec::new();
    let mut open_said = Vec::new();
    for escape in escapes {
        for (row, origin) in escape.effects.open() {
            if !open_said.contains(&row) {
                open_said.push(row);
                let text = row.display(ck.defs).to_string();
                ck.defs.report(words::escapes(origin.span, &text, escape.what));
            }
        }
        for (label, origin) in escape.effects.labels().filter(|(label, _)| wanted(label)) {
            if !said.contains(&label) {
                said.push(label);
                ck.defs.report(words::escapes(origin.span, &label_text(ck, label), escape.what));
            }
        }
    }
    let left: Vec<(Label, Origin)> =
        row.labels().filter(|(label, _)| wanted(label) && !said.contains(label)).collect();
    let sig = ck.defs.fn_sig(id);
    if let (Some(can), Some(span)) = (&sig.can, ck.defs.can_span(id)) {
        for (open, origin) in row.open().filter(|(it, _)| !can.row.open().contains(it)) {
            let (name, text) = (ck.defs.fns[id].name, open.display(ck.defs).to_string());
            ck.defs.report(words::not_allowed(origin.span, name, &text, span, &[]));
        }
        for &(label, origin) in left.iter().filter(|(label, _)| !can.row.labels.contains(label)) {
            let path = path(ck, rows, id, label, origin);
            ck.defs.report(words::not_allowed(
                origin.span,
                ck.defs.fns[id].name,
                &label_text(ck, label),
                span,
                &path,
            ));
        }
        return check_main(ck, rows, id, can.row.labels.iter().map(|&it| (it, None)).collect());
    }
    check_main(ck, rows, id, left.into_iter().map(|(label, origin)| (label, Some(origin))).collect());
}

/// Where nothing is around a function, nothing handles what it leaves.
fn check_main(ck: &Checker<'_>, rows: &Rows, id: FnId, left: Vec<(Label, Option<Origin>)>) {
    let Some(place) = outermost(ck, id) else { return };
    for (label, origin) in left {
        if !needs_handler(ck, label) {
            continue;
        }
        let text = label_text(ck, label);
        let problem: Diagnostic = match origin {
            Some(origin) => {
                let path = path(ck, rows, id, label, origin);
                let operation = last(rows, label, origin);
                words::unhandled(origin.span, &text, place, &path, operation.span)
            }
            None => words::unhandled(ck.defs.fn_span(id), &text, place, &[], ck.defs.fn_span(id)),
        };
        ck.defs.report(problem);
    }
}

/// What a function is that nothing can be around, in words.
fn outermost(ck: &Checker<'_>, id: FnId) -> Option<&'static str> {
    let def = &ck.defs.fns[id];
    if ck.is_program_main(id) {
        return Some("`main`");
    }
    if def.attrs.export.is_some() {
        return Some("a function that C calls");
    }
    if matches!(def.actor, Some(ActorFn::Handler(_))) {
        return Some("an actor");
    }
    if let Container::Impl(block) = def.container
        && let Some(bound) = ck.defs.impl_header(block).trait_ref
        && ck.defs.lang.trait_("Drop") == Some(bound.trait_id)
    {
        return Some("`drop`");
    }
    match def.kind {
        FnKind::Const | FnKind::AssocConst | FnKind::StaticInit(_) => Some("an initialiser"),
        _ => None,
    }
}

/// The names of the functions that lead to an operation, the outermost first.
fn path(ck: &Checker<'_>, rows: &Rows, id: FnId, label: Label, origin: Origin) -> Vec<String> {
    let mut names = vec![ck.defs.fns[id].name.to_string()];
    let mut seen = vec![id];
    let mut at = Some(origin);
    while let Some(callee) = at.and_then(|it| it.callee) {
        if seen.contains(&callee) {
            break;
        }
        seen.push(callee);
        let throws = ck.defs.lang.func("thrown") == Some(callee);
        names.push(if throws { "throw".to_owned() } else { ck.defs.fns[callee].name.to_string() });
        at = next(rows, callee, label);
    }
    names
}

/// Where a function performs an effect that it shows to who calls it.
fn next(rows: &Rows, function: FnId, label: Label) -> Option<Origin> {
    let row = rows.get(function)?;
    row.labels().find(|(it, _)| it.effect == label.effect).map(|(_, origin)| origin)
}

fn last(rows: &Rows, label: Label, origin: Origin) -> Origin {
    let (mut at, mut seen) = (origin, Vec::new());
    while let Some(callee) = at.callee.filter(|it| !seen.contains(it))
        && let Some(next) = next(rows, callee, label)
    {
        seen.push(callee);
        at = next;
    }
    at
}

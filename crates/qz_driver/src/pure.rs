//! Can a `const def` run while the program is compiled? Its calls are followed to functions of C and to those of the runtime
//! that reach outside of the program.

use std::collections::VecDeque;

use qz_base::{FxHashMap, Span};
use qz_diag::{Code, Diagnostic};
use qz_hir::FnKind;
use qz_infer::Checker;
use qz_infer::facts::Callee;
use qz_rt_abi::RtFn;
use qz_types::FnId;

use crate::Program;

/// Looks at every `const def`; gives what is wrong.
pub(crate) fn check(program: &Program, checker: &Checker<'_>, functions: &[FnId]) -> Vec<Diagnostic> {
    functions.iter().filter_map(|&function| outside(program, checker, function)).collect()
}

/// The shortest way from a function to something that constants may not do, as a problem.
fn outside(program: &Program, checker: &Checker<'_>, start: FnId) -> Option<Diagnostic> {
    let defs = &program.defs;
    // By function: who called it, and where.
    let mut seen: FxHashMap<FnId, Option<(FnId, Span)>> = FxHashMap::default();
    let mut queue = VecDeque::from([start]);
    seen.insert(start, None);
    while let Some(function) = queue.pop_front() {
        let def = &defs.fns[function];
        let reason = match def.kind {
            FnKind::ExternC { .. } => Some("is a function of C"),
            FnKind::Runtime if reaches_outside(def.name.as_str()) => Some("reaches outside of the program"),
            _ => None,
        };
        if let Some(reason) = reason {
            return Some(problem(program, start, function, reason, &seen));
        }
        if !def.has_body || matches!(def.kind, FnKind::Runtime | FnKind::Intrinsic) {
            continue;
        }
        let checked = checker.check_fn(function);
        for (expr, callee) in checked.types.callees.iter() {
            if let Callee::Fn(called) = callee
                && !seen.contains_key(&called.function)
            {
                let range = checked.body.source.exprs[expr];
                seen.insert(called.function, Some((function, Span::new(checked.body.file, range))));
                queue.push_back(called.function);
            }
        }
    }
    None
}

fn reaches_outside(name: &str) -> bool {
    RtFn::by_name(name).is_some_and(|it| it.def().effect)
}

fn problem(
    program: &Program,
    start: FnId,
    end: FnId,
    reason: &str,
    seen: &FxHashMap<FnId, Option<(FnId, Span)>>,
) -> Diagnostic {
    let defs = &program.defs;
    let mut names = vec![format!("`{}`", defs.fns[end].name)];
    let mut first = None;
    let mut at = end;
    while let Some(Some((caller, span))) = seen.get(&at) {
        names.push(format!("`{}`", defs.fns[*caller].name));
        (first, at) = (Some(*span), *caller);
    }
    names.reverse();
    let message =
        format!("`{}` is a `const def`, and cannot run while the program is compiled", defs.fns[start].name);
    let problem = Diagnostic::new(Code::NOT_CONST, defs.fn_span(start), message);
    let problem = match first {
        Some(span) => problem.at(span, "because of this call"),
        None => problem,
    };
    problem.note(format!("{}, which {reason}", names.join(" calls ")))
}

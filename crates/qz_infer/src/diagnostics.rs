//! The words for problems with types, calls and traits. One family to a file; facts come in as data.

pub(crate) mod borrows;
mod calls;
mod crossings;
mod data;
pub(crate) mod effects;
mod foreign;
pub(crate) mod linear;
mod operators;
mod synonyms;
mod traits;
mod types;

pub(crate) use calls::*;
pub(crate) use crossings::*;
pub(crate) use data::*;
pub(crate) use foreign::*;
pub(crate) use operators::*;
pub(crate) use synonyms::*;
pub(crate) use traits::*;
pub(crate) use types::*;

use qz_base::Name;
use qz_diag::{Diagnostic, did_you_mean};

/// Adds "did you mean" where a close name exists.
fn suggest(problem: Diagnostic, name: Name, candidates: &[Name]) -> Diagnostic {
    match did_you_mean(name.as_str(), candidates.iter().map(|it| it.as_str())) {
        Some(near) => {
            let span = problem.span;
            problem.suggest(span, near, format!("did you mean `{near}`?"))
        }
        None => problem,
    }
}

fn list(names: &[Name]) -> String {
    let quoted: Vec<String> = names.iter().map(|it| format!("`{it}`")).collect();
    match &quoted[..] {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

fn count(n: usize, what: &str) -> String {
    match n {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{n} {what}s"),
    }
}

/// The article a word wants.
fn a(words: &str) -> String {
    let vowel = words.starts_with(['A', 'E', 'I', 'O', 'a', 'e', 'i', 'o']);
    format!("{} `{words}`", if vowel { "an" } else { "a" })
}

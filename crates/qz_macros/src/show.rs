//! What does an expansion look like to a person? Quartz again: marks become names that nothing else has.

use std::fmt::Write as _;

use qz_base::name::{MARK, without_marks};
use qz_base::{FxHashMap, FxHashSet};
use qz_syntax::SyntaxKind::{self, *};
use qz_syntax::{SyntaxNode, SyntaxTree};

/// An expanded text as a person would write it. `path_of` gives, for an expansion and a name that it does not bind itself,
/// the module that the name is found in, if that is not the text's own.
pub fn show(text: &str, tree: &SyntaxTree, path_of: &dyn Fn(u32, &str) -> Option<String>) -> String {
    let root = tree.root(text);
    let macros: Vec<_> = root.children().filter(|it| it.kind() == MacroDef).map(|it| it.range()).collect();
    let mut bound: FxHashSet<&str> = FxHashSet::default();
    let mut taken: FxHashSet<&str> = FxHashSet::default();
    for node in root.descendants() {
        names_in(node, &mut bound, &mut taken);
    }
    let mut renamed: FxHashMap<&str, String> = FxHashMap::default();
    let mut shown = String::new();
    let mut imports: Vec<String> = Vec::new();
    for token in root.descendant_tokens() {
        let range = token.range();
        if macros.iter().any(|it| it.start <= range.start && range.start < it.end) {
            continue;
        }
        let written = token.text();
        if token.kind() != SyntaxKind::Ident || !written.contains(MARK) {
            shown.push_str(written);
            continue;
        }
        if let Some(known) = renamed.get(written) {
            shown.push_str(known);
            continue;
        }
        let plain = without_marks(written).into_owned();
        let number = written.split(MARK).nth(1).and_then(|it| it.trim_end_matches('?').parse::<u32>().ok());
        let new = if bound.contains(written) {
            unused(&plain, &taken, &renamed)
        } else {
            match number.and_then(|number| path_of(number, &plain)) {
                Some(path) => {
                    let import = format!("import {path}\n");
                    if !text.contains(&import) && !imports.contains(&import) {
                        imports.push(import);
                    }
                    format!("{}::{plain}", path.rsplit('/').next().unwrap_or(&path))
                }
                None => plain,
            }
        };
        shown.push_str(&new);
        renamed.insert(written, new);
    }
    let mut result: String = imports.concat();
    let _ = write!(result, "{}", tidy(&shown));
    result
}

/// Names that are bound somewhere, and all names.
fn names_in<'t>(node: SyntaxNode<'t>, bound: &mut FxHashSet<&'t str>, taken: &mut FxHashSet<&'t str>) {
    for token in node.tokens().filter(|it| it.kind() == Ident) {
        taken.insert(token.text());
        if matches!(node.kind(), NamePat | AsPat | TypedBindStmt | Label) {
            bound.insert(token.text());
        }
    }
    if node.kind() == AssignStmt
        && let Some(place) = node.children().next()
        && place.kind() == PathExpr
    {
        bound.insert(place.text());
    }
}

fn unused(plain: &str, taken: &FxHashSet<&str>, renamed: &FxHashMap<&str, String>) -> String {
    let (stem, question) = plain.strip_suffix('?').map_or((plain, ""), |stem| (stem, "?"));
    let used: FxHashSet<&str> = renamed.values().map(String::as_str).collect();
    let free = |name: &String| !taken.contains(name.as_str()) && !used.contains(name.as_str());
    let numbered = (1..).map(|n| format!("{stem}_{n}{question}"));
    numbered.into_iter().find(free).unwrap_or_else(|| plain.to_owned())
}

/// Without spaces at ends of lines and with one empty line at most.
fn tidy(text: &str) -> String {
    let mut result = String::new();
    let mut empty = true;
    for line in text.lines() {
        let line = line.trim_end();
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        result.push_str(line);
        result.push('\n');
    }
    result
}

//! Does the crate keep its promises? Helpers; the cases are in the files of this folder, by question.

mod exprs;
mod items;
mod lexing;
mod literals;
mod patterns_types;
mod problems;
mod properties;
mod recovery;
mod reference;
mod stmts;
mod views;

use expect_test::Expect;
use qz_base::LineIndex;

use crate::ast::{AstNode, Item, SourceFile};
use crate::{Parse, parse};

/// Programs that cover the grammar between them.
pub(crate) const SAMPLES: &[(&str, &str)] = &[
    ("bank", include_str!("../samples/bank.qz")),
    ("calc", include_str!("../samples/calc.qz")),
    ("closures", include_str!("../samples/closures.qz")),
    ("concurrency", include_str!("../samples/concurrency.qz")),
    ("control", include_str!("../samples/control.qz")),
    ("effects", include_str!("../samples/effects.qz")),
    ("formats", include_str!("../samples/formats.qz")),
    ("geometry", include_str!("../samples/geometry.qz")),
    ("graph", include_str!("../samples/graph.qz")),
    ("interp", include_str!("../samples/interp.qz")),
    ("json", include_str!("../samples/json.qz")),
    ("life", include_str!("../samples/life.qz")),
    ("lowlevel", include_str!("../samples/lowlevel.qz")),
    ("lru", include_str!("../samples/lru.qz")),
    ("matrix", include_str!("../samples/matrix.qz")),
    ("rare", include_str!("../samples/rare.qz")),
    ("server", include_str!("../samples/server.qz")),
    ("shapes_dyn", include_str!("../samples/shapes_dyn.qz")),
    ("specs", include_str!("../samples/specs.qz")),
    ("strings", include_str!("../samples/strings.qz")),
    ("text", include_str!("../samples/text.qz")),
    ("traits", include_str!("../samples/traits.qz")),
];

/// Parses and holds what is true of every tree.
pub(crate) fn parsed(text: &str) -> Parse {
    let parse = std::panic::catch_unwind(|| parse(text)).unwrap_or_else(|_| panic!("parsing {text:?}"));
    let elements = parse.tree.elements();
    let mut rebuilt = String::with_capacity(text.len());
    for token in parse.tree.root(text).descendant_tokens() {
        rebuilt.push_str(token.text());
    }
    assert!(rebuilt == text, "the tokens are the text\n{text}");
    assert_eq!(elements[0].data as usize, elements.len() - 1, "one root holds everything");
    for problem in &parse.problems {
        check_words(text, problem);
    }
    parse
}

/// The house form of messages, and ranges inside the text.
fn check_words(text: &str, problem: &crate::SyntaxProblem) {
    let message = problem.message();
    assert!(!message.ends_with('.') && !message.contains('\n'), "{message}");
    assert!(!message.starts_with(char::is_uppercase), "{message}");
    let range = problem.range;
    assert!(text.get(range.start as usize..range.end as usize).is_some(), "{problem:?} is inside the text");
    if let Some((place, label)) = problem.secondary() {
        assert!(text.get(place.start as usize..place.end as usize).is_some() && !label.is_empty());
    }
    assert!(problem.help().is_none_or(|help| !help.is_empty() && !help.ends_with('.')));
}

/// The tree of a whole file without problems.
pub(crate) fn check_file(text: &str, expect: &Expect) {
    let parse = parsed(text);
    assert_eq!(render_problems(text, &parse), "", "no problems in\n{text}");
    expect.assert_eq(&parse.tree.dump(text));
}

/// The tree of statements without problems, without the function around them.
pub(crate) fn check_tree(body: &str, expect: &Expect) {
    let text = format!("def f\n{body}\nend\n");
    let parse = parsed(&text);
    assert_eq!(render_problems(&text, &parse), "", "no problems in\n{text}");
    expect.assert_eq(&body_dump(&parse, &text));
}

fn body_dump(parse: &Parse, text: &str) -> String {
    let file = SourceFile::cast(parse.tree.root(text)).expect("the root is a file");
    let Some(Item::FnDef(def)) = file.items().next() else { panic!("a function in\n{text}") };
    let block = def.body().expect("a body").syntax();
    let dump = parse.tree.dump_node(block);
    dump.lines().skip(1).map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect()
}

/// The problems of a whole file.
pub(crate) fn check_problems(text: &str, expect: &Expect) {
    let parse = parsed(text);
    expect.assert_eq(&render_problems(text, &parse));
}

/// The problems of statements, with line 1 the first of them.
pub(crate) fn check_body_problems(body: &str, expect: &Expect) {
    let text = format!("def f\n{body}\nend\n");
    let parse = parsed(&text);
    expect.assert_eq(&render(&text, &parse, 1));
}

fn render_problems(text: &str, parse: &Parse) -> String {
    render(text, parse, 0)
}

fn render(text: &str, parse: &Parse, skipped_lines: u32) -> String {
    let lines = LineIndex::new(text);
    let mut out = String::new();
    for problem in &parse.problems {
        let at = lines.line_col(text, problem.range.start);
        let shown = problem.range.text(text);
        out.push_str(&format!(
            "{}:{} {shown:?} QZ{:04} {}\n",
            at.line + 1 - skipped_lines.min(at.line),
            at.col + 1,
            problem.code(),
            problem.message()
        ));
        if let Some((place, label)) = problem.secondary() {
            let at = lines.line_col(text, place.start);
            out.push_str(&format!(
                "    {}:{} {label}\n",
                at.line + 1 - skipped_lines.min(at.line),
                at.col + 1
            ));
        }
    }
    out
}

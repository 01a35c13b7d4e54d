//! Prints the tree and the problems of a file: `cargo run --example dump -- FILE [--tokens]`.

#![allow(clippy::print_stdout, reason = "an example's output")]

use qz_base::LineIndex;

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap_or_else(|| panic!("usage: dump FILE [--tokens | --problems]"));
    let mode = args.next();
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let parse = qz_syntax::parse(&text);
    match mode.as_deref() {
        Some("--tokens") => print!("{}", qz_syntax::lex(&text).dump(&text)),
        Some("--problems") => {}
        _ => print!("{}", parse.tree.dump(&text)),
    }
    let lines = LineIndex::new(&text);
    for problem in &parse.problems {
        let at = lines.line_col(&text, problem.range.start);
        println!("{path}:{}:{}: QZ{:04}: {}", at.line + 1, at.col + 1, problem.code(), problem.message());
    }
}

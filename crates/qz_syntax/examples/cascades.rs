//! How many problems does one missing token cause? Deletes each token of each file and prints a histogram and the
//! worst cases: `cargo run --release --example cascades -- FILES`.

#![allow(clippy::print_stdout, reason = "an example's output")]

use qz_base::LineIndex;

fn main() {
    let mut histogram = [0usize; 12];
    let mut worst: Vec<(usize, String)> = Vec::new();
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let lexed = qz_syntax::lex(&text);
        let lines = LineIndex::new(&text);
        for (index, token) in lexed.tokens.iter().enumerate() {
            if token.kind.is_trivia() || index + 1 == lexed.tokens.len() {
                continue;
            }
            let range = lexed.range(index);
            let without = format!("{}{}", &text[..range.start as usize], &text[range.end as usize..]);
            let problems = qz_syntax::parse(&without).problems;
            histogram[problems.len().min(11)] += 1;
            if problems.len() > 1 {
                let at = lines.line_col(&text, range.start);
                let mut what = format!("{path}:{}:{}: {:?}", at.line + 1, at.col + 1, range.text(&text));
                let after = LineIndex::new(&without);
                for problem in &problems {
                    let at = after.line_col(&without, problem.range.start);
                    what.push_str(&format!("\n    {}:{} {}", at.line + 1, at.col + 1, problem.message()));
                }
                worst.push((problems.len(), what));
            }
        }
    }
    println!("{histogram:?}");
    worst.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    for (_, what) in worst.iter().take(60) {
        println!("{what}");
    }
}

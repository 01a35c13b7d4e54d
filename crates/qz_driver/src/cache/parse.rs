//! Trees by text: a file whose bytes were read before is not parsed again.

use std::time::{Duration, Instant};

use qz_cache::{Found, Key, Tier};
use qz_syntax::SyntaxTree;
use serde::{Deserialize, Serialize};

use super::written::{Written, written};
use super::{Cache, Outcome, Stage};

/// What is kept of a file without problems.
#[derive(Serialize, Deserialize)]
struct Record {
    written: Written,
    micros: u64,
    #[serde(with = "serde_bytes")]
    image: Vec<u8>,
}

/// A file's tree and what others depend on.
pub(crate) struct Parsed {
    pub(crate) content: Key,
    pub(crate) tree: SyntaxTree,
    pub(crate) written: Written,
    pub(crate) problems: Vec<qz_syntax::SyntaxProblem>,
}

impl Cache {
    /// Parses a file, unless that was done.
    pub(crate) fn parse(&self, module: &str, text: &str) -> Parsed {
        let content = Key::of_content(text.as_bytes());
        let key = self.key("parse").key(content).finish();
        let (found, outcome) = match self.store.get(Tier::Parse, key) {
            Found::Content(bytes) => (read(&bytes, text), Outcome::New),
            Found::Nothing => (None, Outcome::New),
            Found::Damaged(damage) => (None, Outcome::Damaged(damage)),
        };
        if let Some((tree, written, took)) = found {
            self.note(module, Stage::Parse, Outcome::Reused, took);
            return Parsed { content, tree, written, problems: Vec::new() };
        }
        self.note(module, Stage::Parse, outcome, Duration::ZERO);
        let started = Instant::now();
        let parse = qz_syntax::parse(text);
        let written = written(parse.tree.root(text));
        if parse.problems.is_empty() {
            let micros = started.elapsed().as_micros() as u64;
            let record = Record { written: written.clone(), micros, image: parse.tree.to_image() };
            self.store.put(Tier::Parse, key, &qz_cache::encode(&record));
        }
        Parsed { content, tree: parse.tree, written, problems: parse.problems }
    }
}

fn read(bytes: &[u8], text: &str) -> Option<(SyntaxTree, Written, Duration)> {
    let record: Record = qz_cache::decode(bytes).ok()?;
    let tree = SyntaxTree::from_image(&record.image)?;
    tree.is_of(text).then_some((tree, record.written, Duration::from_micros(record.micros)))
}

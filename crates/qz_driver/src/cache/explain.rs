//! What was reused, and why was the rest not? A journal that every stage writes to.

use std::time::Duration;

use qz_cache::Damage;

/// What may be reused.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A file's tree.
    Parse,
    /// What checking a module found.
    Check,
    /// What the functions of a module perform.
    Effects,
    /// What evaluating a module's constants found.
    Constants,
    /// What the bodies of a module's functions became.
    Mir,
    /// Machine code of functions.
    Code,
    /// The whole program.
    Program,
}

impl Stage {
    pub fn name(self) -> &'static str {
        match self {
            Stage::Parse => "parse",
            Stage::Check => "check",
            Stage::Effects => "effects",
            Stage::Constants => "constants",
            Stage::Mir => "mir",
            Stage::Code => "code",
            Stage::Program => "program",
        }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Reused,
    /// There was nothing to reuse.
    New,
    /// It was there for something else: why it does not fit.
    Changed(String),
    /// There was an entry, which could not be believed.
    Damaged(Damage),
    /// Of so many functions, some were reused.
    Partly {
        reused: u32,
        of: u32,
    },
    /// Nothing of the kind is kept: why.
    NotKept(String),
}

impl Outcome {
    /// In a person's words.
    pub fn words(&self) -> String {
        match self {
            Outcome::Reused => "reused".into(),
            Outcome::New => "made: there was no entry".into(),
            Outcome::Changed(why) => format!("made: {why}"),
            Outcome::Damaged(damage) => format!("made: the entry {}", damage.words()),
            Outcome::Partly { reused, of } => format!("{reused} of {of} functions reused"),
            Outcome::NotKept(why) => format!("made, not kept: {why}"),
        }
    }

    pub fn is_hit(&self) -> bool {
        match self {
            Outcome::Reused => true,
            Outcome::Partly { reused, of } => reused == of,
            _ => false,
        }
    }
}

/// What became of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The module's path, or the program's.
    pub what: String,
    pub stage: Stage,
    pub outcome: Outcome,
    /// What making it took, when it was made.
    pub saved: Duration,
}

/// Everything that one command asked the cache for, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    pub lines: Vec<Line>,
}

impl Journal {
    pub(crate) fn add(&mut self, what: &str, stage: Stage, outcome: Outcome, saved: Duration) {
        self.lines.push(Line { what: what.to_owned(), stage, outcome, saved });
    }

    /// Entries that were there and could not be believed.
    pub fn damaged(&self) -> usize {
        self.lines.iter().filter(|it| matches!(it.outcome, Outcome::Damaged(_))).count()
    }

    /// A table, with a sum below.
    pub fn table(&self) -> String {
        let width = self.lines.iter().map(|it| it.what.chars().count()).max().unwrap_or(0).max(6);
        let mut text = format!("{:width$}  {:9}  {:>9}  outcome\n", "module", "tier", "saved");
        for Line { what, stage, outcome, saved } in &self.lines {
            let saved = if saved.is_zero() { String::new() } else { milliseconds(*saved) };
            text += &format!("{what:width$}  {:9}  {saved:>9}  {}\n", stage.name(), outcome.words());
        }
        let reused = self.lines.iter().filter(|it| it.outcome.is_hit()).count();
        let saved: Duration = self.lines.iter().map(|it| it.saved).sum();
        text + &format!("{reused} of {} reused, {} saved\n", self.lines.len(), milliseconds(saved))
    }

    /// The same, one JSON object a line.
    pub fn json(&self) -> String {
        let line = |it: &Line| {
            let value = serde_json::json!({
                "module": it.what,
                "tier": it.stage.name(),
                "reused": it.outcome.is_hit(),
                "reason": it.outcome.words(),
                "saved_ms": it.saved.as_secs_f64() * 1000.0,
            });
            format!("{value}\n")
        };
        self.lines.iter().map(line).collect()
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

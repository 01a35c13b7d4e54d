//! What became of tests, and how a host tells it to the runner: a JSON object a line.

use std::time::Duration;

use serde_json::{Value, json};

use crate::coverage::Line;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Passed,
    Failed,
    Skipped,
    /// Only its name was asked for.
    Listed,
}

impl Status {
    const ALL: [(Status, &str); 4] = [
        (Status::Passed, "passed"),
        (Status::Failed, "failed"),
        (Status::Skipped, "skipped"),
        (Status::Listed, "listed"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Status::ALL.iter().find(|it| it.0 == self).map_or("", |it| it.1)
    }

    fn from_name(name: &str) -> Option<Status> {
        Status::ALL.iter().find(|it| it.1 == name).map(|it| it.0)
    }
}

/// A test and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The names of its groups and its own.
    pub(crate) path: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) status: Status,
    /// Why it failed or was skipped.
    pub(crate) message: String,
    /// Where it stands, or where it failed.
    pub(crate) place: String,
    /// The calls on the way there.
    pub(crate) trace: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) time: Duration,
}

impl Case {
    pub(crate) fn full_name(&self) -> String {
        self.path.join(" ")
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "name": self.full_name(),
            "path": self.path,
            "tags": self.tags,
            "status": self.status.name(),
            "message": self.message,
            "place": self.place,
            "trace": self.trace,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "seconds": self.time.as_secs_f64(),
        })
    }

    fn from_json(value: &Value) -> Option<Case> {
        let text = |name: &str| Some(value[name].as_str()?.to_owned());
        let texts = |name: &str| {
            let list = value[name].as_array()?;
            Some(list.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect())
        };
        Some(Case {
            path: texts("path")?,
            tags: texts("tags")?,
            status: Status::from_name(value["status"].as_str()?)?,
            message: text("message")?,
            place: text("place")?,
            trace: text("trace")?,
            stdout: text("stdout")?,
            stderr: text("stderr")?,
            time: Duration::from_secs_f64(value["seconds"].as_f64()?.max(0.0)),
        })
    }
}

/// What a host tells.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Case(Case),
    /// Why not all tests of the file could be run.
    Broken(String),
    /// How often lines were run.
    Lines(Vec<Line>),
}

impl Told {
    pub(crate) fn to_line(&self) -> String {
        match self {
            Told::Case(case) => case.to_json().to_string(),
            Told::Broken(words) => json!({ "broken": words }).to_string(),
            Told::Lines(lines) => json!({ "lines": lines }).to_string(),
        }
    }

    pub(crate) fn from_line(line: &str) -> Option<Told> {
        let value: Value = serde_json::from_str(line).ok()?;
        if let Some(words) = value["broken"].as_str() {
            return Some(Told::Broken(words.to_owned()));
        }
        if let Some(lines) = value["lines"].as_array() {
            let line = |it: &Value| {
                Some((it[0].as_str()?.to_owned(), u32::try_from(it[1].as_u64()?).ok()?, it[2].as_u64()?))
            };
            return Some(Told::Lines(lines.iter().filter_map(line).collect()));
        }
        Case::from_json(&value).map(Told::Case)
    }
}

/// What became of a file's tests.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileResult {
    pub(crate) file: String,
    pub(crate) cases: Vec<Case>,
    pub(crate) broken: Option<String>,
    /// How often lines were run, if that was asked for.
    pub(crate) lines: Vec<Line>,
    pub(crate) time: Duration,
}

impl FileResult {
    pub(crate) fn count(&self, status: Status) -> usize {
        self.cases.iter().filter(|it| it.status == status).count()
    }

    pub(crate) fn ok(&self) -> bool {
        self.broken.is_none() && self.count(Status::Failed) == 0
    }
}

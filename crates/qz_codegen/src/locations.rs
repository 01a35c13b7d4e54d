//! Source locations of emitted code: a number per place that can panic, and the frames behind it, innermost
//! first: the function itself and, after inlining, those it was inlined into.
//!
//! Spans are turned into lines and columns when somebody asks, which is when a panic is printed.

use qz_base::{FileId, FxHashMap, Name, Span, TextRange};
use qz_mir::{Body, SourceInfo};

/// Where something stands, as people say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    pub file: String,
    /// Both count from 1; the column counts characters.
    pub line: u32,
    pub column: u32,
}

/// Who knows the texts of source files. Owned by the driver.
pub trait SourceFiles: Send + Sync {
    fn position(&self, span: Span) -> Position;
}

/// No files: places are shown as file numbers and offsets. For tests.
pub struct NoFiles;

impl SourceFiles for NoFiles {
    fn position(&self, span: Span) -> Position {
        let FileId(file) = span.file;
        Position { file: format!("file{file}"), line: 1, column: span.range.start + 1 }
    }
}

/// A place in a function.
#[derive(Copy, Clone, Debug)]
pub struct Location {
    /// Full path of the function.
    pub function: Name,
    pub span: Span,
    pub track_caller: bool,
    /// The location of the call that inlining replaced.
    pub parent: Option<u32>,
}

/// All locations of a program.
#[derive(Default, Debug)]
pub struct Locations {
    all: Vec<Location>,
    /// Locations of the body at hand.
    of_body: FxHashMap<(Span, u32), u32>,
}

impl Locations {
    /// Starts with another body.
    pub fn start_body(&mut self) {
        self.of_body.clear();
    }

    /// The number of a place in the body at hand.
    pub fn intern(&mut self, body: &Body, source: SourceInfo) -> u32 {
        let key = (source.span, source.scope.raw());
        if let Some(&known) = self.of_body.get(&key) {
            return known;
        }
        let scope = &body.scopes[source.scope];
        let parent = scope.inlined_at.map(|call| self.intern(body, call));
        let (function, track_caller) = (scope.function, scope.track_caller);
        self.all.push(Location { function, span: source.span, track_caller, parent });
        let number = self.all.len() as u32 - 1;
        self.of_body.insert(key, number);
        number
    }

    /// Every place, by its number.
    pub fn all(&self) -> &[Location] {
        &self.all
    }

    /// The frames at a location, innermost first; none for a number that was not given out. What the compiler
    /// made itself stands nowhere, and nobody wants to read of it.
    pub fn frames(&self, location: u32) -> impl Iterator<Item = Location> + '_ {
        let first = self.all.get(location as usize).copied();
        std::iter::successors(first, |at| at.parent.map(|parent| self.all[parent as usize]))
            .filter(|at| at.span.range != TextRange::default())
    }
}

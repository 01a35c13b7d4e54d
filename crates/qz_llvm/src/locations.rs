//! The places of a program as constant data, for panics and backtraces: see [`qz_rt_abi::native`].

use std::fmt::Write;

use indexmap::IndexMap;
use qz_base::TextRange;
use qz_codegen::locations::Location;
use qz_codegen::{Locations, SourceFiles};
use qz_rt_abi::native::{HIDDEN, NO_PARENT, TRACK_CALLER};
use rustc_hash::FxBuildHasher;

/// Texts one behind the other, each once.
#[derive(Default)]
struct Texts {
    all: String,
    known: IndexMap<String, u32, FxBuildHasher>,
}

impl Texts {
    /// Offset and length.
    fn add(&mut self, text: &str) -> (u32, u32) {
        let at = match self.known.get(text) {
            Some(&known) => known,
            None => {
                let at = self.all.len() as u32;
                self.all.push_str(text);
                self.known.insert(text.to_owned(), at);
                at
            }
        };
        (at, text.len() as u32)
    }
}

/// The table and its texts as global constants `@qz.places` and `@qz.texts`; how many places there are.
pub(crate) fn print(locations: &Locations, files: &dyn SourceFiles, out: &mut String) -> usize {
    let mut texts = Texts::default();
    let rows: Vec<String> = locations.all().iter().map(|location| row(location, files, &mut texts)).collect();
    let count = rows.len();
    let _ = writeln!(out, "@qz.places = private constant [{count} x %qz.place] [");
    let _ = writeln!(out, "  {}\n], align 8", rows.join(",\n  "));
    let (len, text) = (texts.all.len(), crate::data::escaped(texts.all.as_bytes()));
    let _ = writeln!(out, "@qz.texts = private constant [{len} x i8] c\"{text}\", align 1");
    count
}

fn row(location: &Location, files: &dyn SourceFiles, texts: &mut Texts) -> String {
    let hidden = location.span.range == TextRange::default();
    let mut flags = if location.track_caller { TRACK_CALLER } else { 0 };
    let (mut file, mut line, mut column) = ((0, 0), 0, 0);
    if hidden {
        flags |= HIDDEN;
    } else {
        let at = files.position(location.span);
        (file, line, column) = (texts.add(&at.file), at.line, at.column);
    }
    let function = texts.add(location.function.as_str());
    let parent = location.parent.unwrap_or(NO_PARENT) as i32;
    format!(
        "%qz.place {{ i32 {}, i32 {}, i32 {}, i32 {}, i32 {line}, i32 {column}, i32 {parent}, i32 {flags} }}",
        function.0, function.1, file.0, file.1
    )
}

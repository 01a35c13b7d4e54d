//! The places of a program as a native program's runtime reads them: see [`qz_rt_abi::native`].

use qz_base::{FxHashMap, TextRange};
use qz_rt_abi::native::{HIDDEN, NO_PARENT, Place, TRACK_CALLER};

use crate::locations::{Location, Locations, SourceFiles};

/// Places by their numbers, and the texts they point into.
#[derive(Default)]
pub struct PlaceTable {
    pub places: Vec<Place>,
    /// Names of functions and files one behind the other, each once.
    pub texts: String,
    known: FxHashMap<String, u32>,
}

impl PlaceTable {
    pub fn new(locations: &Locations, files: &dyn SourceFiles) -> PlaceTable {
        let mut table = PlaceTable::default();
        for location in locations.all() {
            let place = table.place(location, files);
            table.places.push(place);
        }
        table
    }

    /// Offset and length of a text.
    fn text(&mut self, text: &str) -> (u32, u32) {
        let at = match self.known.get(text) {
            Some(&known) => known,
            None => {
                let at = self.texts.len() as u32;
                self.texts.push_str(text);
                self.known.insert(text.to_owned(), at);
                at
            }
        };
        (at, text.len() as u32)
    }

    fn place(&mut self, location: &Location, files: &dyn SourceFiles) -> Place {
        let hidden = location.span.range == TextRange::default();
        let mut flags = if location.track_caller { TRACK_CALLER } else { 0 };
        let ((mut file, mut file_len), mut line, mut column) = ((0, 0), 0, 0);
        if hidden {
            flags |= HIDDEN;
        } else {
            let at = files.position(location.span);
            ((file, file_len), line, column) = (self.text(&at.file), at.line, at.column);
        }
        let (function, function_len) = self.text(location.function.as_str());
        let parent = location.parent.unwrap_or(NO_PARENT);
        Place { function, function_len, file, file_len, line, column, parent, flags }
    }
}

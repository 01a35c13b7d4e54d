//! Putting functions that were made anew into a saved program: their code and data are added behind what is there, and
//! numbers lead to the new code from then on. What nothing leads to any more stays, until all is made anew.
//!
//! What is added ([`Added`]) can be kept by itself and added again, so that little is written after an edit.

use std::sync::Arc;

use qz_base::FxHashMap;
use qz_codegen::{PlaceTable, SourceFiles};
use qz_mir::Module;
use qz_mir::layout::Layouts;
use qz_rt_abi::native::{NO_HANDLER, NO_PARENT};
use qz_rt_abi::object::TypeInfo;

use super::{
    Head, PlaceView, Saved, StoredOnly, TABLES, Tables, TypeTable, Whole, Words, pair, stored_only,
    stored_outside, words_of_fixup, words_of_place, words_of_site,
};
use crate::image::{CODE_ALIGN, Fixup, Image, Symbol, Target};
use crate::made::CodeStore;
use crate::program::{CompiledPart, Only, ProgramCx};
use crate::{CompileError, Options};
use serde::{Deserialize, Serialize};

/// Data of a part starts at such a place, whatever is in it.
const DATA_ALIGN: usize = 64;

/// What a part adds to a program.
#[derive(Serialize, Deserialize)]
pub struct Added {
    /// Whether what it was added to was another program.
    of_other: bool,
    /// Where its code and its data start.
    pub(super) text_start: u32,
    pub(super) data_start: u32,
    pub(super) tables: Tables,
    /// Number, start and end.
    pub(super) functions: Words<3>,
    pub(super) types: TypeTable,
}

impl Added {
    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        let PlaceView { places, texts } = self.tables.places();
        self.tables.view().bytes().iter().map(|it| it.len()).sum::<usize>() + places.0.len() + texts.len()
    }
}

impl Saved {
    /// Bytes of code, used or not.
    pub fn code_len(&self) -> usize {
        end(&self.text())
    }

    /// What there is only one of: of another program the library's variables and constants are left, by their paths.
    fn only(&self) -> Vec<&StoredOnly> {
        let mut all: Vec<&StoredOnly> = self.whole.head.only.iter().collect();
        for part in &self.parts {
            if part.of_other {
                all.retain(|it| is_of_library(it));
            }
            all.extend(&part.tables.only);
        }
        all
    }

    /// Functions have numbers below this.
    pub fn function_count(&self) -> u32 {
        let added = self.parts.iter().flat_map(|it| it.functions.rows().iter()).map(|it| it[0] + 1);
        added.max().unwrap_or_default().max(self.whole.functions().len() as u32)
    }

    /// Compiles the bodies of a part of the program; `numbers` are those of its instances in the whole, `of_other` says that
    /// this is another program.
    pub fn part(
        &self,
        of_other: bool,
        module: &Module,
        layouts: &Layouts<'_>,
        numbers: &[u32],
        options: Options,
        files: &dyn SourceFiles,
        store: Option<&dyn CodeStore>,
    ) -> Result<Added, CompileError> {
        let isa = crate::isa::host(options.opt);
        let types = self.types().len / size_of::<TypeInfo>() as u32;
        let part = ProgramCx::new(module, layouts, options, isa, store).compile_part(types)?;
        let wrong = || CompileError::Internal("a part of the program cannot be put into it".into());
        Merge::new(self, &part, numbers, of_other).merge(&part, files).ok_or_else(wrong)
    }

    /// Puts a part in. Parts are added in the order in which they were made; `None` if this is not the next one.
    pub fn add(&mut self, part: Arc<Added>) -> Option<()> {
        let fits = |len: usize, start: u32| (len..len + DATA_ALIGN).contains(&(start as usize));
        if !fits(end(&self.text()), part.text_start) || !fits(end(&self.data()), part.data_start) {
            return None;
        }
        self.parts.push(part);
        Some(())
    }

    /// The same program, made as a whole.
    pub fn merged(&self) -> Whole {
        let joined = |pieces: Vec<(usize, &[u8])>, filler: u8| {
            let mut all = Vec::with_capacity(end(&pieces));
            for (start, piece) in pieces {
                all.resize(start, filler);
                all.extend_from_slice(piece);
            }
            all
        };
        let mut tables =
            Tables { text: joined(self.text(), 0xcc), data: joined(self.data(), 0), ..Tables::default() };
        for view in self.views() {
            tables.blobs.0.extend_from_slice(view.blobs.0);
            tables.pointers.0.extend_from_slice(view.pointers.0);
            tables.fixups.0.extend_from_slice(view.fixups.0);
            tables.sites.0.extend_from_slice(view.sites.0);
        }
        for view in self.places() {
            tables.places.0.extend_from_slice(view.places.0);
            tables.texts.push_str(&String::from_utf8_lossy(view.texts));
        }
        let Head { entry, returns_status, count_objects, .. } = self.whole.head;
        let head = Head {
            lens: [0; TABLES],
            places: [0; 2],
            outside: self.views().flat_map(|it| it.outside).cloned().collect(),
            only: self.only().into_iter().cloned().collect(),
            types: self.types(),
            entry,
            returns_status,
            count_objects,
        };
        Whole::write(head, Words::new(self.functions().into_iter()).rows(), tables.view(), tables.places())
    }
}

fn end(pieces: &[(usize, &[u8])]) -> usize {
    pieces.last().map_or(0, |(start, bytes)| start + bytes.len())
}

fn is_of_library((_, path, _): &StoredOnly) -> bool {
    path.starts_with("std::")
}

/// Where the part's things are in the whole.
struct Merge<'a> {
    saved: &'a Saved,
    added: Added,
    numbers: &'a [u32],
    /// How many blobs, places and bytes of texts there are before the part's.
    first_blob: u32,
    places: u32,
    texts: u32,
    /// By blob of the part.
    blobs: Vec<u32>,
    /// By function outside of the part.
    outside: Vec<u32>,
}

impl<'a> Merge<'a> {
    fn new(saved: &'a Saved, part: &CompiledPart, numbers: &'a [u32], of_other: bool) -> Merge<'a> {
        let first_blob = saved.views().map(|it| it.blobs.len()).sum::<usize>() as u32;
        let [places, texts] = saved.place_counts();
        let added = Added {
            of_other,
            text_start: end(&saved.text()).next_multiple_of(CODE_ALIGN) as u32,
            data_start: end(&saved.data()).next_multiple_of(DATA_ALIGN) as u32,
            tables: Tables::default(),
            functions: Words::default(),
            types: saved.types(),
        };
        let mut merge = Merge {
            saved,
            added,
            numbers,
            first_blob,
            places,
            texts,
            blobs: (first_blob..).take(part.image.blobs.len()).collect(),
            outside: Vec::new(),
        };
        merge.find_only(part);
        merge
    }

    /// What there is only one of is where it was, if it was there.
    fn find_only(&mut self, part: &CompiledPart) {
        let known: FxHashMap<(bool, &str), u32> = self
            .saved
            .only()
            .into_iter()
            .filter(|it| !self.added.of_other || is_of_library(it))
            .map(|(constant, path, blob)| ((*constant, path.as_str()), *blob))
            .collect();
        let mut new = Vec::new();
        for (only, id) in &part.only {
            let key = match only {
                Only::Variable(path) => (false, path.as_str()),
                Only::Constant(path) => (true, path.as_str()),
            };
            match known.get(&key) {
                Some(&blob) => self.blobs[id.0 as usize] = blob,
                None => new.push((only, *id)),
            }
        }
        let new: Vec<_> = new
            .into_iter()
            .map(|(only, id)| {
                let (constant, path, _) = stored_only(only, id);
                (constant, path, self.blobs[id.0 as usize])
            })
            .collect();
        self.added.tables.only = new;
    }

    fn find_outside(&mut self, image: &Image) -> Option<()> {
        let known: Vec<_> = self.saved.views().flat_map(|it| it.outside).collect();
        for it in &image.outside {
            let row = stored_outside(it)?;
            let at = known.iter().position(|known| **known == row);
            self.outside.push(at.unwrap_or_else(|| {
                self.added.tables.outside.push(row);
                known.len() + self.added.tables.outside.len() - 1
            }) as u32);
        }
        Some(())
    }

    fn symbol(&self, symbol: Symbol) -> Symbol {
        match symbol {
            Symbol::Function(id) => Symbol::Function(self.numbers[id as usize]),
            Symbol::Data(id) => Symbol::Data(crate::image::DataId(self.blobs[id.0 as usize])),
            Symbol::Outside(id) => Symbol::Outside(self.outside[id as usize]),
            Symbol::Runtime(f) => Symbol::Runtime(f),
        }
    }

    fn merge(mut self, part: &CompiledPart, files: &dyn SourceFiles) -> Option<Added> {
        self.find_outside(&part.image)?;
        self.add_code(&part.image)?;
        self.add_data(&part.image);
        self.add_places(part, files);
        self.add_types(part)?;
        Some(self.added)
    }

    fn add_code(&mut self, image: &Image) -> Option<()> {
        let start = self.added.text_start;
        self.added.tables.text.extend_from_slice(&image.text);
        for fixup in &image.fixups {
            let target = match fixup.target {
                Target::Symbol(symbol) => Target::Symbol(self.symbol(symbol)),
                Target::Text(offset) => Target::Text(offset + start),
            };
            self.added.tables.fixups.push(words_of_fixup(&Fixup { at: fixup.at + start, target, ..*fixup })?);
        }
        for site in &image.sites {
            let mut site = *site;
            site.return_offset += start;
            if site.handler != NO_HANDLER {
                site.handler += start;
            }
            if site.location != u32::MAX {
                site.location += self.places;
            }
            self.added.tables.sites.push(words_of_site(&site));
        }
        for (&number, extent) in self.numbers.iter().zip(&image.functions) {
            if let Some(extent) = extent {
                self.added.functions.push([number, extent.start + start, extent.end + start]);
            }
        }
        Some(())
    }

    fn add_data(&mut self, image: &Image) {
        self.added.tables.data.extend_from_slice(&image.data);
        let first = self.first_blob;
        for (n, blob) in (first..).zip(&image.blobs) {
            self.added.tables.blobs.push([blob.offset + self.added.data_start]);
            // One that is there already keeps what it points to.
            if self.blobs[(n - first) as usize] == n {
                for &(offset, symbol) in &blob.pointers {
                    let (namespace, index) = pair(self.symbol(symbol));
                    self.added.tables.pointers.push([n, offset, namespace, index]);
                }
            }
        }
    }

    fn add_places(&mut self, part: &CompiledPart, files: &dyn SourceFiles) {
        let table = PlaceTable::new(&part.locations, files);
        for place in &table.places {
            let mut place = *place;
            place.function += self.texts;
            place.file += self.texts;
            if place.parent != NO_PARENT {
                place.parent += self.places;
            }
            self.added.tables.places.push(words_of_place(&place));
        }
        self.added.tables.texts = table.texts;
    }

    /// The type table with the part's rows behind the others.
    fn add_types(&mut self, part: &CompiledPart) -> Option<()> {
        if part.types.bytes.is_empty() {
            return Some(());
        }
        let TypeTable { blob: old, len } = self.saved.types();
        let [start] = self.saved.views().flat_map(|it| it.blobs.iter()).nth(old as usize)?;
        let pieces = self.saved.data();
        let (at, piece) = pieces.into_iter().rfind(|(at, _)| *at <= start as usize)?;
        let known = piece.get(start as usize - at..)?.get(..len as usize)?;
        let added = &mut self.added;
        added.tables.data.resize(added.tables.data.len().next_multiple_of(DATA_ALIGN), 0);
        let new = self.first_blob + added.tables.blobs.rows().len() as u32;
        added.tables.blobs.push([added.data_start + added.tables.data.len() as u32]);
        added.tables.data.extend_from_slice(known);
        added.tables.data.extend_from_slice(&part.types.bytes);
        added.types = TypeTable { blob: new, len: len + part.types.bytes.len() as u32 };
        let known = self.saved.views().flat_map(|it| it.pointers.iter()).filter(|row| row[0] == old);
        known.for_each(|[_, at, namespace, index]| added.tables.pointers.push([new, at, namespace, index]));
        for &(at, symbol) in &part.types.pointers {
            let (namespace, index) = pair(self.symbol(symbol));
            self.added.tables.pointers.push([new, at + len, namespace, index]);
        }
        Some(())
    }
}

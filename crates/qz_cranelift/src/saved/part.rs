//! Putting functions that were made anew into a saved program: their code and data are added behind what is there, and
//! numbers lead to the new code from then on. What nothing leads to any more stays, until all is made anew.
//!
//! What is added ([`Added`]) can be kept by itself and added again, so that little is written after an edit.

use qz_base::FxHashMap;
use qz_codegen::{PlaceTable, SourceFiles};
use qz_mir::Module;
use qz_mir::layout::Layouts;
use qz_rt_abi::native::{NO_HANDLER, NO_PARENT};
use qz_rt_abi::object::TypeInfo;

use super::{Saved, Tables, Words, pair, stored_only, words_of_fixup, words_of_place, words_of_site};
use crate::image::{CODE_ALIGN, Fixup, Image, Symbol, Target};
use crate::made::{CALLS, CodeStore};
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
    text_start: u32,
    data_start: u32,
    tables: Tables,
    /// Number, start and end.
    functions: Words<3>,
    type_table: u32,
    type_table_len: u32,
}

impl Added {
    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        let Tables { text, data, blobs, pointers, fixups, sites, places, texts, .. } = &self.tables;
        let words = blobs.0.len() + pointers.0.len() + fixups.0.len() + sites.0.len() + places.0.len();
        text.len() + data.len() + words + texts.len()
    }
}

impl Saved {
    /// Bytes of code, used or not.
    pub fn code_len(&self) -> usize {
        self.tables.text.len()
    }

    /// Leaves only the library's variables and constants to be found by their paths: the rest is of another program.
    fn forget_own(&mut self) {
        self.tables.only.retain(|(_, path, _)| path.starts_with("std::"));
    }

    /// Functions have numbers below this.
    pub fn function_count(&self) -> u32 {
        self.functions.len() as u32
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
        let types = self.type_table_len / size_of::<TypeInfo>() as u32;
        let part = ProgramCx::new(module, layouts, options, isa, store).compile_part(types)?;
        let wrong = || CompileError::Internal("a part of the program cannot be put into it".into());
        Merge::new(self, &part, numbers, of_other).merge(&part, files).ok_or_else(wrong)
    }

    /// Puts a part in. Parts are added in the order in which they were made; `None` if this is not the next one.
    pub fn add(&mut self, part: &Added) -> Option<()> {
        let fits = |len: usize, start: u32| (len..len + DATA_ALIGN).contains(&(start as usize));
        if !fits(self.tables.text.len(), part.text_start) || !fits(self.tables.data.len(), part.data_start) {
            return None;
        }
        if part.of_other {
            self.forget_own();
        }
        self.tables.text.resize(part.text_start as usize, 0xcc);
        self.tables.data.resize(part.data_start as usize, 0);
        self.tables.extend(&part.tables);
        for [number, start, end] in part.functions.iter() {
            while self.functions.len() <= number as usize {
                self.functions.push([super::NO_FUNCTION; 2]);
            }
            self.functions.set(number as usize, [start, end]);
        }
        (self.type_table, self.type_table_len) = (part.type_table, part.type_table_len);
        Some(())
    }
}

impl Tables {
    fn extend(&mut self, part: &Tables) {
        self.text.extend_from_slice(&part.text);
        self.data.extend_from_slice(&part.data);
        self.blobs.0.extend_from_slice(&part.blobs.0);
        self.pointers.0.extend_from_slice(&part.pointers.0);
        self.fixups.0.extend_from_slice(&part.fixups.0);
        self.sites.0.extend_from_slice(&part.sites.0);
        self.outside.extend_from_slice(&part.outside);
        self.places.0.extend_from_slice(&part.places.0);
        self.texts.push_str(&part.texts);
        self.only.extend_from_slice(&part.only);
    }
}

/// Where the part's things are in the whole.
struct Merge<'a> {
    saved: &'a Saved,
    added: Added,
    numbers: &'a [u32],
    /// How many places there are before the part's.
    places: u32,
    /// By blob of the part.
    blobs: Vec<u32>,
    /// By function outside of the part.
    outside: Vec<u32>,
}

impl<'a> Merge<'a> {
    fn new(saved: &'a Saved, part: &CompiledPart, numbers: &'a [u32], of_other: bool) -> Merge<'a> {
        let added = Added {
            of_other,
            text_start: saved.tables.text.len().next_multiple_of(CODE_ALIGN) as u32,
            data_start: saved.tables.data.len().next_multiple_of(DATA_ALIGN) as u32,
            tables: Tables::default(),
            functions: Words::default(),
            type_table: saved.type_table,
            type_table_len: saved.type_table_len,
        };
        let places = saved.tables.places.len() as u32;
        let first = saved.tables.blobs.len() as u32;
        let blobs = (first..).take(part.image.blobs.len()).collect();
        let mut merge = Merge { saved, added, numbers, places, blobs, outside: Vec::new() };
        merge.find_only(part);
        merge.find_outside(&part.image);
        merge
    }

    /// What there is only one of is where it was, if it was there.
    fn find_only(&mut self, part: &CompiledPart) {
        let known: FxHashMap<(bool, &str), u32> = self
            .saved
            .tables
            .only
            .iter()
            .filter(|(_, path, _)| !self.added.of_other || path.starts_with("std::"))
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

    fn find_outside(&mut self, image: &Image) {
        for it in &image.outside {
            let call = it.libcall.and_then(|call| CALLS.iter().position(|&known| known == call));
            let row = (it.name.clone(), it.variadic, call.map_or(0, |call| call as u8 + 1));
            let known = self.saved.tables.outside.iter().position(|known| *known == row);
            self.outside.push(known.unwrap_or_else(|| {
                self.added.tables.outside.push(row);
                self.saved.tables.outside.len() + self.added.tables.outside.len() - 1
            }) as u32);
        }
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
        let first = self.saved.tables.blobs.len() as u32;
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
        let texts = self.saved.tables.texts.len() as u32;
        for place in &table.places {
            let mut place = *place;
            place.function += texts;
            place.file += texts;
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
        let Saved { type_table: old, type_table_len: len, .. } = *self.saved;
        let [start] = self.saved.tables.blobs.get(old as usize)?;
        let added = &mut self.added;
        added.tables.data.resize(added.tables.data.len().next_multiple_of(DATA_ALIGN), 0);
        let new = (self.saved.tables.blobs.len() + added.tables.blobs.len()) as u32;
        added.tables.blobs.push([added.data_start + added.tables.data.len() as u32]);
        added
            .tables
            .data
            .extend_from_slice(self.saved.tables.data.get(start as usize..(start + len) as usize)?);
        added.tables.data.extend_from_slice(&part.types.bytes);
        (added.type_table, added.type_table_len) = (new, len + part.types.bytes.len() as u32);
        let known = self.saved.tables.pointers.iter().filter(|row| row[0] == old);
        known.for_each(|[_, at, namespace, index]| added.tables.pointers.push([new, at, namespace, index]));
        for &(at, symbol) in &part.types.pointers {
            let (namespace, index) = pair(self.symbol(symbol));
            self.added.tables.pointers.push([new, at + len, namespace, index]);
        }
        Some(())
    }
}

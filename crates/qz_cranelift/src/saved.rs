//! A compiled program as bytes, so that one that did not change is loaded instead of compiled.
//!
//! The bytes belong to one build of the compiler and one kind of processor ([`target`]); whoever keeps them sees to it that
//! they come back as they were.

mod part;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use cranelift_codegen::ir::UserExternalName;
use qz_codegen::{PlaceTable, SourceFiles};
use qz_rt::unwind::{Frame, Resolver};
use qz_rt_abi::native::{CallSite, HIDDEN, NO_PARENT, Place, TRACK_CALLER};
use serde::{Deserialize, Serialize};

use crate::image::{DataId, Extent, Fixup, Outside, Symbol, Target};
use crate::jit::{Jit, Ready};
use crate::load::Pieces;
use crate::made::{CALLS, KINDS};
use crate::program::Only;
use crate::{CompileError, Options};

pub use part::Added;

/// Targets that are offsets in the text have a namespace of their own.
const TEXT: u32 = u32::MAX;
/// A function that was not added.
const NO_FUNCTION: u32 = u32::MAX;

/// A compiled program: what was made as a whole, and what was put into it since, in order. It can be kept for as long as
/// neither it nor the compiler changes.
#[derive(Clone)]
pub struct Saved {
    whole: Arc<Whole>,
    parts: Vec<Arc<Added>>,
}

/// What was made as a whole. Its tables are used where they stand in the bytes that are kept: they are large, and every
/// copy costs as much as reading them.
pub struct Whole {
    bytes: Vec<u8>,
    head: Head,
    /// Where each table stands in the bytes.
    tables: [Range<usize>; TABLES],
    /// The places once somebody asked for them: a third of all bytes, and only panics do.
    places: OnceLock<Vec<u8>>,
}

/// What stands before the tables.
#[derive(Serialize, Deserialize)]
struct Head {
    /// Bytes of each.
    lens: [u32; TABLES],
    /// Bytes of the places, and of them and their texts.
    places: [u32; 2],
    outside: Vec<StoredOutside>,
    only: Vec<StoredOnly>,
    types: TypeTable,
    entry: Option<u32>,
    returns_status: bool,
    count_objects: bool,
}

/// Blob and size of the type table.
#[derive(Copy, Clone, Serialize, Deserialize)]
struct TypeTable {
    blob: u32,
    len: u32,
}

/// The functions' table, those of [`View`], and the places with their texts, packed.
const TABLES: usize = 8;

/// Name, whether it takes any number of arguments, and which of [`CALLS`] it is, counted from 1.
type StoredOutside = (String, bool, u8);
/// Whether it is a constant, its path, which blob.
type StoredOnly = (bool, String, u32);

/// What grows when a part is added.
#[derive(Default, Serialize, Deserialize)]
struct Tables {
    #[serde(with = "serde_bytes")]
    text: Vec<u8>,
    #[serde(with = "serde_bytes")]
    data: Vec<u8>,
    /// Where each blob starts.
    blobs: Words<1>,
    /// Of blobs: which one, where in it, namespace and index of what is pointed to.
    pointers: Words<4>,
    /// Where, kind, namespace and index of the target, addend in two words.
    fixups: Words<6>,
    sites: Words<4>,
    places: Words<8>,
    texts: String,
    outside: Vec<StoredOutside>,
    /// Data that there is only one of.
    only: Vec<StoredOnly>,
}

/// [`Tables`] but for the places, wherever they are.
#[derive(Copy, Clone)]
struct View<'a> {
    text: &'a [u8],
    data: &'a [u8],
    blobs: Rows<'a, 1>,
    pointers: Rows<'a, 4>,
    fixups: Rows<'a, 6>,
    sites: Rows<'a, 4>,
    outside: &'a [StoredOutside],
}

/// Places, and the texts that they refer to.
#[derive(Copy, Clone)]
struct PlaceView<'a> {
    places: Rows<'a, 8>,
    texts: &'a [u8],
}

/// Rows of so many words, as bytes.
#[derive(Default, Serialize, Deserialize)]
struct Words<const N: usize>(#[serde(with = "serde_bytes")] Vec<u8>);

impl<const N: usize> Words<N> {
    fn new(rows: impl Iterator<Item = [u32; N]>) -> Words<N> {
        Words(rows.flatten().flat_map(u32::to_le_bytes).collect())
    }

    fn push(&mut self, row: [u32; N]) {
        self.0.extend(row.into_iter().flat_map(u32::to_le_bytes));
    }

    fn rows(&self) -> Rows<'_, N> {
        Rows(&self.0)
    }
}

/// Rows of so many words, wherever they are.
#[derive(Copy, Clone)]
struct Rows<'a, const N: usize>(&'a [u8]);

impl<'a, const N: usize> Rows<'a, N> {
    fn len(self) -> usize {
        self.0.len() / (N * 4)
    }

    fn get(self, row: usize) -> Option<[u32; N]> {
        let start = row.checked_mul(N * 4)?;
        self.0.get(start..start + N * 4).map(Self::row)
    }

    fn row(bytes: &[u8]) -> [u32; N] {
        let words = bytes.as_chunks::<4>().0;
        std::array::from_fn(|n| u32::from_le_bytes(words[n]))
    }

    fn iter(self) -> impl Iterator<Item = [u32; N]> + 'a {
        self.0.chunks_exact(N * 4).map(Self::row)
    }
}

impl Tables {
    fn view(&self) -> View<'_> {
        View {
            text: &self.text,
            data: &self.data,
            blobs: self.blobs.rows(),
            pointers: self.pointers.rows(),
            fixups: self.fixups.rows(),
            sites: self.sites.rows(),
            outside: &self.outside,
        }
    }

    fn places(&self) -> PlaceView<'_> {
        PlaceView { places: self.places.rows(), texts: self.texts.as_bytes() }
    }
}

impl<'a> View<'a> {
    /// The tables that are bytes, in the order in which they are kept.
    fn bytes(&self) -> [&'a [u8]; TABLES - 2] {
        let View { text, data, blobs, pointers, fixups, sites, .. } = *self;
        [text, data, blobs.0, pointers.0, fixups.0, sites.0]
    }
}

/// Bytes before the head: how long it is.
const PREFIX: usize = 4;

impl Whole {
    /// What these bytes were made of, if they are [`Whole::bytes`] of a program.
    pub fn new(bytes: Vec<u8>) -> Option<Whole> {
        let len = u32::from_le_bytes(*bytes.first_chunk::<PREFIX>()?) as usize;
        let head: Head = postcard::from_bytes(bytes.get(PREFIX..PREFIX.checked_add(len)?)?).ok()?;
        let mut at = PREFIX + len;
        let tables = head.lens.map(|len| {
            let start = at;
            at += len as usize;
            start..at
        });
        (at == bytes.len()).then_some(Whole { bytes, head, tables, places: OnceLock::new() })
    }

    /// What is to be kept.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn write(mut head: Head, functions: Rows<'_, 2>, view: View<'_>, places: PlaceView<'_>) -> Whole {
        let PlaceView { places, texts } = places;
        let both = [places.0, texts].concat();
        head.places = [places.0.len(), both.len()].map(|it| it as u32);
        let packed = lz4_flex::block::compress(&both);
        let mut tables = [functions.0; TABLES];
        tables[1..TABLES - 1].copy_from_slice(&view.bytes());
        tables[TABLES - 1] = &packed;
        head.lens = tables.map(|it| it.len() as u32);
        let head = postcard::to_stdvec(&head).expect("a head has no part that cannot be written");
        let mut bytes =
            Vec::with_capacity(PREFIX + head.len() + tables.iter().map(|it| it.len()).sum::<usize>());
        bytes.extend_from_slice(&(head.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&head);
        tables.iter().for_each(|it| bytes.extend_from_slice(it));
        Whole::new(bytes).expect("what was just written can be read")
    }

    fn table(&self, n: usize) -> &[u8] {
        &self.bytes[self.tables[n].clone()]
    }

    fn functions(&self) -> Rows<'_, 2> {
        Rows(self.table(0))
    }

    fn view(&self) -> View<'_> {
        View {
            text: self.table(1),
            data: self.table(2),
            blobs: Rows(self.table(3)),
            pointers: Rows(self.table(4)),
            fixups: Rows(self.table(5)),
            sites: Rows(self.table(6)),
            outside: &self.head.outside,
        }
    }

    fn places(&self) -> PlaceView<'_> {
        let [places, all] = self.head.places.map(|it| it as usize);
        let packed = self.table(TABLES - 1);
        // A false size asks for no memory: nothing is packed better.
        let all = all.min(packed.len().saturating_mul(256));
        let unpacked = || lz4_flex::block::decompress(packed, all).unwrap_or_default();
        let (places, texts) = self.places.get_or_init(unpacked).split_at_checked(places).unwrap_or_default();
        PlaceView { places: Rows(places), texts }
    }
}

/// What code made here can run on: the processor's abilities, as a text.
pub fn target(options: Options) -> String {
    let isa = crate::isa::host(options.opt);
    let abilities: Vec<String> = isa.isa_flags().iter().map(ToString::to_string).collect();
    format!("{} {} {}", isa.triple(), isa.flags(), abilities.join(" "))
}

impl Ready {
    /// The program as it is to be kept; none if it has something that only this process knows.
    pub fn save(&self, files: &dyn SourceFiles) -> Option<Whole> {
        let image = &self.compiled.image;
        let pointers = image.blobs.iter().enumerate().flat_map(|(blob, it)| {
            it.pointers.iter().map(move |&(at, symbol)| {
                let (namespace, index) = pair(symbol);
                [blob as u32, at, namespace, index]
            })
        });
        let fixups: Vec<[u32; 6]> = image.fixups.iter().map(words_of_fixup).collect::<Option<_>>()?;
        let extent = |it: &Option<Extent>| it.map_or([NO_FUNCTION; 2], |it| [it.start, it.end]);
        let table = PlaceTable::new(&self.compiled.locations, files);
        let head = Head {
            lens: [0; TABLES],
            places: [0; 2],
            outside: image.outside.iter().map(stored_outside).collect::<Option<_>>()?,
            only: self.compiled.only.iter().map(|(only, id)| stored_only(only, *id)).collect(),
            types: TypeTable { blob: self.compiled.type_table.0, len: self.compiled.type_table_len },
            entry: self.compiled.entry,
            returns_status: self.returns_status,
            count_objects: self.count_objects,
        };
        let blobs = Words::new(image.blobs.iter().map(|it| [it.offset]));
        let (pointers, fixups) = (Words::new(pointers), Words::new(fixups.into_iter()));
        let sites = Words::new(image.sites.iter().map(words_of_site));
        let places = Words::new(table.places.iter().map(words_of_place));
        let view = View {
            text: &image.text,
            data: &image.data,
            blobs: blobs.rows(),
            pointers: pointers.rows(),
            fixups: fixups.rows(),
            sites: sites.rows(),
            outside: &[],
        };
        let places = PlaceView { places: places.rows(), texts: table.texts.as_bytes() };
        Some(Whole::write(head, Words::new(image.functions.iter().map(extent)).rows(), view, places))
    }
}

fn pair(symbol: Symbol) -> (u32, u32) {
    let UserExternalName { namespace, index } = symbol.name();
    (namespace, index)
}

fn words_of_fixup(fixup: &Fixup) -> Option<[u32; 6]> {
    let kind = KINDS.iter().position(|&it| it == fixup.kind)? as u32;
    let (namespace, index) = match fixup.target {
        Target::Symbol(symbol) => pair(symbol),
        Target::Text(offset) => (TEXT, offset),
    };
    let addend = fixup.addend as u64;
    Some([fixup.at, kind, namespace, index, addend as u32, (addend >> 32) as u32])
}

fn stored_outside(it: &Outside) -> Option<StoredOutside> {
    let call = match it.libcall {
        Some(call) => CALLS.iter().position(|&known| known == call)? as u8 + 1,
        None => 0,
    };
    Some((it.name.clone(), it.variadic, call))
}

fn restored_outside((name, variadic, call): &StoredOutside) -> Option<Outside> {
    let libcall = match call.checked_sub(1) {
        Some(at) => Some(*CALLS.get(at as usize)?),
        None => None,
    };
    Some(Outside { name: name.clone(), variadic: *variadic, libcall })
}

fn stored_only(only: &Only, DataId(blob): DataId) -> StoredOnly {
    match only {
        Only::Variable(path) => (false, path.clone(), blob),
        Only::Constant(path) => (true, path.clone(), blob),
    }
}

fn words_of_site(site: &CallSite) -> [u32; 4] {
    [site.return_offset, site.handler, site.frame_offset, site.location]
}

fn words_of_place(place: &Place) -> [u32; 8] {
    let Place { function, function_len, file, file_len, line, column, parent, flags } = *place;
    [function, function_len, file, file_len, line, column, parent, flags]
}

fn symbol_of(namespace: u32, index: u32) -> Symbol {
    Symbol::from_name(&UserExternalName { namespace, index })
}

fn fixup_of([at, kind, namespace, index, low, high]: [u32; 6]) -> Fixup {
    let target = match namespace {
        TEXT => Target::Text(index),
        _ => Target::Symbol(symbol_of(namespace, index)),
    };
    let addend = (u64::from(high) << 32 | u64::from(low)) as i64;
    Fixup { at, kind: KINDS[kind as usize], target, addend }
}

fn site_of([return_offset, handler, frame_offset, location]: [u32; 4]) -> CallSite {
    CallSite { return_offset, handler, frame_offset, location }
}

impl Saved {
    /// What was made as a whole, and its parts, in the order in which they were made; none if they do not fit.
    pub fn new(whole: Whole, parts: &[Arc<Added>]) -> Option<Saved> {
        let mut saved = Saved { whole: Arc::new(whole), parts: Vec::new() };
        parts.iter().try_for_each(|part| saved.add(part.clone()))?;
        Some(saved)
    }

    /// All tables, in the order in which they came about.
    fn views(&self) -> impl Iterator<Item = View<'_>> {
        std::iter::once(self.whole.view()).chain(self.parts.iter().map(|it| it.tables.view()))
    }

    /// All places, in the same order.
    fn places(&self) -> impl Iterator<Item = PlaceView<'_>> {
        std::iter::once(self.whole.places()).chain(self.parts.iter().map(|it| it.tables.places()))
    }

    /// How many places there are, and bytes of their texts.
    fn place_counts(&self) -> [u32; 2] {
        let [places, all] = self.whole.head.places;
        let whole = [places / size_of::<[u32; 8]>() as u32, all.saturating_sub(places)];
        self.parts.iter().fold(whole, |[places, texts], part| {
            let added = part.tables.places();
            [places + added.places.len() as u32, texts + added.texts.len() as u32]
        })
    }

    /// Code and data with the offsets at which they stand.
    fn text(&self) -> Vec<(usize, &[u8])> {
        let parts = self.parts.iter().map(|it| (it.text_start as usize, &*it.tables.text));
        std::iter::once((0, self.whole.view().text)).chain(parts).collect()
    }

    fn data(&self) -> Vec<(usize, &[u8])> {
        let parts = self.parts.iter().map(|it| (it.data_start as usize, &*it.tables.data));
        std::iter::once((0, self.whole.view().data)).chain(parts).collect()
    }

    fn types(&self) -> TypeTable {
        self.parts.last().map_or(self.whole.head.types, |it| it.types)
    }

    /// Where each function starts and ends, by number.
    fn functions(&self) -> Vec<[u32; 2]> {
        let mut all = Vec::with_capacity(self.function_count() as usize);
        all.extend(self.whole.functions().iter());
        for [number, start, end] in self.parts.iter().flat_map(|it| it.functions.rows().iter()) {
            if all.len() <= number as usize {
                all.resize(number as usize + 1, [NO_FUNCTION; 2]);
            }
            all[number as usize] = [start, end];
        }
        all
    }

    /// Places the program in memory. Fails if a foreign function cannot be found or there is no memory.
    pub fn load(&self) -> Result<Jit, CompileError> {
        let wrong = || CompileError::Internal("a saved program is not what was saved".into());
        let stored = self.views().flat_map(|it| it.outside);
        let outside: Vec<Outside> = stored.map(restored_outside).collect::<Option<_>>().ok_or_else(wrong)?;
        let start = |[start, _]: [u32; 2]| (start != NO_FUNCTION).then_some(start);
        let blobs: Vec<u32> = self.views().flat_map(|it| it.blobs.iter()).map(|[at]| at).collect();
        let mut sites = Vec::with_capacity(self.views().map(|it| it.sites.len()).sum());
        self.views().for_each(|it| sites.extend(it.sites.iter().map(site_of)));
        let pieces = Pieces {
            text: self.text(),
            data: self.data(),
            blobs: blobs.clone(),
            functions: self.functions().into_iter().map(start).collect(),
            sites,
            outside: outside.iter().collect(),
        };
        let fixups = || self.views().flat_map(|it| it.fixups.iter());
        let of_no_blob = |row: [u32; 4]| row[0] as usize >= blobs.len();
        if fixups().any(|[_, kind, ..]| kind as usize >= KINDS.len())
            || self.views().flat_map(|it| it.pointers.iter()).any(of_no_blob)
        {
            return Err(wrong());
        }
        let pointers = self.views().flat_map(|it| it.pointers.iter());
        let pointers = pointers
            .map(|[blob, at, namespace, index]| (blobs[blob as usize] + at, symbol_of(namespace, index)));
        let find = &crate::foreign::address_in_process;
        let loaded = pieces.load(fixups().map(fixup_of), pointers, find, Box::new(self.clone()))?;
        let Head { entry, returns_status, count_objects, .. } = self.whole.head;
        Ok(Jit::new_loaded(loaded, (DataId(self.types().blob), entry), returns_status, count_objects))
    }

    /// A row of the places that were worked out when the program was saved.
    fn place(&self, mut row: usize) -> Option<[u32; 8]> {
        for view in self.places() {
            match view.places.get(row) {
                Some(place) => return Some(place),
                None => row -= view.places.len(),
            }
        }
        None
    }

    fn place_text(&self, at: u32, len: u32) -> String {
        let mut at = at as usize;
        for view in self.places() {
            if at < view.texts.len() {
                let bytes = view.texts.get(at..at.saturating_add(len as usize)).unwrap_or_default();
                return String::from_utf8_lossy(bytes).into_owned();
            }
            at -= view.texts.len();
        }
        String::new()
    }
}

impl Resolver for Saved {
    fn frames(&self, location: u32) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut next = location;
        // A chain is never longer than the table.
        for _ in 0..self.place_counts()[0] {
            let Some([function, function_len, file, file_len, line, column, parent, flags]) =
                self.place(next as usize)
            else {
                break;
            };
            if flags & HIDDEN == 0 {
                frames.push(Frame {
                    function: self.place_text(function, function_len),
                    file: self.place_text(file, file_len),
                    line,
                    column,
                    track_caller: flags & TRACK_CALLER != 0,
                });
            }
            if parent == NO_PARENT {
                break;
            }
            next = parent;
        }
        frames
    }
}

//! A compiled program as bytes, so that one that did not change is loaded instead of compiled.
//!
//! The bytes belong to one build of the compiler and one kind of processor ([`target`]); whoever keeps them sees to it that
//! they come back as they were.

mod part;

use cranelift_codegen::ir::UserExternalName;
use qz_codegen::{PlaceTable, SourceFiles};
use qz_rt::unwind::{Frame, Resolver};
use qz_rt_abi::native::{CallSite, HIDDEN, NO_PARENT, Place, TRACK_CALLER};
use serde::{Deserialize, Serialize};

use crate::image::{Blob, DataId, Extent, Fixup, Image, Outside, Symbol, Target};
use crate::jit::{Jit, Ready};
use crate::made::{CALLS, KINDS};
use crate::program::Only;
use crate::{CompileError, Options};

pub use part::Added;

/// Targets that are offsets in the text have a namespace of their own.
const TEXT: u32 = u32::MAX;
/// A function that was not added.
const NO_FUNCTION: u32 = u32::MAX;

/// A compiled program, for as long as neither it nor the compiler changes. Tables are rows of words, which cost nothing to
/// read back.
#[derive(Serialize, Deserialize)]
pub struct Saved {
    tables: Tables,
    functions: Words<2>,
    /// Blob and size of the type table.
    type_table: u32,
    type_table_len: u32,
    entry: Option<u32>,
    returns_status: bool,
    count_objects: bool,
}

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
    outside: Vec<(String, bool, u8)>,
    places: Words<8>,
    texts: String,
    /// Data that there is only one of: whether it is a constant, its path, which blob.
    only: Vec<(bool, String, u32)>,
}

/// Rows of so many words, as bytes.
#[derive(Default, Serialize, Deserialize)]
struct Words<const N: usize>(#[serde(with = "serde_bytes")] Vec<u8>);

impl<const N: usize> Words<N> {
    fn new(rows: impl Iterator<Item = [u32; N]>) -> Words<N> {
        Words(rows.flatten().flat_map(u32::to_le_bytes).collect())
    }

    fn len(&self) -> usize {
        self.0.len() / (N * 4)
    }

    fn push(&mut self, row: [u32; N]) {
        self.0.extend(row.into_iter().flat_map(u32::to_le_bytes));
    }

    fn set(&mut self, at: usize, row: [u32; N]) {
        let bytes: Vec<u8> = row.into_iter().flat_map(u32::to_le_bytes).collect();
        self.0[at * N * 4..(at + 1) * N * 4].copy_from_slice(&bytes);
    }

    fn get(&self, row: usize) -> Option<[u32; N]> {
        let start = row.checked_mul(N * 4)?;
        self.0.get(start..start + N * 4).map(Self::row)
    }

    fn row(bytes: &[u8]) -> [u32; N] {
        let words = bytes.as_chunks::<4>().0;
        std::array::from_fn(|n| u32::from_le_bytes(words[n]))
    }

    fn iter(&self) -> impl Iterator<Item = [u32; N]> + '_ {
        self.0.chunks_exact(N * 4).map(Self::row)
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
    pub fn save(&self, files: &dyn SourceFiles) -> Option<Saved> {
        let image = &self.compiled.image;
        let pointers = image.blobs.iter().enumerate().flat_map(|(blob, it)| {
            it.pointers.iter().map(move |&(at, symbol)| {
                let (namespace, index) = pair(symbol);
                [blob as u32, at, namespace, index]
            })
        });
        let fixups: Vec<[u32; 6]> = image.fixups.iter().map(words_of_fixup).collect::<Option<_>>()?;
        let extent = |it: &Option<Extent>| it.map_or([NO_FUNCTION; 2], |it| [it.start, it.end]);
        let outside = |it: &Outside| {
            let call = match it.libcall {
                Some(call) => CALLS.iter().position(|&known| known == call)? as u8 + 1,
                None => 0,
            };
            Some((it.name.clone(), it.variadic, call))
        };
        let table = PlaceTable::new(&self.compiled.locations, files);
        let tables = Tables {
            text: image.text.clone(),
            data: image.data.clone(),
            blobs: Words::new(image.blobs.iter().map(|it| [it.offset])),
            pointers: Words::new(pointers),
            fixups: Words::new(fixups.into_iter()),
            sites: Words::new(image.sites.iter().map(words_of_site)),
            outside: image.outside.iter().map(outside).collect::<Option<_>>()?,
            places: Words::new(table.places.iter().map(words_of_place)),
            texts: table.texts,
            only: self.compiled.only.iter().map(|(only, id)| stored_only(only, *id)).collect(),
        };
        Some(Saved {
            tables,
            functions: Words::new(image.functions.iter().map(extent)),
            type_table: self.compiled.type_table.0,
            type_table_len: self.compiled.type_table_len,
            entry: self.compiled.entry,
            returns_status: self.returns_status,
            count_objects: self.count_objects,
        })
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

fn stored_only(only: &Only, DataId(blob): DataId) -> (bool, String, u32) {
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

impl Saved {
    /// Places the program in memory. Fails if a foreign function cannot be found or there is no memory.
    pub fn load(mut self) -> Result<Jit, CompileError> {
        let wrong = || CompileError::Internal("a saved program is not what was saved".into());
        let image = self.image().ok_or_else(wrong)?;
        let resolver = Box::new(Places { places: self.tables.places, texts: self.tables.texts });
        Jit::place(
            image,
            resolver,
            (DataId(self.type_table), self.entry),
            self.returns_status,
            self.count_objects,
        )
    }

    fn image(&mut self) -> Option<Image> {
        let symbol = |namespace, index| Symbol::from_name(&UserExternalName { namespace, index });
        let blob = |[offset]: [u32; 1]| Blob { offset, pointers: Vec::new() };
        let mut blobs: Vec<Blob> = self.tables.blobs.iter().map(blob).collect();
        for [blob, at, namespace, index] in self.tables.pointers.iter() {
            blobs.get_mut(blob as usize)?.pointers.push((at, symbol(namespace, index)));
        }
        let fixup = |[at, kind, namespace, index, low, high]: [u32; 6]| {
            let target = match namespace {
                TEXT => Target::Text(index),
                _ => Target::Symbol(symbol(namespace, index)),
            };
            let addend = (u64::from(high) << 32 | u64::from(low)) as i64;
            Some(Fixup { at, kind: *KINDS.get(kind as usize)?, target, addend })
        };
        let extent = |[start, end]: [u32; 2]| (start != NO_FUNCTION).then_some(Extent { start, end });
        let outside = |(name, variadic, call): &(String, bool, u8)| {
            let libcall = match call.checked_sub(1) {
                Some(at) => Some(*CALLS.get(at as usize)?),
                None => None,
            };
            Some(Outside { name: name.clone(), variadic: *variadic, libcall })
        };
        let site = |[return_offset, handler, frame_offset, location]: [u32; 4]| CallSite {
            return_offset,
            handler,
            frame_offset,
            location,
        };
        Some(Image {
            text: std::mem::take(&mut self.tables.text),
            data: std::mem::take(&mut self.tables.data),
            blobs,
            fixups: self.tables.fixups.iter().map(fixup).collect::<Option<_>>()?,
            sites: self.tables.sites.iter().map(site).collect(),
            functions: self.functions.iter().map(extent).collect(),
            outside: self.tables.outside.iter().map(outside).collect::<Option<_>>()?,
            ..Image::default()
        })
    }
}

/// Places that were worked out when the program was saved.
struct Places {
    places: Words<8>,
    texts: String,
}

impl Places {
    fn text(&self, at: u32, len: u32) -> String {
        let range = at as usize..(at as usize).saturating_add(len as usize);
        self.texts.get(range).unwrap_or_default().to_owned()
    }
}

impl Resolver for Places {
    fn frames(&self, location: u32) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut next = location;
        // A chain is never longer than the table.
        for _ in 0..self.places.0.len() {
            let Some([function, function_len, file, file_len, line, column, parent, flags]) =
                self.places.get(next as usize)
            else {
                break;
            };
            if flags & HIDDEN == 0 {
                frames.push(Frame {
                    function: self.text(function, function_len),
                    file: self.text(file, file_len),
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

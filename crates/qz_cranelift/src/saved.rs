//! A compiled program as bytes, so that one that did not change is loaded instead of compiled.
//!
//! The bytes belong to one build of the compiler and one kind of processor ([`target`]); whoever keeps them sees to it that
//! they come back as they were.

use cranelift_codegen::ir::UserExternalName;
use qz_codegen::{PlaceTable, SourceFiles};
use qz_rt::unwind::{Frame, Resolver};
use qz_rt_abi::native::{CallSite, HIDDEN, NO_PARENT, Place, TRACK_CALLER};
use serde::{Deserialize, Serialize};

use crate::image::{Blob, DataId, Extent, Fixup, Image, Outside, Symbol, Target};
use crate::jit::{Jit, Ready};
use crate::made::{CALLS, KINDS};
use crate::{CompileError, Options};

/// A reference: where, kind, namespace and index of the target, addend.
type SavedFixup = (u32, u8, u32, u32, i64);
/// Targets that are offsets in the text have a namespace of their own.
const TEXT: u32 = u32::MAX;

/// A compiled program, for as long as neither it nor the compiler changes.
#[derive(Serialize, Deserialize)]
pub struct Saved {
    #[serde(with = "serde_bytes")]
    text: Vec<u8>,
    #[serde(with = "serde_bytes")]
    data: Vec<u8>,
    blobs: Vec<(u32, Vec<(u32, u32, u32)>)>,
    fixups: Vec<SavedFixup>,
    sites: Vec<[u32; 4]>,
    functions: Vec<Option<(u32, u32)>>,
    outside: Vec<(String, bool, u8)>,
    places: Vec<[u32; 8]>,
    texts: String,
    type_table: u32,
    entry: Option<u32>,
    returns_status: bool,
    count_objects: bool,
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
        let pair = |symbol: Symbol| {
            let UserExternalName { namespace, index } = symbol.name();
            (namespace, index)
        };
        let blob = |blob: &Blob| {
            let pointer = |&(at, symbol): &(u32, Symbol)| {
                let (namespace, index) = pair(symbol);
                (at, namespace, index)
            };
            (blob.offset, blob.pointers.iter().map(pointer).collect())
        };
        let fixup = |fixup: &Fixup| {
            let kind = KINDS.iter().position(|&it| it == fixup.kind)? as u8;
            let (namespace, index) = match fixup.target {
                Target::Symbol(symbol) => pair(symbol),
                Target::Text(offset) => (TEXT, offset),
            };
            Some((fixup.at, kind, namespace, index, fixup.addend))
        };
        let outside = |it: &Outside| {
            let call = match it.libcall {
                Some(call) => CALLS.iter().position(|&known| known == call)? as u8 + 1,
                None => 0,
            };
            Some((it.name.clone(), it.variadic, call))
        };
        let table = PlaceTable::new(&self.compiled.locations, files);
        Some(Saved {
            text: image.text.clone(),
            data: image.data.clone(),
            blobs: image.blobs.iter().map(blob).collect(),
            fixups: image.fixups.iter().map(fixup).collect::<Option<_>>()?,
            sites: image.sites.iter().map(words_of_site).collect(),
            functions: image.functions.iter().map(|it| it.map(|it| (it.start, it.end))).collect(),
            outside: image.outside.iter().map(outside).collect::<Option<_>>()?,
            places: table.places.iter().map(words_of_place).collect(),
            texts: table.texts,
            type_table: self.compiled.type_table.0,
            entry: self.compiled.entry,
            returns_status: self.returns_status,
            count_objects: self.count_objects,
        })
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
        let resolver = Box::new(Places { places: self.places, texts: self.texts });
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
        let blob = |(offset, pointers): &(u32, Vec<(u32, u32, u32)>)| {
            let pointers = pointers.iter().map(|&(at, namespace, index)| (at, symbol(namespace, index)));
            Blob { offset: *offset, pointers: pointers.collect() }
        };
        let fixup = |&(at, kind, namespace, index, addend): &SavedFixup| {
            let target = match namespace {
                TEXT => Target::Text(index),
                _ => Target::Symbol(symbol(namespace, index)),
            };
            Some(Fixup { at, kind: *KINDS.get(kind as usize)?, target, addend })
        };
        let outside = |(name, variadic, call): &(String, bool, u8)| {
            let libcall = match call.checked_sub(1) {
                Some(at) => Some(*CALLS.get(at as usize)?),
                None => None,
            };
            Some(Outside { name: name.clone(), variadic: *variadic, libcall })
        };
        let site = |&[return_offset, handler, frame_offset, location]: &[u32; 4]| CallSite {
            return_offset,
            handler,
            frame_offset,
            location,
        };
        Some(Image {
            text: std::mem::take(&mut self.text),
            data: std::mem::take(&mut self.data),
            blobs: self.blobs.iter().map(blob).collect(),
            fixups: self.fixups.iter().map(fixup).collect::<Option<_>>()?,
            sites: self.sites.iter().map(site).collect(),
            functions: self.functions.iter().map(|it| it.map(|(start, end)| Extent { start, end })).collect(),
            outside: self.outside.iter().map(outside).collect::<Option<_>>()?,
            ..Image::default()
        })
    }
}

/// Places that were worked out when the program was saved.
struct Places {
    places: Vec<[u32; 8]>,
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
        for _ in 0..self.places.len() {
            let Some(&[function, function_len, file, file_len, line, column, parent, flags]) =
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

//! From collected code and data to an object file for the system's linker.
//!
//! Beside the program itself it holds what the runtime asks for ([`qz_rt_abi::native::Program`]): the table of
//! call sites, the places of the source, and `main`. Calls of functions outside go through one jump each, which
//! reads the address from the linker's table, so that the object fits into executables that lie anywhere.

use cranelift_codegen::binemit::Reloc;
use object::write::{
    Object, Relocation, SectionId, StandardSection, Symbol as ObjectSymbol, SymbolId, SymbolSection,
};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope, elf,
};
use qz_base::FxHashMap;
use qz_rt_abi::native::CallSite;

use crate::image::{DataId, Extent, Image, Symbol, Target, append_code};

/// An object file being written.
pub(crate) struct Writer<'a> {
    pub(crate) object: Object<'a>,
    pub(crate) text: SectionId,
    data: SectionId,
    /// The start of each section, as relocations know it.
    pub(crate) text_start: SymbolId,
    data_start: SymbolId,
    outside: FxHashMap<String, SymbolId>,
    jumps: FxHashMap<Symbol, u64>,
}

impl Image {
    /// Places everything in a fresh object file. `names` gives the linker's name of a function by its number;
    /// only `exported` ones can be seen from other files.
    pub(crate) fn into_object(
        mut self,
        names: &dyn Fn(u32) -> String,
        exported: &dyn Fn(u32) -> bool,
    ) -> Writer<'static> {
        let mut writer = Writer::new();
        writer.functions(&self, names, exported);
        writer.jumps(&mut self);
        self.addresses_from_table();
        let (text, data) = (writer.text, writer.data);
        writer.object.append_section_data(text, &self.text, 16);
        writer.object.append_section_data(data, &self.data, 16);
        writer.references(&self);
        writer
    }
}

impl Image {
    /// What Cranelift calls by itself, to copy large arguments, it loads as a whole address: here it comes from the
    /// linker's table, since an address in the code would tie it to one place.
    fn addresses_from_table(&mut self) {
        for fixup in &mut self.fixups {
            let is_outside = matches!(fixup.target, Target::Symbol(Symbol::Outside(_)));
            let at = fixup.at as usize;
            if fixup.kind != Reloc::Abs8 || !is_outside || !cfg!(target_arch = "x86_64") {
                continue;
            }
            let [prefix, opcode] = [self.text[at - 2], self.text[at - 1]];
            // mov r64, imm64
            assert!(prefix & 0xfe == 0x48 && opcode & 0xf8 == 0xb8, "an address is loaded by `mov`");
            let register = opcode & 7;
            // mov r64, [rip + place in the table]; three bytes of nothing
            let new = [0x48 | (prefix & 1) << 2, 0x8b, register << 3 | 5, 0, 0, 0, 0, 0x0f, 0x1f, 0];
            self.text[at - 2..at + 8].copy_from_slice(&new);
            (fixup.at, fixup.kind, fixup.addend) = (fixup.at + 1, Reloc::X86GOTPCRel4, -4);
        }
    }
}

impl Writer<'static> {
    fn new() -> Writer<'static> {
        let architecture =
            if cfg!(target_arch = "aarch64") { Architecture::Aarch64 } else { Architecture::X86_64 };
        let mut object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
        let text = object.section_id(StandardSection::Text);
        let data = object.section_id(StandardSection::Data);
        // Nothing here needs a stack that can be executed.
        object.add_section(Vec::new(), b".note.GNU-stack".to_vec(), SectionKind::Note);
        let (text_start, data_start) = (object.section_symbol(text), object.section_symbol(data));
        let (outside, jumps) = (FxHashMap::default(), FxHashMap::default());
        Writer { object, text, data, text_start, data_start, outside, jumps }
    }

    fn functions(&mut self, image: &Image, names: &dyn Fn(u32) -> String, exported: &dyn Fn(u32) -> bool) {
        for (number, extent) in image.functions.iter().enumerate() {
            let Some(Extent { start, end }) = *extent else { continue };
            let number = number as u32;
            let scope = if exported(number) { SymbolScope::Dynamic } else { SymbolScope::Compilation };
            self.object.add_symbol(ObjectSymbol {
                name: names(number).into_bytes(),
                value: start as u64,
                size: (end - start) as u64,
                kind: SymbolKind::Text,
                scope,
                weak: false,
                section: SymbolSection::Section(self.text),
                flags: SymbolFlags::None,
            });
        }
    }

    /// A symbol that another file has.
    pub(crate) fn outside(&mut self, name: &str) -> SymbolId {
        if let Some(&known) = self.outside.get(name) {
            return known;
        }
        let id = self.object.add_symbol(ObjectSymbol {
            name: name.as_bytes().to_vec(),
            value: 0,
            size: 0,
            kind: SymbolKind::Text,
            scope: SymbolScope::Unknown,
            weak: false,
            section: SymbolSection::Undefined,
            flags: SymbolFlags::None,
        });
        self.outside.insert(name.to_owned(), id);
        id
    }

    /// Adds a jump to the text for each function outside.
    fn jumps(&mut self, image: &mut Image) {
        for index in 0..image.outside.len() {
            let name = image.outside[index].name.clone();
            let target = self.outside(&name);
            let mut code: Vec<u8> = Vec::new();
            let (r_type, at, addend) = if cfg!(target_arch = "x86_64") {
                if image.outside[index].variadic {
                    // mov al, 8
                    code.extend_from_slice(&[0xb0, 8]);
                }
                // jmp [rip + address in the linker's table]
                code.extend_from_slice(&[0xff, 0x25, 0, 0, 0, 0]);
                (elf::R_X86_64_GOTPCREL, code.len() as u64 - 4, -4)
            } else {
                // b
                code.extend_from_slice(&[0, 0, 0, 0x14]);
                (elf::R_AARCH64_JUMP26, 0, 0)
            };
            let offset = append_code(&mut image.text, &code) as u64;
            self.jumps.insert(Symbol::Outside(index as u32), offset);
            self.relocate(self.text, offset + at, target, addend, r_type);
        }
    }

    pub(crate) fn relocate(
        &mut self,
        section: SectionId,
        offset: u64,
        symbol: SymbolId,
        addend: i64,
        r_type: u32,
    ) {
        let flags = RelocationFlags::Elf { r_type };
        // Sections of an ELF object take every kind of relocation of their machine.
        self.object
            .add_relocation(section, Relocation { offset, symbol, addend, flags })
            .expect("the relocation is one of this machine's");
    }

    /// The symbol, and the distance from it, by which relocations name a target.
    fn named(&mut self, image: &Image, target: Target) -> (SymbolId, i64) {
        match target {
            Target::Text(offset) => (self.text_start, offset as i64),
            Target::Symbol(Symbol::Function(number)) => (self.text_start, image.extent(number).start as i64),
            Target::Symbol(Symbol::Data(DataId(index))) => {
                (self.data_start, image.blobs[index as usize].offset as i64)
            }
            Target::Symbol(Symbol::Runtime(f)) => {
                let def = f.def();
                let name =
                    if def.may_panic { format!("qz_stub_{}", def.name) } else { def.symbol.to_owned() };
                (self.outside(&name), 0)
            }
            Target::Symbol(symbol @ Symbol::Outside(_)) => (self.text_start, self.jumps[&symbol] as i64),
        }
    }

    fn references(&mut self, image: &Image) {
        for fixup in &image.fixups {
            let (symbol, distance) = match (fixup.kind, fixup.target) {
                (Reloc::X86GOTPCRel4, Target::Symbol(Symbol::Outside(index))) => {
                    let name = image.outside[index as usize].name.clone();
                    (self.outside(&name), 0)
                }
                (Reloc::X86GOTPCRel4, other) => {
                    unreachable!("{other:?} needs no place in the linker's table")
                }
                (_, target) => self.named(image, target),
            };
            let r_type = relocation_type(fixup.kind);
            self.relocate(self.text, fixup.at as u64, symbol, distance + fixup.addend, r_type);
        }
        for (at, symbol) in image.pointers() {
            let (symbol, distance) = self.named(image, Target::Symbol(symbol));
            self.relocate(self.data, at as u64, symbol, distance, address_type());
        }
    }

    /// Adds a section that only debuggers read.
    pub(crate) fn add_debug_section(&mut self, name: &str, bytes: Vec<u8>) -> SectionId {
        let section = self.object.add_section(Vec::new(), name.as_bytes().to_vec(), SectionKind::Debug);
        self.object.append_section_data(section, &bytes, 1);
        section
    }

    /// A reference in such a section: to the text, or into another one.
    pub(crate) fn relocate_debug(
        &mut self,
        section: SectionId,
        offset: u64,
        size: u8,
        to: Option<SectionId>,
        addend: i64,
    ) {
        let symbol = to.map_or(self.text_start, |to| self.object.section_symbol(to));
        let r_type = match (size, cfg!(target_arch = "aarch64")) {
            (4, false) => elf::R_X86_64_32,
            (4, true) => elf::R_AARCH64_ABS32,
            _ => address_type(),
        };
        self.relocate(section, offset, symbol, addend, r_type);
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, String> {
        self.object.write().map_err(|error| error.to_string())
    }
}

/// The relocation for a word that holds an address.
pub(crate) fn address_type() -> u32 {
    if cfg!(target_arch = "aarch64") { elf::R_AARCH64_ABS64 } else { elf::R_X86_64_64 }
}

fn relocation_type(kind: Reloc) -> u32 {
    match kind {
        Reloc::X86PCRel4 | Reloc::X86CallPCRel4 => elf::R_X86_64_PC32,
        Reloc::X86CallPLTRel4 => elf::R_X86_64_PLT32,
        Reloc::Abs8 => address_type(),
        Reloc::X86GOTPCRel4 => elf::R_X86_64_GOTPCREL,
        Reloc::Arm64Call => elf::R_AARCH64_CALL26,
        Reloc::Aarch64AdrPrelPgHi21 => elf::R_AARCH64_ADR_PREL_PG_HI21,
        Reloc::Aarch64AddAbsLo12Nc => elf::R_AARCH64_ADD_ABS_LO12_NC,
        other => unreachable!("a reference of kind {other:?} is not made for the machines supported"),
    }
}

/// Call sites as the runtime reads them.
pub(crate) fn site_bytes(sites: &[CallSite]) -> Vec<u8> {
    let words = |site: &CallSite| [site.return_offset, site.handler, site.frame_offset, site.location];
    sites.iter().flat_map(words).flat_map(u32::to_le_bytes).collect()
}

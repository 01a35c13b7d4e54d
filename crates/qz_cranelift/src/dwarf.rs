//! Debug information of an object file: lines, functions, variables and types, as DWARF 4, and how frames are
//! unwound.
//!
//! Code for debuggers keeps every named local in its frame for as long as the function runs, so that a variable is
//! an offset from the frame pointer and nothing else.

use cranelift_codegen::ir::StackSlot;
use cranelift_codegen::isa::TargetIsa;
use gimli::write::{
    Address, AttributeValue, DwarfUnit, EndianVec, Expression, FileId, FrameTable, LineProgram, LineString,
    RelocateWriter, Relocation, RelocationTarget, Sections, UnitEntryId,
};
use gimli::{DwAte, DwTag, Encoding, Format, LineEncoding, LittleEndian, Register, SectionId};
use qz_base::{FxHashMap, Name, Span, TextRange};
use qz_codegen::debug::{DebugTy, DebugTyId, DebugTypes, Encoding as BaseEncoding, Member, Unit, Variants};
use qz_codegen::{Locations, SourceFiles};
use qz_mir::layout::Layouts;
use qz_types::Ty;

use crate::image::Extent;
use crate::made::ForDebuggers;
use crate::object::Writer;

/// What is noted of a function while it is compiled.
pub(crate) struct Function {
    /// What its frames are called.
    pub(crate) name: Name,
    pub(crate) declared: Span,
    pub(crate) extent: Extent,
    /// Start and number of each piece of code with a place in the source.
    lines: Vec<(u32, u32)>,
    variables: Vec<Variable>,
    unwind: Option<cranelift_codegen::isa::unwind::systemv::UnwindInfo>,
}

/// A variable with a place of its own in the frame.
pub(crate) struct Variable {
    pub(crate) name: Name,
    pub(crate) ty: Ty,
    pub(crate) declared: Span,
    pub(crate) is_parameter: bool,
    pub(crate) slot: StackSlot,
    /// From the frame pointer; known once the function is compiled.
    offset: i64,
}

impl Variable {
    pub(crate) fn new(name: Name, ty: Ty, declared: Span, is_parameter: bool, slot: StackSlot) -> Variable {
        Variable { name, ty, declared, is_parameter, slot, offset: 0 }
    }
}

impl Function {
    /// `first` is the number of its first place.
    pub(crate) fn new(
        (name, declared): (Name, Span),
        extent: Extent,
        (noted, first): (&ForDebuggers, u32),
        mut variables: Vec<Variable>,
    ) -> Function {
        for variable in &mut variables {
            variable.offset = noted.slots.get(variable.slot.as_u32() as usize).copied().unwrap_or_default();
        }
        let lines = noted.lines.iter().map(|&(at, place)| (at, place.wrapping_add(first))).collect();
        Function { name, declared, extent, lines, variables, unwind: noted.unwind.clone() }
    }
}

/// Everything that debug information is made of.
pub(crate) struct Noted<'a> {
    pub(crate) unit: &'a Unit,
    pub(crate) functions: Vec<Function>,
    pub(crate) locations: Locations,
    pub(crate) layouts: &'a Layouts<'a>,
    pub(crate) files: &'a dyn SourceFiles,
}

/// Adds the debug sections to an object file.
pub(crate) fn add(
    noted: &Noted<'_>,
    isa: &dyn TargetIsa,
    writer: &mut Writer<'static>,
) -> Result<(), String> {
    let encoding = Encoding { address_size: 8, format: Format::Dwarf32, version: 4 };
    let mut cx = Dwarf::new(encoding, noted);
    noted.functions.iter().for_each(|function| cx.function(function));
    let end = noted.functions.iter().map(|it| it.extent.end).max().unwrap_or(0);
    cx.finish_types();
    cx.finish_unit(end);
    let mut frames = FrameTable::default();
    if let Some(cie) = isa.create_systemv_cie() {
        let cie = frames.add_cie(cie);
        for function in &noted.functions {
            if let Some(unwind) = &function.unwind {
                frames.add_fde(cie, unwind.to_fde(text_address(function.extent.start)));
            }
        }
    }
    let mut sections = Sections::new(Section::default());
    let written =
        cx.dwarf.write(&mut sections).and_then(|()| frames.write_debug_frame(&mut sections.debug_frame));
    written.map_err(|error| error.to_string())?;
    place(writer, &mut sections);
    Ok(())
}

/// An address in the text; symbol 0 stands for its start.
fn text_address(offset: u32) -> Address {
    Address::Symbol { symbol: 0, addend: offset as i64 }
}

/// DWARF while it grows.
struct Dwarf<'a> {
    noted: &'a Noted<'a>,
    dwarf: DwarfUnit,
    types: DebugTypes<'a>,
    /// By number.
    entries: Vec<Option<UnitEntryId>>,
    files: FxHashMap<String, FileId>,
}

impl<'a> Dwarf<'a> {
    fn new(encoding: Encoding, noted: &'a Noted<'a>) -> Dwarf<'a> {
        let mut dwarf = DwarfUnit::new(encoding);
        let text = |text: &str| LineString::String(text.as_bytes().to_vec());
        let Unit { folder, file } = noted.unit;
        dwarf.unit.line_program =
            LineProgram::new(encoding, LineEncoding::default(), text(folder), None, text(file), None);
        let types = DebugTypes::new(noted.layouts);
        Dwarf { noted, dwarf, types, entries: Vec::new(), files: FxHashMap::default() }
    }

    // ---- entries

    fn entry(&mut self, parent: UnitEntryId, tag: DwTag) -> UnitEntryId {
        self.dwarf.unit.add(parent, tag)
    }

    fn root_entry(&mut self, tag: DwTag) -> UnitEntryId {
        self.entry(self.dwarf.unit.root(), tag)
    }

    fn set(&mut self, entry: UnitEntryId, at: gimli::DwAt, value: AttributeValue) {
        self.dwarf.unit.get_mut(entry).set(at, value);
    }

    fn set_name(&mut self, entry: UnitEntryId, name: &str) {
        let name = self.dwarf.strings.add(name);
        self.set(entry, gimli::DW_AT_name, AttributeValue::StringRef(name));
    }

    fn set_place(&mut self, entry: UnitEntryId, span: Span) {
        if let Some((file, line, _)) = self.position(span) {
            self.set(entry, gimli::DW_AT_decl_file, AttributeValue::FileIndex(Some(file)));
            self.set(entry, gimli::DW_AT_decl_line, AttributeValue::Udata(line));
        }
    }

    /// File, line and column; `None` for what the compiler made.
    fn position(&mut self, span: Span) -> Option<(FileId, u64, u64)> {
        if span.range == TextRange::default() {
            return None;
        }
        let at = self.noted.files.position(span);
        let program = &mut self.dwarf.unit.line_program;
        let file = *self.files.entry(at.file).or_insert_with_key(|file| {
            let directory = program.default_directory();
            program.add_file(LineString::String(file.as_bytes().to_vec()), directory, None)
        });
        Some((file, at.line as u64, at.column as u64))
    }

    // ---- functions

    fn function(&mut self, function: &Function) {
        let entry = self.root_entry(gimli::DW_TAG_subprogram);
        self.set_name(entry, function.name.as_str());
        self.set_place(entry, function.declared);
        let Extent { start, end } = function.extent;
        self.set(entry, gimli::DW_AT_low_pc, AttributeValue::Address(text_address(start)));
        self.set(entry, gimli::DW_AT_high_pc, AttributeValue::Udata((end - start) as u64));
        let mut base = Expression::new();
        base.op_reg(frame_pointer());
        self.set(entry, gimli::DW_AT_frame_base, AttributeValue::Exprloc(base));
        for variable in &function.variables {
            self.variable(entry, variable);
        }
        self.lines(function);
    }

    fn variable(&mut self, function: UnitEntryId, variable: &Variable) {
        let tag = if variable.is_parameter { gimli::DW_TAG_formal_parameter } else { gimli::DW_TAG_variable };
        let entry = self.entry(function, tag);
        self.set_name(entry, variable.name.as_str());
        self.set_place(entry, variable.declared);
        let mut at = Expression::new();
        at.op_fbreg(variable.offset);
        self.set(entry, gimli::DW_AT_location, AttributeValue::Exprloc(at));
        let ty = self.types.of(variable.ty);
        self.set_type(entry, ty);
    }

    /// The rows of the line table for one function.
    fn lines(&mut self, function: &Function) {
        let start = function.extent.start;
        self.dwarf.unit.line_program.begin_sequence(Some(text_address(start)));
        // The first row is the function's head, so that debuggers stop behind its prologue.
        let mut last = None;
        if let Some(head) = self.position(function.declared) {
            self.row(0, head);
            last = Some(head);
        }
        let frames = |location: u32| self.noted.locations.frames(location).next();
        let spans: Vec<_> = function.lines.iter().map(|&(at, location)| (at, frames(location))).collect();
        for (at, frame) in spans {
            let Some(position) = frame.and_then(|frame| self.position(frame.span)) else { continue };
            if last != Some(position) {
                self.row(at, position);
                last = Some(position);
            }
        }
        let end = function.extent.end - start;
        self.dwarf.unit.line_program.end_sequence(end as u64);
    }

    fn row(&mut self, at: u32, (file, line, column): (FileId, u64, u64)) {
        let program = &mut self.dwarf.unit.line_program;
        let row = program.row();
        row.address_offset = at as u64;
        (row.file, row.line, row.column) = (file, line, column);
        program.generate_row();
    }

    // ---- types

    /// The entry of a type; it is filled in by [`Dwarf::finish_types`].
    fn type_entry(&mut self, ty: DebugTyId) -> UnitEntryId {
        let index = ty.0 as usize;
        if self.entries.len() <= index {
            self.entries.resize(index + 1, None);
        }
        if let Some(known) = self.entries[index] {
            return known;
        }
        let tag = match &self.types.all()[index] {
            DebugTy::Base { .. } => gimli::DW_TAG_base_type,
            DebugTy::Pointer { .. } => gimli::DW_TAG_pointer_type,
            DebugTy::Named { .. } => gimli::DW_TAG_typedef,
            DebugTy::Structure { .. } => gimli::DW_TAG_structure_type,
        };
        let entry = self.root_entry(tag);
        self.entries[index] = Some(entry);
        entry
    }

    fn set_type(&mut self, entry: UnitEntryId, ty: DebugTyId) {
        let ty = self.type_entry(ty);
        self.set(entry, gimli::DW_AT_type, AttributeValue::UnitRef(ty));
    }

    fn finish_types(&mut self) {
        for index in 0..self.types.all().len() {
            let entry = self.type_entry(DebugTyId(index as u32));
            match self.types.all()[index].clone() {
                DebugTy::Base { name, size, encoding } => {
                    self.set_name(entry, name);
                    self.set(entry, gimli::DW_AT_byte_size, AttributeValue::Udata(size as u64));
                    let encoding = AttributeValue::Encoding(base_encoding(encoding, size));
                    self.set(entry, gimli::DW_AT_encoding, encoding);
                }
                DebugTy::Pointer { to } => {
                    self.set(entry, gimli::DW_AT_byte_size, AttributeValue::Udata(8));
                    self.set_type(entry, to);
                }
                DebugTy::Named { name, of } => {
                    self.set_name(entry, &name);
                    self.set_type(entry, of);
                }
                DebugTy::Structure { name, size, members, variants, .. } => {
                    self.set_name(entry, &name);
                    self.set(entry, gimli::DW_AT_byte_size, AttributeValue::Udata(size as u64));
                    members.iter().for_each(|member| self.member(entry, member));
                    if let Some(variants) = &variants {
                        self.variants(entry, variants);
                    }
                }
            }
        }
    }

    fn member(&mut self, parent: UnitEntryId, member: &Member) {
        let entry = self.entry(parent, gimli::DW_TAG_member);
        self.set_name(entry, &member.name);
        self.set_type(entry, member.ty);
        let offset = AttributeValue::Udata(member.offset as u64);
        self.set(entry, gimli::DW_AT_data_member_location, offset);
    }

    fn variants(&mut self, parent: UnitEntryId, variants: &Variants) {
        let part = self.entry(parent, gimli::DW_TAG_variant_part);
        if let Some((ty, offset)) = variants.tag {
            let tag = self.entry(part, gimli::DW_TAG_member);
            self.set_type(tag, ty);
            let offset = AttributeValue::Udata(offset as u64);
            self.set(tag, gimli::DW_AT_data_member_location, offset);
            self.set(tag, gimli::DW_AT_artificial, AttributeValue::Flag(true));
            self.set(part, gimli::DW_AT_discr, AttributeValue::UnitRef(tag));
        }
        for (value, member) in &variants.list {
            let variant = self.entry(part, gimli::DW_TAG_variant);
            if let Some(value) = *value {
                self.set(variant, gimli::DW_AT_discr_value, AttributeValue::Udata(value));
            }
            self.member(variant, member);
        }
    }

    fn finish_unit(&mut self, end: u32) {
        let root = self.dwarf.unit.root();
        let Unit { folder, file } = self.noted.unit;
        self.set_name(root, file);
        let [folder, producer] = [folder.as_str(), "quartz"].map(|text| self.dwarf.strings.add(text));
        self.set(root, gimli::DW_AT_comp_dir, AttributeValue::StringRef(folder));
        self.set(root, gimli::DW_AT_producer, AttributeValue::StringRef(producer));
        self.set(root, gimli::DW_AT_language, AttributeValue::Language(gimli::DW_LANG_C99));
        self.set(root, gimli::DW_AT_stmt_list, AttributeValue::LineProgramRef);
        self.set(root, gimli::DW_AT_low_pc, AttributeValue::Address(text_address(0)));
        self.set(root, gimli::DW_AT_high_pc, AttributeValue::Udata(end as u64));
    }
}

fn base_encoding(encoding: BaseEncoding, size: u32) -> DwAte {
    match encoding {
        BaseEncoding::Signed if size == 1 => gimli::DW_ATE_signed_char,
        BaseEncoding::Signed => gimli::DW_ATE_signed,
        BaseEncoding::Unsigned if size == 1 => gimli::DW_ATE_unsigned_char,
        BaseEncoding::Unsigned => gimli::DW_ATE_unsigned,
        BaseEncoding::Float => gimli::DW_ATE_float,
        BaseEncoding::Boolean => gimli::DW_ATE_boolean,
        BaseEncoding::Character => gimli::DW_ATE_UTF,
    }
}

/// `rbp` or `x29`, in DWARF's numbers.
fn frame_pointer() -> Register {
    if cfg!(target_arch = "aarch64") { Register(29) } else { Register(6) }
}

// ---- sections

/// A section's bytes and the addresses in them.
#[derive(Clone)]
struct Section {
    bytes: EndianVec<LittleEndian>,
    relocations: Vec<Relocation>,
}

impl Default for Section {
    fn default() -> Section {
        Section { bytes: EndianVec::new(LittleEndian), relocations: Vec::new() }
    }
}

impl RelocateWriter for Section {
    type Writer = EndianVec<LittleEndian>;

    fn writer(&self) -> &Self::Writer {
        &self.bytes
    }

    fn writer_mut(&mut self) -> &mut Self::Writer {
        &mut self.bytes
    }

    fn relocate(&mut self, relocation: Relocation) {
        self.relocations.push(relocation);
    }
}

/// Puts the sections into the object file. They refer to each other, so all are there before any reference is.
fn place(writer: &mut Writer<'static>, sections: &mut Sections<Section>) {
    let mut placed = Vec::new();
    let added: Result<(), ()> = sections.for_each_mut(|id, section| {
        if section.bytes.slice().is_empty() {
            return Ok(());
        }
        let bytes = section.bytes.take();
        placed.push((
            id,
            writer.add_debug_section(id.name(), bytes),
            std::mem::take(&mut section.relocations),
        ));
        Ok(())
    });
    debug_assert!(added.is_ok(), "nothing fails there");
    let find = |wanted: SectionId| placed.iter().find(|it| it.0 == wanted).map(|it| it.1);
    for (_, section, relocations) in &placed {
        for relocation in relocations {
            let to = match relocation.target {
                RelocationTarget::Symbol(_) => None,
                RelocationTarget::Section(id) => {
                    Some(find(id).expect("a section that is referred to has bytes"))
                }
            };
            writer.relocate_debug(*section, relocation.offset as u64, relocation.size, to, relocation.addend);
        }
    }
}

//! C's calling convention: how the arguments and results of foreign functions travel, and of functions that C calls.
//!
//! Two conventions: System V's for x86-64 and AAPCS64. Both pass numbers and pointers in registers as long as there
//! are some. They differ in structs:
//!
//! | struct | x86-64 | AArch64 |
//! |---|---|---|
//! | up to four equal floats | as below | each in a vector register |
//! | up to 16 bytes | eight bytes at a time, in vector registers where only floats lie | eight bytes at a time |
//! | larger | a copy among the arguments | the address of a copy |
//! | larger, as result | at an address passed first | at an address passed in `x8` |
//!
//! What does not find all the registers it wants goes to memory as a whole; engines that pass pieces one by one need
//! to be told ([`CPass::Stack`], [`Pieces::used_up`]).

use std::sync::Arc;

use qz_mir::Repr;
use qz_mir::layout::{Layout, Layouts, Scalar, Shape, Slot};
use qz_rt_abi::object::HEADER_SIZE;
use qz_types::{IntTy, Ty, TyKind};

/// Whose convention.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CArch {
    X86_64,
    Aarch64,
}

impl CArch {
    pub const HOST: CArch = if cfg!(target_arch = "aarch64") { CArch::Aarch64 } else { CArch::X86_64 };
}

/// What C gets of a Quartz value.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CSource {
    /// The value itself.
    Value,
    /// The address of a `@repr(C)` object's fields, this far behind the object.
    Object(u32),
    /// The pointer that stands in the object, this far behind its start: a `CString`'s bytes.
    Held(u32),
}

/// How what is narrower than C's `int` fills its register.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Extend {
    None,
    Sign,
    Zero,
}

/// A struct in registers: machine values at offsets of its memory, which is read up to a multiple of eight bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// So many registers of this kind are left and must not be used: the pieces go to the stack.
    pub used_up: Option<(Scalar, u32)>,
    pub slots: Box<[Slot]>,
}

/// How one argument travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CPass {
    /// There is nothing to pass.
    Ignore,
    Scalar(Scalar, Extend),
    Pieces(Pieces),
    /// A copy of so many bytes among the arguments in memory.
    Stack {
        size: u32,
        align: u32,
    },
    /// The address of a copy.
    Address,
}

/// How the result travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CRet {
    Ignore,
    Scalar(Scalar, Extend),
    Pieces(Box<[Slot]>),
    /// It is stored at an address that the caller passes: as the first argument, or in AArch64's `x8`.
    Address,
}

#[derive(Clone, Debug)]
pub struct CParam {
    pub layout: Arc<Layout>,
    pub source: CSource,
    pub pass: CPass,
}

/// How a function is called.
#[derive(Clone, Debug)]
pub struct CAbi {
    pub params: Vec<CParam>,
    pub ret: (Arc<Layout>, CRet),
}

/// Bytes that read pieces need: whole words.
pub fn padded_size(layout: &Layout) -> u32 {
    layout.size.next_multiple_of(8).max(8)
}

/// Registers not yet used.
struct Registers {
    ints: u32,
    floats: u32,
}

impl CAbi {
    /// The convention for a function of these types, for a call with what goes to `...` among `params`.
    pub fn new(layouts: &Layouts, arch: CArch, params: impl IntoIterator<Item = Ty>, ret: Ty) -> CAbi {
        let ret_layout = layouts.of(ret);
        let ret = ret_of(layouts, arch, &ret_layout);
        let mut left = match arch {
            CArch::X86_64 => Registers { ints: 6 - u32::from(ret == CRet::Address), floats: 8 },
            CArch::Aarch64 => Registers { ints: 8, floats: 8 },
        };
        let params = params.into_iter().map(|ty| param_of(layouts, arch, ty, &mut left)).collect();
        CAbi { params, ret: (ret_layout, ret) }
    }
}

fn param_of(layouts: &Layouts, arch: CArch, ty: Ty, left: &mut Registers) -> CParam {
    let layout = layouts.of(ty);
    let source = source_of(layouts, &layout);
    let pass = match source {
        CSource::Value => pass_of(layouts, arch, &layout, left),
        CSource::Object(_) | CSource::Held(_) => {
            left.ints = left.ints.saturating_sub(1);
            CPass::Scalar(Scalar::Ptr, Extend::None)
        }
    };
    CParam { layout, source, pass }
}

fn source_of(layouts: &Layouts, layout: &Layout) -> CSource {
    if layout.shape != Shape::Object {
        return CSource::Value;
    }
    let is_c = match *layout.ty.kind() {
        TyKind::Adt(id, _) => layouts.defs().adt_def(id).repr == Repr::C,
        _ => false,
    };
    if is_c {
        return CSource::Object(HEADER_SIZE);
    }
    // A `CString`: its first field leads to the bytes.
    let object = layouts.object(layout.ty);
    CSource::Held(object.fields.offsets.first().copied().unwrap_or(HEADER_SIZE))
}

/// The machine value that a type is, newtypes looked through.
fn scalar_of(layouts: &Layouts, layout: &Layout) -> Option<(Scalar, Extend)> {
    match &layout.shape {
        Shape::Scalar(scalar) => Some((*scalar, extension(layout.ty))),
        Shape::Pointer => Some((Scalar::Ptr, Extend::None)),
        Shape::Product(fields) if fields.len() == 1 => {
            let is_c = match *layout.ty.kind() {
                TyKind::Adt(id, _) => layouts.defs().adt_def(id).repr == Repr::C,
                _ => true,
            };
            if is_c { None } else { scalar_of(layouts, &layouts.of(fields.tys[0])) }
        }
        _ => None,
    }
}

fn extension(ty: Ty) -> Extend {
    match ty.kind() {
        TyKind::Int(IntTy::I8 | IntTy::I16) => Extend::Sign,
        TyKind::Int(IntTy::U8 | IntTy::U16) | TyKind::Bool => Extend::Zero,
        _ => Extend::None,
    }
}

/// The machine values in a struct, by offset.
fn leaves(layouts: &Layouts, layout: &Layout, base: u32, out: &mut Vec<Slot>) {
    match &layout.shape {
        Shape::Scalar(scalar) => out.push(Slot { offset: base, scalar: *scalar }),
        Shape::Product(fields) => {
            fields.iter().for_each(|(ty, offset)| leaves(layouts, &layouts.of(ty), base + offset, out));
        }
        Shape::Never => {}
        Shape::Pointer | Shape::Object | Shape::Enum(_) => {
            out.push(Slot { offset: base, scalar: Scalar::Ptr });
        }
    }
}

/// Up to four floats of one kind and nothing else.
fn equal_floats(layouts: &Layouts, layout: &Layout) -> Option<Box<[Slot]>> {
    let most = 4 * Scalar::F64.size();
    if layout.size > most {
        return None;
    }
    let mut slots = Vec::new();
    leaves(layouts, layout, 0, &mut slots);
    let first = slots.first()?.scalar;
    let fits = slots.len() <= 4 && first.is_float() && slots.iter().all(|slot| slot.scalar == first);
    fits.then(|| slots.into())
}

/// The struct's eight-byte words. With `floats_apart`, words of floats alone are floats.
fn words(layouts: &Layouts, layout: &Layout, floats_apart: bool) -> Box<[Slot]> {
    let mut slots = Vec::new();
    leaves(layouts, layout, 0, &mut slots);
    let word = |offset: u32| {
        let mut inside = slots.iter().filter(|slot| slot.offset / 8 == offset / 8);
        let is_float = floats_apart && inside.all(|slot| slot.scalar.is_float());
        Slot { offset, scalar: if is_float { Scalar::F64 } else { Scalar::I64 } }
    };
    (0..layout.size.div_ceil(8)).map(|n| word(n * 8)).collect()
}

/// Structs beyond this size are not passed in registers.
const MAX_IN_REGISTERS: u32 = 16;

fn pass_of(layouts: &Layouts, arch: CArch, layout: &Layout, left: &mut Registers) -> CPass {
    if layout.is_zero_sized() {
        return CPass::Ignore;
    }
    if let Some((scalar, extend)) = scalar_of(layouts, layout) {
        let registers = if scalar.is_float() { &mut left.floats } else { &mut left.ints };
        *registers = registers.saturating_sub(1);
        return CPass::Scalar(scalar, extend);
    }
    match arch {
        CArch::X86_64 => pass_on_x86_64(layouts, layout, left),
        CArch::Aarch64 => pass_on_aarch64(layouts, layout, left),
    }
}

fn pass_on_x86_64(layouts: &Layouts, layout: &Layout, left: &mut Registers) -> CPass {
    let in_memory = CPass::Stack { size: padded_size(layout), align: layout.align.max(8) };
    if layout.size > MAX_IN_REGISTERS {
        return in_memory;
    }
    let slots = words(layouts, layout, true);
    let floats = slots.iter().filter(|slot| slot.scalar.is_float()).count() as u32;
    let ints = slots.len() as u32 - floats;
    if ints > left.ints || floats > left.floats {
        return in_memory;
    }
    left.ints -= ints;
    left.floats -= floats;
    CPass::Pieces(Pieces { used_up: None, slots })
}

fn pass_on_aarch64(layouts: &Layouts, layout: &Layout, left: &mut Registers) -> CPass {
    if let Some(slots) = equal_floats(layouts, layout) {
        let wanted = slots.len() as u32;
        if wanted <= left.floats {
            left.floats -= wanted;
            return CPass::Pieces(Pieces { used_up: None, slots });
        }
        let used_up = Some((Scalar::F64, std::mem::take(&mut left.floats)));
        let slots =
            (0..layout.size.div_ceil(8)).map(|n| Slot { offset: n * 8, scalar: Scalar::F64 }).collect();
        return CPass::Pieces(Pieces { used_up, slots });
    }
    if layout.size > MAX_IN_REGISTERS {
        left.ints = left.ints.saturating_sub(1);
        return CPass::Address;
    }
    let slots = words(layouts, layout, false);
    let wanted = slots.len() as u32;
    if wanted <= left.ints {
        left.ints -= wanted;
        return CPass::Pieces(Pieces { used_up: None, slots });
    }
    let used_up = Some((Scalar::I64, std::mem::take(&mut left.ints)));
    CPass::Pieces(Pieces { used_up, slots })
}

fn ret_of(layouts: &Layouts, arch: CArch, layout: &Layout) -> CRet {
    if layout.is_zero_sized() {
        return CRet::Ignore;
    }
    if let Some((scalar, extend)) = scalar_of(layouts, layout) {
        return CRet::Scalar(scalar, extend);
    }
    if arch == CArch::Aarch64
        && let Some(slots) = equal_floats(layouts, layout)
    {
        return CRet::Pieces(slots);
    }
    if layout.size > MAX_IN_REGISTERS {
        return CRet::Address;
    }
    CRet::Pieces(words(layouts, layout, arch == CArch::X86_64))
}

/// Memory through which the two halves of a function for C talk: one that C calls, and one on the fiber that calls
/// the Quartz function. The result stands first.
#[derive(Clone, Debug)]
pub struct CFrame {
    pub size: u32,
    /// Where each parameter's value stands.
    pub params: Vec<u32>,
}

impl CAbi {
    pub fn frame(&self) -> CFrame {
        let mut size = padded_size(&self.ret.0);
        let mut params = Vec::with_capacity(self.params.len());
        for param in &self.params {
            params.push(size);
            size += padded_size(&param.layout);
        }
        CFrame { size, params }
    }
}

#[cfg(test)]
mod tests;

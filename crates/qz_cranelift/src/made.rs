//! Machine code of one function wherever it will stand, and reusing it: a function whose CLIF is what it was is not
//! compiled again.
//!
//! As in Cranelift's own incremental cache, the key is what a function is but for the names of what it refers to, which
//! are numbers in its own list; places are numbered from the function's first one.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{ExternalName, Function, LibCall};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::{UnwindInfo, systemv};
use cranelift_codegen::{CompiledCode, FinalizedMachExceptionHandler, FinalizedRelocTarget};
use qz_base::digest::digest;
use qz_rt_abi::native::NO_HANDLER;
use serde::{Deserialize, Serialize};

/// Stands for all that decides what code is made of a function.
pub type CodeKey = [u8; 32];

/// Who keeps machine code. Asked by several threads at a time.
pub trait CodeStore: Sync {
    /// Code that was made of this; `module` is the one that the function belongs to.
    fn get(&self, module: &str, key: &CodeKey) -> Option<Arc<Made>>;
    fn put(&self, module: &str, key: CodeKey, made: Arc<Made>);
}

/// The kinds of references that code made here has.
pub(crate) const KINDS: [Reloc; 7] = [
    Reloc::X86PCRel4,
    Reloc::X86CallPCRel4,
    Reloc::X86CallPLTRel4,
    Reloc::Abs8,
    Reloc::Arm64Call,
    Reloc::Aarch64AdrPrelPgHi21,
    Reloc::Aarch64AddAbsLo12Nc,
];

/// What the instruction set may lack.
pub(crate) const CALLS: [LibCall; 14] = [
    LibCall::CeilF32,
    LibCall::CeilF64,
    LibCall::FloorF32,
    LibCall::FloorF64,
    LibCall::TruncF32,
    LibCall::TruncF64,
    LibCall::NearestF32,
    LibCall::NearestF64,
    LibCall::FmaF32,
    LibCall::FmaF64,
    LibCall::Memcpy,
    LibCall::Memset,
    LibCall::Memmove,
    LibCall::Memcmp,
];

/// What a reference in code leads to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum To {
    /// The function's own list of names, by number.
    Name(u32),
    /// One of [`CALLS`].
    Call(u8),
    /// An offset in the function.
    Code(u32),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reference {
    pub(crate) at: u32,
    /// One of [`KINDS`].
    pub(crate) kind: u8,
    pub(crate) to: To,
    pub(crate) addend: i64,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Site {
    pub(crate) return_offset: u32,
    pub(crate) handler: u32,
    pub(crate) frame_offset: u32,
    /// From the function's first place.
    pub(crate) place: Option<u32>,
}

/// What debuggers hear of a function's code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ForDebuggers {
    /// Where pieces of code start, and their places from the function's first one.
    pub(crate) lines: Vec<(u32, u32)>,
    /// Where the slots of its frame are, from the frame pointer.
    pub(crate) slots: Vec<i64>,
    pub(crate) unwind: Option<systemv::UnwindInfo>,
}

/// A function's machine code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    #[serde(with = "serde_bytes")]
    pub(crate) code: Vec<u8>,
    pub(crate) references: Vec<Reference>,
    pub(crate) sites: Vec<Site>,
    /// Where code is for debuggers.
    pub(crate) debug: Option<ForDebuggers>,
}

impl Made {
    /// What Cranelift made of a function.
    pub fn new(isa: &dyn TargetIsa, compiled: &CompiledCode, func: &Function) -> Made {
        let reference = |reloc: &cranelift_codegen::FinalizedMachReloc| Reference {
            at: reloc.offset,
            kind: number_of(&KINDS, reloc.kind),
            to: match &reloc.target {
                FinalizedRelocTarget::ExternalName(ExternalName::User(name)) => To::Name(name.as_u32()),
                FinalizedRelocTarget::ExternalName(ExternalName::LibCall(call)) => {
                    To::Call(number_of(&CALLS, *call))
                }
                FinalizedRelocTarget::ExternalName(other) => {
                    unreachable!("no such name is made here: {other:?}")
                }
                FinalizedRelocTarget::Func(offset) => To::Code(*offset),
            },
            addend: reloc.addend,
        };
        Made {
            code: compiled.code_buffer().to_vec(),
            references: compiled.buffer.relocs().iter().map(reference).collect(),
            sites: sites(compiled, func),
            debug: isa.flags().unwind_info().then(|| for_debuggers(isa, compiled, func)),
        }
    }
}

fn for_debuggers(isa: &dyn TargetIsa, compiled: &CompiledCode, func: &Function) -> ForDebuggers {
    let first = func.params.base_srcloc().bits();
    let lines = compiled.buffer.get_srclocs_sorted().iter().filter(|it| !it.loc.is_default());
    let slots = compiled.buffer.frame_layout().map_or(Vec::new(), |frame| {
        let from_bottom = frame.stackslots.values().map(|slot| slot.offset as i64);
        from_bottom.map(|it| it - frame.frame_to_fp_offset as i64).collect()
    });
    let unwind = match compiled.create_unwind_info(isa) {
        Ok(Some(UnwindInfo::SystemV(info))) => Some(info),
        _ => None,
    };
    ForDebuggers {
        lines: lines.map(|it| (it.start, it.loc.bits().wrapping_sub(first))).collect(),
        slots,
        unwind,
    }
}

fn number_of<T: PartialEq + std::fmt::Debug>(known: &[T], it: T) -> u8 {
    match known.iter().position(|known| *known == it) {
        Some(number) => number as u8,
        None => unreachable!("{it:?} is not made for the machines supported"),
    }
}

fn sites(compiled: &CompiledCode, func: &Function) -> Vec<Site> {
    let first = func.params.base_srcloc().bits();
    let places = compiled.buffer.get_srclocs_sorted();
    let site = |site: cranelift_codegen::FinalizedMachCallSite<'_>| {
        let handler = site.exception_handlers.iter().find_map(|handler| match handler {
            FinalizedMachExceptionHandler::Default(offset) => Some(*offset),
            _ => None,
        });
        let call = site.ret_addr - 1;
        let at = places.partition_point(|range| range.start <= call);
        let range = at.checked_sub(1).map(|i| &places[i]).filter(|range| call < range.end);
        Site {
            return_offset: site.ret_addr,
            handler: handler.unwrap_or(NO_HANDLER),
            frame_offset: site.frame_offset.unwrap_or(0),
            place: range
                .map(|range| range.loc.bits())
                .filter(|&it| it != u32::MAX)
                .map(|it| it.wrapping_sub(first)),
        }
    };
    compiled.buffer.call_sites().map(site).collect()
}

/// The key of a function in CLIF.
pub(crate) fn code_key(isa: &dyn TargetIsa, func: &Function) -> CodeKey {
    let mut bytes = Bytes(Vec::with_capacity(16 << 10));
    func.stencil.hash(&mut bytes);
    isa.triple().hash(&mut bytes);
    isa.flags().hash(&mut bytes);
    isa.isa_flags_hash_key().hash(&mut bytes);
    digest(&bytes.0).bytes()
}

/// Collects what is hashed, to be digested at once.
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn finish(&self) -> u64 {
        unreachable!("the bytes are asked for instead")
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

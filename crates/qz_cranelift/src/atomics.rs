//! Operations on atomic numbers that are instructions. Cranelift knows one order only, the strictest.

use cranelift_codegen::ir::{
    AtomicRmwOp, InstBuilder, InstructionData, MemFlagsData, Opcode, Type, Value, types,
};
use qz_codegen::atomics::{Action, Atomic, Update};

use crate::function::FnCx;
use crate::value::int_ty;

impl FnCx<'_, '_, '_> {
    /// What number a value is, if it is a constant.
    pub(crate) fn known_number(&self, value: Value) -> Option<i64> {
        let dfg = &self.b.func.dfg;
        match dfg.insts[dfg.value_def(dfg.resolve_aliases(value)).inst()?] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits()),
            _ => None,
        }
    }

    /// The operation on the number at `values[0]`; what comes back, as 64 bits.
    pub(crate) fn atomic(&mut self, atomic: &Atomic, values: &[Value]) -> Option<Value> {
        let ty = int_ty(atomic.bits);
        let flags = MemFlagsData::trusted();
        let at = values[0];
        let numbers: Vec<Value> = values[1..].iter().map(|&value| self.narrowed(value, ty)).collect();
        let before = match (atomic.action, numbers.as_slice()) {
            (Action::Store, &[value]) => {
                self.b.ins().atomic_store(flags, value, at);
                return None;
            }
            (Action::Update(update), &[value]) => {
                self.b.ins().atomic_rmw(ty, flags, operation(update, atomic.signed), at, value)
            }
            (Action::Exchange, &[expected, value]) => self.b.ins().atomic_cas(flags, at, expected, value),
            _ => self.b.ins().atomic_load(ty, flags, at),
        };
        Some(match (ty, atomic.signed) {
            (types::I64, _) => before,
            (_, true) => self.b.ins().sextend(types::I64, before),
            (_, false) => self.b.ins().uextend(types::I64, before),
        })
    }

    /// Reads a word that must be read. Cranelift leaves out and moves other reads, but not atomic ones.
    pub(crate) fn read_volatile(&mut self, ty: Type, at: Value) -> Value {
        let word = self.b.ins().atomic_load(ty.as_int(), MemFlagsData::trusted(), at);
        if ty.is_int() { word } else { self.b.ins().bitcast(ty, MemFlagsData::new(), word) }
    }

    /// Writes a word that must be written.
    pub(crate) fn write_volatile(&mut self, value: Value, at: Value) {
        let ty = self.b.func.dfg.value_type(value);
        let word =
            if ty.is_int() { value } else { self.b.ins().bitcast(ty.as_int(), MemFlagsData::new(), value) };
        self.b.ins().atomic_store(MemFlagsData::trusted(), word, at);
    }

    fn narrowed(&mut self, value: Value, ty: Type) -> Value {
        if ty == types::I64 { value } else { self.b.ins().ireduce(ty, value) }
    }
}

fn operation(update: Update, signed: bool) -> AtomicRmwOp {
    match update {
        Update::Exchange => AtomicRmwOp::Xchg,
        Update::Add => AtomicRmwOp::Add,
        Update::Sub => AtomicRmwOp::Sub,
        Update::Min if signed => AtomicRmwOp::Smin,
        Update::Min => AtomicRmwOp::Umin,
        Update::Max if signed => AtomicRmwOp::Smax,
        Update::Max => AtomicRmwOp::Umax,
        Update::And => AtomicRmwOp::And,
        Update::Or => AtomicRmwOp::Or,
        Update::Xor => AtomicRmwOp::Xor,
    }
}

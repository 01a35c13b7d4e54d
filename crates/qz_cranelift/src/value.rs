//! Values in flight: machine values, or memory where there are too many; and moving them to and from memory
//! and the slots of locals.

use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, Type, Value, types,
};
use qz_mir::layout::{Layout, Scalar, Slot};
use smallvec::SmallVec;

use crate::function::FnCx;
use crate::memory::Region;

/// One value per slot of a layout.
pub(crate) type Parts = SmallVec<[Value; 4]>;

/// A value that was computed or read.
#[derive(Clone, Debug)]
pub(crate) enum Val {
    /// By slots.
    Parts(Parts),
    /// Of a type without slots. The memory must not change before the value is used.
    Memory(Addr),
}

/// An address.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Addr {
    pub(crate) base: Value,
    pub(crate) offset: i32,
    pub(crate) region: Region,
}

impl Addr {
    /// Memory of any kind.
    pub(crate) fn new(base: Value) -> Addr {
        Addr { base, offset: 0, region: Region::Any }
    }

    /// A heap object, for its fields.
    pub(crate) fn object(base: Value) -> Addr {
        Addr { base, offset: 0, region: Region::Object }
    }

    /// A heap object, for its count and its type index.
    pub(crate) fn header(base: Value) -> Addr {
        Addr { base, offset: 0, region: Region::Header }
    }

    /// An element behind a `Ptr<T>`.
    pub(crate) fn element(base: Value) -> Addr {
        Addr { base, offset: 0, region: Region::Element }
    }

    pub(crate) fn plus(self, offset: u32) -> Addr {
        Addr { offset: self.offset + offset as i32, ..self }
    }
}

impl Val {
    pub(crate) fn one(value: Value) -> Val {
        Val::Parts(SmallVec::from_slice(&[value]))
    }

    pub(crate) fn unit() -> Val {
        Val::Parts(SmallVec::new())
    }

    /// The value of a type with exactly one slot.
    pub(crate) fn single(&self) -> Value {
        match self {
            Val::Parts(parts) if parts.len() == 1 => parts[0],
            other => unreachable!("one machine value, not {other:?}"),
        }
    }
}

pub(crate) fn clif_ty(scalar: Scalar) -> Type {
    match scalar {
        Scalar::I8 => types::I8,
        Scalar::I16 => types::I16,
        Scalar::I32 => types::I32,
        Scalar::I64 | Scalar::Ptr => types::I64,
        Scalar::F32 => types::F32,
        Scalar::F64 => types::F64,
    }
}

/// The integer type of so many bits: 8, 16, 32 or 64.
pub(crate) fn int_ty(bits: u32) -> Type {
    clif_ty(Scalar::int_of_size(bits / 8))
}

/// Values up to so many bytes are copied word by word.
const INLINE_COPY: u32 = 64;

impl FnCx<'_, '_, '_> {
    pub(crate) fn int(&mut self, ty: Type, value: i64) -> Value {
        let masked = if ty.bits() < 64 { value & ((1 << ty.bits()) - 1) } else { value };
        self.b.ins().iconst(ty, masked)
    }

    pub(crate) fn zero(&mut self, scalar: Scalar) -> Value {
        match scalar {
            Scalar::F32 => self.b.ins().f32const(0.0),
            Scalar::F64 => self.b.ins().f64const(0.0),
            _ => self.b.ins().iconst(clif_ty(scalar), 0),
        }
    }

    pub(crate) fn new_stack_slot(&mut self, layout: &Layout) -> StackSlot {
        let align = layout.align.max(8).trailing_zeros() as u8;
        self.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, layout.size, align))
    }

    /// Fresh memory of the frame for a value of this layout.
    pub(crate) fn temp(&mut self, layout: &Layout) -> Addr {
        let slot = self.new_stack_slot(layout);
        Addr::new(self.b.ins().stack_addr(types::I64, slot, 0))
    }

    pub(crate) fn address(&mut self, at: Addr) -> Value {
        if at.offset == 0 { at.base } else { self.b.ins().iadd_imm_s(at.base, at.offset as i64) }
    }

    pub(crate) fn load_scalar(&mut self, scalar: Scalar, at: Addr) -> Value {
        self.load_from(at.region, clif_ty(scalar), at.base, at.offset)
    }

    pub(crate) fn store_scalar(&mut self, value: Value, at: Addr) {
        self.store_to(at.region, value, at.base, at.offset);
    }

    /// Reads a value from memory.
    pub(crate) fn load(&mut self, layout: &Layout, at: Addr) -> Val {
        match &layout.slots {
            Some(slots) => {
                Val::Parts(slots.iter().map(|s| self.load_scalar(s.scalar, at.plus(s.offset))).collect())
            }
            None => Val::Memory(at),
        }
    }

    /// Writes a value to memory.
    pub(crate) fn store(&mut self, layout: &Layout, value: &Val, at: Addr) {
        match (value, &layout.slots) {
            (Val::Parts(parts), Some(slots)) => {
                for (&part, slot) in parts.iter().zip(slots) {
                    self.store_scalar(part, at.plus(slot.offset));
                }
            }
            (Val::Memory(from), _) => self.copy_memory(at, *from, layout.size),
            (Val::Parts(_), None) => unreachable!("{:?} has no slots", layout.ty),
        }
    }

    /// Copies `size` bytes; the two places may overlap.
    pub(crate) fn copy_memory(&mut self, to: Addr, from: Addr, size: u32) {
        if size > INLINE_COPY {
            let (to, from) = (self.address(to), self.address(from));
            let size = self.int(types::I64, size as i64);
            self.libc_call("memmove", &[to, from, size], true);
            return;
        }
        let mut pieces: SmallVec<[(u32, Value); 8]> = SmallVec::new();
        let mut offset = 0;
        while offset < size {
            let step = 1 << (size - offset).ilog2().min(3);
            let scalar = Scalar::int_of_size(step);
            pieces.push((offset, self.load_scalar(scalar, from.plus(offset))));
            offset += step;
        }
        for (offset, value) in pieces {
            self.store_scalar(value, to.plus(offset));
        }
    }

    /// A call of a function of the C library on words.
    pub(crate) fn libc_call(&mut self, function: &str, args: &[Value], returns: bool) -> Option<Value> {
        let symbol = self.program.image.outside(function, false);
        let params = args.iter().map(|&arg| self.b.func.dfg.value_type(arg)).collect::<Vec<_>>();
        let signature = self.c_signature(&params, returns.then_some(types::I64));
        let function = self.import(symbol, signature);
        let call = self.b.ins().call(function, args);
        returns.then(|| self.b.inst_results(call)[0])
    }

    /// The scalar at `offset` inside a slot that holds it.
    pub(crate) fn extract(&mut self, slot: Slot, value: Value, offset: u32, scalar: Scalar) -> Value {
        if slot.offset == offset && clif_ty(slot.scalar) == clif_ty(scalar) {
            return value;
        }
        let mut bits = self.as_int(slot.scalar, value);
        if offset > slot.offset {
            bits = self.b.ins().ushr_imm_u(bits, (offset - slot.offset) as i64 * 8);
        }
        if scalar.size() < slot.scalar.size() {
            bits = self.b.ins().ireduce(clif_ty(Scalar::int_of_size(scalar.size())), bits);
        }
        self.int_as(scalar, bits)
    }

    /// A slot with the scalar at `offset` inside it replaced. `old` is `None` if nothing else in the slot
    /// matters.
    pub(crate) fn insert(
        &mut self,
        slot: Slot,
        old: Option<Value>,
        offset: u32,
        scalar: Scalar,
        value: Value,
    ) -> Value {
        if slot.offset == offset && clif_ty(slot.scalar) == clif_ty(scalar) {
            return value;
        }
        let whole = clif_ty(Scalar::int_of_size(slot.scalar.size()));
        let mut bits = self.as_int(scalar, value);
        let shift = (offset - slot.offset) * 8;
        let width = scalar.size() * 8;
        if scalar.size() < slot.scalar.size() {
            bits = self.b.ins().uextend(whole, bits);
        }
        if shift > 0 {
            bits = self.b.ins().ishl_imm_u(bits, shift as i64);
        }
        if let Some(old) = old
            && width < whole.bits()
        {
            let old = self.as_int(slot.scalar, old);
            let hole = !(((1u64 << width) - 1) << shift);
            let hole = self.int(whole, hole as i64);
            let kept = self.b.ins().band(old, hole);
            bits = self.b.ins().bor(kept, bits);
        }
        self.int_as(slot.scalar, bits)
    }

    fn as_int(&mut self, scalar: Scalar, value: Value) -> Value {
        if !scalar.is_float() {
            return value;
        }
        let int = clif_ty(Scalar::int_of_size(scalar.size()));
        self.b.ins().bitcast(int, MemFlagsData::new(), value)
    }

    fn int_as(&mut self, scalar: Scalar, bits: Value) -> Value {
        if !scalar.is_float() {
            return bits;
        }
        self.b.ins().bitcast(clif_ty(scalar), MemFlagsData::new(), bits)
    }

    /// A value put together from parts at offsets. What no part covers is zero.
    pub(crate) fn compose(&mut self, layout: &Layout, parts: &[(u32, &Layout, Val)]) -> Val {
        let Some(slots) = &layout.slots else {
            let temp = self.temp(layout);
            for (offset, part, value) in parts {
                self.store(part, value, temp.plus(*offset));
            }
            return Val::Memory(temp);
        };
        let mut out: SmallVec<[Option<Value>; 8]> = SmallVec::from_elem(None, slots.len());
        for (offset, part, value) in parts {
            let (Val::Parts(values), Some(part_slots)) = (value, &part.slots) else {
                unreachable!("parts of a value with slots have slots")
            };
            for (&value, slot) in values.iter().zip(part_slots) {
                let at = offset + slot.offset;
                let index = slot_at(slots, at);
                out[index] = Some(self.insert(slots[index], out[index], at, slot.scalar, value));
            }
        }
        let fill = |(value, slot): (Option<Value>, &Slot)| value.unwrap_or_else(|| self.zero(slot.scalar));
        Val::Parts(out.into_iter().zip(slots).map(fill).collect())
    }

    /// A part of a value: the value of layout `part` at `offset`.
    pub(crate) fn part(&mut self, layout: &Layout, value: &Val, offset: u32, part: &Layout) -> Val {
        match value {
            Val::Memory(at) => self.load(part, at.plus(offset)),
            Val::Parts(values) => {
                let (Some(slots), Some(part_slots)) = (&layout.slots, &part.slots) else {
                    unreachable!("parts of a value with slots have slots")
                };
                let one = |slot: &Slot| {
                    let at = offset + slot.offset;
                    let index = slot_at(slots, at);
                    self.extract(slots[index], values[index], at, slot.scalar)
                };
                Val::Parts(part_slots.iter().map(one).collect())
            }
        }
    }
}

/// The slot that holds the byte at `offset`.
pub(crate) fn slot_at(slots: &[Slot], offset: u32) -> usize {
    slots
        .iter()
        .position(|slot| slot.offset <= offset && offset < slot.offset + slot.scalar.size())
        .expect("every scalar of a value lies in a slot")
}

//! Values in flight: machine values, or memory where there are too many; and moving them to and from memory
//! and the slots of locals.

use qz_mir::layout::{Layout, Scalar, Slot};
use smallvec::SmallVec;

use crate::function::FnCx;
use crate::ir::{LlTy, Value};
use crate::memory::Addr;

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

impl FnCx<'_, '_> {
    /// Fresh memory of the frame for a value of this layout.
    pub(crate) fn temp(&mut self, layout: &Layout) -> Addr {
        let name = format!("%t{}", self.w.next_number());
        Addr::new(self.w.slot(&name, &format!("[{} x i8]", layout.size), layout.align.max(8)))
    }

    /// Reads a value from memory.
    pub(crate) fn load_value(&mut self, layout: &Layout, at: Addr) -> Val {
        match &layout.slots {
            Some(slots) => {
                let fact = crate::function::fact_of(layout);
                let one = |slot: &Slot| self.load_with(LlTy::of(slot.scalar), at.plus(slot.offset), fact);
                Val::Parts(slots.iter().map(one).collect())
            }
            None => Val::Memory(at),
        }
    }

    /// Writes a value to memory.
    pub(crate) fn store_value(&mut self, layout: &Layout, value: &Val, at: Addr) {
        match (value, &layout.slots) {
            (Val::Parts(parts), Some(slots)) => {
                for (&part, slot) in parts.iter().zip(slots) {
                    self.store(part, at.plus(slot.offset));
                }
            }
            (Val::Memory(from), _) => self.copy_memory(at, *from, layout.size),
            (Val::Parts(_), None) => unreachable!("{:?} has no slots", layout.ty),
        }
    }

    /// Copies `size` bytes; the two places may overlap.
    pub(crate) fn copy_memory(&mut self, to: Addr, from: Addr, size: u32) {
        let (to, from) = (self.address(to), self.address(from));
        self.w.line(format_args!(
            "call void @llvm.memmove.p0.p0.i64(ptr {to}, ptr {from}, i64 {size}, i1 false)"
        ));
    }

    // ---- integers and pointers of other sizes and kinds

    /// A number of instructions' operands: `op ty a, b`.
    pub(crate) fn op(&mut self, op: &str, a: Value, b: Value) -> Value {
        self.w.set(a.ty, format_args!("{op} {} {a}, {b}", a.ty))
    }

    pub(crate) fn op_imm(&mut self, op: &str, a: Value, b: i64) -> Value {
        self.op(op, a, Value::int(a.ty, b))
    }

    /// A comparison: one bit.
    pub(crate) fn icmp(&mut self, how: &str, a: Value, b: Value) -> Value {
        self.w.set(LlTy::I1, format_args!("icmp {how} {} {a}, {b}", a.ty))
    }

    pub(crate) fn icmp_imm(&mut self, how: &str, a: Value, b: i64) -> Value {
        self.icmp(how, a, Value::int(a.ty, b))
    }

    /// A conversion instruction.
    pub(crate) fn convert_by(&mut self, op: &str, value: Value, to: LlTy) -> Value {
        self.w.set(to, format_args!("{op} {} {value} to {to}", value.ty))
    }

    /// An integer of another size, extended with zeros.
    pub(crate) fn resized(&mut self, value: Value, to: LlTy) -> Value {
        self.resized_as(value, to, false)
    }

    /// An integer of another size, extended after its sign or with zeros.
    pub(crate) fn resized_as(&mut self, value: Value, to: LlTy, signed: bool) -> Value {
        if value.ty == to {
            return value;
        }
        if let (crate::ir::Written::Int(n), false) = (value.it, signed)
            && value.ty.bits() < to.bits()
            && to != LlTy::I128
        {
            let mask = if value.ty.bits() == 64 { -1 } else { (1i64 << value.ty.bits()) - 1 };
            return Value::int(to, n & mask);
        }
        match value.ty.bits().cmp(&to.bits()) {
            std::cmp::Ordering::Less if signed => self.convert_by("sext", value, to),
            std::cmp::Ordering::Less => self.convert_by("zext", value, to),
            std::cmp::Ordering::Equal => value,
            std::cmp::Ordering::Greater => self.convert_by("trunc", value, to),
        }
    }

    /// The byte of a truth value.
    pub(crate) fn byte_of(&mut self, bit: Value) -> Value {
        let byte = self.convert_by("zext", bit, LlTy::I8);
        self.bits.insert(byte, bit);
        byte
    }

    /// The bit of a `Bool`'s byte.
    pub(crate) fn bit_of(&mut self, byte: Value) -> Value {
        if byte.ty == LlTy::I1 {
            return byte;
        }
        match self.bits.get(&byte) {
            Some(&bit) => bit,
            None => self.icmp_imm("ne", byte, 0),
        }
    }

    pub(crate) fn select(&mut self, cond: Value, a: Value, b: Value) -> Value {
        self.w.set(a.ty, format_args!("select i1 {cond}, {} {a}, {} {b}", a.ty, b.ty))
    }

    /// A call of one of LLVM's functions whose name ends in the type of its operands.
    pub(crate) fn llvm(&mut self, name: &str, args: &[Value]) -> Value {
        let ty = args[0].ty;
        let name = format!("llvm.{name}.{}", ty.suffix());
        self.llvm_to(ty, &name, args)
    }

    /// A call of one of LLVM's functions, by its whole name.
    pub(crate) fn llvm_to(&mut self, ret: LlTy, name: &str, args: &[Value]) -> Value {
        let tys: Vec<String> = args.iter().map(|arg| arg.ty.to_string()).collect();
        self.program.declare(name, format!("declare {ret} @{name}({})", tys.join(", ")));
        let args: Vec<String> = args.iter().map(|arg| format!("{} {arg}", arg.ty)).collect();
        self.w.set(ret, format_args!("call {ret} @{name}({})", args.join(", ")))
    }

    // ---- parts of values

    /// The scalar at `offset` inside a slot that holds it.
    pub(crate) fn extract(&mut self, slot: Slot, value: Value, offset: u32, scalar: Scalar) -> Value {
        if slot.offset == offset && slot.scalar == scalar {
            return value;
        }
        let mut bits = self.as_int(value);
        if offset > slot.offset {
            bits = self.op_imm("lshr", bits, (offset - slot.offset) as i64 * 8);
        }
        let bits = self.resized(bits, LlTy::int(scalar.size() * 8));
        self.int_as(LlTy::of(scalar), bits)
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
        if slot.offset == offset && slot.scalar == scalar {
            return value;
        }
        let whole = LlTy::int(slot.scalar.size() * 8);
        let bits = self.as_int(value);
        let mut bits = self.resized(bits, whole);
        let shift = (offset - slot.offset) * 8;
        let width = scalar.size() * 8;
        if shift > 0 {
            bits = self.op_imm("shl", bits, shift as i64);
        }
        if let Some(old) = old
            && width < whole.bits()
        {
            let old = self.as_int(old);
            let hole = !(((1u64 << width) - 1) << shift);
            let kept = self.op_imm("and", old, sign_extended(hole, whole));
            bits = self.op("or", kept, bits);
        }
        self.int_as(LlTy::of(slot.scalar), bits)
    }

    pub(crate) fn as_int(&mut self, value: Value) -> Value {
        match value.ty {
            LlTy::F32 | LlTy::F64 => self.convert_by("bitcast", value, LlTy::int(value.ty.bits())),
            LlTy::Ptr => self.convert_by("ptrtoint", value, LlTy::I64),
            _ => value,
        }
    }

    fn int_as(&mut self, ty: LlTy, bits: Value) -> Value {
        match ty {
            LlTy::F32 | LlTy::F64 => self.convert_by("bitcast", bits, ty),
            LlTy::Ptr => self.convert_by("inttoptr", bits, ty),
            _ => bits,
        }
    }

    /// A value put together from parts at offsets. What no part covers is zero.
    pub(crate) fn compose(&mut self, layout: &Layout, parts: &[(u32, &Layout, Val)]) -> Val {
        let Some(slots) = &layout.slots else {
            let temp = self.temp(layout);
            for (offset, part, value) in parts {
                self.store_value(part, value, temp.plus(*offset));
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
        let fill = |(value, slot): (Option<Value>, &Slot)| {
            value.unwrap_or_else(|| Value::zero(LlTy::of(slot.scalar)))
        };
        Val::Parts(out.into_iter().zip(slots).map(fill).collect())
    }

    /// A part of a value: the value of layout `part` at `offset`.
    pub(crate) fn part(&mut self, layout: &Layout, value: &Val, offset: u32, part: &Layout) -> Val {
        match value {
            Val::Memory(at) => self.load_value(part, at.plus(offset)),
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

/// The pattern as a constant of the type.
fn sign_extended(bits: u64, ty: LlTy) -> i64 {
    let unused = 64 - ty.bits();
    ((bits << unused) as i64) >> unused
}

/// The slot that holds the byte at `offset`.
pub(crate) fn slot_at(slots: &[Slot], offset: u32) -> usize {
    slots
        .iter()
        .position(|slot| slot.offset <= offset && offset < slot.offset + slot.scalar.size())
        .expect("every scalar of a value lies in a slot")
}

//! Values and types of LLVM's language, and the text of one function while it grows.

use std::fmt::{self, Write};

use qz_base::Name;
use qz_mir::Scalar;

/// A first-class type that values in flight have.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LlTy {
    I1,
    I8,
    I16,
    I32,
    I64,
    I128,
    F32,
    F64,
    Ptr,
}

impl LlTy {
    pub(crate) fn of(scalar: Scalar) -> LlTy {
        match scalar {
            Scalar::I8 => LlTy::I8,
            Scalar::I16 => LlTy::I16,
            Scalar::I32 => LlTy::I32,
            Scalar::I64 => LlTy::I64,
            Scalar::F32 => LlTy::F32,
            Scalar::F64 => LlTy::F64,
            Scalar::Ptr => LlTy::Ptr,
        }
    }

    /// The integer type of so many bits.
    pub(crate) fn int(bits: u32) -> LlTy {
        match bits {
            1 => LlTy::I1,
            8 => LlTy::I8,
            16 => LlTy::I16,
            32 => LlTy::I32,
            128 => LlTy::I128,
            _ => LlTy::I64,
        }
    }

    pub(crate) fn bits(self) -> u32 {
        match self {
            LlTy::I1 => 1,
            LlTy::I8 => 8,
            LlTy::I16 => 16,
            LlTy::I32 | LlTy::F32 => 32,
            LlTy::I64 | LlTy::F64 | LlTy::Ptr => 64,
            LlTy::I128 => 128,
        }
    }

    /// The suffix of overloaded intrinsics.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            LlTy::F32 => "f32",
            LlTy::F64 => "f64",
            LlTy::Ptr => "p0",
            other => other.name(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            LlTy::I1 => "i1",
            LlTy::I8 => "i8",
            LlTy::I16 => "i16",
            LlTy::I32 => "i32",
            LlTy::I64 => "i64",
            LlTy::I128 => "i128",
            LlTy::F32 => "float",
            LlTy::F64 => "double",
            LlTy::Ptr => "ptr",
        }
    }
}

impl fmt::Display for LlTy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value: its type and how it is written.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Value {
    pub(crate) ty: LlTy,
    pub(crate) it: Written,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Written {
    /// The result of an instruction.
    Temp(u32),
    /// With its sigil: a parameter, the address of a local, a global.
    Named(Name),
    /// The bits of an integer constant, or of a pointer that is a small number.
    Int(i64),
    /// The bits of a constant `double`.
    F64(u64),
    /// The bits of a constant `float`.
    F32(u32),
}

impl Value {
    /// Whether it is the address of something the program defines, such as a literal.
    pub(crate) fn is_global(self) -> bool {
        matches!(self.it, Written::Named(_)) && self.to_string().starts_with('@')
    }

    pub(crate) fn int(ty: LlTy, value: i64) -> Value {
        Value { ty, it: Written::Int(value) }
    }

    /// What number it is, if that is written here.
    pub(crate) fn known(&self) -> Option<i64> {
        match self.it {
            Written::Int(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn named(ty: LlTy, name: &str) -> Value {
        Value { ty, it: Written::Named(Name::new(name)) }
    }

    pub(crate) fn zero(ty: LlTy) -> Value {
        match ty {
            LlTy::F32 => Value { ty, it: Written::F32(0) },
            LlTy::F64 => Value { ty, it: Written::F64(0) },
            _ => Value::int(ty, 0),
        }
    }
}

/// The value alone, without its type.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.it {
            Written::Temp(n) => write!(f, "%v{n}"),
            Written::Named(name) => f.write_str(name.as_str()),
            Written::Int(0) if self.ty == LlTy::Ptr => f.write_str("null"),
            Written::Int(n) if self.ty == LlTy::Ptr => write!(f, "inttoptr (i64 {n} to ptr)"),
            Written::Int(n) if self.ty == LlTy::I1 => f.write_str(if n & 1 == 1 { "true" } else { "false" }),
            Written::Int(n) => write!(f, "{n}"),
            Written::F64(bits) => write!(f, "0x{bits:016X}"),
            Written::F32(bits) => write!(f, "0x{:016X}", widened(bits)),
        }
    }
}

/// The bits of the `double` that equals a `float`: how constants of that type are written. Done on bits, since
/// a conversion would quieten NaNs.
fn widened(bits: u32) -> u64 {
    let (sign, exponent, fraction) = ((bits >> 31) as u64, (bits >> 23) & 0xff, (bits & 0x7f_ffff) as u64);
    match exponent {
        0xff => sign << 63 | 0x7ff << 52 | fraction << 29,
        _ => f64::from(f32::from_bits(bits)).to_bits(),
    }
}

/// A basic block, by its number among the function's.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Label(pub(crate) u32);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0)
    }
}

/// Part of a local that LLVM turns into registers: an `alloca` that nothing but [`Writer::get`] and [`Writer::put`]
/// touch.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Var(u32);

/// What is known of a variable.
struct VarState {
    address: Value,
    /// The lines that make it.
    made: String,
    /// Whether anything reads it from memory. If not, nothing of it is written in the end.
    is_read: bool,
    /// Its value, while the number is that of [`Writer::known_in`].
    held: Option<(u32, Value)>,
}

/// A line that fills a variable: where it stands in the text.
struct Put {
    var: Var,
    line: std::ops::Range<usize>,
}

/// Text with lines that may turn out to be of no use.
#[derive(Default)]
struct Lines {
    text: String,
    puts: Vec<Put>,
}

impl Lines {
    /// The text without lines that fill what nobody reads.
    fn write_to(&self, out: &mut String, is_read: impl Fn(Var) -> bool) {
        let mut from = 0;
        for put in self.puts.iter().filter(|it| !is_read(it.var)) {
            out.push_str(&self.text[from..put.line.start]);
            from = put.line.end;
        }
        out.push_str(&self.text[from..]);
    }
}

/// The text of a function's body: slots for locals first, what is rarely run last.
#[derive(Default)]
pub(crate) struct Writer {
    slots: String,
    vars: Vec<VarState>,
    hot: Lines,
    cold: Lines,
    /// How many cold parts are being written, one inside the other.
    in_cold: u32,
    temps: u32,
    labels: u32,
    /// The block that is being written.
    at: Option<Label>,
    /// What instructions carry: their place in the source.
    place: Option<String>,
    /// Changes where another way joins, which brings other values of variables.
    known_in: u32,
    /// How many parts that come back are being written, one inside the other: what is read there is not known behind
    /// them.
    aside: u32,
}

impl Writer {
    /// Where instructions go at the moment.
    fn out(&mut self) -> &mut Lines {
        if self.in_cold > 0 { &mut self.cold } else { &mut self.hot }
    }

    pub(crate) fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    /// The block at hand.
    pub(crate) fn here(&self) -> Label {
        self.at.expect("a block was begun")
    }

    /// Whether instructions may follow: a block was begun and has not ended.
    pub(crate) fn is_open(&self) -> bool {
        self.at.is_some()
    }

    /// Begins a block.
    pub(crate) fn begin(&mut self, label: Label) {
        self.known_in += 1;
        self.begin_behind(label);
    }

    /// Begins a block in which variables hold what they did at the end of the one written last, or in front of the
    /// part written aside.
    pub(crate) fn begin_behind(&mut self, label: Label) {
        debug_assert!(self.at.is_none(), "the block before ends first");
        self.at = Some(label);
        let _ = writeln!(self.out().text, "{label}:");
    }

    /// From here on, what is written may be passed by, until [`Writer::leave_aside`].
    pub(crate) fn enter_aside(&mut self) {
        self.aside += 1;
    }

    pub(crate) fn leave_aside(&mut self) {
        self.aside -= 1;
    }

    /// Reads a variable.
    pub(crate) fn get(&mut self, var: Var, ty: LlTy) -> Value {
        let state = &mut self.vars[var.0 as usize];
        if let Some((known_in, value)) = state.held
            && known_in == self.known_in
        {
            return value;
        }
        state.is_read = true;
        let address = state.address;
        let value = self.set(ty, format_args!("load {ty}, ptr {address}"));
        if self.aside == 0 {
            self.vars[var.0 as usize].held = Some((self.known_in, value));
        }
        value
    }

    /// Writes a variable.
    pub(crate) fn put(&mut self, value: Value, var: Var) {
        let state = &mut self.vars[var.0 as usize];
        state.held = (self.aside == 0).then_some((self.known_in, value));
        let address = state.address;
        let start = self.out().text.len();
        self.line(format_args!("store {} {value}, ptr {address}", value.ty));
        let end = self.out().text.len();
        self.out().puts.push(Put { var, line: start..end });
    }

    /// The address of a variable, for who looks at it by ways that are not seen here.
    pub(crate) fn address_of(&mut self, var: Var) -> Value {
        let state = &mut self.vars[var.0 as usize];
        state.is_read = true;
        state.address
    }

    /// Writes an instruction without a result.
    pub(crate) fn line(&mut self, text: fmt::Arguments<'_>) {
        debug_assert!(self.is_open(), "{text}");
        let place = self.place.take();
        let _ = writeln!(self.out().text, "  {text}{}", place.as_deref().unwrap_or_default());
        self.place = place;
    }

    /// What instructions carry from here on.
    pub(crate) fn at_place(&mut self, place: Option<String>) {
        self.place = place;
    }

    /// Writes an instruction that stands before everything but slots.
    pub(crate) fn at_start(&mut self, text: fmt::Arguments<'_>) {
        let _ = writeln!(self.slots, "  {text}");
    }

    /// Writes the last instruction of a block.
    pub(crate) fn end(&mut self, text: fmt::Arguments<'_>) {
        self.line(text);
        self.at = None;
    }

    /// Writes an instruction and names its result.
    pub(crate) fn set(&mut self, ty: LlTy, text: fmt::Arguments<'_>) -> Value {
        let result = Value { ty, it: Written::Temp(self.temps) };
        self.temps += 1;
        self.line(format_args!("{result} = {text}"));
        result
    }

    /// Makes memory of the frame.
    pub(crate) fn slot(&mut self, name: &str, ty: &str, align: u32) -> Value {
        let value = Value::named(LlTy::Ptr, name);
        let _ = writeln!(self.slots, "  {value} = alloca {ty}, align {align}");
        value
    }

    /// Makes a variable, which holds zero before anything else happens if that is asked for.
    pub(crate) fn var(&mut self, name: &str, ty: LlTy, align: u32, is_zero: bool) -> Var {
        let address = Value::named(LlTy::Ptr, name);
        let mut made = format!("  {address} = alloca {ty}, align {align}\n");
        if is_zero {
            let _ = writeln!(made, "  store {ty} {}, ptr {address}", Value::zero(ty));
        }
        self.vars.push(VarState { address, made, is_read: false, held: None });
        Var(self.vars.len() as u32 - 1)
    }

    pub(crate) fn next_number(&mut self) -> u32 {
        self.temps += 1;
        self.temps - 1
    }

    /// From here on, what is written is rarely run, until [`Writer::leave_cold`].
    pub(crate) fn enter_cold(&mut self) {
        self.in_cold += 1;
    }

    /// Whether what is written now is rarely run.
    pub(crate) fn is_cold(&self) -> bool {
        self.in_cold > 0
    }

    pub(crate) fn leave_cold(&mut self) {
        self.in_cold -= 1;
    }

    /// The body between the braces.
    pub(crate) fn finish(self) -> String {
        debug_assert!(self.at.is_none(), "every block has an end");
        let is_read = |var: Var| self.vars[var.0 as usize].is_read;
        let mut text = "start:\n".to_owned();
        self.vars.iter().filter(|it| it.is_read).for_each(|it| text.push_str(&it.made));
        text.push_str(&self.slots);
        text.push_str("  br label %b0\n");
        self.hot.write_to(&mut text, is_read);
        self.cold.write_to(&mut text, is_read);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_written_as_llvm_reads_them() {
        let f32 = |x: f32| Value { ty: LlTy::F32, it: Written::F32(x.to_bits()) }.to_string();
        assert_eq!(f32(1.5), "0x3FF8000000000000");
        assert_eq!(Value { ty: LlTy::F32, it: Written::F32(0x7fa0_0000) }.to_string(), "0x7FF4000000000000");
        assert_eq!(Value::int(LlTy::Ptr, 0).to_string(), "null");
        assert_eq!(Value::int(LlTy::Ptr, 3).to_string(), "inttoptr (i64 3 to ptr)");
    }
}

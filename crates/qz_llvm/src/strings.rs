//! Operations on strings that are done in place rather than by the runtime: where one side is a literal, LLVM
//! knows its size and bytes.

use qz_rt_abi::object::{STR_BYTES, STR_LEN};
use qz_rt_abi::registry::rt;

use crate::function::FnCx;
use crate::ir::{LlTy, Value};
use crate::memory::{Addr, NONNULL};

impl FnCx<'_, '_> {
    /// Whether two strings have the same bytes, as a `Bool`.
    pub(crate) fn strings_equal(&mut self, a: Value, b: Value) -> Value {
        let len = self.load(LlTy::I32, Addr::object(a).plus(STR_LEN));
        let other = self.load(LlTy::I32, Addr::object(b).plus(STR_LEN));
        let same_size = self.icmp("eq", len, other);
        let equal = self.either(
            same_size,
            "",
            |cx| {
                if !a.is_global() && !b.is_global() {
                    // Short texts, which most are, take the runtime less time than C's function.
                    let equal = cx.runtime(rt::str_eq, &[a, b]).expect("a result");
                    return cx.icmp_imm("ne", equal, 0);
                }
                let bytes =
                    |cx: &mut Self, s| cx.load_with(LlTy::Ptr, Addr::object(s).plus(STR_BYTES), NONNULL);
                let (a, b) = (bytes(cx, a), bytes(cx, b));
                let len = cx.resized_as(len, LlTy::I64, false);
                let order = cx.memcmp(a, b, len);
                cx.icmp_imm("eq", order, 0)
            },
            |_| Value::int(LlTy::I1, 0),
        );
        self.byte_of(equal)
    }

    /// Compares `n` bytes as C's function does.
    pub(crate) fn memcmp(&mut self, a: Value, b: Value, n: Value) -> Value {
        self.program.declare("memcmp", "declare i32 @memcmp(ptr, ptr, i64) #3".into());
        self.w.set(LlTy::I32, format_args!("call i32 @memcmp(ptr {a}, ptr {b}, i64 {n})"))
    }
}

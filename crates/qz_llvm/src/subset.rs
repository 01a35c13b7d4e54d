//! The part of LLVM's language that is used: what LLVM 15 to 22 all read the same way.
//!
//! | kind | used |
//! |---|---|
//! | types | `i1 i8 i16 i32 i64 i128 float double ptr void`, arrays, literal and named structs |
//! | globals | `private`/`internal` `constant`/`global`, `align`, `unnamed_addr` |
//! | functions | `internal fastcc`, C's convention for what is outside, for `main` and for what C calls |
//! | parameters | `noundef nonnull noalias align dereferenceable signext zeroext byval sret` |
//! | instructions | `alloca load store getelementptr`, integer and float arithmetic, `icmp fcmp select phi`, conversions, `insertvalue extractvalue`, `call`, `br switch ret unreachable` |
//! | intrinsics | `*.with.overflow`, `fpto*.sat`, `memmove memset read_register`, `ctpop ctlz cttz bswap fshl`, `sqrt floor ceil trunc rint fabs copysign` |
//! | metadata | `!tbaa` (scalar types), `!prof` (branch weights), `!range`, `!nonnull`; with `-g` `!dbg` and what it leads to |
//! | attributes | `nounwind cold noinline inlinehint readnone readonly willreturn`, `"probe-stack" "frame-pointer"` |
//!
//! Not used, because versions differ: data layout strings, `memory(…)`, `captures(…)`, `splat`, constant
//! expressions but `inttoptr`, debug records.
//!
//! A program has this shape: named struct types; data (`@string.0`, `@closure.0`, …, `@qz.types`, `@qz.places`,
//! `@qz.program`); its functions by their symbols, each with the fiber as first parameter; `@qz.run` and `@main`;
//! declarations; attributes; metadata. Locals keep their names: `%total.3` is local 3, called `total`.

use qz_rt_abi::RtFn;
use qz_rt_abi::registry::rt;

use crate::{Arch, Options};

/// What stands before everything else.
pub(crate) fn header(arch: Arch) -> String {
    format!(
        "; A Quartz program. Link it with the runtime library, libqz_rt_native.a.\n\
         target triple = \"{}\"\n\n\
         %qz.string = type {{ i32, i32, ptr, i32, i32 }}\n\
         %qz.type = type {{ i32, i32, ptr, ptr, i64 }}\n\
         %qz.place = type {{ i32, i32, i32, i32, i32, i32, i32, i32 }}\n\n",
        arch.triple()
    )
}

/// `#0`: everything. `#1`: what is called when something goes wrong. `#2`: depends on its arguments only.
/// `#3`: depends on its arguments and what they lead to. `#4`: called rarely.
pub(crate) fn attributes(options: Options) -> String {
    // Debuggers tell a function's prologue by its frame pointer.
    let frames = if options.names_in_memory { " \"frame-pointer\"=\"all\"" } else { "" };
    let watched = options.sanitize.map_or(String::new(), |it| format!(" sanitize_{}", it.name()));
    format!(
        "{DECLARATIONS}attributes #0 = {{ nounwind \"probe-stack\"=\"inline-asm\"{frames}{watched} }}\n{ATTRIBUTES}"
    )
}

const DECLARATIONS: &str = "\
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

";

const ATTRIBUTES: &str = "\
attributes #1 = { nounwind cold }
attributes #2 = { nounwind willreturn readnone }
attributes #3 = { nounwind willreturn readonly }
attributes #4 = { nounwind cold }
attributes #5 = { nounwind noinline }

";

/// What LLVM may know of a function of the runtime: facts of its result, its attributes.
pub(crate) fn runtime_facts(f: RtFn) -> (&'static str, &'static str) {
    const RARE: [RtFn; 5] =
        [rt::new_object, rt::retain_shared, rt::release_shared, rt::defer_destroy, rt::next_deferred];
    let is_new = [rt::new_object, rt::alloc, rt::realloc].contains(&f);
    let result = if is_new { "noalias noundef nonnull " } else { "" };
    let attributes = match f.def() {
        _ if RARE.contains(&f) => "#4",
        def if def.only_args => "#2",
        def if def.reads => "#3",
        _ => "#0",
    };
    (result, attributes)
}

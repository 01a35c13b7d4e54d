//! Enums with `@repr`: values are the numbers of their variants. C may have written one that no variant has.

use qz_base::Name;
use qz_mir::build::Builder;
use qz_mir::{BlockId, Callee, Const, Local, Operand, Place, Rvalue, TermKind};
use qz_types::ty::common;
use qz_types::{Ty, TyKind};

use crate::{Lowerer, main_key};

/// Which variant of its enum a value is, by its place in the declaration.
pub(crate) fn variant_index(lw: &Lowerer<'_, '_>, b: &mut Builder, place: Place, ty: Ty) -> Local {
    let int = common().int;
    let Some((_, numbers)) = lw.defs().repr_numbers(ty) else {
        return b.eval(int, Rvalue::Discriminant(place));
    };
    let (number, index) = (Operand::Copy(place.field(0)), b.temp(int));
    let cases: Vec<(i128, BlockId)> = numbers.iter().map(|&it| (it.into(), b.new_block())).collect();
    let (otherwise, after) = (b.new_block(), b.new_block());
    b.end(TermKind::Switch { value: number.clone(), cases: cases.clone(), otherwise: Some(otherwise) });
    for (n, (_, block)) in (0..).zip(cases) {
        b.switch_to(block);
        b.assign_local(index, Rvalue::Use(Operand::int(n)));
        b.goto(after);
    }
    b.switch_to(otherwise);
    no_variant(lw, b, number, ty);
    b.switch_to(after);
    index
}

/// Ends a block by a panic: no variant has this number.
pub(crate) fn no_variant(lw: &Lowerer<'_, '_>, b: &mut Builder, number: Operand, ty: Ty) {
    let (adt, _) = ty.as_adt().expect("an enum");
    let int = lw.defs().adts[adt].repr_int.expect("an enum of numbers");
    let type_args = Ty::list(&[Ty::new(TyKind::Int(int))]);
    let callee = Callee::Fn(main_key(lw.lang_fn("no_variant")), type_args, [].into());
    let name: Name = lw.defs().adts[adt].name;
    let dest = b.temp(common().never);
    b.call(dest, callee, vec![number, Operand::Const(Const::Str(name.as_str().into()))]);
    b.end(TermKind::Unreachable);
}

//! Types as users write them. Names of declarations come from the caller through [`DefNames`].

use std::fmt;

use qz_base::Name;

use crate::defs::{AdtId, FnId, TraitId};
use crate::row::Row;
use crate::ty::{Mutability, TraitRef, Ty, TyKind};

/// Who knows what declarations are called.
pub trait DefNames {
    fn adt_name(&self, id: AdtId) -> Name;
    fn trait_name(&self, id: TraitId) -> Name;
    /// Whether this is `std`'s `Option`, shown as `T?`.
    fn is_option(&self, id: AdtId) -> bool;
    /// Whether this is what a union of so many members is made of, shown as `A | B`.
    fn is_union(&self, id: AdtId) -> bool;
    /// What is said of the `n`th `impl Trait` of a function's result, as far as it is known.
    fn opaque_bounds(&self, owner: FnId, n: u32, args: &[Ty]) -> Vec<TraitRef>;
}

/// Shows a type to a user.
pub struct Display<'a> {
    pub ty: Ty,
    pub names: &'a dyn DefNames,
}

impl Ty {
    pub fn display(self, names: &dyn DefNames) -> Display<'_> {
        Display { ty: self, names }
    }
}

impl fmt::Display for Display<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_ty(f, self.ty, self.names)
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, list: &[Ty], names: &dyn DefNames) -> fmt::Result {
    for (i, &ty) in list.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write_ty(f, ty, names)?;
    }
    Ok(())
}

fn write_args(f: &mut fmt::Formatter<'_>, args: &[Ty], names: &dyn DefNames) -> fmt::Result {
    if args.is_empty() {
        return Ok(());
    }
    f.write_str("<")?;
    write_list(f, args, names)?;
    f.write_str(">")
}

fn write_trait_ref(f: &mut fmt::Formatter<'_>, it: TraitRef, names: &dyn DefNames) -> fmt::Result {
    write!(f, "{}", names.trait_name(it.trait_id))?;
    write_args(f, it.args, names)
}

fn write_fields(f: &mut fmt::Formatter<'_>, fields: &[(Name, Ty)], names: &dyn DefNames) -> fmt::Result {
    for (i, &(name, ty)) in fields.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{name}: ")?;
        write_ty(f, ty, names)?;
    }
    Ok(())
}

fn write_bounds(f: &mut fmt::Formatter<'_>, bounds: &[TraitRef], names: &dyn DefNames) -> fmt::Result {
    for (i, &it) in bounds.iter().enumerate() {
        if i > 0 {
            f.write_str(" & ")?;
        }
        write_trait_ref(f, it, names)?;
    }
    Ok(())
}

fn write_row(f: &mut fmt::Formatter<'_>, row: Row, names: &dyn DefNames) -> fmt::Result {
    for (i, part) in row.parts().enumerate() {
        f.write_str(if i == 0 { " can " } else { " + " })?;
        write_ty(f, part, names)?;
    }
    Ok(())
}

/// A type beside a sign that would belong to its last part alone.
fn write_closed(f: &mut fmt::Formatter<'_>, ty: Ty, names: &dyn DefNames) -> fmt::Result {
    let is_open = match *ty.kind() {
        TyKind::Adt(id, _) => names.is_union(id),
        TyKind::Fn(_) | TyKind::Opaque(..) => true,
        TyKind::Dyn(traits) => traits.len() > 1,
        _ => false,
    };
    f.write_str(if is_open { "(" } else { "" })?;
    write_ty(f, ty, names)?;
    f.write_str(if is_open { ")" } else { "" })
}

fn write_ty(f: &mut fmt::Formatter<'_>, ty: Ty, names: &dyn DefNames) -> fmt::Result {
    match *ty.kind() {
        TyKind::Error => f.write_str("?"),
        TyKind::Never => f.write_str("Never"),
        TyKind::Bool => f.write_str("Bool"),
        TyKind::Char => f.write_str("Char"),
        TyKind::Str => f.write_str("String"),
        TyKind::Int(int) => f.write_str(int.name()),
        TyKind::Float(float) => f.write_str(float.name()),
        TyKind::Tuple([]) => f.write_str("Void"),
        TyKind::Tuple(parts) => {
            f.write_str("(")?;
            write_list(f, parts, names)?;
            f.write_str(if parts.len() == 1 { ",)" } else { ")" })
        }
        TyKind::Adt(id, [of]) if names.is_option(id) && !matches!(of.kind(), TyKind::Fn(_)) => {
            write_closed(f, *of, names)?;
            f.write_str("?")
        }
        TyKind::Adt(id, members) if names.is_union(id) => {
            for (i, &member) in members.iter().enumerate() {
                f.write_str(if i > 0 { " | " } else { "" })?;
                write_closed(f, member, names)?;
            }
            Ok(())
        }
        TyKind::Adt(id, args) => {
            write!(f, "{}", names.adt_name(id))?;
            write_args(f, args, names)
        }
        TyKind::Fn(func) => {
            f.write_str("Fn(")?;
            write_list(f, func.params, names)?;
            f.write_str("): ")?;
            match func.ret.kind() {
                TyKind::Adt(..) => write_closed(f, func.ret, names)?,
                _ => write_ty(f, func.ret, names)?,
            }
            write_row(f, func.row, names)
        }
        TyKind::Ref(Mutability::Shared, to) => {
            f.write_str("&")?;
            write_closed(f, to, names)
        }
        TyKind::Ref(Mutability::Mut, to) => {
            f.write_str("&mut ")?;
            write_closed(f, to, names)
        }
        TyKind::Ptr(to) => {
            f.write_str("Ptr<")?;
            write_ty(f, to, names)?;
            f.write_str(">")
        }
        TyKind::Dyn(traits) => {
            f.write_str("dyn ")?;
            write_bounds(f, traits, names)
        }
        TyKind::Param(param) => write!(f, "{}", param.name),
        TyKind::Assoc(assoc) => {
            write_ty(f, assoc.args[0], names)?;
            write!(f, "::{}", assoc.name)
        }
        TyKind::Opaque(owner, n, args) => {
            f.write_str("impl ")?;
            match &names.opaque_bounds(owner, n, args)[..] {
                [] => f.write_str("…"),
                bounds => write_bounds(f, bounds, names),
            }
        }
        TyKind::Record(fields) => {
            f.write_str("{ ")?;
            write_fields(f, fields, names)?;
            f.write_str(" }")
        }
        TyKind::OpenRecord(fields, rest) => {
            f.write_str("{ ")?;
            write_fields(f, fields, names)?;
            match rest.kind() {
                // A rest that nobody has named is called by its dots.
                TyKind::Param(it) if it.name.as_str() != "..." => write!(f, ", ...{} }}", it.name),
                _ => f.write_str(", ... }"),
            }
        }
        TyKind::Infer(_) => f.write_str("_"),
    }
}

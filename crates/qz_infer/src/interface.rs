//! What others can see of a function, as a text: equal texts mean that no other body can tell the difference. Nothing in
//! it depends on numbers of declarations or on the order in which things became known.

use std::fmt::Write;

use qz_hir::types::Paths;
use qz_types::{DefNames, FnId, TraitRef, Ty, TyKind};

use crate::Checker;
use crate::needs::What;

impl Checker<'_> {
    /// What decides which type it is, though nobody reads it: which parameters and whose hidden types are in it, which
    /// traits its associated types are of, and how its rows go on.
    pub(crate) fn unseen(&self, ty: Ty, names: &Paths<'_>) -> String {
        let mut text = String::new();
        ty.walk(&mut |part| match *part.kind() {
            TyKind::Opaque(owner, n, _) => text += &format!(" {}#{n}", self.defs.fn_path(owner)),
            // Parameters that nobody named have the same names: `impl Show`, and the rests of records.
            TyKind::Param(it) => text += &format!(" ${}", it.index),
            TyKind::Assoc(assoc) => text += &format!(" {}", names.trait_name(assoc.trait_id)),
            TyKind::Fn(func) => {
                text += &func.row.tail.map_or(String::new(), |tail| format!(" ...{}", tail.display(names)));
            }
            _ => {}
        });
        text
    }

    /// Writes what others can see of a function with a body: its type with everything inferred, and what stands behind
    /// each `impl Trait` of its result.
    pub fn write_interface(&self, id: FnId, text: &mut String) {
        let names = Paths(self.defs);
        let show = |ty: Ty| ty.display(&names).to_string() + &self.unseen(ty, &names);
        let show_trait = |it: TraitRef| {
            let args: Vec<String> = it.args.iter().map(|&ty| show(ty)).collect();
            format!("{}<{}>", names.trait_name(it.trait_id), args.join(", "))
        };
        let scheme = self.scheme(id);
        let mut put = |part: std::fmt::Arguments<'_>| text.write_fmt(part).expect("a text takes all");
        put(format_args!("{}", self.defs.fn_path(id)));
        for param in &scheme.generics.params {
            put(format_args!(" <{}>", param.name));
        }
        for it in &scheme.generics.preds {
            put(format_args!(" where {}: {}", show(it.ty), show_trait(it.trait_ref)));
            it.assoc.iter().for_each(|&(name, ty)| put(format_args!(" {name} = {}", show(ty))));
        }
        for it in &scheme.members {
            let module = self.defs.modules[it.module].path;
            let form = it.maybe_field;
            put(format_args!(" has {} {} {form:?} {module}", show(it.receiver), it.name));
            it.args.iter().for_each(|&ty| put(format_args!(" {},", show(ty))));
            put(format_args!(" {}", show(it.ret)));
        }
        scheme.params.iter().for_each(|&ty| put(format_args!(" ({})", show(ty))));
        put(format_args!(": {}", show(scheme.ret)));
        if !self.defs.fn_sig(id).opaques.is_empty() {
            self.check_fn(id).hidden.iter().for_each(|&ty| put(format_args!(" is {}", show(ty))));
        }
        if !self.defs.modules[self.defs.fns[id].module].is_std {
            for need in self.needs(id).iter() {
                match need.what {
                    What::Type(ty, marker) => put(format_args!(" needs {}: {}", show(ty), marker.role())),
                    What::Function(n, marker) => put(format_args!(" needs {n}: {}", marker.role())),
                }
            }
        }
        put(format_args!("\n"));
    }
}

//! What C can take and give: the types in declarations of foreign functions, in functions for C to call, and in
//! `@repr(C)` structs.

use qz_base::Span;
use qz_hir::{AdtKind, Container, FnKind, ModuleId};
use qz_types::{AdtId, FnId, Ty, TyKind, subst};

use crate::checker::Checker;
use crate::diagnostics as words;

/// Where a type stands that C has to know.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum CPlace {
    /// A parameter of a foreign function: what lives in an object is passed by its address.
    Param,
    /// A result, or anything of a function that C calls.
    Value,
    /// A field of a struct: also a row of equal elements.
    Field,
}

/// So many structs are looked at for one type; what leads to more grows without end.
const MAX_STRUCTS: usize = 256;

impl Checker<'_> {
    /// Checks the declarations of a module that C sees.
    pub(crate) fn check_foreign(&self, wanted: &dyn Fn(ModuleId) -> bool) {
        for (id, def) in self.defs.adts.iter() {
            if wanted(def.module) && def.repr_int.is_some() {
                self.check_repr_int(id);
            } else if wanted(def.module) && def.repr_c {
                self.check_repr_c(id);
            }
        }
        for (id, def) in self.defs.fns.iter() {
            let is_declared = matches!(def.kind, FnKind::ExternC { .. });
            if wanted(def.module) && (is_declared || def.attrs.export.is_some()) {
                self.check_foreign_fn(id, is_declared);
            }
        }
    }

    fn check_foreign_fn(&self, id: FnId, is_declared: bool) {
        let def = &self.defs.fns[id];
        let file = self.defs.file_of(def.module);
        let sig = self.defs.fn_sig(id);
        if !sig.generics.is_empty() || def.container != Container::Module {
            // Told where names were looked at.
            return;
        }
        let place = if is_declared { CPlace::Param } else { CPlace::Value };
        for param in sig.params.iter().filter(|it| !it.is_rest) {
            let span = Span::new(file, param.range);
            match param.ty {
                None => self.defs.report(words::foreign_param_type(span, param.name)),
                Some(ty) => self.check_c_type(ty, place, span),
            }
        }
        if let Some(ret) = sig.ret.filter(|ty| !ty.is_unit() && !ty.is_never()) {
            let span = self.defs.ret_span(id).unwrap_or(self.defs.fn_span(id));
            self.check_c_type(ret, CPlace::Value, span);
        }
    }

    /// An enum whose values are numbers. That its variants have no values was seen to where they were numbered.
    fn check_repr_int(&self, id: AdtId) {
        let (def, span) = (&self.defs.adts[id], self.defs.adt_span(id));
        if def.kind != AdtKind::Enum {
            return self.defs.report(words::repr_int_place(span));
        }
        if !self.defs.adt_generics(id).is_empty() || self.defs.adt_fields(id).variants.is_empty() {
            self.defs.report(words::repr_enum(span, def.name));
        }
    }

    fn check_repr_c(&self, id: AdtId) {
        let def = &self.defs.adts[id];
        let file = self.defs.file_of(def.module);
        if !matches!(def.kind, AdtKind::Struct | AdtKind::Value) {
            return self.defs.report(words::repr_c_place(self.defs.adt_span(id)));
        }
        let fields = self.defs.adt_fields(id);
        let fields = &fields.variants[0].fields;
        if fields.is_empty() {
            self.defs.report(words::empty_c_struct(self.defs.adt_span(id), def.name));
        }
        for field in fields {
            self.check_c_type(field.ty, CPlace::Field, Span::new(file, field.range));
        }
    }

    fn check_c_type(&self, ty: Ty, place: CPlace, span: Span) {
        if let Err(culprit) = self.c_type(ty, place) {
            let shown = ty.display(self.defs).to_string();
            let inner = (culprit != ty).then(|| culprit.display(self.defs).to_string());
            let help = self.c_type_help(culprit, if inner.is_none() { place } else { CPlace::Field });
            self.defs.report(words::no_c_type(span, &shown, inner.as_deref(), help.as_deref()));
        }
    }

    /// Whether C knows such values; the part that it does not know, otherwise.
    pub(crate) fn c_type(&self, ty: Ty, place: CPlace) -> Result<(), Ty> {
        self.c_type_in(ty, place, &mut Vec::new())
    }

    /// `seen` are structs that are being looked at, or were found to be fine.
    fn c_type_in(&self, ty: Ty, place: CPlace, seen: &mut Vec<Ty>) -> Result<(), Ty> {
        match *ty.kind() {
            TyKind::Error | TyKind::Int(_) | TyKind::Float(_) | TyKind::Bool | TyKind::Ptr(_) => Ok(()),
            TyKind::Param(_) if place == CPlace::Field => Ok(()),
            TyKind::Ref(_, to) if place == CPlace::Param => self.c_type_in(to, CPlace::Value, seen),
            TyKind::Tuple([first, rest @ ..])
                if place == CPlace::Field && rest.iter().all(|it| it == first) =>
            {
                self.c_type_in(*first, CPlace::Field, seen)
            }
            TyKind::Adt(id, args) => self.c_struct(ty, id, args, place, seen),
            _ => Err(ty),
        }
    }

    fn c_struct(&self, ty: Ty, id: AdtId, args: &[Ty], place: CPlace, seen: &mut Vec<Ty>) -> Result<(), Ty> {
        let def = &self.defs.adts[id];
        match def.kind {
            _ if def.lang.is_some_and(|lang| lang.as_str() == "CString") => {
                if place == CPlace::Param {
                    Ok(())
                } else {
                    Err(ty)
                }
            }
            _ if def.lang.is_some_and(|lang| lang.as_str() == "CFn") => {
                self.c_function_in(args[0], seen).map_err(|_| ty)
            }
            // C would not ask the predicate.
            AdtKind::Newtype if self.defs.refinement(id).is_some() => Err(ty),
            AdtKind::Newtype => {
                if seen.contains(&ty) || seen.len() > MAX_STRUCTS {
                    return Ok(());
                }
                seen.push(ty);
                let fields = self.defs.adt_fields(id);
                let inner = fields.variants[0].fields.first().map(|it| subst(it.ty, args));
                let place = if place == CPlace::Param { CPlace::Value } else { place };
                inner.map_or(Err(ty), |inner| self.c_type_in(inner, place, seen))
            }
            AdtKind::Enum if def.repr_int.is_some() => Ok(()),
            AdtKind::Value if def.repr_c => self.c_fields(ty, id, args, seen),
            AdtKind::Struct if def.repr_c && place == CPlace::Param => self.c_fields(ty, id, args, seen),
            _ => Err(ty),
        }
    }

    fn c_fields(&self, ty: Ty, id: AdtId, args: &[Ty], seen: &mut Vec<Ty>) -> Result<(), Ty> {
        if seen.contains(&ty) {
            return Ok(());
        }
        seen.push(ty);
        if seen.len() > MAX_STRUCTS {
            return Err(ty);
        }
        let fields = self.defs.adt_fields(id);
        let mut fields = fields.variants[0].fields.iter();
        // A declaration's own parameters are looked at where they have arguments.
        fields.try_for_each(|field| {
            let ty = subst(field.ty, args);
            if matches!(ty.kind(), TyKind::Param(_)) {
                Err(ty)
            } else {
                self.c_type_in(ty, CPlace::Field, seen)
            }
        })
    }

    /// Whether a function type is one that C can call.
    pub(crate) fn c_function(&self, ty: Ty) -> Result<(), Ty> {
        self.c_function_in(ty, &mut Vec::new())
    }

    fn c_function_in(&self, ty: Ty, seen: &mut Vec<Ty>) -> Result<(), Ty> {
        let Some(func) = ty.as_fn() else {
            return if ty.is_error() { Ok(()) } else { Err(ty) };
        };
        let mut params = func.params.iter();
        params.try_for_each(|&it| self.c_type_in(it, CPlace::Value, seen))?;
        if func.ret.is_unit() || func.ret.is_never() {
            Ok(())
        } else {
            self.c_type_in(func.ret, CPlace::Value, seen)
        }
    }

    pub(crate) fn c_type_help(&self, ty: Ty, place: CPlace) -> Option<String> {
        let shown = ty.display(self.defs);
        Some(match *ty.kind() {
            TyKind::Str if place == CPlace::Param => "pass a `CString`, which `text.cstr` makes".to_owned(),
            TyKind::Str => "C's text is a `Ptr<CChar>`; its `text` reads it".to_owned(),
            TyKind::Char => "use `U32`, which holds any number that C may give".to_owned(),
            TyKind::Fn(_) => format!("a function that C calls is a `CFn<{shown}>`, which `c_fn` makes"),
            TyKind::Ref(..) => "outside of a foreign function's parameters write `Ptr<…>`".to_owned(),
            TyKind::Tuple([]) => "C has no values of this type".to_owned(),
            TyKind::Tuple(_) => {
                "as a field, a tuple of equal types is an array; otherwise declare a struct".to_owned()
            }
            TyKind::Adt(id, args) => return self.c_struct_help(id, args, place),
            _ => return None,
        })
    }

    fn c_struct_help(&self, id: AdtId, args: &[Ty], place: CPlace) -> Option<String> {
        let def = &self.defs.adts[id];
        let name = def.name;
        let is_lang = |role: &str| self.defs.lang.adt(role) == Some(id);
        Some(if is_lang("Vec") {
            format!("pass `Ptr<{}>`, which `ptr` of a vector gives, and its size", args[0].display(self.defs))
        } else if is_lang("Bytes") {
            "pass `Ptr<U8>`, which `ptr` gives, and the size".to_owned()
        } else if is_lang("CString") {
            "C's own text is a `Ptr<CChar>`".to_owned()
        } else if is_lang("Option") && matches!(args[0].kind(), TyKind::Ptr(_)) {
            "a pointer can be null: ask `null?`".to_owned()
        } else if is_lang("CFn") {
            "the types inside must be C's as well".to_owned()
        } else if matches!(def.kind, AdtKind::Struct) && def.repr_c && place != CPlace::Param {
            format!(
                "`{name}` is a reference: a struct that C gets as a value is a `@value` struct; C's pointer is a `Ptr<…>`"
            )
        } else if matches!(def.kind, AdtKind::Struct | AdtKind::Value) && !def.repr_c {
            format!("declare `{name}` with `@repr(C)`")
        } else if def.kind == AdtKind::Enum {
            match self.defs.adt_fields(id).variants.iter().all(|it| it.fields.is_empty()) {
                true => format!("declare `{name}` with `@repr(C)`"),
                false => "C's enums are numbers, without values: hand those on".to_owned(),
            }
        } else {
            return None;
        })
    }
}

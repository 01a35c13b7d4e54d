//! What happens when a value of a type is released: nothing, memory is given back, or user code runs?

use std::cell::RefCell;

use qz_base::FxHashMap;
use qz_mir::layout::{Layouts, Shape};
use qz_mir::{AdtKind, Source};
use qz_types::{FnId, Ty, TyKind, Tys};
use rustc_hash::FxHashSet;

/// Answers per type, remembered.
pub(crate) struct Drops<'a> {
    source: &'a dyn Source,
    layouts: &'a Layouts<'a>,
    /// Names keep their values to the end of their scope whatever the type.
    keep_all: bool,
    kept: RefCell<FxHashMap<Ty, bool>>,
    runs: RefCell<FxHashMap<Ty, bool>>,
    watched: RefCell<FxHashMap<Ty, bool>>,
    shared: RefCell<FxHashMap<Ty, bool>>,
}

impl<'a> Drops<'a> {
    pub(crate) fn new(source: &'a dyn Source, layouts: &'a Layouts<'a>, keep_all: bool) -> Drops<'a> {
        let (kept, runs, watched, shared) = Default::default();
        Drops { source, layouts, keep_all, kept, runs, watched, shared }
    }

    /// The `drop` written for objects of this type.
    pub(crate) fn user_drop(&self, ty: Ty) -> Option<(FnId, Tys)> {
        matches!(ty.kind(), TyKind::Adt(..)).then(|| self.source.user_drop(ty)).flatten()
    }

    /// Whether values hold counts at all.
    pub(crate) fn is_counted(&self, ty: Ty) -> bool {
        self.layouts.of(ty).needs_release
    }

    /// Whether a name of this type keeps its value to the end of its scope: somewhere inside is a `drop` that
    /// one can watch, or somebody watches with a debugger.
    pub(crate) fn is_kept(&self, ty: Ty) -> bool {
        // What hides its parts ends as it does elsewhere: a debugger must not change what a program does.
        self.end_can_be_watched(ty) || (self.keep_all && !self.is_watched(ty))
    }

    /// Whether somewhere inside a value is a `drop` that one can watch.
    pub(crate) fn end_can_be_watched(&self, ty: Ty) -> bool {
        if let Some(&known) = self.kept.borrow().get(&ty) {
            return known;
        }
        let found = self.search(ty, &mut |part| match part.kind() {
            TyKind::Adt(..) => self.user_drop(part).map(|_| match self.source.drop_is_silent(part) {
                true => Found::OnlyArguments,
                false => Found::Yes,
            }),
            _ => None,
        });
        self.kept.borrow_mut().insert(ty, found);
        found
    }

    /// Whether releasing a value may run code that somebody wrote. Function and `dyn` values may hold
    /// anything.
    pub(crate) fn runs_code(&self, ty: Ty) -> bool {
        if let Some(&known) = self.runs.borrow().get(&ty) {
            return known;
        }
        let found = self.search(ty, &mut |part| match part.kind() {
            TyKind::Fn(_) | TyKind::Dyn(_) => Some(Found::Yes),
            TyKind::Adt(..) => self.user_drop(part).map(|_| Found::Yes),
            _ => None,
        });
        self.runs.borrow_mut().insert(ty, found);
        found
    }

    /// As `runs_code`, but what the library's containers do does not matter, only what they hold.
    pub(crate) fn is_watched(&self, ty: Ty) -> bool {
        if let Some(&known) = self.watched.borrow().get(&ty) {
            return known;
        }
        let found = self.search(ty, &mut |part| match part.kind() {
            TyKind::Fn(_) | TyKind::Dyn(_) => Some(Found::Yes),
            TyKind::Adt(..) => self.user_drop(part).map(|_| match self.source.drop_is_silent(part) {
                true => Found::OnlyArguments,
                false => Found::Yes,
            }),
            _ => None,
        });
        self.watched.borrow_mut().insert(ty, found);
        found
    }

    /// Whether values are pointers to objects of their own type, or may be: reference structs, boxed enums.
    pub(crate) fn is_object(&self, ty: Ty) -> bool {
        self.layouts.is_reference_struct(ty) || self.layouts.of(ty).is_boxed()
    }

    /// Whether values refer to objects without keeping them.
    pub(crate) fn is_weak(&self, ty: Ty) -> bool {
        self.source.weak_target(ty).is_some()
    }

    /// Whether values are objects that can be changed, so that it matters whether there are one or two.
    pub(crate) fn is_mutable_object(&self, ty: Ty) -> bool {
        self.layouts.is_reference_struct(ty)
    }

    /// Whether several tasks may see a value at once: nothing in it can be changed, but for what is behind handles.
    pub(crate) fn is_shared(&self, ty: Ty) -> bool {
        if let Some(&known) = self.shared.borrow().get(&ty) {
            return known;
        }
        let found = self.only_shared_parts(ty);
        self.shared.borrow_mut().insert(ty, found);
        found
    }

    fn only_shared_parts(&self, ty: Ty) -> bool {
        let mut seen = FxHashSet::default();
        let mut work = vec![ty];
        while let Some(ty) = work.pop() {
            if !seen.insert(ty) || !self.is_counted(ty) {
                continue;
            }
            match ty.kind() {
                TyKind::Fn(_) | TyKind::Dyn(_) => return false,
                _ if !self.is_mutable_object(ty) => self.each_part(ty, &mut |part| work.push(part)),
                _ if !self.source.is_handle(ty) => return false,
                _ => {}
            }
        }
        true
    }

    /// Walks through everything that is released along with a value.
    fn search(&self, ty: Ty, test: &mut dyn FnMut(Ty) -> Option<Found>) -> bool {
        let mut seen = FxHashSet::default();
        let mut work = vec![ty];
        while let Some(ty) = work.pop() {
            if !seen.insert(ty) || !self.is_counted(ty) {
                continue;
            }
            match test(ty) {
                Some(Found::Yes) => return true,
                Some(Found::OnlyArguments) => {
                    if let TyKind::Adt(_, args) = *ty.kind() {
                        work.extend(args);
                    }
                }
                None => self.each_part(ty, &mut |part| work.push(part)),
            }
        }
        false
    }

    /// The types stored in a value or in the object behind it.
    pub(crate) fn each_part(&self, ty: Ty, f: &mut dyn FnMut(Ty)) {
        if let TyKind::Adt(id, _) = *ty.kind()
            && let AdtKind::Reference(_) = self.source.adt(id).kind
        {
            return self.layouts.object(ty).fields.tys.iter().copied().for_each(f);
        }
        match &self.layouts.of(ty).shape {
            Shape::Product(fields) => fields.tys.iter().copied().for_each(f),
            Shape::Enum(it) => it.variants.iter().flat_map(|v| v.tys.iter().copied()).for_each(f),
            Shape::Never | Shape::Scalar(_) | Shape::Object | Shape::Pointer => {}
        }
    }
}

enum Found {
    Yes,
    /// The type itself does not matter, but what it is a container of.
    OnlyArguments,
}

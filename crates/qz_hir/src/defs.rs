//! Declarations by id. A declaration remembers its node in its file's tree; signatures and bodies are
//! lowered from there when first asked for.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use qz_base::{Arena, FileId, FxHashMap, FxHashSet, Id, IdVec, Name, Span, TextRange};
use qz_diag::{Code, Diagnostic};
use qz_syntax::SyntaxTree;
use qz_types::defs::{AdtMarker, EffectMarker, FnMarker, StaticMarker, TraitMarker};
use qz_types::subst::{subst, subst_trait_ref};
use qz_types::{AdtId, EffectId, FloatTy, FnId, IntTy, Row, StaticId, TraitId, TraitRef, Ty, TyKind};

use crate::scope::Scope;

pub type ModuleId = Id<Module>;
pub type ImplId = Id<ImplDef>;
pub type AliasId = Id<AliasDef>;
pub type ActorId = Id<ActorDef>;

/// A parsed file: the tree and the text it describes.
#[derive(Clone)]
pub struct ParsedFile {
    pub tree: Arc<SyntaxTree>,
    pub text: Arc<str>,
}

/// All declarations of a program and its libraries.
#[derive(Default)]
pub struct Defs {
    pub files: FxHashMap<FileId, ParsedFile>,
    pub modules: Arena<Module>,
    pub(crate) by_file: FxHashMap<FileId, ModuleId>,
    pub fns: IdVec<FnMarker, FnDef>,
    pub adts: IdVec<AdtMarker, AdtDef>,
    pub traits: IdVec<TraitMarker, TraitDef>,
    pub aliases: Arena<AliasDef>,
    pub impls: Arena<ImplDef>,
    pub statics: IdVec<StaticMarker, StaticDef>,
    pub actors: Arena<ActorDef>,
    pub effects: IdVec<EffectMarker, EffectDef>,
    pub lang: Lang,
    /// Its exports are visible everywhere, behind everything else.
    pub prelude: Option<ModuleId>,
    /// Methods in inherent impls and `extend` blocks, by the head of the type and name.
    pub(crate) inherent: FxHashMap<(TyHead, Name), Vec<FnId>>,
    /// Methods of the library's traits, which are in scope everywhere, by name.
    pub(crate) trait_methods: FxHashMap<Name, Vec<(TraitId, u32)>>,
    pub(crate) trait_impls: FxHashMap<TraitId, Vec<ImplId>>,
    /// The same by the head of the type, so that many types with one trait cost nothing.
    pub(crate) impls_by_head: FxHashMap<(TraitId, TyHead), Vec<ImplId>>,
    /// Variants by name that a module sees, its own and imported enums first; made when first asked for.
    pub(crate) variants_seen: RefCell<FxHashMap<ModuleId, Arc<SeenVariants>>>,
    /// Methods of the other traits that a module sees, by name; made when first asked for.
    pub(crate) traits_seen: RefCell<FxHashMap<ModuleId, Arc<SeenMethods>>>,
    /// There is a linear struct.
    pub has_linear: bool,
    /// A macro that makes declarations could not be expanded, so names may be missing.
    pub(crate) lacks_declarations: bool,
    /// Functions that hold the default values of fields.
    pub(crate) field_defaults: FxHashMap<(AdtId, u32), FnId>,
    pub(crate) refinements: FxHashMap<AdtId, crate::refined::Refinement>,
    pub(crate) problems: RefCell<Vec<Diagnostic>>,
    /// What expansions of macros tell about names.
    pub expansions: Expansions,
}

/// What is known of names that quotes wrote: see [`qz_base::name::MARK`].
#[derive(Default)]
pub struct Expansions {
    /// By the number in the mark: the module whose macro wrote the name.
    pub homes: Vec<ModuleId>,
    /// Declarations that quotes wrote, and the modules they became part of.
    pub made: FxHashSet<(ModuleId, Name)>,
    /// Contents of files that calls of `include_str` and `include_bytes` name, by the calls' starts.
    pub included: FxHashMap<(FileId, u32), Result<Arc<[u8]>, String>>,
    /// The program is a test or specification: what is `@test_only` may be used.
    pub in_tests: bool,
}

/// Functions that put a file into the program.
pub const INCLUDES: &[&str] = &["include_str", "include_bytes"];

/// What the attributes of a declaration say to its users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UseAttrs {
    /// `@deprecated("…")`: what to do instead, perhaps empty.
    pub deprecated: Option<Name>,
    /// `@must_use`, `@must_use("why")`.
    pub must_use: Option<Name>,
    pub test_only: bool,
}

/// Enums and indexes of their variants, by the variant's name.
pub(crate) type SeenVariants = FxHashMap<Name, Vec<(AdtId, u32)>>;

/// Traits and indexes of their methods, by the method's name.
pub(crate) type SeenMethods = FxHashMap<Name, Vec<(TraitId, u32)>>;

/// A file seen as a name space.
pub struct Module {
    /// `geo::shapes`; the root file is called by its stem, `std` modules start with `std::`.
    pub path: Name,
    pub file: FileId,
    pub scope: Scope,
    pub is_std: bool,
    /// C libraries that its foreign functions come from.
    pub links: Vec<Link>,
    /// Names of its macros that others may call. They live apart from everything else.
    pub macros: FxHashSet<Name>,
}

/// `@link("z")`.
#[derive(Clone, Debug)]
pub struct Link {
    /// `z`, or the path of a file.
    pub library: Name,
    pub range: TextRange,
}

/// A function, method, or the initialiser of a constant, static or field.
pub struct FnDef {
    pub name: Name,
    pub name_range: TextRange,
    pub module: ModuleId,
    pub container: Container,
    /// Clauses of one function stand together; others have one node.
    pub nodes: Vec<u32>,
    pub kind: FnKind,
    pub is_private: bool,
    pub attrs: FnAttrs,
    pub self_param: Option<SelfKind>,
    /// Arguments accepted, without `self`; `None` is no upper limit.
    pub arity: (u32, Option<u32>),
    pub has_body: bool,
    pub actor: Option<ActorFn>,
    /// The effect that it is an operation of.
    pub operation: Option<EffectId>,
    pub(crate) sig: OnceCell<Arc<FnSig>>,
}

impl FnDef {
    /// Whether it is what an actor runs first.
    pub(crate) fn is_init(&self) -> bool {
        matches!(self.actor, Some(ActorFn::Handler(_))) && self.name.as_str() == "init"
    }

    /// Whether its arguments go to another task.
    pub fn crosses(&self) -> bool {
        self.attrs.crosses || matches!(self.actor, Some(ActorFn::Message(_) | ActorFn::Start(..)))
    }

    /// Whether it takes any number of arguments behind its parameters, as C's `printf` does.
    pub fn is_variadic(&self) -> bool {
        matches!(self.kind, FnKind::ExternC { variadic: true })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FnKind {
    Normal,
    /// `extern "C" def`.
    ExternC {
        variadic: bool,
    },
    /// `extern "rt" def`: a function of the runtime, in `std` only.
    Runtime,
    /// `extern "intrinsic" def`: compiled in place, in `std` only.
    Intrinsic,
    Const,
    /// A constant of a type or trait: computed where it is named, as it may depend on type parameters.
    AssocConst,
    StaticInit(StaticId),
    /// The default of field `n`.
    FieldDefault(AdtId, u32),
    /// Written by the compiler for a type and a trait's method.
    Derived,
    /// Of `type Port = Int where …`.
    Refined(AdtId, crate::refined::Part),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum SelfKind {
    Value,
    Ref,
    RefMut,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Container {
    Module,
    Impl(ImplId),
    Trait(TraitId),
}

/// What `+`, `-` and `*` of integers do when the result does not fit.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// They panic.
    #[default]
    Check,
    /// They keep the low bits.
    Wrap,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FnAttrs {
    pub inline_always: bool,
    pub inline_never: bool,
    /// `@rare`: calls of it are off the usual way.
    pub rare: bool,
    pub track_caller: bool,
    /// `@crosses`: its arguments go to another task.
    pub crosses: bool,
    /// `@shares`: several tasks call the functions that it is given.
    pub shares: bool,
    /// `@lends`: the functions that it is given get what stays where it is.
    pub lends: bool,
    /// `@keeps`: its arguments become parts of `self`.
    pub keeps: bool,
    /// `@part`: its result is a part of `self`, lasts as long, or is a new collection of such parts.
    pub part: bool,
    /// `@overflow(…)`, where the program's own choice does not hold.
    pub overflow: Option<Overflow>,
    pub lang: Option<Name>,
    pub link_name: Option<Name>,
    /// `extern "C"` with a body: the symbol that C knows it by.
    pub export: Option<Name>,
    pub is_unsafe: bool,
    /// `const def`: it must be able to run while the program is compiled.
    pub is_const: bool,
    pub for_users: UseAttrs,
}

/// A signature as written: what was left out is `None`.
#[derive(Debug)]
pub struct FnSig {
    pub generics: Arc<Generics>,
    /// `self` first where there is one.
    pub params: Vec<SigParam>,
    pub ret: Option<Ty>,
    /// What `can` allows it to perform, where that is written.
    pub can: Option<Can>,
    /// Bounds of each `impl Trait` in the result.
    pub opaques: Vec<Vec<Predicate>>,
}

#[derive(Debug, Clone)]
pub struct SigParam {
    pub name: Name,
    pub range: TextRange,
    pub ty: Option<Ty>,
    pub has_default: bool,
    /// `*rest`; its type is a `Vec` of the written one.
    pub is_rest: bool,
}

/// A written row of effects.
#[derive(Debug, Clone)]
pub struct Can {
    pub row: Row,
    pub range: TextRange,
}

/// Type parameters in scope, outer ones first, and what is asked of them.
#[derive(Debug, Default, Clone)]
pub struct Generics {
    pub params: Vec<GenericParam>,
    pub preds: Vec<Predicate>,
    /// How many of `params` belong to the container.
    pub outer: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenericParam {
    pub name: Name,
    pub range: TextRange,
    /// `T = Default`, in terms of earlier parameters.
    pub default: Option<Ty>,
}

/// `ty: Trait<args>`, and perhaps `Trait<Item = X>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicate {
    pub ty: Ty,
    /// Without `Self`.
    pub trait_ref: TraitRef,
    pub assoc: Vec<(Name, Ty)>,
    pub span: Span,
}

impl Predicate {
    /// The same with arguments for the parameters it speaks of.
    pub fn subst(&self, args: &[Ty]) -> Predicate {
        Predicate {
            ty: subst(self.ty, args),
            trait_ref: subst_trait_ref(self.trait_ref, args),
            assoc: self.assoc.iter().map(|&(name, ty)| (name, subst(ty, args))).collect(),
            span: self.span,
        }
    }
}

impl Generics {
    /// The parameters as types: the identity substitution.
    pub fn identity(&self) -> Vec<Ty> {
        self.params.iter().enumerate().map(|(i, p)| Ty::param(i as u32, p.name)).collect()
    }

    pub fn len(&self) -> usize {
        self.params.len()
    }

    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }
}

/// A struct, enum or newtype.
pub struct AdtDef {
    pub name: Name,
    pub name_range: TextRange,
    pub module: ModuleId,
    pub node: u32,
    pub kind: AdtKind,
    pub is_private: bool,
    pub repr_c: bool,
    /// `@repr(u8)` and the like, and `@repr(C)` of an enum: values are the numbers of their variants, of this type.
    pub repr_int: Option<IntTy>,
    /// Nobody can tell when its `drop` runs, so names need not keep their values for it. Of the library.
    pub silent_drop: bool,
    pub for_users: UseAttrs,
    /// Its values are used exactly once.
    pub is_linear: bool,
    pub lang: Option<Name>,
    pub actor: Option<ActorSide>,
    /// It holds what handlers of this effect do.
    pub effect: Option<EffectId>,
    /// It is the union of so many types.
    pub union_of: Option<u32>,
    pub(crate) generics: OnceCell<Arc<Generics>>,
    pub(crate) fields: OnceCell<Arc<AdtFields>>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum AdtKind {
    /// Shared by reference.
    Struct,
    /// `@value struct`.
    Value,
    Enum,
    Newtype,
}

/// Fields with their types. Structs and newtypes have one variant, the nameless one.
#[derive(Debug, Default)]
pub struct AdtFields {
    pub variants: Vec<Variant>,
}

#[derive(Debug)]
pub struct Variant {
    pub name: Name,
    pub range: TextRange,
    pub fields: Vec<Field>,
    /// Whether fields were declared with names.
    pub named: bool,
    /// `Red = 1`: all variants of an enum have one, or none.
    pub number: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Field {
    pub name: Name,
    pub range: TextRange,
    pub ty: Ty,
    pub is_private: bool,
    pub default: Option<FnId>,
}

/// An actor is two structs: its state, and what others refer to it by.
pub struct ActorDef {
    /// Handlers are its methods.
    pub state: AdtId,
    pub mailbox: Mailbox,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    pub capacity: u64,
    /// What happens to a message for a full one: its place among [`MAILBOX_POLICIES`].
    pub policy: u8,
}

/// As `std/actor.qz` numbers them.
pub const MAILBOX_POLICIES: [&str; 4] = ["block", "drop_new", "drop_old", "fail"];

/// An effect is a struct of functions, one for each operation, and the operations themselves.
pub struct EffectDef {
    pub clauses: AdtId,
    pub operations: Vec<FnId>,
}

impl EffectDef {
    /// The operation of this name.
    pub fn operation(&self, defs: &Defs, name: Name) -> Option<FnId> {
        self.operations.iter().copied().find(|&it| defs.fns[it].name == name)
    }

    /// Whether each operation says what it does without a handler.
    pub fn has_default(&self, defs: &Defs) -> bool {
        self.operations.iter().all(|&it| defs.fns[it].has_body)
    }
}

/// Which of an actor's structs one is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ActorSide {
    State,
    /// What others hold, and the state behind it.
    Reference(AdtId),
}

/// What a function of an actor is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ActorFn {
    /// Runs in the actor, on its state.
    Handler(ActorId),
    /// Has the actor run this handler.
    Message(ActorId),
    /// `new`: starts an actor, which runs this `init` first.
    Start(ActorId, Option<FnId>),
    /// `stop`: no more messages are taken.
    Stop,
}

pub struct TraitDef {
    pub name: Name,
    pub name_range: TextRange,
    pub module: ModuleId,
    pub node: u32,
    pub is_private: bool,
    pub lang: Option<Name>,
    pub methods: Vec<FnId>,
    /// Names of associated types and their ranges.
    pub assoc: Vec<(Name, TextRange)>,
    pub(crate) generics: OnceCell<Arc<Generics>>,
    pub(crate) supers: OnceCell<Arc<Vec<Predicate>>>,
    pub(crate) assoc_bounds: OnceCell<Arc<Vec<(Name, Predicate)>>>,
}

/// `impl`, `extend`, or the methods in a type's own body.
pub struct ImplDef {
    pub module: ModuleId,
    pub node: u32,
    pub range: TextRange,
    pub origin: ImplOrigin,
    pub is_negative: bool,
    pub methods: Vec<FnId>,
    pub(crate) header: OnceCell<Arc<ImplHeader>>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ImplOrigin {
    Impl,
    Extend,
    /// Methods written inside the type's declaration.
    Body(AdtId),
}

#[derive(Debug)]
pub struct ImplHeader {
    pub generics: Arc<Generics>,
    pub self_ty: Ty,
    /// Without `Self`.
    pub trait_ref: Option<TraitRef>,
    pub assoc: Vec<(Name, Ty)>,
}

pub struct AliasDef {
    pub name: Name,
    pub name_range: TextRange,
    pub module: ModuleId,
    pub node: u32,
    pub is_private: bool,
    pub(crate) target: OnceCell<(Arc<Generics>, Ty)>,
    /// Of a name for several traits, what it asks of `Self`, its first parameter.
    pub(crate) traits: OnceCell<Option<Arc<Generics>>>,
    pub(crate) in_progress: std::cell::Cell<bool>,
}

/// Who has a copy of a module's variable.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Whose {
    /// There is one, which all tasks see.
    #[default]
    All,
    /// `@task_local`: each task has its own.
    Task,
    /// `@thread_local`: each thread has its own.
    Thread,
}

pub struct StaticDef {
    pub name: Name,
    pub name_range: TextRange,
    pub module: ModuleId,
    pub node: u32,
    pub is_private: bool,
    pub whose: Whose,
    pub init: FnId,
    pub(crate) ty: OnceCell<Option<Ty>>,
}

/// The outermost shape of a type: what methods and impls are filed under.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum TyHead {
    Adt(AdtId),
    Bool,
    Char,
    Str,
    Int(IntTy),
    Float(FloatTy),
    Tuple,
    Fn,
    Ptr,
    Dyn(TraitId),
    Record,
    Never,
    /// `impl<T> Trait for T`.
    Any,
}

impl TyHead {
    /// `None` for inference variables, borrows and errors.
    pub fn of(ty: Ty) -> Option<TyHead> {
        Some(match *ty.kind() {
            TyKind::Adt(id, _) => TyHead::Adt(id),
            TyKind::Bool => TyHead::Bool,
            TyKind::Char => TyHead::Char,
            TyKind::Str => TyHead::Str,
            TyKind::Int(int) => TyHead::Int(int),
            TyKind::Float(float) => TyHead::Float(float),
            TyKind::Tuple(_) => TyHead::Tuple,
            TyKind::Fn(_) => TyHead::Fn,
            TyKind::Ptr(_) => TyHead::Ptr,
            TyKind::Dyn(traits) => TyHead::Dyn(traits[0].trait_id),
            TyKind::Record(_) | TyKind::OpenRecord(..) => TyHead::Record,
            TyKind::Never => TyHead::Never,
            TyKind::Param(_) => TyHead::Any,
            TyKind::Error | TyKind::Ref(..) | TyKind::Assoc(_) | TyKind::Opaque(..) | TyKind::Infer(_) => {
                return None;
            }
        })
    }
}

/// Declarations the compiler knows by role: marked `@lang("…")` in `std`.
#[derive(Default)]
pub struct Lang {
    pub(crate) adts: FxHashMap<&'static str, AdtId>,
    pub(crate) traits: FxHashMap<&'static str, TraitId>,
    pub(crate) fns: FxHashMap<&'static str, FnId>,
    /// Unions by their number of members, of which there are two at least.
    pub(crate) unions: Vec<AdtId>,
}

impl Lang {
    pub fn adt(&self, role: &str) -> Option<AdtId> {
        self.adts.get(role).copied()
    }

    pub fn trait_(&self, role: &str) -> Option<TraitId> {
        self.traits.get(role).copied()
    }

    pub fn func(&self, role: &str) -> Option<FnId> {
        self.fns.get(role).copied()
    }
}

/// Problems that a declaration which is not there leads to.
fn is_missing(code: Code) -> bool {
    matches!(
        code,
        Code::UNKNOWN_NAME
            | Code::UNKNOWN_TYPE
            | Code::UNKNOWN_TRAIT
            | Code::UNKNOWN_MODULE
            | Code::UNKNOWN_VARIANT
            | Code::NO_METHOD
            | Code::NO_FIELD
            | Code::UNSATISFIED
            | Code::MISSING_METHOD
            | Code::MISSING_ASSOC
    )
}

impl Defs {
    pub fn report(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    /// How many errors were reported so far.
    pub(crate) fn error_count(&self) -> usize {
        self.problems.borrow().iter().filter(|it| it.is_error()).count()
    }

    /// What was reported. A macro that came to nothing may have made what is not found: that was said.
    pub fn take_problems(&self) -> Vec<Diagnostic> {
        let mut problems = std::mem::take(&mut *self.problems.borrow_mut());
        problems.retain(|it| !self.lacks_declarations || !is_missing(it.code));
        problems
    }

    pub fn file_of(&self, module: ModuleId) -> FileId {
        self.modules[module].file
    }

    pub fn module_of_file(&self, file: FileId) -> Option<ModuleId> {
        self.by_file.get(&file).copied()
    }

    pub fn fn_span(&self, id: FnId) -> Span {
        let def = &self.fns[id];
        Span::new(self.file_of(def.module), def.name_range)
    }

    pub fn adt_span(&self, id: AdtId) -> Span {
        let def = &self.adts[id];
        Span::new(self.file_of(def.module), def.name_range)
    }

    pub fn trait_span(&self, id: TraitId) -> Span {
        let def = &self.traits[id];
        Span::new(self.file_of(def.module), def.name_range)
    }

    /// The impls of a trait that may be for a type with this head, those for all types last.
    pub fn impls_for(&self, id: TraitId, head: Option<TyHead>) -> impl Iterator<Item = ImplId> + '_ {
        let of = |head: TyHead| self.impls_by_head.get(&(id, head)).map_or(&[][..], Vec::as_slice);
        let own = head.filter(|it| *it != TyHead::Any).map_or(&[][..], of);
        own.iter().chain(of(TyHead::Any)).copied()
    }

    /// The impls of a trait, in order of declaration.
    pub fn impls_of(&self, id: TraitId) -> &[ImplId] {
        self.trait_impls.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Methods of this name in inherent impls and `extend` blocks of types with this head.
    pub fn inherent_methods(&self, head: TyHead, name: Name) -> &[FnId] {
        self.inherent.get(&(head, name)).map_or(&[], Vec::as_slice)
    }

    /// All inherent method names of a head, for suggestions.
    pub fn inherent_names(&self, head: TyHead) -> Vec<Name> {
        let mut names: Vec<Name> =
            self.inherent.keys().filter(|(h, _)| *h == head).map(|&(_, name)| name).collect();
        names.sort_by(|a, b| a.cmp_text(*b));
        names
    }

    /// The full path of a function: `geo::Point::norm`.
    pub fn fn_path(&self, id: FnId) -> Name {
        let def = &self.fns[id];
        let module = self.modules[def.module].path;
        let owner = match def.container {
            Container::Module => match def.kind {
                FnKind::FieldDefault(adt, _) => Some(self.adts[adt].name),
                _ => None,
            },
            Container::Trait(id) => Some(self.traits[id].name),
            Container::Impl(id) => {
                let header = self.impl_header(id);
                Some(self.head_name(header.self_ty))
            }
        };
        match owner {
            Some(owner) => Name::new(&format!("{module}::{owner}::{}", def.name)),
            None => Name::new(&format!("{module}::{}", def.name)),
        }
    }

    fn head_name(&self, ty: Ty) -> Name {
        match *ty.kind() {
            TyKind::Adt(id, _) => self.adts[id].name,
            TyKind::Dyn(traits) => self.traits[traits[0].trait_id].name,
            TyKind::Tuple(_) => Name::new("Tuple"),
            TyKind::Fn(_) => Name::new("Fn"),
            TyKind::Ptr(_) => Name::new("Ptr"),
            _ => Name::new(&ty.display(self).to_string()),
        }
    }

    pub fn adt_path(&self, id: AdtId) -> Name {
        let def = &self.adts[id];
        Name::new(&format!("{}::{}", self.modules[def.module].path, def.name))
    }

    /// Whether code in `from` may use something private to `module`.
    pub fn sees_private(&self, from: ModuleId, module: ModuleId) -> bool {
        from == module
    }
}

impl qz_types::DefNames for Defs {
    fn adt_name(&self, id: AdtId) -> Name {
        self.adts[id].name
    }

    fn trait_name(&self, id: TraitId) -> Name {
        self.traits[id].name
    }

    fn is_option(&self, id: AdtId) -> bool {
        self.lang.adt("Option") == Some(id)
    }

    fn is_union(&self, id: AdtId) -> bool {
        self.adts[id].union_of.is_some()
    }

    fn opaque_bounds(&self, owner: FnId, n: u32, args: &[Ty]) -> Vec<TraitRef> {
        // A signature that is being read has no answer yet.
        let bounds = self.fns[owner].sig.get().and_then(|sig| sig.opaques.get(n as usize));
        bounds.into_iter().flatten().map(|it| subst_trait_ref(it.trait_ref, args)).collect()
    }
}

//! What surrounds bodies: declarations of data types, where bodies come from ([`Source`]), and the
//! instantiated program that engines receive ([`Module`]).

use std::borrow::Cow;
use std::sync::Arc;

use qz_base::{Arena, Id, Name, Span};
use qz_rt_abi::object::{END_WATCHED, HEADER_TYPE, MAY_CYCLE};
use qz_types::{AdtId, FnId, StaticId, TraitId, TraitRef, Ty, Tys};

use crate::body::{Body, Const, EvidenceList};

/// A function, or something inside it that is compiled for itself.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct BodyKey {
    pub function: FnId,
    pub part: BodyPart,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum BodyPart {
    Main,
    /// Lambdas are numbered in source order, nested ones included.
    Lambda(u32),
    /// The default value of parameter `n`: takes the parameters before it.
    Default(u32),
}

impl BodyKey {
    pub fn main(function: FnId) -> BodyKey {
        BodyKey { function, part: BodyPart::Main }
    }
}

/// A struct, enum or newtype.
#[derive(Clone, Debug)]
pub struct AdtDef {
    /// Full path, such as `std::vec::Vec`.
    pub path: Name,
    pub name: Name,
    pub kind: AdtKind,
    pub repr: Repr,
}

#[derive(Clone, Debug)]
pub enum AdtKind {
    /// Fields live in a counted object.
    Reference(Vec<FieldDef>),
    /// `@value` structs and newtypes: fields live where the value does.
    Value(Vec<FieldDef>),
    Enum(Vec<VariantDef>),
}

#[derive(Clone, Debug)]
pub struct FieldDef {
    pub name: Name,
    /// In terms of the type's own parameters.
    pub ty: Ty,
}

#[derive(Clone, Debug)]
pub struct VariantDef {
    pub name: Name,
    pub fields: Vec<FieldDef>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Repr {
    /// Fields are ordered for size.
    #[default]
    Quartz,
    /// Fields are in declaration order, as C lays them out.
    C,
}

/// What instantiation asks of the front end, on demand: only what a program reaches is ever lowered.
pub trait Source {
    fn adt(&self, id: AdtId) -> Arc<AdtDef>;
    /// The signature and kind of a function.
    fn function(&self, id: FnId) -> FnInfo;
    /// The generic body of a function or lambda that has one, checked and lowered at first demand.
    fn body(&self, key: BodyKey) -> Arc<Body>;
    /// The function that implements a trait's method for concrete types, and its type arguments.
    /// `args` starts with `Self`.
    fn resolve_method(&self, trait_id: TraitId, method: u32, args: Tys, own_args: Tys) -> (FnId, Tys);
    /// The methods that a value of this `dyn` type carries, in slot order: the trait (supertraits included,
    /// arguments without `Self`) and the index among its methods.
    fn dyn_slots(&self, dyn_ty: Ty) -> Vec<(TraitRef, u32)>;
    /// Full path of a trait, part of symbols.
    fn trait_path(&self, id: TraitId) -> Name;
    /// Resolves associated and opaque types inside a type without parameters.
    fn normalize(&self, ty: Ty) -> Ty;
    /// The user-written `drop` for a reference struct or boxed enum, and its type arguments.
    fn user_drop(&self, ty: Ty) -> Option<(FnId, Tys)>;
    /// Whether nobody can tell when the `drop` of this type runs, because it only gives memory back
    /// (`Vec`, `Map`): then a value goes at its last use, unless a type argument says otherwise.
    fn drop_is_silent(&self, _ty: Ty) -> bool {
        false
    }
    /// Whether a function is the standard library's.
    fn is_library(&self, _function: FnId) -> bool {
        false
    }
    /// Whether values of this struct or enum are made by the standard library only.
    fn is_of_library(&self, _ty: Ty) -> bool {
        false
    }
    fn static_var(&self, id: StaticId) -> StaticInfo;
    /// Whether several tasks may know an object of this reference struct at once.
    fn is_handle(&self, _ty: Ty) -> bool {
        false
    }
    /// Whether objects of this reference struct stay in the task that made them.
    fn stays_in_task(&self, _ty: Ty) -> bool {
        false
    }
    /// What a weak reference refers to, if values of the type are such.
    fn weak_target(&self, _ty: Ty) -> Option<Ty> {
        None
    }
    /// What meets the parts of objects of this type which its fields do not show.
    fn hidden_parts(&self, _ty: Ty) -> Option<(FnId, Tys)> {
        None
    }
    /// Whether the function gives the value of a constant.
    fn is_constant(&self, _function: FnId) -> bool {
        false
    }
    /// Whether somebody wrote the function: it was not made by the compiler.
    fn is_written(&self, _function: FnId) -> bool {
        true
    }
    /// Whether a file is part of the program, and not of the library.
    fn is_own_file(&self, _file: qz_base::FileId) -> bool {
        true
    }
    /// The same of a type.
    fn is_own_type(&self, _id: AdtId) -> bool {
        true
    }
    fn is_own_trait(&self, _id: TraitId) -> bool {
        true
    }
    /// The function of the library with this role.
    fn library(&self, _role: &str) -> Option<FnId> {
        None
    }
    /// What copies values of this type, if it says that they can be copied.
    fn clone_of(&self, _ty: Ty) -> Option<(FnId, Tys)> {
        None
    }
}

#[derive(Clone, Debug)]
pub struct FnInfo {
    /// Full path, shown in backtraces and part of the symbol.
    pub path: Name,
    pub params: Vec<Ty>,
    pub ret: Ty,
    pub kind: FnKind,
    /// Parameters from this one on are handed over, not lent, on every level of optimisation.
    pub owns_from: Option<usize>,
    /// What C knows it by.
    pub export: Option<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FnKind {
    /// Has a body.
    Quartz,
    /// A foreign function with C's calling convention.
    Extern { symbol: Name, variadic: bool },
    /// Its body is written when its type arguments are known.
    Made(Made),
}

/// Functions whose bodies depend on types more than a generic body could.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// `fn(place: Ptr<T>): Void`: meets the objects in a value that crosses.
    CrossAt,
    /// `fn(object: Ptr<U8>): Void`: meets what an object refers to.
    CrossParts,
    MayKeep,
    /// `fn(value): Bool`: whether a value is known to lead to nothing, and to be known to nobody else.
    LeadsNowhere,
    /// `fn(place: Ptr<T>): Bool`: puts a copy in place of a value, if there can be one.
    CopyAt,
    /// `fn(): String`: the type's name.
    TypeName,
}

#[derive(Clone, Debug)]
pub struct StaticInfo {
    pub path: Name,
    pub ty: Ty,
    pub span: Span,
    /// Each task has its own.
    pub of_task: bool,
}

pub type InstanceId = Id<Instance>;
pub type VtableId = Id<Vtable>;

/// A program with everything concrete: what an engine translates.
#[derive(Default)]
pub struct Module {
    pub instances: Arena<Instance>,
    pub vtables: Arena<Vtable>,
    pub data: Arena<StaticData>,
    /// Constant items whose values lie in `data`, by their paths.
    pub constants: Vec<(Name, Id<StaticData>)>,
    /// Storage of module variables that are reached: zeroed, then initialised by generated code.
    pub statics: Vec<(StaticId, StaticInfo)>,
    /// Types that need an entry in the run-time type table, in the order of their indexes.
    pub types: Vec<TypeEntry>,
    /// Types of values whose objects may be in circles: where one of several references to such an object ends, the
    /// runtime hears of it. Empty in a program that cannot make circles.
    pub cyclic: qz_base::FxHashSet<Ty>,
    /// Whether there are any such types in the whole program, of which this may be a part.
    pub has_circles: bool,
    /// Reference structs that something refers to weakly.
    pub weak_targets: qz_base::FxHashSet<Ty>,
    /// Takes no parameters, returns `()` or the exit status as `Int`.
    pub entry: Option<InstanceId>,
    /// Where the module changes a part of a program: functions that are called from the rest of it.
    pub roots: Vec<InstanceId>,
    /// Where the module changes a part of a program: the indexes of `types` in the type table of the whole.
    pub indexes: Vec<u32>,
}

impl Module {
    /// What the program starts from.
    pub fn starts(&self) -> impl Iterator<Item = InstanceId> + '_ {
        self.entry.into_iter().chain(self.exports()).chain(self.roots.iter().copied())
    }

    /// Behind the functions of a program come its entry, `main`, and from here on what stands around functions for C.
    pub fn first_around(&self) -> u32 {
        self.instances.len() as u32 + 2
    }

    /// The number of what C calls for a function; that of what is called by that follows.
    pub fn around(&self, id: InstanceId) -> u32 {
        let before = |it: &(InstanceId, &Instance)| it.0.raw() < id.raw() && it.1.for_c.is_some();
        self.first_around() + 2 * self.instances.iter().filter(before).count() as u32
    }

    /// What C knows by a symbol.
    pub fn exports(&self) -> impl Iterator<Item = InstanceId> + '_ {
        let is_known = |it: &Instance| it.for_c.as_ref().is_some_and(|for_c| for_c.symbol.is_some());
        self.instances.iter().filter(move |(_, it)| is_known(it)).map(|(id, _)| id)
    }
}

/// One function to be emitted.
#[derive(Clone, Debug)]
pub struct Instance {
    pub key: InstanceKey,
    /// Content-derived and unique in the program.
    pub symbol: String,
    /// `None` for foreign functions.
    pub body: Option<Arc<Body>>,
    pub params: Vec<Param>,
    pub ret: Ty,
    /// Whether a call may end in a panic.
    pub may_panic: bool,
    pub foreign: Option<Foreign>,
    /// C can call it: there is code in C's convention around it, and a closure of it is the address of that.
    pub for_c: Option<ForC>,
    /// Its number in the program that this module changes a part of: its code is there, so it has no body here.
    pub kept: Option<u32>,
}

impl Instance {
    /// The module that the function was written in, `std::vec` or `geo::flat`; empty for what the compiler made itself.
    pub fn module(&self) -> &'static str {
        let InstanceKey::Body(..) = self.key else { return "" };
        let path = self.body.as_ref().map_or("", |body| body.scopes[Body::SCOPE].function.as_str());
        let mut path = path.rsplit_once("::").map_or("", |it| it.0);
        // A method's path names its type too, which is written with a capital.
        while let Some((before, last)) = path.rsplit_once("::")
            && last.starts_with(char::is_uppercase)
        {
            path = before;
        }
        path
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForC {
    /// What C knows it by; otherwise only its address gets out.
    pub symbol: Option<Name>,
    /// For people.
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Empty for the code that the first argument leads to.
    pub symbol: Name,
    pub variadic: bool,
}

impl Foreign {
    /// Whether the first argument is the code's address, and no argument of its own.
    pub fn is_by_address(&self) -> bool {
        self.symbol.as_str().is_empty()
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Param {
    pub ty: Ty,
    /// Whether the caller keeps the value alive (`Borrowed`) or gives it away (`Owned`): then it is the
    /// callee's even if that panics, and if the stack overflows on the way in, the cleanup of the entry block
    /// releases it.
    pub ownership: crate::body::Ownership,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum InstanceKey {
    Body(BodyKey, Tys, EvidenceList),
    /// Wraps a function so that it can be called as a closure value.
    FnValue(Box<InstanceKey>),
    /// Wraps a function, or a lambda that captures nothing, for C.
    ForC(Box<InstanceKey>),
    /// Unpacks a `dyn` value's payload of this type and calls the method's instance.
    DynShim(Ty, Box<InstanceKey>),
    /// Adds a count to everything counted inside an unboxed value.
    RetainGlue(Ty),
    /// Releases everything counted inside an unboxed value.
    ReleaseGlue(Ty),
    /// Runs when an object's last count goes: user `drop`, fields, memory. Takes the object.
    DestroyGlue(Ty),
    /// [`InstanceKey::DestroyGlue`] for the closure object of an instance.
    DestroyClosure(Box<InstanceKey>),
    /// Runs when the last count of a `dyn` box around a value of this type goes. Takes the box.
    DestroyDyn(Ty),
    /// Part of handing a value to another task.
    Crossing(Box<Crossing>),
    /// Reads a field, where a member bound is met by one.
    FieldGlue(Ty, u32),
    /// A copy of a function for callers that hand these function values to these parameters.
    Specialised(Box<InstanceKey>, Box<[(u32, InstanceKey)]>),
    /// The program's entry: calls `main`, turns its result into the exit status.
    Entry(FnId),
    /// A function of the program that this module changes a part of, by its number.
    Kept(u32),
}

impl InstanceKey {
    /// The functions that a key names.
    pub fn each_function(&self, f: &mut dyn FnMut(BodyKey)) {
        match self {
            InstanceKey::Body(body, ..) => f(*body),
            InstanceKey::FnValue(of)
            | InstanceKey::ForC(of)
            | InstanceKey::DynShim(_, of)
            | InstanceKey::DestroyClosure(of) => of.each_function(f),
            InstanceKey::Specialised(of, given) => {
                of.each_function(f);
                given.iter().for_each(|(_, key)| key.each_function(f));
            }
            InstanceKey::Entry(main) => f(BodyKey::main(*main)),
            InstanceKey::RetainGlue(_)
            | InstanceKey::ReleaseGlue(_)
            | InstanceKey::DestroyGlue(_)
            | InstanceKey::DestroyDyn(_)
            | InstanceKey::Kept(_)
            | InstanceKey::FieldGlue(..) => {}
            InstanceKey::Crossing(what) => match &**what {
                Crossing::ClosureParts(of) | Crossing::OwnCaptures(of) => of.each_function(f),
                _ => {}
            },
        }
    }

    /// The types that a key names.
    pub fn each_type(&self, f: &mut dyn FnMut(Ty)) {
        match self {
            InstanceKey::Body(_, args, _) => args.iter().for_each(|&ty| f(ty)),
            InstanceKey::FnValue(of) | InstanceKey::ForC(of) | InstanceKey::DestroyClosure(of) => {
                of.each_type(f)
            }
            InstanceKey::DynShim(ty, of) => {
                f(*ty);
                of.each_type(f);
            }
            InstanceKey::Specialised(of, given) => {
                of.each_type(f);
                given.iter().for_each(|(_, key)| key.each_type(f));
            }
            InstanceKey::RetainGlue(ty)
            | InstanceKey::ReleaseGlue(ty)
            | InstanceKey::DestroyGlue(ty)
            | InstanceKey::DestroyDyn(ty)
            | InstanceKey::FieldGlue(ty, _) => f(*ty),
            InstanceKey::Crossing(what) => match &**what {
                Crossing::Value(ty)
                | Crossing::Place(ty)
                | Crossing::Parts(ty)
                | Crossing::BoxParts(ty)
                | Crossing::OwnPayload(ty)
                | Crossing::OwnPlace(ty) => f(*ty),
                Crossing::ClosureParts(of) | Crossing::OwnCaptures(of) => of.each_type(f),
                Crossing::AnyParts | Crossing::OwnAny | Crossing::MayKeep | Crossing::LeadsNowhere => {}
            },
            InstanceKey::Entry(_) | InstanceKey::Kept(_) => {}
        }
    }
}

/// What is made for values that go to other tasks; see `qz_rt::crossing`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Crossing {
    /// `fn(value): Bool`: meets the objects in a value. Whether it can never be changed.
    Value(Ty),
    /// `fn(place): Void`: the same for what lies at a `Ptr`.
    Place(Ty),
    /// `fn(object): Bool`: meets what an object refers to.
    Parts(Ty),
    ClosureParts(InstanceKey),
    BoxParts(Ty),
    /// The same for any object, by its entry in the type table.
    AnyParts,
    /// `fn(object): Void`: gives a closure or box parts of its own.
    OwnCaptures(InstanceKey),
    OwnPayload(Ty),
    OwnAny,
    /// `fn(place): Bool`: does that for the closure or box at a `Ptr`, unless others know it.
    OwnPlace(Ty),
    /// `fn(object): Bool`: whether a call of the closure may keep, where its task finds it later, what it is given.
    MayKeep,
    /// `fn(object): Bool`: whether it refers to nothing, and one reference leads to it, or it is shared.
    LeadsNowhere,
}

/// The methods a `dyn` value carries.
#[derive(Clone, Debug)]
pub struct Vtable {
    pub from: Ty,
    pub dyn_ty: Ty,
    pub slots: Vec<InstanceId>,
}

/// An entry of the run-time type table; its index stands in the header of each object of the type.
#[derive(Clone, Debug)]
pub struct TypeEntry {
    /// Readable, for leak reports and debuggers.
    pub name: String,
    pub kind: TypeEntryKind,
    pub destroy: InstanceId,
    /// Where values go to other tasks.
    pub crossing: EntryCrossing,
    pub circle: Circle,
}

/// What meets the parts of an object, and what gives it parts of its own; `None` where there is nothing to do.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryCrossing {
    pub parts: Option<InstanceId>,
    pub own: Option<InstanceId>,
    /// A closure that knows nothing in which it could keep what it is given.
    pub keeps_nothing: bool,
}

impl Circle {
    /// What stands above the length of the name in the run-time type table.
    pub fn flags(self) -> usize {
        match self {
            Circle::Never => 0,
            Circle::Possible => MAY_CYCLE,
            Circle::Watched => MAY_CYCLE | END_WATCHED,
        }
    }
}

/// Whether objects of a kind may be in a circle, and if so, whether somebody wrote a `drop` for them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Circle {
    #[default]
    Never,
    Possible,
    Watched,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TypeEntryKind {
    /// Objects of a reference struct, or cells of a boxed enum.
    Ty(Ty),
    /// The closure object made by this instance.
    Closure(InstanceId),
    /// A `dyn` box around a value of this type.
    DynBox(Ty),
}

/// Bytes with pointers in them.
#[derive(Clone, Debug, Default)]
pub struct StaticData {
    pub bytes: Vec<u8>,
    pub align: u32,
    /// At this offset stands the address of that blob.
    pub pointers: Vec<(u32, Id<StaticData>)>,
    /// The blob is an object of this type: the engine writes the type's index into its header.
    pub object_of: Option<Ty>,
}

impl StaticData {
    /// The bytes, with the index of the object's type in its header.
    pub fn bytes_with_header(&self, index_of: impl FnOnce(&TypeEntryKind) -> u32) -> Cow<'_, [u8]> {
        let Some(ty) = self.object_of else { return Cow::Borrowed(&self.bytes) };
        let mut bytes = self.bytes.clone();
        let index = index_of(&TypeEntryKind::Ty(ty));
        let at = HEADER_TYPE as usize;
        bytes[at..at + 4].copy_from_slice(&index.to_le_bytes());
        Cow::Owned(bytes)
    }
}

/// The value of a constant item, found before the program runs.
#[derive(Clone, Debug)]
pub enum ConstValue {
    /// Fits into an operand.
    Plain(Const),
    /// Lies in the first of these blobs. Their pointers count within the list.
    Data(Vec<StaticData>),
}

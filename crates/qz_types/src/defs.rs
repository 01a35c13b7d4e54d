//! Identities of declared things. The front end allocates them, in order of discovery; they are indexes
//! for tables and never reach an output, where the full path stands for them.

macro_rules! def_ids {
    ($($(#[$doc:meta])* $name:ident, $marker:ident;)*) => {$(
        #[doc(hidden)]
        pub enum $marker {}
        $(#[$doc])*
        pub type $name = qz_base::Id<$marker>;
    )*};
}

def_ids! {
    /// A struct, enum or newtype, and the builtin nominal types declared in `std`.
    AdtId, AdtMarker;
    /// A function, method, or constant initialiser: anything with a body or a foreign symbol.
    FnId, FnMarker;
    TraitId, TraitMarker;
    ConstId, ConstMarker;
    /// A module-level `var`.
    StaticId, StaticMarker;
    EffectId, EffectMarker;
}

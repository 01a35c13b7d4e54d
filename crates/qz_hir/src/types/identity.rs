//! Names under which a type is told from every other one of the program.

use qz_base::Name;
use qz_types::{AdtId, DefNames, FnId, TraitId, TraitRef, Ty};

use crate::defs::Defs;

/// Names that mean one declaration each.
pub struct Paths<'d>(pub &'d Defs);

impl DefNames for Paths<'_> {
    fn adt_name(&self, id: AdtId) -> Name {
        self.0.adt_path(id)
    }

    fn trait_name(&self, id: TraitId) -> Name {
        let def = &self.0.traits[id];
        Name::new(&format!("{}::{}", self.0.modules[def.module].path, def.name))
    }

    fn is_option(&self, id: AdtId) -> bool {
        self.0.is_option(id)
    }

    fn is_union(&self, id: AdtId) -> bool {
        self.0.is_union(id)
    }

    fn opaque_bounds(&self, owner: FnId, n: u32, args: &[Ty]) -> Vec<TraitRef> {
        self.0.opaque_bounds(owner, n, args)
    }
}

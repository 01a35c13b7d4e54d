//! Which newtypes are packed structs? Those with the methods that only the expansion of `packed struct` can write. Literals and
//! `.with` mean a value struct with the fields taken apart, between these two methods.

use qz_base::Name;
use qz_base::name::{PACKED_APART, PACKED_TOGETHER};
use qz_types::{AdtId, FnId};

use crate::defs::{AdtKind, Defs, TyHead};

/// How a packed struct is taken apart and put together.
#[derive(Copy, Clone, Debug)]
pub struct Packed {
    /// The value struct of its fields.
    pub fields: AdtId,
    pub apart: FnId,
    pub together: FnId,
}

impl Defs {
    pub fn packed(&self, adt: AdtId) -> Option<Packed> {
        if self.adts[adt].kind != AdtKind::Newtype {
            return None;
        }
        let method = |name| self.inherent_methods(TyHead::Adt(adt), Name::new(name)).first().copied();
        let (apart, together) = (method(PACKED_APART)?, method(PACKED_TOGETHER)?);
        let (fields, _) = self.fn_sig(apart).ret?.as_adt()?;
        (self.adts[fields].kind == AdtKind::Value).then_some(Packed { fields, apart, together })
    }
}

//! What does a call mean once the types are known?

use std::sync::Arc;

use qz_mir::{BodyKey, Callee, Evidence, EvidenceList, InstanceKey};
use qz_types::{TraitId, Tys};

use super::Instantiator;

/// The type arguments and member bounds of the instance at hand.
#[derive(Copy, Clone)]
pub(super) struct Scope<'s> {
    pub(super) args: Tys,
    pub(super) evidence: &'s EvidenceList,
}

pub(crate) fn no_evidence() -> EvidenceList {
    Arc::new([])
}

impl Instantiator<'_> {
    fn mono_list(&self, list: Tys, args: Tys) -> Tys {
        let list: Vec<_> = list.iter().map(|&ty| self.mono(ty, args)).collect();
        qz_types::Ty::list(&list)
    }

    /// The instance that a callee in an instance's body stands for; `None` if it is settled at run time.
    pub(super) fn callee_key(&self, callee: &Callee, scope: Scope) -> Option<InstanceKey> {
        Some(match callee {
            Callee::Fn(body, args, evidence) => {
                let args = self.mono_list(args, scope.args);
                InstanceKey::Body(*body, args, self.evidence_list(evidence, scope))
            }
            Callee::Method { trait_id, method, args, own_args } => {
                let args = self.mono_list(args, scope.args);
                self.method_key(*trait_id, *method, args, self.mono_list(own_args, scope.args))
            }
            Callee::Member(n) => evidence_key(&scope.evidence[*n as usize]),
            Callee::Instance(_) | Callee::Value(_) | Callee::Dyn { .. } | Callee::Runtime(_) => return None,
        })
    }

    /// The instance of a trait's method for concrete types.
    pub(super) fn method_key(&self, trait_id: TraitId, method: u32, args: Tys, own_args: Tys) -> InstanceKey {
        let (function, args) = self.source.resolve_method(trait_id, method, args, own_args);
        InstanceKey::Body(BodyKey::main(function), args, no_evidence())
    }

    fn evidence_list(&self, list: &EvidenceList, scope: Scope) -> EvidenceList {
        if list.is_empty() {
            return list.clone();
        }
        list.iter().map(|it| self.evidence(it, scope)).collect()
    }

    /// Concrete evidence: a function or a field.
    fn evidence(&self, it: &Evidence, scope: Scope) -> Evidence {
        match it {
            Evidence::Fn(function, args, inner) => {
                Evidence::Fn(*function, self.mono_list(args, scope.args), self.evidence_list(inner, scope))
            }
            Evidence::Method { trait_id, method, args, own_args } => {
                let args = self.mono_list(args, scope.args);
                let own_args = self.mono_list(own_args, scope.args);
                let (function, args) = self.source.resolve_method(*trait_id, *method, args, own_args);
                Evidence::Fn(function, args, no_evidence())
            }
            Evidence::Field { ty, index } => {
                let index = self.closed_index(*ty, *index, scope.args);
                Evidence::Field { ty: self.mono(*ty, scope.args), index }
            }
            Evidence::Member(n) => scope.evidence[*n as usize].clone(),
        }
    }
}

fn evidence_key(it: &Evidence) -> InstanceKey {
    match it {
        Evidence::Fn(function, args, inner) => {
            InstanceKey::Body(BodyKey::main(*function), args, inner.clone())
        }
        Evidence::Field { ty, index } => InstanceKey::FieldGlue(*ty, *index),
        Evidence::Method { .. } | Evidence::Member(_) => {
            unreachable!("the evidence of an instance is concrete: {it:?}")
        }
    }
}

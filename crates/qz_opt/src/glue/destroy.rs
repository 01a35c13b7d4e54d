//! What runs when the last count of an object goes: the user's `drop`, then the parts in the order of their
//! declaration, then the memory. A panic in one of them does not keep the others from running.

use std::sync::Arc;

use qz_base::{Arena, Name};
use qz_mir::layout::Layout;
use qz_mir::visit::{Use, each_place};
use qz_mir::{
    Block, BlockId, Body, BodyAttrs, BodyKey, Call, Callee, Const, InstanceId, InstanceKey, Intrinsic, Local,
    LocalDecl, Operand, Ownership, Place, Proj, Rvalue, SourceInfo, SourceScope, Stmt, StmtKind, TermKind,
    Terminator,
};
use qz_rt_abi::registry::rt;
use qz_types::ty::common;
use qz_types::{FnId, Row, Ty, TyKind};
use smallvec::{SmallVec, smallvec};

use super::{Parts, builder, nowhere, object_parts, value_parts};
use crate::drops::Drops;
use crate::instantiate::Instantiator;

/// For objects of reference structs and cells of boxed enums.
pub(crate) fn destroy(cx: &mut Instantiator, ty: Ty) -> Body {
    let drop = cx.drops.user_drop(ty).map(|(function, args)| UserDrop {
        instance: cx.instance(InstanceKey::Body(BodyKey::main(function), args, Arc::new([]))),
        kept_message: may_keep(&cx.source.body(BodyKey::main(function)))
            .then(|| format!("`drop` of {} keeps the object that it ends", cx.name_of(ty))),
    });
    let mut glue = Glue::new(&format!("drop of {}", cx.name_of(ty)), ty);
    let this = Place::local(glue.this());
    let parts = object_parts(cx, &this, ty);
    glue.finish(&cx.drops, drop, &parts)
}

/// The `drop` that somebody wrote.
struct UserDrop {
    instance: InstanceId,
    /// The panic for one that stores its object, if the code could do that.
    kept_message: Option<String>,
}

/// Whether a `drop` hands its object on, instead of only reading and writing its fields. Locals that it is copied to
/// stand for it.
fn may_keep(drop: &Body) -> bool {
    let mut this = vec![false; drop.locals.len()];
    this[1] = true;
    let stmts = || drop.blocks.values().flat_map(|block| &block.stmts).map(|stmt| &stmt.kind);
    let copies = |this: &[bool], kind: &StmtKind| match kind {
        StmtKind::Assign(to, Rvalue::Use(from)) | StmtKind::Init(to, Rvalue::Use(from)) => {
            let from = from.place()?.as_local()?;
            to.as_local().filter(|_| this[from.index()])
        }
        _ => None,
    };
    loop {
        let news: Vec<Local> = stmts().filter_map(|kind| copies(&this, kind)).collect();
        if news.iter().all(|it| this[it.index()]) {
            break;
        }
        news.iter().for_each(|it| this[it.index()] = true);
    }
    let mut found = false;
    for kind in stmts().filter(|kind| copies(&this, kind).is_none()) {
        each_place(kind, &mut |place, how| {
            let is_whole = place.is_whole() && this[place.local().index()];
            found |= is_whole && matches!(how, Use::Copy | Use::Move | Use::Address);
        });
    }
    found
}

/// For closure objects.
pub(crate) fn destroy_closure(cx: &mut Instantiator, of: &InstanceKey) -> Body {
    let captures = cx.captures(of);
    let (params, ret) = match of {
        InstanceKey::FnValue(inner) => cx.signature(inner),
        _ => cx.signature(of),
    };
    let rest = params.get(1..).unwrap_or(&[]);
    let mut glue = Glue::new("drop of a closure", Ty::func(rest, ret, Row::EMPTY));
    let this = Place::local(glue.this());
    let counted = captures.iter().enumerate().filter(|&(_, &ty)| cx.drops.is_counted(ty));
    let parts = counted.map(|(i, &ty)| (this.then(Proj::Capture(i as u32)), ty)).collect();
    glue.body.captures = captures;
    glue.finish(&cx.drops, None, &Parts::Fields(parts))
}

/// For `dyn` boxes.
pub(crate) fn destroy_dyn(cx: &mut Instantiator, from: Ty) -> Body {
    let mut b = builder("drop of a dyn box", common().unit);
    let object = b.param(Ty::new(TyKind::Dyn(&[])), None);
    let payload = super::payload(&mut b, object, from);
    let head = b.finish();
    let mut glue = Glue { body: head, frees: true };
    // The address is computed once, in front of everything.
    glue.body.blocks[Body::ENTRY].term.kind = TermKind::Unreachable;
    let parts = if cx.drops.is_counted(from) { vec![(payload, from)] } else { Vec::new() };
    glue.finish(&cx.drops, None, &Parts::Fields(parts))
}

/// Adds or gives up a count of everything inside an unboxed value.
pub(crate) fn count_glue(ty: Ty, retain: bool) -> Body {
    let mut b = builder(if retain { "retain" } else { "release" }, common().unit);
    let value = Place::local(b.param(ty, None));
    b.push(if retain { StmtKind::Retain(value) } else { StmtKind::Release(value) });
    b.end(TermKind::Return);
    b.finish()
}

/// Gives up a count of everything inside an unboxed value, part by part: a panic in one of them does not keep the others
/// from it.
pub(crate) fn release_in_turn(drops: &Drops, layout: &Layout) -> Body {
    let mut glue = Glue::new("release", layout.ty);
    glue.frees = false;
    let parts = value_parts(drops, &Place::local(glue.this()), layout);
    glue.finish(drops, None, &parts)
}

/// A destroy function under way: parameter 1 is the object.
struct Glue {
    body: Body,
    /// Whether the memory goes, too.
    frees: bool,
}

impl Glue {
    fn new(name: &str, object: Ty) -> Glue {
        let mut scopes = Arena::new();
        scopes.alloc(SourceScope {
            function: Name::new(name),
            declared: nowhere(),
            track_caller: false,
            inlined_at: None,
        });
        let mut body = Body {
            key: BodyKey::main(FnId::from_raw(u32::MAX)),
            locals: Arena::new(),
            param_count: 1,
            blocks: Arena::new(),
            scopes,
            captures: Vec::new(),
            attrs: BodyAttrs::default(),
        };
        for ty in [common().unit, object] {
            body.locals.alloc(local(ty));
        }
        let mut glue = Glue { body, frees: true };
        glue.block(false, None);
        glue
    }

    fn this(&mut self) -> Local {
        Local::from_raw(1)
    }

    fn source(&self) -> SourceInfo {
        SourceInfo { span: nowhere(), scope: qz_mir::ScopeId::from_raw(0) }
    }

    /// A new block that ends nowhere yet.
    fn block(&mut self, cleanup: bool, unwind: Option<BlockId>) -> BlockId {
        let term = Terminator { kind: TermKind::Unreachable, source: self.source() };
        self.body.blocks.alloc(Block { stmts: Vec::new(), term, unwind, cleanup })
    }

    fn push(&mut self, block: BlockId, kind: StmtKind) {
        let source = self.source();
        self.body.blocks[block].stmts.push(Stmt { kind, source });
    }

    fn end(&mut self, block: BlockId, kind: TermKind) {
        self.body.blocks[block].term.kind = kind;
    }

    fn call(&mut self, block: BlockId, callee: Callee) {
        let dest = self.body.locals.alloc(local(common().unit));
        let this = self.this();
        let args = SmallVec::from_vec(vec![Operand::local(this)]);
        self.push(block, StmtKind::Call(Box::new(Call { dest, callee, args })));
    }

    /// Completes the body: `drop`, parts, memory; twice if something may panic.
    fn finish(mut self, drops: &Drops, drop: Option<UserDrop>, parts: &Parts) -> Body {
        let may_panic = |list: &[(Place, Ty)]| list.iter().any(|&(_, ty)| drops.runs_code(ty));
        let parts_may_panic = match parts {
            Parts::Fields(fields) => may_panic(fields),
            Parts::Variants(variants) => variants.iter().any(|fields| may_panic(fields)),
        };
        let entry = Body::ENTRY;
        let cleanup =
            (drop.is_some() || parts_may_panic).then(|| self.release_parts(drops, parts, true, None));
        let rest = self.release_parts(drops, parts, false, cleanup.as_ref());
        if let Some(drop) = drop {
            self.body.blocks[entry].unwind = cleanup.map(|blocks| blocks.first);
            self.call(entry, Callee::Instance(drop.instance));
            if let Some(message) = drop.kept_message {
                self.expect_unique(entry, rest.first, &message);
                qz_mir::build::remove_unreachable_blocks(&mut self.body);
                return self.body;
            }
        }
        self.end(entry, TermKind::Goto(rest.first));
        qz_mir::build::remove_unreachable_blocks(&mut self.body);
        self.body
    }

    /// Ends a block behind `drop`: an object that is referred to from elsewhere again lives on, and that is a
    /// panic.
    fn expect_unique(&mut self, block: BlockId, next: BlockId, message: &str) {
        let this = self.this();
        let unique = self.body.locals.alloc(local(common().bool));
        let ask = Rvalue::Intrinsic(Intrinsic::IsUnique, smallvec![Operand::local(this)], common().bool);
        self.push(block, StmtKind::Assign(Place::local(unique), ask));
        let kept = self.block(false, None);
        let cond = Operand::local(unique);
        self.end(block, TermKind::Branch { cond, then: next, else_: kept, likely: Some(true) });
        self.push(kept, StmtKind::Release(Place::local(this)));
        let dest = self.body.locals.alloc(local(common().unit));
        let args = SmallVec::from_vec(vec![Operand::Const(Const::Str(message.into()))]);
        self.push(kept, StmtKind::Call(Box::new(Call { dest, callee: Callee::Runtime(rt::panic), args })));
    }

    /// Blocks that release all parts and free the object, if it is one.
    fn release_parts(
        &mut self,
        drops: &Drops,
        parts: &Parts,
        cleanup: bool,
        handlers: Option<&Releasing>,
    ) -> Releasing {
        let last = self.block(cleanup, None);
        if self.frees {
            self.call(last, Callee::Runtime(rt::free_object));
        }
        self.end(last, if cleanup { TermKind::Resume } else { TermKind::Return });
        match parts {
            Parts::Fields(fields) => {
                let chain = self.chain(drops, fields, last, cleanup, handlers.map(|it| &it.chains[0]));
                Releasing { first: chain[0], chains: vec![chain] }
            }
            Parts::Variants(variants) => {
                let chains: Vec<Vec<BlockId>> = variants
                    .iter()
                    .enumerate()
                    .map(|(v, fields)| {
                        self.chain(drops, fields, last, cleanup, handlers.map(|it| &it.chains[v]))
                    })
                    .collect();
                let first = self.block(cleanup, None);
                let index = self.body.locals.alloc(local(common().int));
                let this = self.this();
                let read = Rvalue::Discriminant(Place::local(this));
                self.push(first, StmtKind::Assign(Place::local(index), read));
                let cases = chains.iter().enumerate().map(|(v, chain)| (v as i128, chain[0])).collect();
                let value = Operand::local(index);
                self.end(first, TermKind::Switch { value, cases, otherwise: None });
                Releasing { first, chains }
            }
        }
    }

    /// Blocks where the `i`-th releases field `i` and those after it. Fields whose release cannot panic share
    /// a block with the next one.
    fn chain(
        &mut self,
        drops: &Drops,
        fields: &[(Place, Ty)],
        last: BlockId,
        cleanup: bool,
        handlers: Option<&Vec<BlockId>>,
    ) -> Vec<BlockId> {
        let mut chain = vec![last; fields.len() + 1];
        for (i, (place, ty)) in fields.iter().enumerate().rev() {
            let panics = drops.runs_code(*ty);
            let next = chain[i + 1];
            // A panic here goes on with the next field: in the chain of cleanups, or in this one if it is one.
            let unwind = match (panics, cleanup) {
                (false, _) => None,
                (true, true) => Some(next),
                (true, false) => handlers.map(|it| it[i + 1]),
            };
            let block = self.block(cleanup, unwind);
            self.push(block, StmtKind::Release(place.clone()));
            self.end(block, TermKind::Goto(next));
            chain[i] = block;
        }
        chain
    }
}

/// The blocks of [`Glue::release_parts`].
struct Releasing {
    first: BlockId,
    /// Per variant, one block per field, and the last one.
    chains: Vec<Vec<BlockId>>,
}

fn local(ty: Ty) -> LocalDecl {
    LocalDecl { ty, name: None, span: nowhere(), scope: Body::SCOPE, ownership: Ownership::Borrowed }
}

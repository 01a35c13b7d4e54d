//! A name for each value of a body: two places with the same name hold the same (SSA form with value numbering). What
//! is read from fields of objects has names, too; a read that nothing can have changed since gives the same one.
//!
//! The SSA form is that of Cytron and others ("Efficiently Computing Static Single Assignment Form and the Control
//! Dependence Graph", 1991), for locals and for two kinds of memory: one stands for all objects and is new behind
//! calls and releases, the others for one field of one type each.

use qz_base::{FxHashMap, Name};
use qz_mir::layout::Layouts;
use qz_mir::visit::{PlaceRef, Use, each_place, term_operand};
use qz_mir::{
    AggregateKind, BinOp, BlockId, Body, CastKind, Const, Intrinsic, Local, Operand, Place, Proj, Rvalue,
    StmtKind, TermKind, UnOp,
};
use qz_types::{IntTy, Ty, TyKind};
use smallvec::SmallVec;

use super::dominators::Dominators;
use crate::bits::Bits;

/// Memory holds fewer elements than this: addresses have 57 bits.
const MOST_ELEMENTS: i128 = 1 << 60;
/// No string has more bytes: its sizes are half a word each.
const MOST_BYTES: i128 = u32::MAX as i128;

/// What is no number, or not known. Sums of many such bounds are numbers still.
const ANYTHING: (i128, i128) = (-(1 << 100), 1 << 100);

/// A value of the body, by number.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Value(u32);

/// Where a value comes from. Those of equal definitions are the same.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Def {
    Int(i128),
    Bool(bool),
    Unknown,
    /// One of several, by where control comes from: a number in [`Values::phis`].
    Phi(u32),
    Not(Value),
    /// Integers of one type in, one or a truth value out. What is checked is exact, or there was a panic.
    Op {
        op: BinOp,
        checked: bool,
        int: IntTy,
        a: Value,
        b: Value,
    },
    /// Of an integer, a character or a truth value to an integer.
    Cast {
        checked: bool,
        of: Value,
        to: IntTy,
    },
    /// A field of a tuple or a value struct.
    Part(Value, u32),
    /// A field of an object while memory was so.
    Field {
        object: Value,
        field: u32,
        all: Value,
        own: Value,
    },
    /// How long a string is.
    Length(Intrinsic, Value),
}

/// A value, and what is known of it wherever it is at hand.
#[derive(Copy, Clone, Debug)]
pub(super) struct Node {
    pub(super) def: Def,
    /// For integers, what it is at least and at most.
    pub(super) least: i128,
    pub(super) most: i128,
    /// The block from which on it is at hand.
    pub(super) home: BlockId,
}

pub(super) struct Phi {
    pub(super) block: BlockId,
    var: usize,
    pub(super) args: SmallVec<[(BlockId, Value); 2]>,
}

/// Something that may be left out, and the values it asks about.
pub(super) enum Check {
    Stmt {
        block: BlockId,
        stmt: usize,
        int: IntTy,
        a: Value,
        b: Value,
    },
    Branch {
        block: BlockId,
        cond: Value,
    },
    /// The place of an index that may count from the end, and where it already stands.
    Place {
        block: BlockId,
        stmt: usize,
        index: Value,
        known: Option<Local>,
    },
}

pub(super) struct Values {
    nodes: Vec<Node>,
    pub(super) phis: Vec<Phi>,
    pub(super) checks: Vec<Check>,
    /// The conditions of branches and what switches look at, by block.
    pub(super) asked: FxHashMap<BlockId, Value>,
}

impl std::ops::Index<Value> for Values {
    type Output = Node;

    fn index(&self, value: Value) -> &Node {
        &self.nodes[value.0 as usize]
    }
}

/// What all values of a type lie between.
pub(super) fn bounds_of(ty: Ty) -> (i128, i128) {
    match ty.kind() {
        TyKind::Int(int) => (int.min_value(), int.max_value()),
        TyKind::Bool => (0, 1),
        TyKind::Char => (0, 0x10_ffff),
        _ => ANYTHING,
    }
}

impl Values {
    pub(super) fn new(body: &Body, layouts: &Layouts, tree: &Dominators) -> Values {
        let values =
            Values { nodes: Vec::new(), phis: Vec::new(), checks: Vec::new(), asked: FxHashMap::default() };
        let mut namer = Namer {
            body,
            layouts,
            tree,
            values,
            known: FxHashMap::default(),
            parts: FxHashMap::default(),
            places: FxHashMap::default(),
            fields: FxHashMap::default(),
            hidden: Bits::new(body.locals.len()),
            now: Vec::new(),
            undo: Vec::new(),
            sized: ["vec::Vec", "slice::Slice", "bytes::Bytes", "bytes::BytesBuilder", "queue::Queue"]
                .map(|path| Name::new(&format!("std::{path}"))),
            len: Name::new("len"),
        };
        namer.look();
        let unknown = namer.node(Def::Unknown, ANYTHING, Body::ENTRY);
        let vars = body.locals.len() + 1 + namer.fields.len();
        namer.now = vec![unknown; vars];
        let phis = namer.place_phis(vars);
        namer.walk(&phis);
        namer.values
    }

    /// The index that this one is, if that is not negative: `index + ((index >> 63) & size)`.
    pub(super) fn plain_index(&self, value: Value) -> Option<Value> {
        let Def::Op { op: BinOp::Add, checked: false, int: IntTy::I64, a, b } = self[value].def else {
            return None;
        };
        let Def::Op { op: BinOp::BitAnd, a: sign, .. } = self[b].def else { return None };
        let Def::Op { op: BinOp::Shr, a: of, b: by, .. } = self[sign].def else { return None };
        (of == a && self[by].def == Def::Int(63)).then_some(a)
    }

    /// If a value is another one and so much, what was exact: both.
    pub(super) fn part_of_sum(&self, value: Value) -> Option<(Value, i128)> {
        let Def::Op { op, checked: true, a, b, .. } = self[value].def else { return None };
        match (op, self[a].def, self[b].def) {
            (BinOp::Add, _, Def::Int(more)) => Some((a, more)),
            (BinOp::Add, Def::Int(more), _) => Some((b, more)),
            (BinOp::Sub, _, Def::Int(less)) => Some((a, -less)),
            _ => None,
        }
    }

    /// The `Int` that was taken for a `U64` without a question, if this is one.
    pub(super) fn as_int(&self, value: Value) -> Option<Value> {
        match self[value].def {
            Def::Cast { checked: false, of, to: IntTy::U64 } if self[of].most <= i64::MAX as i128 => Some(of),
            _ => None,
        }
    }
}

/// What a store changes.
enum Stored {
    Local,
    Field(Ty, u32),
    Elements,
    Anything,
}

struct Namer<'a> {
    body: &'a Body,
    layouts: &'a Layouts<'a>,
    tree: &'a Dominators,
    values: Values,
    known: FxHashMap<Def, Value>,
    parts: FxHashMap<Value, SmallVec<[Value; 2]>>,
    /// Locals that places of indexes were computed to.
    places: FxHashMap<Value, Local>,
    /// Fields of objects that are read, and which variable stands for their memory.
    fields: FxHashMap<(Ty, u32), usize>,
    /// Locals that others can change.
    hidden: Bits,
    /// The values of locals, of all memory, and of that of fields.
    now: Vec<Value>,
    undo: Vec<(usize, Value)>,
    /// Types whose field `len` is a number of elements.
    sized: [Name; 5],
    len: Name,
}

impl Namer<'_> {
    /// Finds what is read of objects, and what is changed without being named.
    fn look(&mut self) {
        let body = self.body;
        for stmt in body.blocks.values().flat_map(|block| &block.stmts) {
            each_place(&stmt.kind, &mut |place, how| {
                if how == Use::Address {
                    self.hidden.insert(place.local().index());
                }
                if let (PlaceRef::Place(place), Use::Copy | Use::Move) = (place, how) {
                    self.look_at(place);
                }
            });
        }
        for place in body.blocks.values().filter_map(|it| term_operand(&it.term.kind)?.place()) {
            self.look_at(place);
        }
    }

    fn look_at(&mut self, place: &Place) {
        let mut at = Place::local(place.local);
        for (n, &proj) in place.proj.iter().enumerate() {
            if let (Proj::Deref, Some(&Proj::Field(field))) = (proj, place.proj.get(n + 1)) {
                let ty = self.layouts.resolve(self.layouts.place_ty(self.body, &at));
                if self.layouts.is_reference_struct(ty) {
                    let next = self.body.locals.len() + 1 + self.fields.len();
                    self.fields.entry((ty, field)).or_insert(next);
                }
            }
            at.proj.push(proj);
        }
    }

    fn all_memory(&self) -> usize {
        self.body.locals.len()
    }

    fn stored(&self, place: &Place) -> Stored {
        let last = place.proj.iter().rposition(|it| matches!(it, Proj::Deref));
        let rest = &place.proj[last.map_or(0, |last| last + 1)..];
        if place.proj.iter().any(|it| matches!(it, Proj::Capture(_))) {
            return Stored::Anything;
        }
        if rest.iter().any(|it| matches!(it, Proj::Index(_))) {
            return Stored::Elements;
        }
        let Some(last) = last else { return Stored::Local };
        let object = Place { local: place.local, proj: place.proj[..last].into() };
        let ty = self.layouts.resolve(self.layouts.place_ty(self.body, &object));
        match rest.first() {
            Some(&Proj::Field(field)) if self.layouts.is_reference_struct(ty) => Stored::Field(ty, field),
            _ => Stored::Anything,
        }
    }

    /// The variable that a statement changes.
    fn changed(&self, stmt: &StmtKind) -> SmallVec<[usize; 2]> {
        match stmt {
            StmtKind::Assign(place, _) | StmtKind::Init(place, _) => match self.stored(place) {
                Stored::Local => SmallVec::from_slice(&[place.local.index()]),
                Stored::Field(ty, field) => self.fields.get(&(ty, field)).copied().into_iter().collect(),
                Stored::Elements => SmallVec::new(),
                Stored::Anything => SmallVec::from_slice(&[self.all_memory()]),
            },
            StmtKind::Call(call) => SmallVec::from_slice(&[call.dest.index(), self.all_memory()]),
            StmtKind::Release(place) => {
                let is_text = *self.layouts.place_ty(self.body, place).kind() == TyKind::Str;
                (!is_text).then(|| self.all_memory()).into_iter().collect()
            }
            StmtKind::EndScope(_) | StmtKind::Retain(_) | StmtKind::Nop => SmallVec::new(),
        }
    }

    /// Which variables get a phi in which blocks.
    fn place_phis(&self, vars: usize) -> Vec<Vec<usize>> {
        let mut set_in: Vec<Vec<BlockId>> = vec![Vec::new(); vars];
        let mut crosses = Bits::new(vars);
        (self.all_memory()..vars).for_each(|var| crosses.insert(var));
        let mut own = vec![BlockId::from_raw(u32::MAX); vars];
        for &id in &self.tree.order {
            let block = &self.body.blocks[id];
            let mut read = |local: Local, own: &[BlockId]| {
                if own[local.index()] != id {
                    crosses.insert(local.index());
                }
            };
            for stmt in &block.stmts {
                each_place(&stmt.kind, &mut |place, how| {
                    if how != Use::Store || !place.is_whole() {
                        read(place.local(), &own);
                    }
                });
                for var in self.changed(&stmt.kind) {
                    if std::mem::replace(&mut own[var], id) != id {
                        set_in[var].push(id);
                    }
                }
            }
            if let Some(place) = term_operand(&block.term.kind).and_then(Operand::place) {
                read(place.local, &own);
            }
        }
        let frontiers = self.tree.frontiers();
        let mut phis = vec![Vec::new(); self.body.blocks.len()];
        let mut has = vec![usize::MAX; self.body.blocks.len()];
        for var in crosses.iter() {
            let mut work = std::mem::take(&mut set_in[var]);
            while let Some(id) = work.pop() {
                for &to in &frontiers[id.index()] {
                    if std::mem::replace(&mut has[to.index()], var) != var {
                        phis[to.index()].push(var);
                        work.push(to);
                    }
                }
            }
        }
        phis
    }

    /// Goes down the tree with the values that hold.
    fn walk(&mut self, phis: &[Vec<usize>]) {
        // The phis of each block that was entered, by what they are made of.
        let mut made: Vec<Vec<(usize, Value)>> = vec![Vec::new(); phis.len()];
        for &id in &self.tree.order {
            for &var in &phis[id.index()] {
                let n = self.values.phis.len() as u32;
                self.values.phis.push(Phi { block: id, var, args: SmallVec::new() });
                let bounds = match self.body.locals.len() > var {
                    true => bounds_of(self.body.locals[Local::from_raw(var as u32)].ty),
                    false => ANYTHING,
                };
                let value = self.node(Def::Phi(n), bounds, id);
                made[id.index()].push((var, value));
            }
        }
        for param in self.body.params() {
            let bounds = bounds_of(self.body.locals[param].ty);
            self.now[param.index()] = self.node(Def::Unknown, bounds, Body::ENTRY);
        }
        let mut path = vec![(Body::ENTRY, 0, 0)];
        self.block(Body::ENTRY, &made);
        while let Some((id, next, undo)) = path.last_mut() {
            match self.tree.below[id.index()].get(*next) {
                Some(&inner) => {
                    *next += 1;
                    path.push((inner, 0, self.undo.len()));
                    self.block(inner, &made);
                }
                None => {
                    for (var, value) in self.undo.drain(*undo..).rev() {
                        self.now[var] = value;
                    }
                    path.pop();
                }
            }
        }
    }

    fn block(&mut self, id: BlockId, made: &[Vec<(usize, Value)>]) {
        let body = self.body;
        made[id.index()].iter().for_each(|&(var, value)| self.set(var, value));
        for (n, stmt) in body.blocks[id].stmts.iter().enumerate() {
            self.stmt(id, n, &stmt.kind);
        }
        let term = &body.blocks[id].term.kind;
        if let Some(operand) = term_operand(term) {
            let cond = self.operand(operand, id);
            self.values.asked.insert(id, cond);
            if matches!(term, TermKind::Branch { .. }) {
                self.values.checks.push(Check::Branch { block: id, cond });
            }
        }
        for to in term.successors() {
            for &(var, value) in &made[to.index()] {
                let Def::Phi(n) = self.values[value].def else { unreachable!("made as one") };
                let phi = &mut self.values.phis[n as usize];
                debug_assert_eq!(phi.var, var);
                phi.args.push((id, self.now[var]));
            }
        }
    }

    fn stmt(&mut self, id: BlockId, n: usize, stmt: &StmtKind) {
        let value = match stmt {
            StmtKind::Assign(place, value) | StmtKind::Init(place, value) => {
                let ty = place.as_local().map(|local| self.body.locals[local].ty);
                let made = self.rvalue(value, ty, id, n);
                if let (Some(local), Rvalue::Binary(..)) = (place.as_local(), value) {
                    self.index(made, local, id, n);
                }
                Some(made).filter(|_| place.proj.is_empty())
            }
            _ => None,
        };
        for var in self.changed(stmt) {
            let new = value.unwrap_or_else(|| {
                let bounds = match (stmt, self.body.locals.len() > var) {
                    (StmtKind::Call(_), true) => bounds_of(self.body.locals[Local::from_raw(var as u32)].ty),
                    _ => ANYTHING,
                };
                self.node(Def::Unknown, bounds, id)
            });
            self.set(var, new);
        }
    }

    /// Notes where the place of an index is computed.
    fn index(&mut self, place: Value, to: Local, block: BlockId, stmt: usize) {
        let Some(index) = self.values.plain_index(place) else { return };
        let holds = |local: &Local| self.now[local.index()] == place && !self.hidden.has(local.index());
        let known = self.places.get(&place).copied().filter(holds);
        if known.is_none() {
            self.places.insert(place, to);
        }
        self.values.checks.push(Check::Place { block, stmt, index, known });
    }

    fn set(&mut self, var: usize, value: Value) {
        self.undo.push((var, std::mem::replace(&mut self.now[var], value)));
    }

    fn node(&mut self, def: Def, (least, most): (i128, i128), home: BlockId) -> Value {
        self.values.nodes.push(Node { def, least, most, home });
        Value(self.values.nodes.len() as u32 - 1)
    }

    /// The value of a definition that depends on nothing else.
    fn value(&mut self, def: Def, bounds: (i128, i128), home: BlockId) -> Value {
        if let Some(&value) = self.known.get(&def) {
            return value;
        }
        let value = self.node(def, bounds, home);
        self.known.insert(def, value);
        value
    }

    fn home(&self, a: Value, b: Value) -> BlockId {
        self.tree.lower(self.values[a].home, self.values[b].home)
    }

    fn operand(&mut self, operand: &Operand, id: BlockId) -> Value {
        match operand {
            Operand::Const(Const::Int(value, _)) => {
                self.value(Def::Int(*value), (*value, *value), Body::ENTRY)
            }
            Operand::Const(Const::Bool(value)) => {
                let number = *value as i128;
                self.value(Def::Bool(*value), (number, number), Body::ENTRY)
            }
            Operand::Const(_) => self.node(Def::Unknown, ANYTHING, id),
            Operand::Copy(place) | Operand::Move(place) => self.place(place, id),
        }
    }

    fn unknown(&mut self, ty: Ty, id: BlockId) -> Value {
        self.node(Def::Unknown, bounds_of(ty), id)
    }

    fn place(&mut self, place: &Place, id: BlockId) -> Value {
        let ty = self.layouts.place_ty(self.body, place);
        if self.hidden.has(place.local.index()) {
            return self.unknown(ty, id);
        }
        let mut value = self.now[place.local.index()];
        let mut at = Place::local(place.local);
        let mut projs = place.proj.iter().copied().peekable();
        while let Some(proj) = projs.next() {
            let from = self.layouts.resolve(self.layouts.place_ty(self.body, &at));
            at.proj.push(proj);
            value = match (proj, projs.peek()) {
                (Proj::Field(field), _) => self.part(value, field, self.layouts.place_ty(self.body, &at)),
                (Proj::Deref, Some(&Proj::Field(field))) if self.layouts.is_reference_struct(from) => {
                    projs.next();
                    at.proj.push(Proj::Field(field));
                    let ty = self.layouts.place_ty(self.body, &at);
                    self.field(value, from, field, ty)
                }
                _ => return self.unknown(ty, id),
            };
        }
        value
    }

    fn part(&mut self, of: Value, field: u32, ty: Ty) -> Value {
        match self.parts.get(&of) {
            Some(parts) => parts[field as usize],
            None => self.value(Def::Part(of, field), bounds_of(ty), self.values[of].home),
        }
    }

    fn field(&mut self, object: Value, of: Ty, field: u32, ty: Ty) -> Value {
        let all = self.now[self.all_memory()];
        let own = match self.fields.get(&(of, field)) {
            Some(&var) => self.now[var],
            None => all,
        };
        let home = self.tree.lower(self.home(object, all), self.values[own].home);
        let bounds = self.length(of, field).unwrap_or(bounds_of(ty));
        self.value(Def::Field { object, field, all, own }, bounds, home)
    }

    /// What a field lies between that says how many elements there are.
    fn length(&self, of: Ty, field: u32) -> Option<(i128, i128)> {
        let TyKind::Adt(id, args) = *of.kind() else { return None };
        let def = self.layouts.defs().adt_def(id);
        let qz_mir::AdtKind::Reference(fields) = &def.kind else { return None };
        if fields[field as usize].name != self.len || !self.sized.contains(&def.path) {
            return None;
        }
        let takes_memory = args.first().is_none_or(|&element| self.layouts.of(element).size > 0);
        Some((0, if takes_memory { MOST_ELEMENTS } else { i64::MAX as i128 }))
    }

    fn rvalue(&mut self, value: &Rvalue, ty: Option<Ty>, id: BlockId, stmt: usize) -> Value {
        let bounds = ty.map_or(ANYTHING, bounds_of);
        match value {
            Rvalue::Use(operand) => self.operand(operand, id),
            Rvalue::Unary(UnOp::Not, of) if bounds == (0, 1) => {
                let of = self.operand(of, id);
                self.value(Def::Not(of), bounds, self.values[of].home)
            }
            Rvalue::Binary(op, a, b) => self.op(*op, false, a, b, id, stmt),
            Rvalue::Checked(op, a, b) => self.op(*op, true, a, b, id, stmt),
            Rvalue::Cast(kind, of, to) => self.cast(*kind, of, *to, id, stmt),
            Rvalue::Discriminant(_) => self.node(Def::Unknown, (0, u32::MAX as i128), id),
            Rvalue::Aggregate(AggregateKind::Tuple(_) | AggregateKind::Value(_), operands) => {
                let parts = operands.iter().map(|it| self.operand(it, id)).collect();
                let tuple = self.node(Def::Unknown, bounds, id);
                self.parts.insert(tuple, parts);
                tuple
            }
            Rvalue::Intrinsic(which @ (Intrinsic::StrLen | Intrinsic::StrChars), operands, _) => {
                let of = self.operand(&operands[0], id);
                self.value(Def::Length(*which, of), (0, MOST_BYTES), self.values[of].home)
            }
            Rvalue::Intrinsic(
                Intrinsic::CountOnes | Intrinsic::LeadingZeros | Intrinsic::TrailingZeros,
                ..,
            ) => self.node(Def::Unknown, (0, 64), id),
            _ => self.node(Def::Unknown, bounds, id),
        }
    }

    fn int_of(&self, operand: &Operand) -> Option<IntTy> {
        match operand {
            Operand::Const(Const::Int(_, int)) => Some(*int),
            Operand::Const(_) => None,
            Operand::Copy(place) | Operand::Move(place) => {
                match self.layouts.place_ty(self.body, place).kind() {
                    TyKind::Int(int) => Some(*int),
                    _ => None,
                }
            }
        }
    }

    fn op(&mut self, op: BinOp, checked: bool, a: &Operand, b: &Operand, id: BlockId, stmt: usize) -> Value {
        let int = self.int_of(a).filter(|_| self.int_of(b).is_some());
        let (a, b) = (self.operand(a, id), self.operand(b, id));
        let Some(int) = int else {
            let bounds = if op.is_comparison() { (0, 1) } else { ANYTHING };
            return self.node(Def::Unknown, bounds, id);
        };
        let range = |value: Value| (self.values[value].least, self.values[value].most);
        let bounds = result_of(op, checked, int, range(a), range(b));
        let value = self.value(Def::Op { op, checked, int, a, b }, bounds, self.home(a, b));
        if checked {
            self.values.checks.push(Check::Stmt { block: id, stmt, int, a, b });
        }
        value
    }

    fn cast(&mut self, kind: CastKind, of: &Operand, to: Ty, id: BlockId, stmt: usize) -> Value {
        let checked = kind == CastKind::Checked;
        let from = self.operand(of, id);
        let whole = match of {
            Operand::Const(Const::Int(..)) => true,
            Operand::Const(_) => false,
            Operand::Copy(place) | Operand::Move(place) => {
                let ty = self.layouts.place_ty(self.body, place);
                matches!(ty.kind(), TyKind::Int(_) | TyKind::Char | TyKind::Bool)
            }
        };
        let (&TyKind::Int(int), true, CastKind::Checked | CastKind::Wrapping) = (to.kind(), whole, kind)
        else {
            return self.unknown(to, id);
        };
        let (min, max) = (int.min_value(), int.max_value());
        let Node { least, most, home, .. } = self.values[from];
        let bounds = match min <= least && most <= max {
            true => (least, most),
            false if checked => (least.max(min), most.min(max)),
            false => (min, max),
        };
        if checked {
            self.values.checks.push(Check::Stmt { block: id, stmt, int, a: from, b: from });
        }
        self.value(Def::Cast { checked, of: from, to: int }, bounds, home)
    }
}

/// What a result lies between if its operands lie between those.
fn result_of(op: BinOp, checked: bool, int: IntTy, a: (i128, i128), b: (i128, i128)) -> (i128, i128) {
    let (min, max) = (int.min_value(), int.max_value());
    let exact = |low: i128, high: i128| match min <= low && high <= max {
        true => (low, high),
        // What does not fit panics.
        false if checked => (low.max(min), high.min(max)),
        false => (min, max),
    };
    let positive = |it: (i128, i128)| it.0 >= 0;
    match op {
        BinOp::Add => exact(a.0.saturating_add(b.0), a.1.saturating_add(b.1)),
        BinOp::Sub => exact(a.0.saturating_sub(b.1), a.1.saturating_sub(b.0)),
        BinOp::Mul => {
            let ends = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)].map(|(a, b)| a.saturating_mul(b));
            exact(ends.into_iter().min().unwrap_or(min), ends.into_iter().max().unwrap_or(max))
        }
        BinOp::Div if positive(a) && b.0 > 0 => (a.0 / b.1, a.1 / b.0),
        BinOp::Div if b.0 > 0 => (a.0 / b.0, if a.1 > 0 { a.1 / b.0 } else { 0 }),
        BinOp::Rem if b.0 > 0 => {
            let most = b.1 - 1;
            (if positive(a) { 0 } else { -most }, if positive(a) { most.min(a.1) } else { most })
        }
        BinOp::Rem if positive(a) => (0, a.1),
        BinOp::BitAnd if positive(a) && positive(b) => (0, a.1.min(b.1)),
        BinOp::BitAnd if positive(a) => (0, a.1),
        BinOp::BitAnd if positive(b) => (0, b.1),
        BinOp::BitOr | BinOp::BitXor if positive(a) && positive(b) => {
            let bits = 128 - a.1.max(b.1).leading_zeros();
            (0, (1i128 << bits) - 1)
        }
        BinOp::Shr if b.0 == b.1 && (0..int.bits() as i128).contains(&b.0) => (a.0 >> b.0, a.1 >> b.0),
        BinOp::Shr if positive(a) => (0, a.1),
        BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => (0, 1),
        _ => (min, max),
    }
}

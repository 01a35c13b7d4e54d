//! Building modules with few words.

use std::sync::Arc;

use qz_base::{FileId, Name, Span, TextRange};
use qz_mir::build::Builder;
use qz_mir::layout::{AdtDefs, Layouts};
use qz_mir::{
    AdtDef, AdtKind, BinOp, BodyAttrs, BodyKey, Callee, Const, FieldDef, Foreign, Instance, InstanceId,
    InstanceKey, Intrinsic, Local, Module, Operand, Ownership, Param, Place, Repr, Rvalue, StmtKind,
    TermKind, TypeEntry, TypeEntryKind, VariantDef,
};
use qz_rt_abi::RtFn;
use qz_types::ty::common;
use qz_types::{AdtId, FnId, IntTy, Ty};

use super::{Ended, Engine};

pub struct Defs(pub Vec<Arc<AdtDef>>);

impl AdtDefs for Defs {
    fn adt_def(&self, id: AdtId) -> Arc<AdtDef> {
        self.0[id.index()].clone()
    }

    fn resolve(&self, ty: Ty) -> Ty {
        ty
    }
}

/// A program being built.
pub struct Program {
    pub defs: Defs,
    pub module: Module,
}

pub struct Body {
    pub b: Builder,
    line: u32,
}

pub fn span(at: u32) -> Span {
    Span::new(FileId(0), TextRange::new(at, at + 1))
}

impl Program {
    pub fn new() -> Program {
        Program { defs: Defs(Vec::new()), module: Module::default() }
    }

    fn adt(&mut self, kind: AdtKind) -> AdtId {
        let name = Name::new("T");
        self.defs.0.push(Arc::new(AdtDef { path: name, name, kind, repr: Repr::Quartz }));
        AdtId::from_raw(self.defs.0.len() as u32 - 1)
    }

    fn fields(tys: &[Ty]) -> Vec<FieldDef> {
        tys.iter().map(|&ty| FieldDef { name: Name::new("f"), ty }).collect()
    }

    /// A struct type that is a reference.
    pub fn reference(&mut self, fields: &[Ty]) -> Ty {
        let id = self.adt(AdtKind::Reference(Program::fields(fields)));
        Ty::adt(id, &[])
    }

    pub fn value(&mut self, fields: &[Ty]) -> Ty {
        let id = self.adt(AdtKind::Value(Program::fields(fields)));
        Ty::adt(id, &[])
    }

    /// An enum whose variants may mention the enum itself: they are made from its type.
    pub fn enumeration(&mut self, variants: impl FnOnce(Ty) -> Vec<Vec<Ty>>) -> Ty {
        let id = self.adt(AdtKind::Enum(Vec::new()));
        let ty = Ty::adt(id, &[]);
        let variants = variants(ty)
            .iter()
            .map(|tys| VariantDef { name: Name::new("V"), fields: Program::fields(tys) })
            .collect();
        let name = Name::new("T");
        let def = AdtDef { path: name, name, kind: AdtKind::Enum(variants), repr: Repr::Quartz };
        self.defs.0[id.index()] = Arc::new(def);
        ty
    }

    pub fn option(&mut self, of: Ty) -> Ty {
        self.enumeration(|_| vec![vec![], vec![of]])
    }

    /// An instance whose body comes later.
    pub fn declare(&mut self, name: &str, params: &[Ty], ret: Ty) -> InstanceId {
        let key = InstanceKey::Entry(FnId::from_raw(self.module.instances.len() as u32));
        self.declare_as(key, name, params, ret)
    }

    pub fn declare_as(&mut self, key: InstanceKey, name: &str, params: &[Ty], ret: Ty) -> InstanceId {
        let params = params.iter().map(|&ty| Param { ty, ownership: Ownership::Owned }).collect();
        self.module.instances.alloc(Instance {
            key,
            symbol: name.into(),
            body: None,
            params,
            ret,
            may_panic: true,
            foreign: None,
            for_c: None,
            kept: None,
        })
    }

    pub fn foreign(&mut self, symbol: &str, params: &[Ty], ret: Ty, variadic: bool) -> InstanceId {
        let id = self.declare(symbol, params, ret);
        self.module.instances[id].foreign = Some(Foreign { symbol: Name::new(symbol), variadic });
        id
    }

    pub fn define(&mut self, id: InstanceId, build: impl FnOnce(&mut Body)) {
        self.define_with(id, BodyAttrs::default(), build);
    }

    pub fn define_with(&mut self, id: InstanceId, attrs: BodyAttrs, build: impl FnOnce(&mut Body)) {
        let instance = &self.module.instances[id];
        let key = BodyKey::main(FnId::from_raw(id.raw()));
        let mut builder = Builder::new(key, Name::new(&instance.symbol), instance.ret, span(0), attrs);
        for param in &instance.params {
            builder.param(param.ty, None);
        }
        let mut body = Body { b: builder, line: 0 };
        build(&mut body);
        self.module.instances[id].body = Some(Arc::new(body.b.finish()));
    }

    pub fn function(
        &mut self,
        name: &str,
        params: &[Ty],
        ret: Ty,
        build: impl FnOnce(&mut Body),
    ) -> InstanceId {
        let id = self.declare(name, params, ret);
        self.define(id, build);
        id
    }

    pub fn main(&mut self, ret: Ty, build: impl FnOnce(&mut Body)) {
        let id = self.function("main", &[], ret, build);
        self.module.entry = Some(id);
    }

    /// Puts a type into the type table, with a destroy function that releases what `release` says.
    pub fn destroyed(&mut self, ty: Ty, release: impl FnOnce(&mut Body, Local)) -> InstanceId {
        let unit = common().unit;
        let id = self.declare_as(InstanceKey::DestroyGlue(ty), "destroy", &[ty], unit);
        let entry = TypeEntry {
            name: format!("T{}", self.module.types.len()),
            kind: TypeEntryKind::Ty(ty),
            destroy: id,
            crossing: Default::default(),
            circle: Default::default(),
        };
        self.module.types.push(entry);
        self.define(id, |f| {
            let object = f.param(0);
            release(f, object);
            f.rt_do("free_object", vec![Operand::local(object)]);
            f.ret();
        });
        id
    }

    pub fn run(self, engine: Engine) -> Ended {
        let layouts = Layouts::new(&self.defs);
        engine(&self.module, &layouts)
    }
}

impl Body {
    pub fn param(&self, n: u32) -> Local {
        Local::from_raw(n + 1)
    }

    /// Following statements stand in this column.
    pub fn at(&mut self, column: u32) -> &mut Body {
        self.line = column;
        self.b.set_span(span(column - 1));
        self
    }

    pub fn let_(&mut self, ty: Ty, value: Rvalue) -> Local {
        self.b.eval(ty, value)
    }

    pub fn int(&mut self, value: i64) -> Local {
        self.let_(common().int, Rvalue::Use(Operand::int(value)))
    }

    pub fn set(&mut self, local: Local, value: Rvalue) {
        self.b.assign_local(local, value);
    }

    pub fn set_place(&mut self, place: Place, value: Rvalue) {
        self.b.assign(place, value);
    }

    pub fn checked(&mut self, op: BinOp, a: impl Into<Op>, b: impl Into<Op>) -> Local {
        let (a, b) = (a.into().0, b.into().0);
        let ty = self.ty(&a);
        self.let_(ty, Rvalue::Checked(op, a, b))
    }

    pub fn compare(&mut self, op: BinOp, a: impl Into<Op>, b: impl Into<Op>) -> Local {
        self.let_(common().bool, Rvalue::Binary(op, a.into().0, b.into().0))
    }

    fn ty(&self, operand: &Operand) -> Ty {
        match operand {
            Operand::Copy(place) | Operand::Move(place) => {
                assert!(place.proj.is_empty());
                self.b.locals[place.local].ty
            }
            Operand::Const(Const::Int(_, ty)) => Ty::new(qz_types::TyKind::Int(*ty)),
            Operand::Const(Const::Str(_)) => common().str,
            other => unreachable!("{other:?}"),
        }
    }

    pub fn call(&mut self, id: InstanceId, ret: Ty, args: Vec<Operand>) -> Local {
        let dest = self.b.temp(ret);
        self.b.call(dest, Callee::Instance(id), args);
        dest
    }

    pub fn rt(&mut self, name: &str, ret: Ty, args: Vec<Operand>) -> Local {
        let dest = self.b.temp(ret);
        let f = RtFn::by_name(name).expect("a runtime function");
        self.b.call(dest, Callee::Runtime(f), args);
        dest
    }

    pub fn rt_do(&mut self, name: &str, args: Vec<Operand>) {
        self.rt(name, common().unit, args);
    }

    pub fn intrinsic(&mut self, which: Intrinsic, ty: Ty, args: Vec<Operand>) -> Local {
        self.let_(ty, Rvalue::Intrinsic(which, args.into_iter().collect(), ty))
    }

    pub fn retain(&mut self, place: impl Into<Op>) {
        let place = place.into().place();
        self.b.push(StmtKind::Retain(place));
    }

    pub fn release(&mut self, place: impl Into<Op>) {
        let place = place.into().place();
        self.b.push(StmtKind::Release(place));
    }

    /// Prints a string and releases it.
    pub fn print(&mut self, text: Local) {
        self.rt_do("out_line", vec![Operand::local(text)]);
        self.release(text);
    }

    pub fn print_int(&mut self, value: impl Into<Op>) {
        let text = self.rt("int_to_str", common().str, vec![value.into().0]);
        self.print(text);
    }

    pub fn print_text(&mut self, text: &str) {
        self.rt_do("out_line", vec![string(text)]);
    }

    pub fn ret(&mut self) {
        self.b.end(TermKind::Return);
    }

    pub fn ret_value(&mut self, value: Operand) {
        self.set(qz_mir::Body::RETURN, Rvalue::Use(value));
        self.ret();
    }

    /// `while i < n`, `i` counting from `from`.
    pub fn count(&mut self, from: i64, to: impl Into<Op>, turn: impl FnOnce(&mut Body, Local)) {
        let i = self.int(from);
        let (head, inside, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.goto(head);
        self.b.switch_to(head);
        let more = self.compare(BinOp::Lt, i, to);
        self.b.branch(Operand::local(more), inside, after);
        self.b.switch_to(inside);
        turn(self, i);
        self.set(i, Rvalue::Binary(BinOp::Add, Operand::local(i), Operand::int(1)));
        self.b.goto(head);
        self.b.switch_to(after);
    }

    /// Branches on a Bool; both sides go on behind.
    pub fn if_(&mut self, cond: Local, then: impl FnOnce(&mut Body), otherwise: impl FnOnce(&mut Body)) {
        let (yes, no, after) = (self.b.new_block(), self.b.new_block(), self.b.new_block());
        self.b.branch(Operand::local(cond), yes, no);
        self.b.switch_to(yes);
        then(self);
        self.b.goto(after);
        self.b.switch_to(no);
        otherwise(self);
        self.b.goto(after);
        self.b.switch_to(after);
    }

    /// Translates `inside` with a cleanup that does `cleanup` and goes on unwinding.
    pub fn protect(&mut self, inside: impl FnOnce(&mut Body), cleanup: impl FnOnce(&mut Body)) {
        self.protect_with(inside, |f| {
            cleanup(f);
            f.b.end(TermKind::Resume);
        });
    }

    /// As `protect`; `cleanup` ends its block itself.
    pub fn protect_with(&mut self, inside: impl FnOnce(&mut Body), cleanup: impl FnOnce(&mut Body)) {
        let outer = self.b.set_cleanup(true);
        let handler = self.b.new_block();
        self.b.set_cleanup(outer);
        let before = self.b.set_unwind(Some(handler));
        self.b.refresh();
        inside(self);
        self.b.set_unwind(before);
        let after = self.b.new_block();
        self.b.goto(after);
        let outer = self.b.set_cleanup(true);
        self.b.switch_to(handler);
        cleanup(self);
        self.b.set_cleanup(outer);
        self.b.switch_to(after);
    }
}

/// An operand, from whatever is at hand.
pub struct Op(pub Operand);

impl Op {
    fn place(self) -> Place {
        self.0.place().expect("a place").clone()
    }
}

impl From<Local> for Op {
    fn from(local: Local) -> Op {
        Op(Operand::local(local))
    }
}

impl From<i64> for Op {
    fn from(value: i64) -> Op {
        Op(Operand::int(value))
    }
}

impl From<Place> for Op {
    fn from(place: Place) -> Op {
        Op(Operand::Copy(place))
    }
}

impl From<Operand> for Op {
    fn from(operand: Operand) -> Op {
        Op(operand)
    }
}

pub fn string(text: &str) -> Operand {
    Operand::Const(Const::Str(text.into()))
}

pub fn int_of(ty: IntTy, value: i128) -> Operand {
    Operand::Const(Const::Int(value, ty))
}

pub fn boolean(value: bool) -> Operand {
    Operand::Const(Const::Bool(value))
}

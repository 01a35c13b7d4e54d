//! `==`, order, `hash`, `show` and `clone` of a type, made from its parts.
//!
//! Bodies are generic: a part's own operation is a call through the trait, resolved for each instance.

use qz_base::Name;
use qz_hir::AdtKind;
use qz_hir::defs::{AdtFields, Field};
use qz_infer::traits::Derived;
use qz_mir::build::Builder;
use qz_mir::{
    AggregateKind, BinOp, BlockId, Body, Callee, ClosureTarget, Const, Local, Operand, Place, Proj, Rvalue,
    TermKind,
};
use qz_types::ty::common;
use qz_types::{AdtId, Row, Ty, TyKind};

use crate::synth::type_params;
use crate::{DerivePart, Lowerer, Synth, main_key, numbers};

pub(crate) fn method_name(derived: Derived) -> &'static str {
    match derived {
        Derived::Eq => "op_eq",
        Derived::Ord => "cmp",
        Derived::Hash => "hash",
        Derived::Show => "show",
        Derived::Clone => "clone",
    }
}

/// Parameters and result for a type.
pub(crate) fn types(derived: Derived, ty: Ty) -> (Vec<Ty>, Ty) {
    let c = common();
    match derived {
        Derived::Eq => (vec![ty, ty], c.bool),
        Derived::Ord => (vec![ty, ty], c.int),
        Derived::Hash => (vec![ty], c.int),
        Derived::Show => (vec![ty], c.str),
        Derived::Clone => (vec![ty], ty),
    }
}

/// One part of a value: how to reach it, its type, its name if shown with one.
struct Part {
    proj: Vec<Proj>,
    ty: Ty,
    name: Option<Name>,
}

impl Part {
    fn of(&self, value: Local) -> Operand {
        let mut place = Place::local(value);
        place.proj.extend(self.proj.iter().copied());
        Operand::Copy(place)
    }
}

/// How a constructor's values look and are rebuilt.
struct Shape {
    title: String,
    parts: Vec<Part>,
    /// `{ x: 1 }`, `(1, 2)` or nothing around the parts.
    braces: bool,
}

const SELF: Local = Local::from_raw(1);
const OTHER: Local = Local::from_raw(2);

struct Deriver<'a, 'l, 'c, 'd> {
    lw: &'l Lowerer<'c, 'd>,
    b: &'a mut Builder,
    derived: Derived,
    ty: Ty,
}

pub(crate) fn adt(lw: &Lowerer<'_, '_>, b: &mut Builder, derived: Derived, id: AdtId) {
    let ty = lw.defs().adt_identity(id);
    let fields = lw.defs().adt_fields(id);
    let kind = lw.defs().adts[id].kind;
    let mut it = Deriver { lw, b, derived, ty };
    match (kind, derived) {
        (AdtKind::Struct, Derived::Show) => return it.by_parts("show_once", id, &[DerivePart::Show]),
        (AdtKind::Struct, Derived::Clone) => {
            return it.by_parts("copy_once", id, &[DerivePart::Start, DerivePart::Finish]);
        }
        // A refined value is one of its base type.
        (AdtKind::Newtype, Derived::Show) if lw.defs().refinement(id).is_some() => {
            return it.shown_inside("show", &of_struct(lw, id));
        }
        (AdtKind::Enum, _) => {}
        _ => return it.one(&of_struct(lw, id), 0),
    }
    if let Some((int, _)) = lw.defs().repr_numbers(ty) {
        // What C may have written is compared and copied as the number that it is.
        let part = Part { proj: vec![Proj::Field(0)], ty: Ty::new(TyKind::Int(int)), name: None };
        let number = Shape { title: String::new(), parts: vec![part], braces: false };
        match derived {
            Derived::Eq | Derived::Hash => return it.one(&number, 0),
            Derived::Clone => return it.ret(Operand::local(SELF)),
            Derived::Ord | Derived::Show => {}
        }
    }
    let shapes = of_enum(&fields);
    match derived {
        Derived::Show if lw.defs().adts[id].union_of.is_some() => it.shown_member("show", &shapes),
        _ => it.variants(&shapes, Deriver::one),
    }
}

fn of_enum(fields: &AdtFields) -> Vec<Shape> {
    let variants = fields.variants.iter().enumerate();
    variants
        .map(|(n, variant)| shape(&variant.fields, false, &[Proj::Variant(n as u32)], variant.name))
        .collect()
}

/// What `show_once` and `copy_once` are given.
pub(crate) fn part(lw: &Lowerer<'_, '_>, b: &mut Builder, part: DerivePart, id: AdtId) {
    let ty = lw.defs().adt_identity(id);
    if lw.defs().adts[id].union_of.is_some() {
        let shapes = of_enum(&lw.defs().adt_fields(id));
        return Deriver { lw, b, derived: Derived::Show, ty }.shown_member("inspect", &shapes);
    }
    let shape = of_struct(lw, id);
    match part {
        DerivePart::Show => Deriver { lw, b, derived: Derived::Show, ty }.show(&shape),
        DerivePart::Inspect => Deriver { lw, b, derived: Derived::Show, ty }.shown_inside("inspect", &shape),
        DerivePart::Start => {
            let parts = shape.parts.iter().map(|part| part.of(SELF)).collect();
            b.assign_local(Body::RETURN, Rvalue::New(ty, parts));
        }
        DerivePart::Finish => Deriver { lw, b, derived: Derived::Clone, ty }.replace_parts(&shape),
    }
}

fn of_struct(lw: &Lowerer<'_, '_>, id: AdtId) -> Shape {
    let def = &lw.defs().adts[id];
    let lead: &[Proj] = if def.kind == AdtKind::Struct { &[Proj::Deref] } else { &[] };
    let variant = &lw.defs().adt_fields(id).variants[0];
    shape(&variant.fields, variant.named, lead, def.name)
}

pub(crate) fn tuple(lw: &Lowerer<'_, '_>, b: &mut Builder, derived: Derived, n: u32) {
    let types = type_params(n);
    let parts = types
        .iter()
        .enumerate()
        .map(|(i, &ty)| Part { proj: vec![Proj::Field(i as u32)], ty, name: None })
        .collect();
    let shape = Shape { title: String::new(), parts, braces: false };
    Deriver { lw, b, derived, ty: Ty::tuple(&types) }.one(&shape, 0);
}

/// The tuple of all elements of two.
pub(crate) fn joined(b: &mut Builder, left: u32, right: u32, ret: Ty) {
    let element = |of: Local, n: u32| Operand::Copy(Place::local(of).field(n));
    let first = (0..left).map(|n| element(SELF, n));
    let all = first.chain((0..right).map(|n| element(OTHER, n))).collect();
    b.assign_local(Body::RETURN, Rvalue::Aggregate(AggregateKind::Tuple(ret), all));
}

/// Records with these names of fields: each field's type is a parameter.
pub(crate) fn generic_record(fields: &[(Name, Ty)]) -> Ty {
    let fields: Vec<(Name, Ty)> =
        fields.iter().enumerate().map(|(n, it)| (it.0, Ty::param(n as u32, it.0))).collect();
    Ty::record(&fields)
}

pub(crate) fn record_fields(ty: Ty) -> &'static [(Name, Ty)] {
    match *ty.kind() {
        TyKind::Record(fields) => fields,
        _ => unreachable!("asked of records only"),
    }
}

pub(crate) fn record(lw: &Lowerer<'_, '_>, b: &mut Builder, derived: Derived, ty: Ty) {
    let parts = record_fields(ty)
        .iter()
        .enumerate()
        .map(|(i, &(name, ty))| Part { proj: vec![Proj::Field(i as u32)], ty, name: Some(name) })
        .collect();
    let shape = Shape { title: String::new(), parts, braces: true };
    Deriver { lw, b, derived, ty }.one(&shape, 0);
}

/// Functions and `dyn` values: they are shown as such and cloned by sharing.
pub(crate) fn opaque(b: &mut Builder, derived: Derived) {
    let value = match derived {
        Derived::Clone => Operand::local(SELF),
        _ => Operand::Const(Const::Str("<function>".into())),
    };
    b.assign_local(Body::RETURN, Rvalue::Use(value));
}

fn shape(fields: &[Field], named: bool, lead: &[Proj], title: Name) -> Shape {
    // What a reference to an actor holds has no name that could be written.
    let named = named && !fields.iter().any(|it| it.name.as_str().starts_with('('));
    let parts = fields
        .iter()
        .enumerate()
        .map(|(n, field)| {
            let mut proj = lead.to_vec();
            proj.push(Proj::Field(n as u32));
            Part { proj, ty: field.ty, name: named.then_some(field.name) }
        })
        .collect();
    Shape { title: title.to_string(), parts, braces: named }
}

impl Deriver<'_, '_, '_, '_> {
    /// The whole operation for values of one shape; local 0 gets the result.
    fn one(&mut self, shape: &Shape, variant: u32) {
        match self.derived {
            Derived::Eq => self.eq(shape),
            Derived::Ord => self.cmp(shape),
            Derived::Hash => self.hash(shape, variant),
            Derived::Show => self.show(shape),
            Derived::Clone => self.clone_parts(shape, variant),
        }
    }

    fn ret(&mut self, value: Operand) {
        self.b.assign_local(Body::RETURN, Rvalue::Use(value));
    }

    fn call(&mut self, role: &str, method: &str, ty: Ty, args: Vec<Operand>, ret: Ty) -> Operand {
        let callee = self.lw.method_of(role, method, ty);
        let dest = self.b.temp(ret);
        self.b.call(dest, callee, args);
        Operand::local(dest)
    }

    fn compare(&mut self, op: BinOp, a: Operand, b: Operand) -> Operand {
        Operand::local(self.b.eval(common().bool, Rvalue::Binary(op, a, b)))
    }

    /// An enum: values of different variants differ, by order of declaration.
    fn variants(&mut self, shapes: &[Shape], mut one: impl FnMut(&mut Self, &Shape, u32)) {
        let mine = numbers::variant_index(self.lw, self.b, Place::local(SELF), self.ty);
        let end = self.b.new_block();
        if matches!(self.derived, Derived::Eq | Derived::Ord) {
            let theirs = numbers::variant_index(self.lw, self.b, Place::local(OTHER), self.ty);
            self.different(mine, theirs, end);
        }
        let cases: Vec<(i128, BlockId)> =
            (0..shapes.len()).map(|n| (n as i128, self.b.new_block())).collect();
        if cases.is_empty() {
            self.b.end(TermKind::Unreachable);
        } else {
            self.b.end(TermKind::Switch {
                value: Operand::local(mine),
                cases: cases.clone(),
                otherwise: None,
            });
        }
        for (n, (shape, (_, block))) in shapes.iter().zip(cases).enumerate() {
            self.b.switch_to(block);
            one(self, shape, n as u32);
            self.b.goto(end);
        }
        self.b.switch_to(end);
    }

    /// Answers for values of different variants; goes on where they are the same.
    fn different(&mut self, mine: Local, theirs: Local, end: BlockId) {
        let (same, differ) = (self.b.new_block(), self.b.new_block());
        let test = self.compare(BinOp::Eq, Operand::local(mine), Operand::local(theirs));
        self.b.branch(test, same, differ);
        self.b.switch_to(differ);
        if self.derived == Derived::Eq {
            self.ret(Operand::Const(Const::Bool(false)));
            self.b.goto(end);
        } else {
            let (less, more) = (self.b.new_block(), self.b.new_block());
            let test = self.compare(BinOp::Lt, Operand::local(mine), Operand::local(theirs));
            self.b.branch(test, less, more);
            for (block, value) in [(less, -1), (more, 1)] {
                self.b.switch_to(block);
                self.ret(Operand::int(value));
                self.b.goto(end);
            }
        }
        self.b.switch_to(same);
    }

    fn eq(&mut self, shape: &Shape) {
        let end = self.b.new_block();
        for part in &shape.parts {
            let (a, b) = (part.of(SELF), part.of(OTHER));
            let same = self.call("Eq", "op_eq", part.ty, vec![a, b], common().bool);
            let (next, differ) = (self.b.new_block(), self.b.new_block());
            self.b.branch(same, next, differ);
            self.b.switch_to(differ);
            self.ret(Operand::Const(Const::Bool(false)));
            self.b.goto(end);
            self.b.switch_to(next);
        }
        self.ret(Operand::Const(Const::Bool(true)));
        self.b.goto(end);
        self.b.switch_to(end);
    }

    fn cmp(&mut self, shape: &Shape) {
        let end = self.b.new_block();
        for part in &shape.parts {
            let (a, b) = (part.of(SELF), part.of(OTHER));
            let order = self.call("Ord", "cmp", part.ty, vec![a, b], common().int);
            let (next, differ) = (self.b.new_block(), self.b.new_block());
            let same = self.compare(BinOp::Eq, order.clone(), Operand::int(0));
            self.b.branch(same, next, differ);
            self.b.switch_to(differ);
            self.ret(order);
            self.b.goto(end);
            self.b.switch_to(next);
        }
        self.ret(Operand::int(0));
        self.b.goto(end);
        self.b.switch_to(end);
    }

    fn hash(&mut self, shape: &Shape, variant: u32) {
        let int = common().int;
        let mut hash = Operand::int(variant as i64 + 1);
        let combine = self.lw.lang_fn("hash_combine");
        for part in &shape.parts {
            let of_part = self.call("Hash", "hash", part.ty, vec![part.of(SELF)], int);
            let dest = self.b.temp(int);
            self.b.call(dest, Callee::Fn(main_key(combine), &[], [].into()), [hash, of_part]);
            hash = Operand::local(dest);
        }
        self.ret(hash);
    }

    /// `Point { x: 1, y: 2 }`, `Circle(1.0)`, `(1, "a")`.
    fn show(&mut self, shape: &Shape) {
        let str = common().str;
        let (open, close) = match (shape.braces, shape.parts.is_empty(), shape.title.is_empty()) {
            (true, true, true) => ("{}", ""),
            (false, true, true) => ("(", ")"),
            (_, true, false) => ("", ""),
            (true, false, true) => ("{ ", " }"),
            (true, false, false) => (" { ", " }"),
            (false, ..) => ("(", ")"),
        };
        let mut text = Operand::Const(Const::Str(format!("{}{open}", shape.title).into()));
        for (n, part) in shape.parts.iter().enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            let name = part.name.map(|it| format!("{it}: ")).unwrap_or_default();
            let lead = format!("{comma}{name}");
            let shown = self.call("Show", "inspect", part.ty, vec![part.of(SELF)], str);
            let pieces = match lead.is_empty() {
                true => vec![text, shown],
                false => vec![text, Operand::Const(Const::Str(lead.into())), shown],
            };
            text = self.concat(pieces);
        }
        if !close.is_empty() {
            let close = match shape.parts.len() {
                // A tuple of one element keeps its comma.
                1 if shape.title.is_empty() && !shape.braces => ",)",
                _ => close,
            };
            text = self.concat(vec![text, Operand::Const(Const::Str(close.into()))]);
        }
        self.ret(text);
    }

    /// A value of a union shows as the member it is.
    fn shown_member(&mut self, method: &str, shapes: &[Shape]) {
        self.variants(shapes, |it, shape, _| it.shown_inside(method, shape));
    }

    fn shown_inside(&mut self, method: &str, shape: &Shape) {
        let part = &shape.parts[0];
        let text = self.call("Show", method, part.ty, vec![part.of(SELF)], common().str);
        self.ret(text);
    }

    fn concat(&mut self, pieces: Vec<Operand>) -> Operand {
        let name = if pieces.len() == 2 { "str_concat2" } else { "str_concat3" };
        let function = qz_rt_abi::RtFn::by_name(name).expect("the runtime joins strings");
        let dest = self.b.temp(common().str);
        self.b.call(dest, Callee::Runtime(function), pieces);
        Operand::local(dest)
    }

    /// A library function that gets the object, and functions for the steps.
    fn by_parts(&mut self, role: &str, id: AdtId, parts: &[DerivePart]) {
        let (_, type_args) = self.ty.as_adt().expect("a struct");
        let mut args = vec![Operand::local(SELF)];
        for &part in parts {
            let function = self.lw.synth(Synth::Derive(part, id));
            let (params, ret) = match part {
                DerivePart::Show | DerivePart::Inspect => (vec![self.ty], common().str),
                DerivePart::Start => (vec![self.ty], self.ty),
                DerivePart::Finish => (vec![self.ty, self.ty], common().unit),
            };
            let callee = Callee::Fn(main_key(function), type_args, [].into());
            let value = Rvalue::Closure(Box::new(ClosureTarget::Fn(callee)), Vec::new());
            args.push(Operand::local(self.b.eval(Ty::func(&params, ret, Row::EMPTY), value)));
        }
        let callee = Callee::Fn(main_key(self.lw.lang_fn(role)), Ty::list(&[self.ty]), [].into());
        self.b.call(Body::RETURN, callee, args);
    }

    /// A copy of a part, in the walk under way.
    fn copied(&mut self, part: &Part) -> Operand {
        let callee = Callee::Fn(main_key(self.lw.lang_fn("part_copy")), Ty::list(&[part.ty]), [].into());
        let dest = self.b.temp(part.ty);
        self.b.call(dest, callee, vec![part.of(SELF)]);
        Operand::local(dest)
    }

    fn replace_parts(&mut self, shape: &Shape) {
        for part in &shape.parts {
            let copy = self.copied(part);
            let mut place = Place::local(OTHER);
            place.proj.extend(part.proj.iter().copied());
            self.b.assign(place, Rvalue::Use(copy));
        }
    }

    fn clone_parts(&mut self, shape: &Shape, variant: u32) {
        let mut values = Vec::new();
        for part in &shape.parts {
            values.push(self.copied(part));
        }
        let value = match self.ty.as_adt().map(|(id, _)| self.lw.defs().adts[id].kind) {
            None => Rvalue::Aggregate(AggregateKind::Tuple(self.ty), values),
            Some(AdtKind::Struct) => unreachable!("objects are copied in steps"),
            Some(AdtKind::Value | AdtKind::Newtype) => {
                Rvalue::Aggregate(AggregateKind::Value(self.ty), values)
            }
            Some(AdtKind::Enum) => Rvalue::Aggregate(AggregateKind::Variant(self.ty, variant), values),
        };
        self.b.assign_local(Body::RETURN, value);
    }
}

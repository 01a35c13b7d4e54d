//! MIR as text: how does a body look to us? [`crate::read`] reads it back.
//!
//! ```text
//! fn area(w_1: Int, _2: String borrowed) -> Int {
//!   let x_3: Int
//!   bb0 unwind bb2:
//!     x_3 = add! w_1, 1
//!     _4 = call @show(move _2)
//!     branch _5, bb1, bb2
//! }
//! ```
//!
//! A use is a copy unless it says `move`; `!` marks arithmetic that panics, `?` arithmetic that tells.
//! Spans are left out. Statements that inlining brought carry the number of their scope as a comment.

use std::fmt::{self, Display, Write};

use qz_types::{AdtId, FnId, IntTy, Mutability, Row, StaticId, TraitId, TraitRef, Ty, TyKind};

use crate::body::*;
use crate::program::{BodyKey, BodyPart, InstanceId, Module};

/// What declared things are called in the text. The defaults number them, which [`crate::read`] reads back
/// without help.
pub trait Names {
    fn adt(&self, id: AdtId) -> String {
        format!("adt{}", id.raw())
    }
    fn function(&self, id: FnId) -> String {
        format!("fn{}", id.raw())
    }
    fn trait_(&self, id: TraitId) -> String {
        format!("trait{}", id.raw())
    }
    fn static_(&self, id: StaticId) -> String {
        format!("static{}", id.raw())
    }
    fn instance(&self, id: InstanceId) -> String {
        format!("inst{}", id.raw())
    }
}

/// Everything by number.
pub struct Numbers;
impl Names for Numbers {}

/// A body as text.
pub fn print_body(body: &Body, names: &dyn Names) -> String {
    let mut printer = Printer { out: String::new(), names, body: Some(body) };
    printer.body(body);
    printer.out
}

/// A type as text.
pub fn print_ty(ty: Ty, names: &dyn Names) -> String {
    let mut printer = Printer { out: String::new(), names, body: None };
    printer.ty(ty);
    printer.out
}

/// A statement of a body as text, for messages.
pub fn print_stmt(body: &Body, stmt: &StmtKind, names: &dyn Names) -> String {
    let mut printer = Printer { out: String::new(), names, body: Some(body) };
    printer.stmt(stmt);
    printer.out
}

struct InModule<'a> {
    module: &'a Module,
    names: &'a dyn Names,
}

impl Names for InModule<'_> {
    fn adt(&self, id: AdtId) -> String {
        self.names.adt(id)
    }
    fn function(&self, id: FnId) -> String {
        self.names.function(id)
    }
    fn trait_(&self, id: TraitId) -> String {
        self.names.trait_(id)
    }
    fn static_(&self, id: StaticId) -> String {
        self.names.static_(id)
    }
    fn instance(&self, id: InstanceId) -> String {
        self.module.instances[id].symbol.clone()
    }
}

/// A whole program as text: what `--emit=mir-opt` shows.
pub fn print_module(module: &Module, names: &dyn Names) -> String {
    let names = InModule { module, names };
    let mut printer = Printer { out: String::new(), names: &names, body: None };
    for entry in &module.types {
        let symbol = &module.instances[entry.destroy].symbol;
        printer.line(format_args!("type {} destroyed by @{symbol}", entry.name));
    }
    for (id, vtable) in module.vtables.iter() {
        let slots: Vec<_> = vtable.slots.iter().map(|&slot| format!("@{}", names.instance(slot))).collect();
        let (from, to) = (print_ty(vtable.from, &names), print_ty(vtable.dyn_ty, &names));
        printer.line(format_args!("vtable{} {from} as {to}: {}", id.raw(), slots.join(", ")));
    }
    for (id, instance) in module.instances.iter() {
        printer.out.push('\n');
        let panics = if instance.may_panic { "" } else { ", does not panic" };
        let entry = if module.entry == Some(id) { ", entry" } else { "" };
        printer.line(format_args!("# @{}{panics}{entry}", instance.symbol));
        match (&instance.body, &instance.foreign) {
            (Some(body), _) => {
                let text = print_body(body, &names);
                printer.out.push_str(&text);
            }
            (None, Some(foreign)) => printer.line(format_args!("extern \"C\" {}", foreign.symbol)),
            (None, None) => printer.line(format_args!("no body")),
        }
    }
    printer.out
}

struct Printer<'a> {
    out: String,
    names: &'a dyn Names,
    body: Option<&'a Body>,
}

/// The short name of an operator.
pub(crate) fn op_name(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "add",
        BinOp::Sub => "sub",
        BinOp::Mul => "mul",
        BinOp::Div => "div",
        BinOp::Rem => "rem",
        BinOp::BitAnd => "and",
        BinOp::BitOr => "or",
        BinOp::BitXor => "xor",
        BinOp::Shl => "shl",
        BinOp::Shr => "shr",
        BinOp::Eq => "eq",
        BinOp::Ne => "ne",
        BinOp::Lt => "lt",
        BinOp::Le => "le",
        BinOp::Gt => "gt",
        BinOp::Ge => "ge",
    }
}

pub(crate) fn cast_name(kind: CastKind) -> &'static str {
    match kind {
        CastKind::Checked => "checked",
        CastKind::Wrapping => "wrapping",
        CastKind::Bits => "bits",
        CastKind::Pointer => "pointer",
    }
}

impl Printer<'_> {
    fn line(&mut self, text: fmt::Arguments) {
        self.put(text);
        self.out.push('\n');
    }

    fn put(&mut self, text: impl Display) {
        write!(self.out, "{text}").expect("a String takes all text");
    }

    fn list<T>(&mut self, items: &[T], mut one: impl FnMut(&mut Self, &T)) {
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            one(self, item);
        }
    }

    // ---- types

    fn ty_args(&mut self, args: &[Ty]) {
        if !args.is_empty() {
            self.out.push('<');
            self.list(args, |p, &ty| p.ty(ty));
            self.out.push('>');
        }
    }

    fn trait_ref(&mut self, it: &TraitRef) {
        let name = self.names.trait_(it.trait_id);
        self.put(name);
        self.ty_args(it.args);
    }

    fn ty(&mut self, ty: Ty) {
        match *ty.kind() {
            TyKind::Error => self.put("?"),
            TyKind::Never => self.put("Never"),
            TyKind::Bool => self.put("Bool"),
            TyKind::Char => self.put("Char"),
            TyKind::Str => self.put("String"),
            TyKind::Int(int) => self.put(int.name()),
            TyKind::Float(float) => self.put(float.name()),
            TyKind::Tuple(parts) => {
                self.out.push('(');
                self.list(parts, |p, &ty| p.ty(ty));
                self.put(if parts.len() == 1 { ",)" } else { ")" });
            }
            TyKind::Adt(id, args) => {
                let name = self.names.adt(id);
                self.put(name);
                self.ty_args(args);
            }
            TyKind::Fn(func) => {
                self.put("Fn(");
                self.list(func.params, |p, &ty| p.ty(ty));
                self.put("): ");
                self.ty(func.ret);
                if func.row != Row::EMPTY {
                    self.put(" can …");
                }
            }
            TyKind::Ref(mutability, to) => {
                self.put(if mutability == Mutability::Mut { "&mut " } else { "&" });
                self.ty(to);
            }
            TyKind::Ptr(to) => {
                self.put("Ptr<");
                self.ty(to);
                self.out.push('>');
            }
            TyKind::Dyn(traits) => {
                self.put("dyn ");
                for (i, it) in traits.iter().enumerate() {
                    self.put(if i > 0 { " + " } else { "" });
                    self.trait_ref(it);
                }
            }
            TyKind::Param(param) => self.put(format_args!("${}{}", param.index, param.name)),
            TyKind::Assoc(assoc) => {
                self.trait_ref(&TraitRef { trait_id: assoc.trait_id, args: assoc.args });
                self.put(format_args!("::{}", assoc.name));
            }
            TyKind::Opaque(id, n, args) => {
                let name = self.names.function(id);
                self.put(format_args!("impl {name}.{n}"));
                self.ty_args(args);
            }
            TyKind::Record(fields) => {
                self.put("{");
                self.list(fields, |p, (name, ty)| {
                    p.put(format_args!("{name}: "));
                    p.ty(*ty);
                });
                self.out.push('}');
            }
            TyKind::OpenRecord(fields, rest) => {
                self.put("{");
                self.list(fields, |p, (name, ty)| {
                    p.put(format_args!("{name}: "));
                    p.ty(*ty);
                });
                self.put(", ...");
                self.ty(rest);
                self.out.push('}');
            }
            TyKind::Infer(var) => self.put(format_args!("_{}", var.index)),
        }
    }

    // ---- bodies

    fn body(&mut self, body: &Body) {
        self.put("fn ");
        self.put(body.scopes.values().next().map_or("?", |scope| scope.function.as_str()));
        self.out.push('(');
        for (i, local) in body.params().enumerate() {
            self.put(if i > 0 { ", " } else { "" });
            self.local_decl(local, &body.locals[local]);
        }
        self.put(") -> ");
        self.ty(body.return_ty());
        self.attrs(body);
        self.line(format_args!(" {{"));
        if !body.captures.is_empty() {
            self.put("  captures ");
            self.list(&body.captures, |p, &ty| p.ty(ty));
            self.out.push('\n');
        }
        for (local, decl) in body.locals.iter().skip(1 + body.param_count as usize) {
            self.put("  let ");
            self.local_decl(local, decl);
            self.out.push('\n');
        }
        for (id, scope) in body.scopes.iter().skip(1) {
            let at = scope.inlined_at.map_or(0, |at| at.scope.raw());
            self.line(format_args!("  # scope {}: {} in {at}", id.raw(), scope.function));
        }
        for (id, block) in body.blocks.iter() {
            self.block(id, block);
        }
        self.line(format_args!("}}"));
    }

    fn attrs(&mut self, body: &Body) {
        let attrs = body.attrs;
        self.put(match attrs.inline {
            InlineHint::Auto => "",
            InlineHint::Always => " inline",
            InlineHint::Never => " noinline",
            InlineHint::Rare => " rare",
        });
        self.put(if attrs.track_caller { " track_caller" } else { "" });
        self.put(if attrs.is_const { " const" } else { "" });
    }

    fn local_decl(&mut self, local: Local, decl: &LocalDecl) {
        self.local(local);
        self.put(": ");
        self.ty(decl.ty);
        self.put(if decl.ownership == Ownership::Borrowed { " borrowed" } else { "" });
    }

    fn block(&mut self, id: BlockId, block: &Block) {
        self.put(format_args!("  bb{}", id.raw()));
        self.put(if block.cleanup { " cleanup" } else { "" });
        if let Some(unwind) = block.unwind {
            self.put(format_args!(" unwind bb{}", unwind.raw()));
        }
        self.line(format_args!(":"));
        for stmt in &block.stmts {
            self.put("    ");
            self.stmt(&stmt.kind);
            if stmt.source.scope.raw() != 0 {
                self.put(format_args!("  # {}", stmt.source.scope.raw()));
            }
            self.out.push('\n');
        }
        self.put("    ");
        self.term(&block.term.kind);
        self.out.push('\n');
    }

    fn local(&mut self, local: Local) {
        let name = self.body.and_then(|body| body.locals[local].name);
        self.put(name.map_or("", |name| name.as_str()));
        self.put(format_args!("_{}", local.raw()));
    }

    fn place(&mut self, place: &Place) {
        self.local(place.local);
        for proj in &place.proj {
            match proj {
                Proj::Deref => self.put(".*"),
                Proj::Field(i) => self.put(format_args!(".{i}")),
                Proj::Variant(v) => self.put(format_args!(".v{v}")),
                Proj::Capture(i) => self.put(format_args!(".c{i}")),
                Proj::Index(local) => {
                    self.out.push('[');
                    self.local(*local);
                    self.out.push(']');
                }
            }
        }
    }

    fn stmt(&mut self, stmt: &StmtKind) {
        match stmt {
            StmtKind::Assign(place, value) => {
                self.place(place);
                self.put(" = ");
                self.rvalue(value);
            }
            StmtKind::Init(place, value) => {
                self.put("init ");
                self.place(place);
                self.put(" = ");
                self.rvalue(value);
            }
            StmtKind::Call(call) => {
                self.local(call.dest);
                self.put(" = call ");
                self.callee(&call.callee);
                self.operands(&call.args);
            }
            StmtKind::EndScope(local) => {
                self.put("end ");
                self.local(*local);
            }
            StmtKind::Retain(place) => {
                self.put("retain ");
                self.place(place);
            }
            StmtKind::Release(place) => {
                self.put("release ");
                self.place(place);
            }
            StmtKind::Nop => self.put("nop"),
        }
    }

    fn term(&mut self, term: &TermKind) {
        match term {
            TermKind::Goto(to) => self.put(format_args!("goto bb{}", to.raw())),
            TermKind::Branch { cond, then, else_, likely } => {
                self.put("branch ");
                self.operand(cond);
                self.put(format_args!(", bb{}, bb{}", then.raw(), else_.raw()));
                self.put(match likely {
                    Some(true) => " likely",
                    Some(false) => " unlikely",
                    None => "",
                });
            }
            TermKind::Switch { value, cases, otherwise } => {
                self.put("switch ");
                self.operand(value);
                self.put(" [");
                self.list(cases, |p, (case, to)| p.put(format_args!("{case}: bb{}", to.raw())));
                if let Some(to) = otherwise {
                    self.put(if cases.is_empty() { "" } else { ", " });
                    self.put(format_args!("else: bb{}", to.raw()));
                }
                self.out.push(']');
            }
            TermKind::Return => self.put("return"),
            TermKind::Unreachable => self.put("unreachable"),
            TermKind::Resume => self.put("resume"),
        }
    }

    fn operands(&mut self, operands: &[Operand]) {
        self.out.push('(');
        self.list(operands, |p, operand| p.operand(operand));
        self.out.push(')');
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Copy(place) => self.place(place),
            Operand::Move(place) => {
                self.put("move ");
                self.place(place);
            }
            Operand::Const(value) => self.constant(value),
        }
    }

    fn constant(&mut self, value: &Const) {
        match value {
            Const::Unit => self.put("()"),
            Const::Bool(value) => self.put(value),
            Const::Int(value, IntTy::I64) => self.put(value),
            Const::Int(value, ty) => self.put(format_args!("{}({value})", ty.name())),
            Const::F32(bits) => self.put(format_args!("F32({bits:#x})")),
            Const::F64(bits) => match f64::from_bits(*bits) {
                value if value.is_finite() => self.put(format_args!("F64({value:?})")),
                _ => self.put(format_args!("F64({bits:#x})")),
            },
            Const::Char(value) => self.put(format_args!("{value:?}")),
            Const::Str(text) => self.put(format_args!("{text:?}")),
            Const::Null(ty) => {
                self.put("null(");
                self.ty(*ty);
                self.out.push(')');
            }
            Const::Item(id, args, ty) => {
                let name = self.names.function(*id);
                self.put(format_args!("const {name}"));
                self.ty_args(args);
                self.put(": ");
                self.ty(*ty);
            }
            Const::Static(id, ty) => {
                self.put(format_args!("data{}(", id.raw()));
                self.ty(*ty);
                self.out.push(')');
            }
        }
    }

    fn body_key(&mut self, key: BodyKey) {
        let name = self.names.function(key.function);
        self.put(name);
        match key.part {
            BodyPart::Main => {}
            BodyPart::Lambda(n) => self.put(format_args!(".lambda{n}")),
            BodyPart::Default(n) => self.put(format_args!(".default{n}")),
        }
    }

    fn callee(&mut self, callee: &Callee) {
        match callee {
            Callee::Fn(key, args, evidence) => {
                self.body_key(*key);
                self.ty_args(args);
                if !evidence.is_empty() {
                    self.put(" with ");
                    self.evidence_list(evidence);
                }
            }
            Callee::Method { trait_id, method, args, own_args } => {
                self.method(*trait_id, *method, args, own_args);
            }
            Callee::Member(n) => self.put(format_args!("member{n}")),
            Callee::Instance(id) => {
                let name = self.names.instance(*id);
                self.put(format_args!("@{name}"));
            }
            Callee::Value(operand) => {
                self.out.push('(');
                self.operand(operand);
                self.out.push(')');
            }
            Callee::Dyn { trait_id, method, slot } => {
                let name = self.names.trait_(*trait_id);
                self.put(format_args!("dyn {name}.{method} slot {slot}"));
            }
            Callee::Runtime(f) => self.put(format_args!("rt {}", f.def().name)),
        }
    }

    fn method(&mut self, trait_id: TraitId, method: u32, args: &[Ty], own_args: &[Ty]) {
        let name = self.names.trait_(trait_id);
        self.put(format_args!("method {name}"));
        self.ty_args(args);
        self.put(format_args!(".{method}"));
        self.ty_args(own_args);
    }

    fn evidence_list(&mut self, list: &[Evidence]) {
        self.out.push('[');
        self.list(list, |p, it| p.evidence(it));
        self.out.push(']');
    }

    fn evidence(&mut self, it: &Evidence) {
        match it {
            Evidence::Fn(id, args, list) => {
                let name = self.names.function(*id);
                self.put(name);
                self.ty_args(args);
                if !list.is_empty() {
                    self.put(" with ");
                    self.evidence_list(list);
                }
            }
            Evidence::Method { trait_id, method, args, own_args } => {
                self.method(*trait_id, *method, args, own_args);
            }
            Evidence::Field { ty, index } => {
                self.put(format_args!("field {index} of "));
                self.ty(*ty);
            }
            Evidence::Member(n) => self.put(format_args!("member{n}")),
        }
    }

    fn closure_target(&mut self, target: &ClosureTarget) {
        match target {
            ClosureTarget::Lambda(key) => {
                self.put("lambda ");
                self.body_key(*key);
            }
            ClosureTarget::Fn(callee) => {
                self.put("of ");
                self.callee(callee);
            }
            ClosureTarget::ForC(inner) => {
                self.put("for_c ");
                self.closure_target(inner);
            }
            ClosureTarget::Instance(id) => {
                let name = self.names.instance(*id);
                self.put(format_args!("@{name}"));
            }
        }
    }

    fn rvalue(&mut self, value: &Rvalue) {
        match value {
            Rvalue::Use(operand) => self.operand(operand),
            Rvalue::Unary(op, operand) => {
                self.put(if *op == UnOp::Neg { "neg " } else { "not " });
                self.operand(operand);
            }
            Rvalue::Binary(op, a, b) => self.binary(op_name(*op), "", a, b),
            Rvalue::Checked(op, a, b) => self.binary(op_name(*op), "!", a, b),
            Rvalue::Overflowing(op, a, b) => self.binary(op_name(*op), "?", a, b),
            Rvalue::Cast(kind, operand, ty) => {
                self.put(format_args!("cast {} ", cast_name(*kind)));
                self.operand(operand);
                self.put(" to ");
                self.ty(*ty);
            }
            Rvalue::Discriminant(place) => {
                self.put("discr ");
                self.place(place);
            }
            Rvalue::Aggregate(kind, operands) => {
                match kind {
                    AggregateKind::Tuple(_) => self.put("tuple "),
                    AggregateKind::Extend(_, names) => {
                        self.put("extend (");
                        self.list(names, |p, name| p.put(name.as_str()));
                        self.put(") ");
                    }
                    AggregateKind::Value(_) => self.put("value "),
                    AggregateKind::Variant(_, v) => self.put(format_args!("variant {v} ")),
                }
                self.ty(kind.ty());
                self.out.push(' ');
                self.operands(operands);
            }
            Rvalue::New(ty, operands) => {
                self.put("new ");
                self.ty(*ty);
                self.out.push(' ');
                self.operands(operands);
            }
            Rvalue::Closure(target, operands) => {
                self.put("closure ");
                self.closure_target(target);
                self.out.push(' ');
                self.operands(operands);
            }
            Rvalue::MakeDyn { value, from, ty, vtable } => {
                self.put("dyn ");
                self.operand(value);
                self.put(" from ");
                self.ty(*from);
                self.put(" to ");
                self.ty(*ty);
                if let Some(vtable) = vtable {
                    self.put(format_args!(" vtable{}", vtable.raw()));
                }
            }
            Rvalue::Reuse(token, value) => {
                self.put("reuse ");
                self.operand(token);
                self.put(" for ");
                self.rvalue(value);
            }
            Rvalue::Ref(mutability, place) => {
                self.put(if *mutability == Mutability::Mut { "&mut " } else { "&" });
                self.place(place);
            }
            Rvalue::StaticRef(id) => {
                let name = self.names.static_(*id);
                self.put(format_args!("static {name}"));
            }
            Rvalue::Intrinsic(which, operands, ty) => {
                self.put(format_args!("{which:?}"));
                self.operands(operands);
                self.put(": ");
                self.ty(*ty);
            }
        }
    }

    fn binary(&mut self, name: &str, mark: &str, a: &Operand, b: &Operand) {
        self.put(format_args!("{name}{mark} "));
        self.operand(a);
        self.put(", ");
        self.operand(b);
    }
}

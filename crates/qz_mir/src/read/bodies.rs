//! Functions, blocks, statements.

use std::sync::Arc;

use qz_base::{Arena, FileId, Name, Span, TextRange};
use qz_rt_abi::RtFn;
use qz_types::{FnId, IntTy, Mutability, Ty};
use smallvec::SmallVec;

use super::{Reader, Result};
use crate::body::*;
use crate::print::{cast_name, op_name};
use crate::program::{BodyKey, BodyPart, VtableId};

const ALL_OPS: [BinOp; 16] = [
    BinOp::Add,
    BinOp::Sub,
    BinOp::Mul,
    BinOp::Div,
    BinOp::Rem,
    BinOp::BitAnd,
    BinOp::BitOr,
    BinOp::BitXor,
    BinOp::Shl,
    BinOp::Shr,
    BinOp::Eq,
    BinOp::Ne,
    BinOp::Lt,
    BinOp::Le,
    BinOp::Gt,
    BinOp::Ge,
];

const ALL_CASTS: [CastKind; 4] = [CastKind::Checked, CastKind::Wrapping, CastKind::Bits, CastKind::Pointer];

const ALL_INTRINSICS: [Intrinsic; 40] = [
    Intrinsic::SizeOf,
    Intrinsic::AlignOf,
    Intrinsic::NeedsRelease,
    Intrinsic::LeadsBack,
    Intrinsic::MayRepeat,
    Intrinsic::IsObject,
    Intrinsic::IsOrdinal,
    Intrinsic::IsWatched,
    Intrinsic::IsShared,
    Intrinsic::TypeKey,
    Intrinsic::PtrAdd,
    Intrinsic::PtrDiff,
    Intrinsic::PtrEq,
    Intrinsic::PtrCopy,
    Intrinsic::PtrFill,
    Intrinsic::ReadVolatile,
    Intrinsic::WriteVolatile,
    Intrinsic::PtrCompare,
    Intrinsic::CountOnes,
    Intrinsic::LeadingZeros,
    Intrinsic::TrailingZeros,
    Intrinsic::ByteSwap,
    Intrinsic::RotateLeft,
    Intrinsic::MulHigh,
    Intrinsic::Sqrt,
    Intrinsic::Floor,
    Intrinsic::Ceil,
    Intrinsic::Trunc,
    Intrinsic::RoundEven,
    Intrinsic::FloatAbs,
    Intrinsic::CopySign,
    Intrinsic::StrPtr,
    Intrinsic::StrLen,
    Intrinsic::StrChars,
    Intrinsic::SameObject,
    Intrinsic::IsUnique,
    Intrinsic::TakeBlock,
    Intrinsic::GiveBlock,
    Intrinsic::Uninit,
    Intrinsic::Forget,
];

impl<'t> Reader<'t> {
    fn source(&self) -> SourceInfo {
        let at = u32::try_from(self.at).unwrap_or(u32::MAX);
        SourceInfo { span: Span::new(FileId(0), TextRange::empty(at)), scope: ScopeId::from_raw(0) }
    }

    /// A function from `fn` to `}`.
    pub fn body(&mut self) -> Result<Body> {
        self.body_with(&mut |_| Ok(()))
    }

    /// [`Reader::body`] with something between the name and the parameters.
    pub(crate) fn body_with(&mut self, after_name: &mut dyn FnMut(&mut Self) -> Result<()>) -> Result<Body> {
        self.expect("fn")?;
        let function = Name::new(self.path()?);
        after_name(self)?;
        let span = self.source().span;
        let mut scopes = Arena::new();
        scopes.alloc(SourceScope { function, declared: span, track_caller: false, inlined_at: None });
        let mut body = Body {
            key: BodyKey::main(FnId::from_raw(0)),
            locals: Arena::new(),
            param_count: 0,
            blocks: Arena::new(),
            scopes,
            captures: Vec::new(),
            attrs: BodyAttrs::default(),
        };
        let params = self.list("(", ")", |r| r.local_decl(span))?;
        self.expect("->")?;
        let ret = self.ty()?;
        body.locals.alloc(LocalDecl {
            ty: ret,
            name: None,
            span,
            scope: Body::SCOPE,
            ownership: Ownership::Owned,
        });
        body.param_count = params.len() as u32;
        params.into_iter().for_each(|decl| {
            body.locals.alloc(decl);
        });
        self.attrs(&mut body);
        self.expect("{")?;
        if self.eat("captures") {
            body.captures.push(self.ty()?);
            while self.eat(",") {
                body.captures.push(self.ty()?);
            }
        }
        while self.eat("let") {
            let decl = self.local_decl(span)?;
            body.locals.alloc(decl);
        }
        while !self.eat("}") {
            let block = self.block(body.blocks.len())?;
            body.blocks.alloc(block);
        }
        Ok(body)
    }

    fn attrs(&mut self, body: &mut Body) {
        if self.eat("inline") {
            body.attrs.inline = InlineHint::Always;
        }
        if self.eat("noinline") {
            body.attrs.inline = InlineHint::Never;
        }
        if self.eat("rare") {
            body.attrs.inline = InlineHint::Rare;
        }
        if self.eat("track_caller") {
            body.attrs.track_caller = true;
            body.scopes[ScopeId::from_raw(0)].track_caller = true;
        }
        body.attrs.is_const = self.eat("const");
    }

    fn local_decl(&mut self, span: Span) -> Result<LocalDecl> {
        let word = self.word()?;
        let (name, _) = split_local(word).map_or_else(|| self.error("expected `name_1: T`"), Ok)?;
        self.expect(":")?;
        let ty = self.ty()?;
        let ownership = if self.eat("borrowed") { Ownership::Borrowed } else { Ownership::Owned };
        Ok(LocalDecl {
            ty,
            name: (!name.is_empty()).then(|| Name::new(name)),
            span,
            scope: Body::SCOPE,
            ownership,
        })
    }

    fn block_id(&mut self) -> Result<BlockId> {
        let word = self.word()?;
        match word.strip_prefix("bb").and_then(|n| n.parse().ok()) {
            Some(n) => Ok(BlockId::from_raw(n)),
            None => self.error(format!("expected a block, found `{word}`")),
        }
    }

    fn block(&mut self, expected: usize) -> Result<Block> {
        let id = self.block_id()?;
        if id.index() != expected {
            return self.error(format!("blocks stand in order: expected bb{expected}"));
        }
        let cleanup = self.eat("cleanup");
        let unwind = if self.eat("unwind") { Some(self.block_id()?) } else { None };
        self.expect(":")?;
        let mut stmts = Vec::new();
        loop {
            let source = self.source();
            if let Some(kind) = self.term()? {
                let term = Terminator { kind, source };
                return Ok(Block { stmts, term, unwind, cleanup });
            }
            let kind = self.stmt()?;
            stmts.push(Stmt { kind, source });
        }
    }

    fn term(&mut self) -> Result<Option<TermKind>> {
        Ok(Some(if self.eat("goto") {
            TermKind::Goto(self.block_id()?)
        } else if self.eat("branch") {
            let cond = self.operand()?;
            self.expect(",")?;
            let then = self.block_id()?;
            self.expect(",")?;
            let else_ = self.block_id()?;
            let likely = match (self.eat("likely"), self.eat("unlikely")) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            };
            TermKind::Branch { cond, then, else_, likely }
        } else if self.eat("switch") {
            self.switch()?
        } else if self.eat("return") {
            TermKind::Return
        } else if self.eat("unreachable") {
            TermKind::Unreachable
        } else if self.eat("resume") {
            TermKind::Resume
        } else {
            return Ok(None);
        }))
    }

    fn switch(&mut self) -> Result<TermKind> {
        let value = self.operand()?;
        let mut otherwise = None;
        let listed = self.list("[", "]", |r| {
            let case = if r.eat("else") { None } else { Some(r.integer::<i128>()?) };
            r.expect(":")?;
            Ok((case, r.block_id()?))
        })?;
        let mut cases = Vec::new();
        for (case, to) in listed {
            match case {
                Some(case) => cases.push((case, to)),
                None => otherwise = Some(to),
            }
        }
        Ok(TermKind::Switch { value, cases, otherwise })
    }

    fn stmt(&mut self) -> Result<StmtKind> {
        if self.eat("nop") {
            return Ok(StmtKind::Nop);
        }
        if self.eat("end") {
            return Ok(StmtKind::EndScope(self.local()?));
        }
        if self.eat("retain") {
            return Ok(StmtKind::Retain(self.place()?));
        }
        if self.eat("release") {
            return Ok(StmtKind::Release(self.place()?));
        }
        let init = self.eat("init");
        let place = self.place()?;
        self.expect("=")?;
        if self.eat("call") {
            let Some(dest) = place.as_local() else { return self.error("a call stores into a whole local") };
            let callee = self.callee()?;
            let args = self.operands()?.into();
            return Ok(StmtKind::Call(Box::new(Call { dest, callee, args })));
        }
        let value = self.rvalue()?;
        Ok(if init { StmtKind::Init(place, value) } else { StmtKind::Assign(place, value) })
    }

    // ---- places and operands

    fn local(&mut self) -> Result<Local> {
        let word = self.word()?;
        match split_local(word) {
            Some((_, n)) => Ok(Local::from_raw(n)),
            None => self.error(format!("expected a local such as `x_1`, found `{word}`")),
        }
    }

    fn place(&mut self) -> Result<Place> {
        let local = self.local()?;
        let mut proj = SmallVec::new();
        loop {
            // Directly behind: a dot or bracket after a space begins something else.
            let rest = &self.text[self.at..];
            if rest.starts_with('[') {
                self.at += 1;
                proj.push(Proj::Index(self.local()?));
                self.expect("]")?;
            } else if rest.starts_with(".*") {
                self.at += 2;
                proj.push(Proj::Deref);
            } else if rest.starts_with('.') {
                self.at += 1;
                let word = self.word()?;
                let number = |prefix| super::number(word, prefix);
                proj.push(match (number("v"), number("c"), number("")) {
                    (Some(v), _, _) => Proj::Variant(v),
                    (_, Some(c), _) => Proj::Capture(c),
                    (_, _, Some(i)) => Proj::Field(i),
                    _ => return self.error(format!("no projection `{word}`")),
                });
            } else {
                return Ok(Place { local, proj });
            }
        }
    }

    fn operands(&mut self) -> Result<Vec<Operand>> {
        self.list("(", ")", |r| r.operand())
    }

    fn operand(&mut self) -> Result<Operand> {
        if self.eat("move") {
            return Ok(Operand::Move(self.place()?));
        }
        match self.constant()? {
            Some(value) => Ok(Operand::Const(value)),
            None => Ok(Operand::Copy(self.place()?)),
        }
    }

    fn constant(&mut self) -> Result<Option<Const>> {
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or(' ');
        if self.eat("()") {
            return Ok(Some(Const::Unit));
        }
        if self.eat("true") {
            return Ok(Some(Const::Bool(true)));
        }
        if self.eat("false") {
            return Ok(Some(Const::Bool(false)));
        }
        if first.is_ascii_digit() || first == '-' {
            return Ok(Some(Const::Int(self.integer()?, IntTy::I64)));
        }
        if first == '"' || first == '\'' {
            let text = self.quoted(first)?;
            return Ok(Some(match first {
                '"' => Const::Str(text.into()),
                _ => Const::Char(text.chars().next().unwrap_or('\0')),
            }));
        }
        if self.eat("null(") {
            let ty = self.ty()?;
            self.expect(")")?;
            return Ok(Some(Const::Null(ty)));
        }
        if self.eat("const") {
            let function = self.function()?;
            let args = self.ty_args()?;
            self.expect(":")?;
            return Ok(Some(Const::Item(function, Ty::list(&args), self.ty()?)));
        }
        self.typed_constant()
    }

    /// `U8(3)`, `F64(1.5)`, `data0(T)`.
    fn typed_constant(&mut self) -> Result<Option<Const>> {
        let start = self.at;
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_');
        if !self.text[self.at..].starts_with('(') {
            self.at = start;
            return Ok(None);
        }
        self.at += 1;
        let value = if let Some(int) = IntTy::ALL.into_iter().find(|int| int.name() == word) {
            Const::Int(self.integer()?, int)
        } else if let Some(n) = super::number(word, "data") {
            Const::Static(StaticDataId::from_raw(n), self.ty()?)
        } else {
            let text = self.take_while(|c| c != ')');
            match (word, text.strip_prefix("0x")) {
                ("F32", Some(bits)) => Const::F32(u32::from_str_radix(bits, 16).unwrap_or(0)),
                ("F64", Some(bits)) => Const::F64(u64::from_str_radix(bits, 16).unwrap_or(0)),
                ("F64", None) => Const::F64(text.parse::<f64>().unwrap_or(f64::NAN).to_bits()),
                _ => return self.error(format!("no constant `{word}`")),
            }
        };
        self.expect(")")?;
        Ok(Some(value))
    }

    /// Text between quotes, with the escapes that Rust writes.
    fn quoted(&mut self, quote: char) -> Result<String> {
        self.at += 1;
        let mut text = String::new();
        let mut chars = self.text[self.at..].char_indices();
        while let Some((i, c)) = chars.next() {
            if c == quote {
                self.at += i + 1;
                return Ok(text);
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            text.push(match chars.next().map_or(' ', |(_, c)| c) {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '0' => '\0',
                'u' => {
                    let digits: String =
                        chars.by_ref().map(|(_, c)| c).skip(1).take_while(|&c| c != '}').collect();
                    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
                }
                other => other,
            });
        }
        self.error("a text without an end")
    }

    // ---- callees

    fn body_key(&mut self) -> Result<BodyKey> {
        let function = self.function()?;
        let rest = &self.text[self.at..];
        let part = if rest.starts_with(".lambda") {
            self.at += ".lambda".len();
            BodyPart::Lambda(self.integer()?)
        } else if rest.starts_with(".default") {
            self.at += ".default".len();
            BodyPart::Default(self.integer()?)
        } else {
            BodyPart::Main
        };
        Ok(BodyKey { function, part })
    }

    fn callee(&mut self) -> Result<Callee> {
        if self.eat("@") {
            return Ok(Callee::Instance(self.instance()?));
        }
        if self.eat("(") {
            let operand = self.operand()?;
            self.expect(")")?;
            return Ok(Callee::Value(operand));
        }
        if self.eat("rt") {
            let name = self.word()?;
            return match RtFn::by_name(name) {
                Some(f) => Ok(Callee::Runtime(f)),
                None => self.error(format!("the runtime has no `{name}`")),
            };
        }
        if self.eat("method") {
            let (trait_id, method, args, own_args) = self.method()?;
            return Ok(Callee::Method { trait_id, method, args, own_args });
        }
        if self.eat("dyn") {
            let trait_id = self.trait_()?;
            self.expect(".")?;
            let method = self.integer()?;
            self.expect("slot")?;
            return Ok(Callee::Dyn { trait_id, method, slot: self.integer()? });
        }
        if self.rest().starts_with("member") {
            let word = self.word()?;
            return match super::number(word, "member") {
                Some(n) => Ok(Callee::Member(n)),
                None => self.error(format!("no callee `{word}`")),
            };
        }
        let key = self.body_key()?;
        let args = self.ty_args()?;
        let evidence = if self.eat("with") { self.evidence_list()? } else { Arc::new([]) };
        Ok(Callee::Fn(key, Ty::list(&args), evidence))
    }

    fn method(&mut self) -> Result<(qz_types::TraitId, u32, qz_types::Tys, qz_types::Tys)> {
        let trait_id = self.trait_()?;
        let args = self.ty_args()?;
        self.expect(".")?;
        let method = self.integer()?;
        let own_args = self.ty_args()?;
        Ok((trait_id, method, Ty::list(&args), Ty::list(&own_args)))
    }

    fn evidence_list(&mut self) -> Result<EvidenceList> {
        Ok(self.list("[", "]", |r| r.evidence())?.into())
    }

    fn evidence(&mut self) -> Result<Evidence> {
        if self.eat("method") {
            let (trait_id, method, args, own_args) = self.method()?;
            return Ok(Evidence::Method { trait_id, method, args, own_args });
        }
        if self.eat("field") {
            let index = self.integer()?;
            self.expect("of")?;
            return Ok(Evidence::Field { ty: self.ty()?, index });
        }
        if let Some(n) = self.rest().strip_prefix("member").and_then(|rest| rest.chars().next())
            && n.is_ascii_digit()
        {
            let word = self.word()?;
            return Ok(Evidence::Member(super::number(word, "member").unwrap_or(0)));
        }
        let function = self.function()?;
        let args = self.ty_args()?;
        let inner = if self.eat("with") { self.evidence_list()? } else { Arc::new([]) };
        Ok(Evidence::Fn(function, Ty::list(&args), inner))
    }

    // ---- values

    fn rvalue(&mut self) -> Result<Rvalue> {
        if self.eat("neg") {
            return Ok(Rvalue::Unary(UnOp::Neg, self.operand()?));
        }
        if self.eat("not") {
            return Ok(Rvalue::Unary(UnOp::Not, self.operand()?));
        }
        for op in ALL_OPS {
            if self.eat(op_name(op)) {
                return self.binary(op);
            }
        }
        if self.eat("cast") {
            let word = self.word()?;
            let Some(kind) = ALL_CASTS.into_iter().find(|&kind| cast_name(kind) == word) else {
                return self.error(format!("no cast `{word}`"));
            };
            let operand = self.operand()?;
            self.expect("to")?;
            return Ok(Rvalue::Cast(kind, operand, self.ty()?));
        }
        if self.eat("discr") {
            return Ok(Rvalue::Discriminant(self.place()?));
        }
        if self.eat("tuple") {
            let kind = AggregateKind::Tuple(self.ty()?);
            return Ok(Rvalue::Aggregate(kind, self.operands()?));
        }
        if self.eat("value") {
            let kind = AggregateKind::Value(self.ty()?);
            return Ok(Rvalue::Aggregate(kind, self.operands()?));
        }
        if self.eat("variant") {
            let variant = self.integer()?;
            let kind = AggregateKind::Variant(self.ty()?, variant);
            return Ok(Rvalue::Aggregate(kind, self.operands()?));
        }
        if self.eat("new") {
            let ty = self.ty()?;
            return Ok(Rvalue::New(ty, self.operands()?));
        }
        if self.eat("closure") {
            let target = self.closure_target()?;
            return Ok(Rvalue::Closure(Box::new(target), self.operands()?));
        }
        if self.eat("dyn") {
            return self.make_dyn();
        }
        if self.eat("reuse") {
            let token = self.operand()?;
            self.expect("for")?;
            return Ok(Rvalue::Reuse(token, Box::new(self.rvalue()?)));
        }
        if self.eat("&mut") {
            return Ok(Rvalue::Ref(Mutability::Mut, self.place()?));
        }
        if self.eat("&") {
            return Ok(Rvalue::Ref(Mutability::Shared, self.place()?));
        }
        if self.eat("static") {
            return Ok(Rvalue::StaticRef(self.static_()?));
        }
        for which in ALL_INTRINSICS {
            let name = format!("{which:?}");
            if self.rest().strip_prefix(&name).is_some_and(|rest| rest.starts_with('(')) {
                self.at += name.len();
                let operands = self.operands()?.into();
                self.expect(":")?;
                return Ok(Rvalue::Intrinsic(which, operands, self.ty()?));
            }
        }
        Ok(Rvalue::Use(self.operand()?))
    }

    fn binary(&mut self, op: BinOp) -> Result<Rvalue> {
        let (checked, overflowing) = (self.eat("!"), self.eat("?"));
        let a = self.operand()?;
        self.expect(",")?;
        let b = self.operand()?;
        Ok(match (checked, overflowing) {
            (true, _) => Rvalue::Checked(op, a, b),
            (_, true) => Rvalue::Overflowing(op, a, b),
            _ => Rvalue::Binary(op, a, b),
        })
    }

    fn closure_target(&mut self) -> Result<ClosureTarget> {
        if self.eat("lambda") {
            return Ok(ClosureTarget::Lambda(self.body_key()?));
        }
        if self.eat("of") {
            return Ok(ClosureTarget::Fn(self.callee()?));
        }
        if self.eat("for_c") {
            return Ok(ClosureTarget::ForC(Box::new(self.closure_target()?)));
        }
        self.expect("@")?;
        Ok(ClosureTarget::Instance(self.instance()?))
    }

    fn make_dyn(&mut self) -> Result<Rvalue> {
        let value = self.operand()?;
        self.expect("from")?;
        let from = self.ty()?;
        self.expect("to")?;
        let ty = self.ty()?;
        let vtable = self
            .rest()
            .strip_prefix("vtable")
            .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok()));
        if vtable.is_some() {
            self.word()?;
        }
        Ok(Rvalue::MakeDyn { value, from, ty, vtable: vtable.map(VtableId::from_raw) })
    }
}

/// `name_3`: the name, which may be empty, and the number.
fn split_local(word: &str) -> Option<(&str, u32)> {
    let (name, number) = word.rsplit_once('_')?;
    Some((name, number.parse().ok()?))
}

//! Text to MIR: reads what [`crate::print`] writes. For tests and for reducing bugs, so it says what is
//! wrong and where, but recovers from nothing.
//!
//! [`Reader`] holds the cursor and reads types and names; [`bodies`] reads functions.

mod bodies;

use std::fmt;

use qz_base::{FxHashMap, Name};
use qz_types::{AdtId, FloatTy, FnId, IntTy, Mutability, Row, StaticId, TraitId, TraitRef, Ty, TyKind};

use crate::program::InstanceId;

/// What names in the text refer to. The defaults read the numbers that [`crate::print::Numbers`] prints.
pub trait Lookup {
    fn adt(&self, name: &str) -> Option<AdtId> {
        number(name, "adt").map(AdtId::from_raw)
    }
    fn function(&self, name: &str) -> Option<FnId> {
        number(name, "fn").map(FnId::from_raw)
    }
    fn trait_(&self, name: &str) -> Option<TraitId> {
        number(name, "trait").map(TraitId::from_raw)
    }
    fn static_(&self, name: &str) -> Option<StaticId> {
        number(name, "static").map(StaticId::from_raw)
    }
    fn instance(&self, name: &str) -> Option<InstanceId> {
        number(name, "inst").map(InstanceId::from_raw)
    }
}

/// Everything by number.
pub struct Numbers;
impl Lookup for Numbers {}

fn number(name: &str, prefix: &str) -> Option<u32> {
    name.strip_prefix(prefix)?.parse().ok()
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Counts from 1.
    pub line: u32,
    pub message: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ReadError {}

pub type Result<T> = std::result::Result<T, ReadError>;

/// A cursor over text.
pub struct Reader<'t> {
    text: &'t str,
    at: usize,
    lookup: &'t dyn Lookup,
    /// Names of type parameters that stand for themselves: `T` instead of `$0T`.
    pub ty_params: FxHashMap<&'t str, Ty>,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str, lookup: &'t dyn Lookup) -> Reader<'t> {
        Reader { text, at: 0, lookup, ty_params: FxHashMap::default() }
    }

    pub(crate) fn error<T>(&self, message: impl Into<String>) -> Result<T> {
        let line = self.text[..self.at].matches('\n').count() as u32 + 1;
        Err(ReadError { line, message: message.into() })
    }

    // ---- tokens

    fn skip(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    pub fn rest(&mut self) -> &'t str {
        self.skip();
        &self.text[self.at..]
    }

    pub fn at_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// Takes this text if it comes next. Words are taken whole.
    pub fn eat(&mut self, text: &str) -> bool {
        let Some(after) = self.rest().strip_prefix(text) else { return false };
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        if text.ends_with(is_word) && after.starts_with(is_word) {
            return false;
        }
        self.at += text.len();
        true
    }

    pub fn expect(&mut self, text: &str) -> Result<()> {
        if self.eat(text) {
            return Ok(());
        }
        let found: String = self.rest().chars().take(20).collect();
        self.error(format!("expected `{text}`, found `{found}`"))
    }

    fn take_while(&mut self, f: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|c| !f(c)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    pub fn word(&mut self) -> Result<&'t str> {
        match self.take_while(|c| c.is_alphanumeric() || c == '_') {
            "" => {
                let found: String = self.rest().chars().take(20).collect();
                self.error(format!("expected a name, found `{found}`"))
            }
            word => Ok(word),
        }
    }

    /// Words joined by `::`, with `?` at the end if there is one.
    pub fn path(&mut self) -> Result<&'t str> {
        self.skip();
        let start = self.at;
        self.word()?;
        while self.text[self.at..].starts_with("::") {
            self.at += 2;
            self.word()?;
        }
        if self.text[self.at..].starts_with('?') {
            self.at += 1;
        }
        Ok(&self.text[start..self.at])
    }

    pub(crate) fn integer<T: std::str::FromStr>(&mut self) -> Result<T> {
        let text = self.take_while(|c| c.is_ascii_digit() || c == '-');
        match text.parse() {
            Ok(value) => Ok(value),
            Err(_) => self.error(format!("expected a number, found `{text}`")),
        }
    }

    /// Items between brackets, separated by commas.
    pub fn list<T>(
        &mut self,
        open: &str,
        close: &str,
        mut one: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.expect(open)?;
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(one(self)?);
            if !self.eat(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }

    // ---- names

    pub(crate) fn adt(&mut self, name: &str) -> Result<AdtId> {
        self.lookup.adt(name).map_or_else(|| self.error(format!("no type `{name}`")), Ok)
    }

    pub(crate) fn function(&mut self) -> Result<FnId> {
        let name = self.path()?;
        self.lookup.function(name).map_or_else(|| self.error(format!("no function `{name}`")), Ok)
    }

    pub(crate) fn trait_(&mut self) -> Result<TraitId> {
        let name = self.path()?;
        self.lookup.trait_(name).map_or_else(|| self.error(format!("no trait `{name}`")), Ok)
    }

    pub(crate) fn static_(&mut self) -> Result<StaticId> {
        let name = self.path()?;
        self.lookup.static_(name).map_or_else(|| self.error(format!("no variable `{name}`")), Ok)
    }

    /// After the `@`.
    pub(crate) fn instance(&mut self) -> Result<InstanceId> {
        let name = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '.' || c == '?');
        self.lookup.instance(name).map_or_else(|| self.error(format!("no instance `{name}`")), Ok)
    }

    // ---- types

    pub(crate) fn ty_args(&mut self) -> Result<Vec<Ty>> {
        match self.text[self.at..].starts_with('<') {
            true => self.list("<", ">", |r| r.ty()),
            false => Ok(Vec::new()),
        }
    }

    fn trait_ref(&mut self) -> Result<TraitRef> {
        let trait_id = self.trait_()?;
        let args = self.ty_args()?;
        Ok(TraitRef { trait_id, args: Ty::list(&args) })
    }

    pub fn ty(&mut self) -> Result<Ty> {
        if self.rest().starts_with('(') {
            let parts = self.list("(", ")", |r| r.ty())?;
            return Ok(Ty::tuple(&parts));
        }
        if self.rest().starts_with('{') {
            let fields = self.list("{", "}", |r| {
                let name = Name::new(r.word()?);
                r.expect(":")?;
                Ok((name, r.ty()?))
            })?;
            return Ok(Ty::record(&fields));
        }
        if self.eat("&mut") {
            return Ok(Ty::reference(Mutability::Mut, self.ty()?));
        }
        if self.eat("&") {
            return Ok(Ty::reference(Mutability::Shared, self.ty()?));
        }
        if self.eat("$") {
            let digits: String = self.rest().chars().take_while(char::is_ascii_digit).collect();
            self.at += digits.len();
            let index = digits.parse().or_else(|_| self.error("expected the number of a parameter"))?;
            return Ok(Ty::param(index, Name::new(self.word()?)));
        }
        if self.eat("Fn") {
            let params = self.list("(", ")", |r| r.ty())?;
            self.expect(":")?;
            return Ok(Ty::func(&params, self.ty()?, Row::EMPTY));
        }
        if self.eat("dyn") {
            let mut traits = vec![self.trait_ref()?];
            while self.eat("+") {
                traits.push(self.trait_ref()?);
            }
            return Ok(Ty::new(TyKind::Dyn(Ty::trait_refs(&traits))));
        }
        if self.eat("Ptr") {
            let args = self.ty_args()?;
            return args.first().map_or_else(|| self.error("`Ptr` takes a type"), |&to| Ok(Ty::ptr(to)));
        }
        self.named_ty()
    }

    fn named_ty(&mut self) -> Result<Ty> {
        let name = self.path()?;
        if let Some(int) = IntTy::ALL.into_iter().find(|int| int.name() == name) {
            return Ok(Ty::new(TyKind::Int(int)));
        }
        Ok(match name {
            "Bool" => Ty::new(TyKind::Bool),
            "Char" => Ty::new(TyKind::Char),
            "String" => Ty::new(TyKind::Str),
            "Never" => Ty::new(TyKind::Never),
            "F32" => Ty::new(TyKind::Float(FloatTy::F32)),
            "F64" => Ty::new(TyKind::Float(FloatTy::F64)),
            name => match self.ty_params.get(name) {
                Some(&param) => param,
                None => {
                    let id = self.adt(name)?;
                    let args = self.ty_args()?;
                    Ty::adt(id, &args)
                }
            },
        })
    }
}

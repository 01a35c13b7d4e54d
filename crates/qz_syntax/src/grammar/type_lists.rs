//! Does a `<` open type arguments in an expression? It does if it is adjacent to the name, a list of types closes
//! with `>`, and directly behind that stands `(`, `.`, `::`, `{` or `[`; otherwise it compares.
//!
//! The scan builds nothing. Every `<` it meets is remembered with its outcome, so no text is scanned twice, however
//! the lists nest.

use crate::SyntaxKind::{self, *};
use crate::lexer::flags;
use crate::parser::Parser;

/// Lists nested deeper than this count as comparisons.
const MAX_LISTS: u32 = 64;

/// `name<` at the `<` of type arguments.
pub(super) fn at_type_args(p: &mut Parser<'_>) -> bool {
    if !p.at(Lt) || p.spaced() {
        return false;
    }
    let mut scan = Scan { index: p.pos, used: 0, depth: 0, p };
    if !scan.list() || scan.used != 0 {
        return false;
    }
    let next = scan.p.token_at(scan.index);
    match next.kind {
        LParen | LBracket | Dot | ColonColon | QuestionDot => !next.has(flags::SPACE_BEFORE),
        LBrace => !next.has(flags::NEWLINE_BEFORE),
        _ => false,
    }
}

struct Scan<'p, 't> {
    p: &'p mut Parser<'t>,
    index: usize,
    /// How many bytes of the current `>>` are behind us.
    used: u32,
    depth: u32,
}

impl Scan<'_, '_> {
    fn kind(&self) -> SyntaxKind {
        match (self.p.token_at(self.index).kind, self.used) {
            (GtGt, 1) => Gt,
            (GtGtEq, 1) => GtEq,
            (kind, _) => kind,
        }
    }

    fn next(&mut self) {
        self.p.steps += 1;
        self.index = self.p.index_after(self.index);
        self.used = 0;
    }

    fn eat(&mut self, kind: SyntaxKind) -> bool {
        let there = self.kind() == kind;
        if there {
            self.next();
        }
        there
    }

    /// `'<' type (',' type)* ','? '>'`, remembered.
    fn list(&mut self) -> bool {
        let start = self.index as u32;
        if let Some(&known) = self.p.type_lists.get(&start) {
            self.index = (known >> 1) as usize;
            self.used = known & 1;
            return known != 0;
        }
        let found = self.depth < MAX_LISTS && self.unknown_list();
        let outcome = if found { (self.index as u32) << 1 | self.used } else { 0 };
        self.p.type_lists.insert(start, outcome);
        found
    }

    fn unknown_list(&mut self) -> bool {
        self.depth += 1;
        self.next();
        let closed = self.types() && self.close();
        self.depth -= 1;
        closed
    }

    fn types(&mut self) -> bool {
        loop {
            if !self.type_expr() {
                return false;
            }
            if !self.eat(Comma) || matches!(self.kind(), Gt | GtGt) {
                return true;
            }
        }
    }

    fn close(&mut self) -> bool {
        match (self.kind(), self.used) {
            (Gt, _) => self.next(),
            (GtGt, 0) => self.used = 1,
            _ => return false,
        }
        true
    }

    /// Types joined by `|` and `&`.
    fn type_expr(&mut self) -> bool {
        loop {
            if !self.primary() {
                return false;
            }
            if !self.eat(Pipe) && !self.eat(Amp) {
                return true;
            }
        }
    }

    fn primary(&mut self) -> bool {
        while matches!(self.kind(), Amp | ImplKw) || self.at_prefix_word() {
            self.next();
        }
        let atom = match self.kind() {
            LParen => self.nested(Self::parens),
            LBrace => self.nested(Self::record),
            Bang | Underscore => {
                self.next();
                true
            }
            kind if kind.is_name() => self.path(),
            _ => false,
        };
        while atom && matches!(self.kind(), Question | QuestionQuestion) {
            self.next();
        }
        atom
    }

    /// `dyn` or `mut` before a type.
    fn at_prefix_word(&self) -> bool {
        let next = self.p.token_at(self.p.index_after(self.index)).kind;
        matches!(self.kind(), DynKw | MutKw) && (next.is_name() || matches!(next, LParen | LBrace))
    }

    fn nested(&mut self, inside: fn(&mut Self) -> bool) -> bool {
        if self.depth >= MAX_LISTS {
            return false;
        }
        self.depth += 1;
        let found = inside(self);
        self.depth -= 1;
        found
    }

    fn path(&mut self) -> bool {
        let is_function = {
            let next = self.p.token_at(self.p.index_after(self.index));
            next.kind == LParen && self.p.token_at(self.index).has(flags::UPPER)
        };
        self.next();
        if is_function {
            return self.nested(Self::function);
        }
        loop {
            if self.kind() == Lt && !self.list() {
                return false;
            }
            if !self.eat(ColonColon) {
                return true;
            }
            if !self.kind().is_name() {
                return false;
            }
            self.next();
        }
    }

    /// `'(' types ')' (':' type)?` behind `Fn`.
    fn function(&mut self) -> bool {
        self.parens() && (!self.eat(Colon) || self.type_expr())
    }

    fn parens(&mut self) -> bool {
        self.next();
        self.eat(RParen) || self.types_up_to(RParen)
    }

    fn types_up_to(&mut self, close: SyntaxKind) -> bool {
        loop {
            if !self.type_expr() {
                return false;
            }
            let comma = self.eat(Comma);
            if self.eat(close) {
                return true;
            }
            if !comma {
                return false;
            }
        }
    }

    fn record(&mut self) -> bool {
        self.next();
        loop {
            if self.eat(RBrace) {
                return true;
            }
            if self.eat(DotDotDot) {
                if self.kind().is_name() {
                    self.next();
                }
                return self.eat(RBrace);
            }
            if !self.kind().is_word() {
                return false;
            }
            self.next();
            if !self.eat(Colon) || !self.type_expr() {
                return false;
            }
            if !self.eat(Comma) {
                return self.eat(RBrace);
            }
        }
    }
}

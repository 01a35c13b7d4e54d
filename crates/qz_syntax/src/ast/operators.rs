//! Which operator does a node apply? Tokens to small enums.

use super::{AstNode, BinaryExpr, CastExpr, CompoundAssignStmt, UnaryExpr};
use crate::SyntaxKind;
use crate::tree::SyntaxToken;

/// An operator between two operands.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    /// `|>`
    Pipe,
    /// `??`
    Default,
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `&`
    BitAnd,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `&+`
    WrapAdd,
    /// `&-`
    WrapSub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `&*`
    WrapMul,
    /// `**`
    Pow,
}

impl BinaryOp {
    /// The operator a token stands for; the foreign `&&` and `||` count as `and` and `or`.
    pub fn from_kind(kind: SyntaxKind) -> Option<BinaryOp> {
        Some(match kind {
            SyntaxKind::PipeGt => BinaryOp::Pipe,
            SyntaxKind::QuestionQuestion => BinaryOp::Default,
            SyntaxKind::OrKw | SyntaxKind::PipePipe => BinaryOp::Or,
            SyntaxKind::AndKw | SyntaxKind::AmpAmp => BinaryOp::And,
            SyntaxKind::EqEq => BinaryOp::Eq,
            SyntaxKind::BangEq => BinaryOp::Ne,
            SyntaxKind::Lt => BinaryOp::Lt,
            SyntaxKind::LtEq => BinaryOp::Le,
            SyntaxKind::Gt => BinaryOp::Gt,
            SyntaxKind::GtEq => BinaryOp::Ge,
            SyntaxKind::InKw => BinaryOp::In,
            SyntaxKind::Pipe => BinaryOp::BitOr,
            SyntaxKind::Caret => BinaryOp::BitXor,
            SyntaxKind::Amp => BinaryOp::BitAnd,
            SyntaxKind::LtLt => BinaryOp::Shl,
            SyntaxKind::GtGt => BinaryOp::Shr,
            SyntaxKind::Plus => BinaryOp::Add,
            SyntaxKind::Minus => BinaryOp::Sub,
            SyntaxKind::AmpPlus => BinaryOp::WrapAdd,
            SyntaxKind::AmpMinus => BinaryOp::WrapSub,
            SyntaxKind::Star => BinaryOp::Mul,
            SyntaxKind::Slash => BinaryOp::Div,
            SyntaxKind::Percent => BinaryOp::Rem,
            SyntaxKind::AmpStar => BinaryOp::WrapMul,
            SyntaxKind::StarStar => BinaryOp::Pow,
            _ => return None,
        })
    }

    /// The operator of a compound assignment (`+=` gives `Add`).
    pub fn from_assign_kind(kind: SyntaxKind) -> Option<BinaryOp> {
        Some(match kind {
            SyntaxKind::PlusEq => BinaryOp::Add,
            SyntaxKind::MinusEq => BinaryOp::Sub,
            SyntaxKind::StarEq => BinaryOp::Mul,
            SyntaxKind::SlashEq => BinaryOp::Div,
            SyntaxKind::PercentEq => BinaryOp::Rem,
            SyntaxKind::AmpEq => BinaryOp::BitAnd,
            SyntaxKind::PipeEq => BinaryOp::BitOr,
            SyntaxKind::CaretEq => BinaryOp::BitXor,
            SyntaxKind::LtLtEq => BinaryOp::Shl,
            SyntaxKind::GtGtEq => BinaryOp::Shr,
            SyntaxKind::QuestionQuestionEq => BinaryOp::Default,
            _ => return None,
        })
    }
}

impl<'t> BinaryExpr<'t> {
    /// The operator's token.
    pub fn op_token(self) -> Option<SyntaxToken<'t>> {
        self.syntax().tokens().find(|token| BinaryOp::from_kind(token.kind()).is_some())
    }

    /// The operator.
    pub fn op(self) -> Option<BinaryOp> {
        BinaryOp::from_kind(self.op_token()?.kind())
    }
}

impl<'t> CompoundAssignStmt<'t> {
    /// The operator's token, `+=` for instance.
    pub fn op_token(self) -> Option<SyntaxToken<'t>> {
        self.syntax().tokens().find(|token| BinaryOp::from_assign_kind(token.kind()).is_some())
    }

    /// The operator applied before the store.
    pub fn op(self) -> Option<BinaryOp> {
        BinaryOp::from_assign_kind(self.op_token()?.kind())
    }
}

/// An operator before one operand.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `-`
    Neg,
    /// `~`
    BitNot,
    /// `not`
    Not,
}

impl UnaryExpr<'_> {
    /// The operator; the foreign `!` counts as `not`.
    pub fn op(self) -> Option<UnaryOp> {
        self.syntax().tokens().find_map(|token| match token.kind() {
            SyntaxKind::Minus => Some(UnaryOp::Neg),
            SyntaxKind::Tilde => Some(UnaryOp::BitNot),
            SyntaxKind::NotKw | SyntaxKind::Bang => Some(UnaryOp::Not),
            _ => None,
        })
    }
}

/// How a conversion between numeric types treats a value that does not fit.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum CastKind {
    /// `as`: panics.
    Checked,
    /// `wrapping_as`: keeps the low bits.
    Wrapping,
    /// `try_as`: gives `None`.
    Try,
}

impl CastExpr<'_> {
    /// Which of the three conversions it is.
    pub fn kind(self) -> CastKind {
        let is = |kind| self.syntax().token(kind).is_some();
        if is(SyntaxKind::WrappingAsKw) {
            CastKind::Wrapping
        } else if is(SyntaxKind::TryAsKw) {
            CastKind::Try
        } else {
            CastKind::Checked
        }
    }
}

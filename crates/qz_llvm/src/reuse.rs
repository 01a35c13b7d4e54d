//! Reuse tokens: blocks of objects that are gone, for the object that is made next, or null. A block keeps its
//! header, with a count of 1 and the type of what was in it, until then.

use qz_mir::{Operand, TypeEntryKind};
use qz_types::TyKind;

use crate::function::FnCx;
use crate::ir::{LlTy, Value};
use crate::memory::Addr;

/// A token as it was read.
pub(crate) struct Token {
    block: Value,
    /// What was in it.
    was: TypeEntryKind,
}

impl FnCx<'_, '_> {
    pub(crate) fn read_token(&mut self, operand: &Operand) -> Token {
        let block = self.scalar(operand);
        let TyKind::Ptr(of) = *self.operand_ty(operand).kind() else { unreachable!("a token is a pointer") };
        Token { block, was: TypeEntryKind::Ty(self.program.layouts.resolve(of)) }
    }

    /// A new object, in the token's block unless that is null.
    pub(crate) fn new_object_in(&mut self, token: Token, kind: &TypeEntryKind) -> Value {
        let (was, is) = (self.program.types.index(&token.was), self.program.types.index(kind));
        let block = token.block;
        let none = self.icmp_imm("eq", block, 0);
        self.either(
            none,
            "",
            |cx| cx.new_object(kind),
            |cx| {
                if was == is {
                    return block;
                }
                if cx.program.options.count_objects {
                    cx.free_object(block, Some(&token.was));
                    return cx.new_object(kind);
                }
                cx.store(Value::int(LlTy::I32, is as i64), Addr::header(block).plus(4));
                block
            },
        )
    }

    /// Gives a token's block back.
    pub(crate) fn give_block(&mut self, operand: &Operand) {
        let token = self.read_token(operand);
        let some = self.icmp_imm("ne", token.block, 0);
        self.if_so(some, |cx| cx.free_object(token.block, Some(&token.was)));
    }
}

//! Reuse tokens: blocks of objects that are gone, for the object that is made next, or null. A block keeps its
//! header, with a count of 1 and the type of what was in it, until then.

use cranelift_codegen::ir::{InstBuilder, Value, types};
use qz_mir::{Operand, TypeEntryKind};
use qz_rt_abi::object::HEADER_TYPE;
use qz_types::TyKind;

use crate::function::FnCx;
use crate::value::Addr;

/// A token as it was read.
pub(crate) struct Token {
    block: Value,
    /// What was in it.
    was: TypeEntryKind,
}

impl FnCx<'_, '_, '_> {
    pub(crate) fn read_token(&mut self, operand: &Operand) -> Token {
        let block = self.scalar(operand);
        let TyKind::Ptr(of) = *self.operand_ty(operand).kind() else { unreachable!("a token is a pointer") };
        Token { block, was: TypeEntryKind::Ty(self.program.layouts.resolve(of)) }
    }

    /// A new object, in the token's block unless that is null.
    pub(crate) fn new_object_in(&mut self, token: Token, kind: &TypeEntryKind) -> Value {
        let done = self.fresh_block(&[types::I64]);
        let (some, none) = (self.fresh_block(&[]), self.fresh_block(&[]));
        self.b.ins().brif(token.block, some, &[], none, &[]);
        self.continue_in(some);
        let object = self.object_in_block(&token, kind);
        self.jump(done, &[object]);
        self.continue_in(none);
        let object = self.new_object(kind);
        self.jump(done, &[object]);
        self.continue_in(done);
        self.b.block_params(done)[0]
    }

    fn object_in_block(&mut self, token: &Token, kind: &TypeEntryKind) -> Value {
        let (was, is) = (self.program.types.index(&token.was), self.program.types.index(kind));
        if was == is {
            return token.block;
        }
        if self.program.options.count_objects {
            self.free_object(token.block, Some(&token.was));
            return self.new_object(kind);
        }
        let index = self.int(types::I32, is as i64);
        self.store_scalar(index, Addr::header(token.block).plus(HEADER_TYPE));
        token.block
    }

    /// Gives a token's block back.
    pub(crate) fn give_block(&mut self, operand: &Operand) {
        let token = self.read_token(operand);
        let (some, done) = (self.fresh_block(&[]), self.b.create_block());
        self.b.ins().brif(token.block, some, &[], done, &[]);
        self.continue_in(some);
        self.free_object(token.block, Some(&token.was));
        self.b.ins().jump(done, &[]);
        self.continue_in(done);
    }
}

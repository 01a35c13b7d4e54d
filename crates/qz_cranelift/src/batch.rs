//! Functions on their way from CLIF to machine code, several at a time: translation needs the whole program and goes
//! one by one, Cranelift's own work needs only the function. What comes out is in the order of translation, whatever
//! finished first.

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;

use crate::CompileError;

/// So many functions are kept in memory at a time.
pub(crate) const SIZE: usize = 32;
/// Fewer are not worth a thread.
const FEW: usize = 8;

/// Makes code of each function; `name` is for the message, if Cranelift finds fault with one.
pub(crate) fn compile<T: Send>(
    batch: &mut [(Context, T)],
    isa: &dyn TargetIsa,
    name: &(dyn Fn(&T) -> String + Sync),
) -> Result<(), CompileError> {
    let one = |(cx, what): &mut (Context, T)| match cx.compile(isa, &mut ControlPlane::default()) {
        Ok(_) => Ok(()),
        Err(error) => {
            let reason = cranelift_codegen::print_errors::pretty_error(error.func, error.inner);
            Err(CompileError::Internal(format!("{}: {reason}", name(what))))
        }
    };
    qz_base::parallel::map(batch, FEW, one).into_iter().collect()
}

//! Functions on their way from CLIF to machine code, several at a time: translation needs the whole program and goes
//! one by one, Cranelift's own work needs only the function. What comes out is in the order of translation, whatever
//! finished first.

use std::sync::Arc;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;

use crate::CompileError;
use crate::made::{CodeStore, Made, code_key};
use crate::program::Translated;

/// So many functions are kept in memory at a time.
pub(crate) const SIZE: usize = 32;
/// Fewer are not worth a thread.
const FEW: usize = 8;

/// A function on its way: CLIF first, then code as well.
pub(crate) struct Job<'m> {
    pub(crate) cx: Context,
    pub(crate) made: Option<Arc<Made>>,
    pub(crate) what: Translated<'m>,
}

impl<'m> Job<'m> {
    pub(crate) fn new(cx: Context, what: Translated<'m>) -> Job<'m> {
        Job { cx, made: None, what }
    }

    /// Makes code of the function, or takes what a store has for it.
    fn compile(&mut self, isa: &dyn TargetIsa, store: Option<&dyn CodeStore>) -> Result<(), CompileError> {
        let Some(store) = store else {
            self.made = Some(Arc::new(self.make(isa)?));
            return Ok(());
        };
        let key = code_key(isa, &self.cx.func);
        // Whoever kept it without what debuggers hear did not make it of this.
        let is_whole = |made: &Arc<Made>| made.debug.is_some() == isa.flags().unwind_info();
        let made = match store.get(self.what.module, &key).filter(is_whole) {
            Some(made) => made,
            None => {
                let made = Arc::new(self.make(isa)?);
                store.put(self.what.module, key, made.clone());
                made
            }
        };
        self.made = Some(made);
        Ok(())
    }

    fn make(&mut self, isa: &dyn TargetIsa) -> Result<Made, CompileError> {
        if let Err(error) = self.cx.compile(isa, &mut ControlPlane::default()) {
            let reason = cranelift_codegen::print_errors::pretty_error(error.func, error.inner);
            return Err(CompileError::Internal(format!("{}: {reason}", self.what.symbol)));
        }
        Ok(Made::new(isa, self.cx.compiled_code().expect("was just compiled"), &self.cx.func))
    }
}

/// Makes code of each function, quickly of those of a module.
pub(crate) fn compile(
    batch: &mut [Job<'_>],
    isa: &dyn TargetIsa,
    quick: Option<(&str, &dyn TargetIsa)>,
    store: Option<&dyn CodeStore>,
) -> Result<(), CompileError> {
    let one = |job: &mut Job<'_>| match quick {
        Some((module, quick)) if module == job.what.module => job.compile(quick, store),
        _ => job.compile(isa, store),
    };
    qz_base::parallel::map(batch, FEW, one).into_iter().collect()
}

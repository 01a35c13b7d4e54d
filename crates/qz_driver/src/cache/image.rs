//! Compiled programs that run inside the compiler: one whose text and options are what they were is loaded, not compiled.

use std::path::Path;

use qz_cache::{Found, Key, Tier};
use qz_cranelift::{Jit, Ready, Saved};
use qz_diag::Diagnostic;
use qz_infer::Checker;
use qz_macros::Settings;

use super::program::Unchanged;
use super::{Cache, Outcome, Stage};

use crate::run::{Engine, Failure, Finished, RunOptions, Start, report_panic};
use crate::{Program, Root};

/// What explanations call it.
const WHOLE: &str = "(the whole program)";

impl Cache {
    /// Makes a program ready that was compiled before and did not change, and hands it on; nothing if there is none.
    pub fn compiled<R>(
        &self,
        program: &Unchanged,
        options: &RunOptions,
        then: &mut dyn FnMut(Start<'_>) -> Result<R, Failure>,
    ) -> Option<Result<R, Failure>> {
        let key = self.image_key(program.key, options)?;
        let bytes = match self.store.get(Tier::Code, key) {
            Found::Content(bytes) => bytes,
            Found::Nothing => return None,
            Found::Damaged(damage) => {
                self.note(WHOLE, Stage::Code, Outcome::Damaged(damage), Default::default());
                return None;
            }
        };
        let saved: Saved = qz_cache::decode(&bytes).ok()?;
        let jit = saved.load().ok()?;
        self.note(WHOLE, Stage::Code, Outcome::Reused, Default::default());
        qz_rt::process::set_args(options.args.clone());
        Some(start(&jit, then))
    }

    /// Keeps a program that was just compiled.
    pub(crate) fn keep_image(&self, program: &Program, options: &RunOptions, ready: &Ready) {
        let Some(key) = self.image_key(self.program_key(program), options) else { return };
        if let Some(saved) = ready.save(&program.sources) {
            self.store.put(Tier::Code, key, &qz_cache::encode(&saved));
        }
    }

    /// Checks and compiles a program anew, and compares: whether what the cache has of it is the same, byte for byte. A
    /// program that it does not have is.
    pub fn image_is_clean(&self, root: &Path, settings: &Settings, options: &RunOptions) -> bool {
        let Some(known) = self.unchanged(root) else { return true };
        let key = self.image_key(known.key, options);
        let Some(kept) = key.and_then(|key| self.store.get(Tier::Code, key).content()) else { return true };
        let Ok(loaded) = crate::load(Root::File(root.to_owned()), settings, None) else { return false };
        let program = crate::collect(loaded);
        let checker = Checker::new(&program.defs);
        if crate::check(&program, &checker, None).iter().any(Diagnostic::is_error) {
            return false;
        }
        let anew = crate::run::ready(&program, &checker, options);
        anew.ok().and_then(|ready| ready.save(&program.sources)).is_some_and(|it| qz_cache::encode(&it) == kept)
    }

    /// None for programs that are not kept: those that count lines in memory of this process, are looked at, or are run
    /// otherwise.
    fn image_key(&self, program: Key, options: &RunOptions) -> Option<Key> {
        let RunOptions { engine, leaks, verify, unoptimised, perf_map, overflow, counters, shape, .. } =
            options;
        if *engine != Engine::Cranelift || *verify || *perf_map || counters.is_some() {
            return None;
        }
        let target = qz_cranelift::target(crate::run::jit_options(options));
        let told = format!("{leaks} {unoptimised} {overflow:?} {shape:?}");
        Some(self.key("image").key(program).str(&target).str(&told).finish())
    }
}

fn start<R>(jit: &Jit, then: &mut dyn FnMut(Start<'_>) -> Result<R, Failure>) -> Result<R, Failure> {
    then(&|| {
        let outcome = jit.run().map_err(|error| Failure::Internal(error.to_string()))?;
        report_panic(outcome.panic.as_ref());
        Ok(Finished { status: outcome.status, leaks: outcome.leaks })
    })
}

//! Compiled programs that run inside the compiler: one whose text and options are what they were is loaded, not compiled.

use std::path::Path;
use std::sync::Arc;

use qz_cache::{Found, Key, KeyBuilder, Tier};
use qz_cranelift::{Added, Jit, Ready, Saved, Whole};
use qz_diag::Diagnostic;
use qz_infer::Checker;
use qz_macros::Settings;
use serde::{Deserialize, Serialize};

use super::program::Unchanged;
use super::{Cache, Outcome, Stage};

use crate::run::{Engine, Failure, Finished, RunOptions, Start, report_panic};
use crate::{Program, Root};

/// What explanations call it.
pub(super) const WHOLE: &str = "(the whole program)";

/// Where a program's code is.
#[derive(Serialize, Deserialize)]
pub(crate) struct Image {
    /// What was made as a whole, by its content: nothing ever takes its place.
    pub(super) whole: Key,
    /// What was added since, in the order in which it was made.
    pub(super) parts: Vec<Arc<Added>>,
    /// Of all that: the same program may have come about in another way, and its functions have other numbers.
    pub(super) history: Key,
}

impl Image {
    /// Adds a part.
    pub(super) fn push(&mut self, part: Arc<Added>) {
        let part_key = Key::of_content(&qz_cache::encode(&part));
        self.history = KeyBuilder::new("part").key(self.history).key(part_key).finish();
        self.parts.push(part);
    }
}

impl Cache {
    pub(super) fn image(&self, key: Key) -> Option<Image> {
        qz_cache::decode(&self.store.get(Tier::Code, key).content()?).ok()
    }

    /// The code with all parts in their places.
    pub(super) fn code(&self, image: &Image) -> Option<Saved> {
        let whole = match self.store.get(Tier::Code, image.whole) {
            Found::Content(bytes) => bytes,
            Found::Nothing => return None,
            Found::Damaged(damage) => {
                self.note(WHOLE, Stage::Code, Outcome::Damaged(damage), Default::default());
                return None;
            }
        };
        Saved::new(Whole::new(whole)?, &image.parts)
    }

    /// Keeps code as a whole.
    pub(super) fn put_whole(&self, made: &Whole) -> Image {
        let bytes = made.bytes();
        let whole = self.whole_key(bytes);
        self.store.put(Tier::Code, whole, bytes);
        Image { whole, parts: Vec::new(), history: whole }
    }

    fn whole_key(&self, bytes: &[u8]) -> Key {
        self.key("whole").key(Key::of_content(bytes)).finish()
    }

    pub(super) fn put_image(&self, key: Key, image: &Image) {
        self.store.put(Tier::Code, key, &qz_cache::encode(image));
    }

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
        let saved = self.code(&qz_cache::decode(&bytes).ok()?)?;
        let jit = saved.load().ok()?;
        self.note(WHOLE, Stage::Code, Outcome::Reused, Default::default());
        qz_rt::process::set_args(options.args.clone());
        Some(start(&jit, then))
    }

    /// Keeps a program that was just compiled, if it may be; gives what was kept.
    pub(crate) fn keep_image(&self, program: &Program, options: &RunOptions, ready: &Ready) -> Option<Image> {
        let key = self.image_key(self.program_key(program), options)?;
        let image = self.put_whole(&ready.save(&program.sources)?);
        self.put_image(key, &image);
        Some(image)
    }

    /// Checks and compiles a program anew, and compares: whether what the cache has of it is the same, byte for byte. A
    /// program that it does not have is. Code that was changed in parts stands elsewhere: what is compared is what
    /// is made of all that the cache has of its functions, which then takes the place of the parts.
    pub fn image_is_clean(&self, root: &Path, settings: &Settings, options: &RunOptions) -> bool {
        let Some(known) = self.unchanged(root) else { return true };
        let key = self.image_key(known.key, options);
        let Some((key, kept)) = key.and_then(|key| Some((key, self.image(key)?))) else { return true };
        let Ok(loaded) = crate::load(Root::File(root.to_owned()), settings, None) else { return false };
        let program = crate::collect(loaded);
        let checker = Checker::new(&program.defs);
        if crate::check(&program, &checker, None).iter().any(Diagnostic::is_error) {
            return false;
        }
        let made = |cache: Option<&Cache>| {
            let ready = crate::run::ready(&program, &checker, options, cache).ok()?;
            ready.save(&program.sources)
        };
        let Some(anew) = made(None) else { return false };
        if kept.parts.is_empty() {
            let whole = self.store.get(Tier::Code, kept.whole).content();
            return whole.is_none_or(|whole| whole == anew.bytes());
        }
        *self.modules.borrow_mut() = self.last.borrow().as_ref().map(|it| it.modules.clone());
        let same = made(Some(self)).is_some_and(|given| given.bytes() == anew.bytes());
        if same {
            self.put_image(key, &self.put_whole(&anew));
        }
        same
    }

    /// None for programs that are not kept: those that count lines in memory of this process, are looked at, or are run
    /// otherwise.
    pub(super) fn image_key(&self, program: Key, options: &RunOptions) -> Option<Key> {
        let RunOptions {
            engine, leaks, verify, unoptimised, quick, perf_map, overflow, counters, shape, ..
        } = options;
        if *engine != Engine::Cranelift || *verify || *perf_map || counters.is_some() {
            return None;
        }
        let target = qz_cranelift::target(crate::run::jit_options(options));
        let told = format!("{leaks} {unoptimised} {quick} {overflow:?} {shape:?}");
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

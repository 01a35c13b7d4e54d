//! Programs of which only bodies changed: the functions made of those are compiled anew and put among the others.
//!
//! Beside the machine code of a program stands what was noted of it ([`qz_opt::Facts`]), and what its modules were. Where
//! no interface changed since, [`qz_opt::rebuild`] makes the functions whose text is not what it was; whatever concerns the
//! program as a whole is made as a whole, and said so.

use std::sync::Arc;

use qz_base::FxHashSet;
use qz_cache::{Key, Tier};
use qz_cranelift::{Added, Saved};
use qz_lower::Lowerer;
use qz_mir::layout::Layouts;
use qz_opt::{Before, Facts, NewFacts, OptError, Which, Whole};
use qz_types::FnId;
use serde::{Deserialize, Serialize};

use super::check::{Modules, NewBodies};
use super::code::Packs;
use super::image::{Image, WHOLE};
use super::{Cache, Outcome, Stage};
use crate::Program;
use crate::consts::Evaluator;
use crate::run::{Failure, RunOptions};

/// Code that nothing leads to may grow to so many times what is used, before all is made anew.
const MOST_UNUSED: usize = 2;
/// So many bytes of it are nothing to speak of.
const LITTLE: usize = 256 << 10;
/// Parts are kept apart from the whole as long as they are this small beside it, in bytes, or take little.
const SMALL_PARTS: usize = 4;

/// Of more modules than this, most may not be new: all is made at once then, without a look at what was there.
const MANY: usize = 16;

/// What was noted of a program whose machine code is kept.
#[derive(Serialize, Deserialize)]
struct Noted {
    modules: Modules,
    /// The numbers of files, and the paths of their modules.
    files: Vec<(u32, String)>,
    /// Files with functions that constants were computed by, and with constants that were computed by functions.
    constants: Vec<u32>,
    computed: Vec<u32>,
    /// Where its code is, and how it came about.
    image: Key,
    history: Key,
    /// Where facts about it are, and those about its parts.
    facts: Key,
    changes: Vec<NewFacts>,
    /// Bytes of code when all of it was made.
    code_len: usize,
}

/// A program whose functions of the library other programs can use.
#[derive(Serialize, Deserialize)]
struct LibraryBase {
    image: Image,
    facts: Key,
    /// How many such functions there are.
    functions: usize,
    code_len: usize,
}

/// Programs with more code than this are no base of others, which would have to load it all.
const LARGEST_BASE: usize = 4 << 20;

/// What a program may be made of.
struct Base {
    /// Files with new bodies; none if it is another program.
    new: Option<FxHashSet<u32>>,
    constants: Vec<u32>,
    computed: Vec<u32>,
    image: Image,
    facts: Key,
    changes: Vec<NewFacts>,
    code_len: usize,
}

impl Cache {
    fn noted_key(&self, options: &RunOptions) -> Option<Key> {
        let told = self.image_key(self.key("").finish(), options)?;
        Some(self.key("noted").str(&self.name).key(told).finish())
    }

    /// Where the base of programs like this one is. Whether temporaries of the library are watched depends on the program,
    /// and so does what its entry gives.
    fn library_key(
        &self,
        lowerer: &Lowerer<'_, '_>,
        main: Option<FnId>,
        options: &RunOptions,
    ) -> Option<Key> {
        let told = self.image_key(self.key("").finish(), options).filter(|_| self.is_test)?;
        let gives_status = main.is_some_and(|main| !lowerer.ck.scheme(main).ret.is_unit());
        let key = self.key("library base").key(told).number(u64::from(lowerer.watches_drops));
        Some(key.number(u64::from(gives_status)).finish())
    }

    /// Notes what is known of a program whose image was just kept: facts about it, and how many bytes of code it has.
    pub(crate) fn note_facts(
        &self,
        program: &Program,
        lowerer: &Lowerer<'_, '_>,
        options: &RunOptions,
        kept: Image,
        (facts, code_len): (&Facts, usize),
    ) {
        let (Some(key), Some(image)) =
            (self.noted_key(options), self.image_key(self.program_key(program), options))
        else {
            return;
        };
        let Some(modules) = self.modules.borrow().clone() else { return };
        let functions = facts.of_library();
        let facts = self.put_facts(facts);
        let (files, constants, history) = (files(program), own_constants(program), kept.history);
        let (computed, changes) = (program.constants.computed(), Vec::new());
        let noted = Noted { modules, files, constants, computed, image, history, facts, changes, code_len };
        self.store.put(Tier::Code, key, &qz_cache::encode(&noted));
        let Some(library) = self.library_key(lowerer, crate::run::find_main(program, lowerer), options)
        else {
            return;
        };
        let is_better = self.read::<LibraryBase>(library).is_none_or(|known| known.functions < functions);
        if is_better && functions > 0 && code_len <= LARGEST_BASE {
            let base = LibraryBase { image: kept, facts, functions, code_len };
            self.store.put(Tier::Code, library, &qz_cache::encode(&base));
        }
    }

    fn put_facts(&self, facts: &Facts) -> Key {
        let bytes = qz_cache::encode(facts);
        let key = self.key("facts").key(Key::of_content(&bytes)).finish();
        self.store.put(Tier::Code, key, &bytes);
        key
    }

    /// The program's machine code, made of what it was before and the functions that changed, or of another program's
    /// functions of the library; nothing if all has to be made.
    pub(crate) fn with_new_bodies(
        &self,
        program: &Program,
        lowerer: &Lowerer<'_, '_>,
        options: &RunOptions,
    ) -> Result<Option<Saved>, Failure> {
        let modules = self.modules.borrow();
        let (Some(modules), Some(key)) = (modules.as_ref(), self.noted_key(options)) else { return Ok(None) };
        let mut attempts = Vec::new();
        let mut why = None;
        if let Some(noted) = self.read::<Noted>(key) {
            match modules.new_bodies(&noted.modules, &program.nodes) {
                Ok(changed) => match self.same(program, noted, &changed) {
                    Ok(base) => attempts.extend(base),
                    Err(reason) => why = Some(reason),
                },
                Err(reason) => why = Some(Whole(reason.into())),
            }
        }
        let main = crate::run::find_main(program, lowerer);
        let library = self.library_key(lowerer, main, options);
        attempts.extend(library.and_then(|key| self.another(key)));
        for base in attempts {
            let changing = Changing { program, lowerer, options };
            match self.changed(&changing, base, modules) {
                Ok(Some(saved)) => return Ok(Some(saved)),
                Ok(None) => {}
                Err(Problem::Failure(failure)) => return Err(failure),
                Err(Problem::Whole(reason)) => why = why.or(Some(reason)),
            }
        }
        if let Some(why) = why {
            self.note(WHOLE, Stage::Code, Outcome::Changed(why.to_string()), Default::default());
        }
        Ok(None)
    }

    /// The program itself as it was before, if that is known as it was noted.
    fn same(&self, program: &Program, noted: Noted, changed: &NewBodies<'_>) -> Result<Option<Base>, Whole> {
        let NewBodies { modules, heads } = changed;
        if *heads && modules.len() > MANY && modules.len() * 2 > noted.files.len() {
            return Err(Whole("most of its modules see what changed in an interface".into()));
        }
        let of_changed = |(file, path): &(u32, String)| modules.contains(path.as_str()).then_some(*file);
        let new: FxHashSet<u32> = noted.files.iter().filter_map(of_changed).collect();
        let Noted { files: known, constants, computed, image, history, facts, changes, code_len, .. } = noted;
        if known != files(program) {
            return Err(Whole("its files are read in another order".into()));
        }
        if constants.iter().any(|it| new.contains(it)) {
            return Err(Whole("constants are computed by what changed".into()));
        }
        if *heads && computed.iter().any(|it| new.contains(it)) {
            return Err(Whole("constants may be computed by other functions".into()));
        }
        let image = self.image(image).filter(|image| image.history == history);
        Ok(image.map(|image| Base { new: Some(new), constants, computed, image, facts, changes, code_len }))
    }

    /// Another program, for its functions of the library.
    fn another(&self, key: Key) -> Option<Base> {
        let LibraryBase { image, facts, code_len, .. } = self.read(key)?;
        let (constants, computed, changes) = (Vec::new(), Vec::new(), Vec::new());
        Some(Base { new: None, constants, computed, image, facts, changes, code_len })
    }

    /// The program made of what was there; nothing if that is not there any more.
    fn changed(
        &self,
        changing: &Changing<'_, '_, '_>,
        base: Base,
        modules: &Modules,
    ) -> Result<Option<Saved>, Problem> {
        let (Some(mut facts), Some(saved)) = (self.read::<Facts>(base.facts), self.code(&base.image)) else {
            return Ok(None);
        };
        base.changes.iter().for_each(|it| facts.add(it));
        // Most functions of a changed file are what they were, too.
        let packs = self.packs_to_run(changing.options, true);
        let change = changing.change(&base, &facts, &saved, &packs)?;
        self.keep(packs);
        let of = facts.functions.len() as u32;
        let outcome = Outcome::Partly { reused: of - change.made.min(of), of };
        self.note(WHOLE, Stage::Code, outcome, Default::default());
        let Changing { program, options, .. } = changing;
        Ok(self.put_part(program, options, (base, facts), saved, change, modules))
    }

    /// Puts the part into the program, and keeps both.
    fn put_part(
        &self,
        program: &Program,
        options: &RunOptions,
        (mut base, mut facts): (Base, Facts),
        mut saved: Saved,
        change: Change,
        modules: &Modules,
    ) -> Option<Saved> {
        let key = self.image_key(self.program_key(program), options)?;
        let added = Arc::new(change.added);
        saved.add(added.clone())?;
        base.image.push(added);
        let size: usize = base.image.parts.iter().map(|it| it.size()).sum();
        if size > LITTLE && size * SMALL_PARTS > saved.code_len() {
            facts.add(&change.facts);
            base.image = self.put_whole(&saved.merged());
            base.facts = self.put_facts(&facts);
            base.changes.clear();
        } else {
            base.changes.push(change.facts);
        }
        self.put_image(key, &base.image);
        for (files, more) in [
            (&mut base.constants, own_constants(program)),
            (&mut base.computed, program.constants.computed()),
        ] {
            files.extend(more);
            files.sort_unstable();
            files.dedup();
        }
        let Base { constants, computed, facts, changes, code_len, image, .. } = base;
        let (files, modules, history) = (files(program), modules.clone(), image.history);
        let noted =
            Noted { modules, files, constants, computed, image: key, history, facts, changes, code_len };
        self.store.put(Tier::Code, self.noted_key(options)?, &qz_cache::encode(&noted));
        Some(saved)
    }

    fn read<T: serde::de::DeserializeOwned>(&self, key: Key) -> Option<T> {
        qz_cache::decode(&self.store.get(Tier::Code, key).content()?).ok()
    }
}

/// The numbers of the program's files, and the paths of their modules.
fn files(program: &Program) -> Vec<(u32, String)> {
    program.nodes.iter().map(|it| (it.file.0, it.path.clone())).collect()
}

/// Files of the program with functions that constants were computed by.
fn own_constants(program: &Program) -> Vec<u32> {
    let own: FxHashSet<u32> = program.nodes.iter().map(|it| it.file.0).collect();
    program.constants.files().into_iter().filter(|it| own.contains(it)).collect()
}

enum Problem {
    Whole(Whole),
    Failure(Failure),
}

impl From<Whole> for Problem {
    fn from(why: Whole) -> Problem {
        Problem::Whole(why)
    }
}

struct Changing<'a, 'c, 'd> {
    program: &'a Program,
    lowerer: &'a Lowerer<'c, 'd>,
    options: &'a RunOptions,
}

/// Functions that were made anew.
struct Change {
    added: Added,
    facts: NewFacts,
    made: u32,
}

impl Changing<'_, '_, '_> {
    /// Makes the functions of changed files, or all that another program does not have.
    fn change(
        &self,
        base: &Base,
        facts: &Facts,
        saved: &Saved,
        packs: &Packs<'_>,
    ) -> Result<Change, Problem> {
        if saved.code_len() > base.code_len * MOST_UNUSED + LITTLE {
            return Err(Whole("much of its code is not used any more".into()).into());
        }
        let which = if base.new.is_some() { Which::Same } else { Which::Other };
        let is_new = |file: u32| base.new.as_ref().is_some_and(|new| new.contains(&file));
        let next = (facts.functions.len() as u32).max(saved.function_count());
        let part = self.rebuild(Before::new(facts, which, &is_new)?, next)?;
        if !crate::foreign::libraries(self.program, &part.module).is_empty() {
            return Err(Whole("it calls C".into()).into());
        }
        let made = part.module.instances.values().filter(|it| it.body.is_some()).count() as u32;
        let defs = qz_opt::SourceDefs(self.lowerer);
        let layouts = Layouts::new(&defs);
        let told = crate::run::code_options(self.program, self.options);
        let store: Option<&dyn qz_cranelift::CodeStore> = Some(packs);
        let (of_other, files) = (which == Which::Other, &self.program.sources);
        let added = saved.part(of_other, &part.module, &layouts, &part.numbers, told, files, store);
        let added = added.map_err(|error| Problem::Failure(Failure::Internal(error.to_string())))?;
        Ok(Change { added, facts: part.facts, made })
    }

    fn rebuild(&self, before: Before<'_>, next: u32) -> Result<qz_opt::Part, Problem> {
        let entry = crate::run::find_main(self.program, self.lowerer).map(|main| self.lowerer.entry(main));
        let constants = Evaluator::new(self.program, self.lowerer);
        let eval = |item, args| constants.value(item, args);
        let verify = cfg!(debug_assertions);
        let told = qz_opt::Options { verify, consts: Some(&eval), ..crate::run::opt_options(self.options) };
        let built = qz_opt::rebuild(self.lowerer, entry, &self.functions(&before), &told, before, next);
        let found = self.program.defs.take_problems().into_iter().chain(constants.take_problems());
        let problems: Vec<_> = found.filter(qz_diag::Diagnostic::is_error).collect();
        if !problems.is_empty() {
            return Err(Problem::Failure(Failure::Problems(crate::told(self.program, problems))));
        }
        built.map_err(|error| match error {
            OptError::Whole(why) => Problem::Whole(why),
            other => Problem::Failure(crate::run::not_built(self.program, other)),
        })
    }

    /// Functions of the files that the roots come from.
    fn functions(&self, before: &Before<'_>) -> Vec<FnId> {
        let files = before.root_files();
        let defs = &self.program.defs;
        let of_files = defs.fns.iter().filter(|(_, def)| files.contains(&defs.file_of(def.module).0));
        of_files.map(|(id, _)| id).collect()
    }
}

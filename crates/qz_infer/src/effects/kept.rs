//! Rows that were found before, by module: those of a module whose text did not change and that sees the same of others.
//! Whether they still hold is up to the rows of the functions that it calls ([`super::solve`]).

use std::fmt::{self, Write};

use qz_base::FxHashMap;
use qz_hir::types::Paths;
use qz_hir::{ModuleId, Named, Numbers};
use qz_types::kept::{Bytes, Keep, Reader, Writer, put_block};
use qz_types::{FnId, Ty, keep};

use super::{Eff, Effects, Handled, Origin, Unshared, Why, report, solve};
use crate::checker::Checker;

/// What was found of a function.
#[derive(Clone)]
pub(super) struct KnownRow {
    pub(super) function: FnId,
    pub(super) effects: Effects,
    /// The functions of the program whose rows it is made of, and what these were.
    pub(super) callees: Vec<(FnId, Option<u64>)>,
    /// Of the functions that it calls and that call it.
    pub(super) circle: u64,
    /// Of the row.
    pub(super) digest: u64,
}

pub(super) type KnownRows = FxHashMap<FnId, KnownRow>;

/// Where kept rows are.
pub struct KeptRows<'a> {
    pub numbers: &'a Numbers,
    /// Those of a module.
    pub find: &'a dyn Fn(ModuleId) -> Option<Vec<u8>>,
    /// Tells modules apart from what they were with another text.
    pub key: &'a dyn Fn(ModuleId) -> u64,
}

/// The rows of a module, as they are to be kept.
pub struct NewRows {
    pub module: ModuleId,
    /// How many functions there are, and whose rows were what they had been.
    pub functions: u32,
    pub kept: u32,
    /// Nothing if they are what was there, or cannot be kept.
    pub bytes: Option<Vec<u8>>,
}

impl Checker<'_> {
    /// Checks what the functions of these modules perform, like [`Checker::check_effects_of`], by rows that are kept. What is
    /// to be kept may be if there are no errors.
    pub fn check_effects_again(&self, modules: &[ModuleId], kept: &KeptRows<'_>) -> Vec<NewRows> {
        if !self.has_effects() {
            return Vec::new();
        }
        let known: KnownRows = modules.iter().flat_map(|&it| self.read_rows(it, kept)).collect();
        let functions = self.defs.fns.ids().filter(|id| known.contains_key(id) || self.is_walked(*id));
        let functions: Vec<FnId> = functions.collect();
        let solved = solve::solve(self, &functions, known, kept.key);
        for id in functions.iter().filter(|id| solved.walked.contains(id)) {
            report::report(self, &solved.rows, *id);
        }
        let mut by_module: FxHashMap<ModuleId, Vec<FnId>> = FxHashMap::default();
        for &id in &functions {
            by_module.entry(self.defs.fns[id].module).or_default().push(id);
        }
        let rows = |&module: &ModuleId| {
            let functions = by_module.remove(&module).unwrap_or_default();
            let new = functions.iter().filter(|id| solved.walked.contains(id)).count();
            let write = || {
                let rows: Vec<KnownRow> = functions.iter().map(|id| solved.known[id].clone()).collect();
                self.write_rows(module, kept.numbers, &rows)
            };
            NewRows {
                module,
                functions: functions.len() as u32,
                kept: (functions.len() - new) as u32,
                bytes: (new > 0).then(write).flatten(),
            }
        };
        modules.iter().map(rows).collect()
    }

    fn read_rows(&self, module: ModuleId, kept: &KeptRows<'_>) -> Vec<(FnId, KnownRow)> {
        let read = || {
            let bytes = (kept.find)(module)?;
            let named = Named { numbers: kept.numbers, from: module };
            let mut input = Bytes::new(&bytes);
            let tables = kept.numbers.take_tables(&mut input, &named)?;
            let file = self.defs.file_of(module);
            Vec::<KnownRow>::take(&mut Reader::new(input.block()?, &tables, &named, file))
        };
        let rows = read().unwrap_or_default();
        rows.into_iter()
            .map(|it| (it.function, it))
            .filter(|it| self.defs.fns[it.0].module == module)
            .collect()
    }

    fn write_rows(&self, module: ModuleId, numbers: &Numbers, rows: &Vec<KnownRow>) -> Option<Vec<u8>> {
        let named = Named { numbers, from: module };
        let mut writer = Writer::new(Default::default(), &named, self.defs.file_of(module));
        let rows = writer.write(rows)?;
        let mut bytes = Vec::new();
        numbers.put_tables(&writer.finish(), &mut bytes);
        put_block(&mut bytes, &rows);
        Some(bytes)
    }
}

/// What callers hear of an effect.
pub(super) fn write_eff(ck: &Checker<'_>, eff: &Eff, text: &mut String) -> fmt::Result {
    let names = Paths(ck.defs);
    let show = |ty: Ty| ty.display(&names).to_string() + &ck.unseen(ty, &names);
    let mut under = |what: String, minus: &[Handled], tasked: bool| {
        write!(text, "{what}{}", if tasked { " in a task" } else { "" })?;
        minus
            .iter()
            .try_for_each(|it| write!(text, " - {}{:?}", show(it.label.ty()), it.unshared.map(|it| it.why)))
    };
    match eff {
        Eff::Label(label) => under(show(label.ty()), &[], false),
        Eff::Tasked(label) => under(show(label.ty()), &[], true),
        Eff::Param { index, minus, tasked } => under(format!("of {index}"), minus, *tasked),
        Eff::Open { row, minus, tasked } => under(format!("open {}", show(*row)), minus, *tasked),
    }
}

keep!(struct KnownRow { function, effects, callees, circle, digest });
keep!(enum Eff { Label(label), Tasked(label), Param { index, minus, tasked }, Open { row, minus, tasked } });
keep!(struct Handled { label, unshared });
keep!(struct Unshared { handler, why });
keep!(
    enum Why {
        Answers,
        Variable,
        Object,
        Catch,
    }
);
keep!(struct Origin { span, callee });

impl Keep for Effects {
    fn put(&self, out: &mut Writer<'_>) {
        self.0.put(out);
    }

    fn take(input: &mut Reader<'_>) -> Option<Effects> {
        Keep::take(input).map(Effects)
    }
}

//! Constant items, evaluated by the interpreter before the program runs.
//!
//! A value that is immutable all through is computed once and becomes an operand or static data. One that
//! holds a mutable object (a `Vec`, a `Map`, a struct) is made anew at each use, so that nobody can change it
//! for others; it is evaluated all the same, so that its failure is told at compile time.

use std::cell::RefCell;

use qz_base::FxHashMap;
use qz_diag::{Code, Diagnostic};
use qz_hir::{Expr, FnKind, ModuleId};
use qz_infer::Checker;
use qz_interp::Stop;
use qz_lower::Lowerer;
use qz_mir::ConstValue;
use qz_mir::layout::Layouts;
use qz_opt::{NoValue, OptError};
use qz_types::FnId;

use crate::Program;

/// Statements that the evaluation of one constant may take.
const STEP_LIMIT: u64 = 50_000_000;
/// Bytes of frames that it may take.
const STACK_SIZE: usize = 4 << 20;

/// Values of constants known so far, kept with the program.
#[derive(Default)]
pub struct Constants {
    known: RefCell<FxHashMap<FnId, State>>,
}

enum State {
    Running,
    Done(Result<Option<ConstValue>, NoValue>),
}

/// Evaluates constants of a program without errors.
pub(crate) struct Evaluator<'a, 'c, 'd> {
    program: &'a Program,
    lowerer: &'a Lowerer<'c, 'd>,
    /// Constants being evaluated, outermost first.
    path: RefCell<Vec<FnId>>,
    problems: RefCell<Vec<Diagnostic>>,
}

impl<'a, 'c, 'd> Evaluator<'a, 'c, 'd> {
    pub(crate) fn new(program: &'a Program, lowerer: &'a Lowerer<'c, 'd>) -> Evaluator<'a, 'c, 'd> {
        Evaluator { program, lowerer, path: RefCell::default(), problems: RefCell::default() }
    }

    pub(crate) fn take_problems(&self) -> Vec<Diagnostic> {
        self.problems.take()
    }

    /// The value of a constant item, if it can be shared by all uses. What has none is reported once.
    pub(crate) fn value(&self, item: FnId) -> Result<Option<ConstValue>, NoValue> {
        let known = &self.program.constants.known;
        match known.borrow().get(&item) {
            Some(State::Done(value)) => return value.clone(),
            Some(State::Running) => {
                self.report_cycle(item);
                return Err(NoValue);
            }
            None => {}
        }
        known.borrow_mut().insert(item, State::Running);
        self.path.borrow_mut().push(item);
        let value = self.evaluate(item);
        self.path.borrow_mut().pop();
        known.borrow_mut().insert(item, State::Done(value.clone()));
        value
    }

    fn evaluate(&self, item: FnId) -> Result<Option<ConstValue>, NoValue> {
        let eval = |item| self.value(item);
        let options = qz_opt::Options {
            level: qz_opt::OptLevel::None,
            verify: cfg!(debug_assertions),
            consts: Some(&eval),
            keep_names: false,
            exports: &[],
        };
        let module = match qz_opt::build_constant(self.lowerer, item, &options) {
            Ok(module) => module,
            Err(OptError::NoValue) => return Err(NoValue),
            Err(error) => return self.fail(item, &error.to_string(), None),
        };
        let Some(entry) = module.entry else { return Ok(None) };
        let defs = qz_opt::SourceDefs(self.lowerer);
        let layouts = Layouts::new(&defs);
        let limits = qz_interp::Options { steps: Some(STEP_LIMIT), effects: false, stack_size: STACK_SIZE };
        match qz_interp::evaluate(&module, &layouts, &self.program.sources, entry, limits) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => {
                let place = panic.place().map(|at| format!("at {}:{}:{}", at.file, at.line, at.column));
                self.fail(item, &format!("it panics: {}", panic.message), place)
            }
            Err(Stop::Steps) => self.fail(item, "it takes too long to compute", None),
            Err(Stop::Effect(name)) => self.fail(
                item,
                "its value depends on the world outside the program",
                Some(format!("it comes to call the runtime's `{name}`")),
            ),
            Err(Stop::Foreign(name)) => self.fail(
                item,
                &match name.as_str() {
                    "" => "it calls what a C pointer leads to".to_owned(),
                    name => format!("it calls the C function `{name}`"),
                },
                Some("C is there when the program runs, not while it is compiled".to_owned()),
            ),
            Err(stop) => self.fail(item, &stop.to_string(), None),
        }
    }

    fn fail(&self, item: FnId, reason: &str, note: Option<String>) -> Result<Option<ConstValue>, NoValue> {
        let defs = &self.program.defs;
        // Messages of a program may have several lines; a diagnostic's has one.
        let mut lines = reason.lines();
        let first = lines.next().unwrap_or("");
        let message = format!("the constant `{}` cannot be evaluated: {first}", defs.fns[item].name);
        let problem = Diagnostic::new(Code::CONST_EVAL, defs.fn_span(item), message);
        let problem = lines.map(str::to_owned).chain(note).fold(problem, Diagnostic::note);
        self.problems.borrow_mut().push(problem);
        Err(NoValue)
    }

    fn report_cycle(&self, item: FnId) {
        let path = self.path.borrow();
        let start = path.iter().position(|&it| it == item).unwrap_or(0);
        let name = |id: FnId| format!("`{}`", self.program.defs.fns[id].name);
        let around: Vec<String> = path[start..].iter().chain([&item]).map(|&id| name(id)).collect();
        let span = self.program.defs.fn_span(item);
        let message = format!("the constant {} depends on itself", name(item));
        let problem = Diagnostic::new(Code::CONST_CYCLE, span, message);
        self.problems.borrow_mut().push(match around.len() {
            2 => problem,
            _ => problem.note(format!("the chain is {}", around.join(" → "))),
        });
    }
}

/// The constants of modules, in order.
fn items<'a>(program: &'a Program, modules: &'a [ModuleId]) -> impl Iterator<Item = FnId> + 'a {
    let constant = |id: &FnId| {
        let def = &program.defs.fns[*id];
        def.kind == FnKind::Const && modules.contains(&def.module)
    };
    program.defs.fns.ids().filter(constant)
}

/// Whether modules have constants at all.
pub(crate) fn has_any(program: &Program, modules: &[ModuleId]) -> bool {
    items(program, modules).next().is_some()
}

/// Evaluates the constants of some modules; gives what is wrong with them. Only for programs without errors.
pub(crate) fn check(program: &Program, modules: &[ModuleId]) -> Vec<Diagnostic> {
    let items: Vec<FnId> = items(program, modules).collect();
    if items.is_empty() {
        return Vec::new();
    }
    let checker = Checker::new(&program.defs);
    let lowerer = Lowerer::new(&checker);
    let evaluator = Evaluator::new(program, &lowerer);
    for item in items {
        if !is_literal(&checker, item) {
            // What has no value is among the problems.
            evaluator.value(item).ok();
        }
    }
    evaluator.take_problems()
}

/// Whether there is nothing to evaluate.
fn is_literal(checker: &Checker<'_>, item: FnId) -> bool {
    let checked = checker.check_fn(item);
    matches!(checked.body.exprs[checked.body.root], Expr::Lit { .. })
}

//! Constant items, evaluated by the interpreter before the program runs.
//!
//! A value that is immutable all through is computed once and becomes an operand or static data. One that
//! holds a mutable object (a `Vec`, a `Map`, a struct) is made anew at each use, so that nobody can change it
//! for others; it is evaluated all the same, so that its failure is told at compile time.

use std::cell::{OnceCell, RefCell};

use qz_base::name::without_marks;
use qz_base::{FileId, FxHashMap, FxHashSet};
use qz_diag::{Code, Diagnostic};
use qz_hir::{Expr, FnKind, ModuleId};
use qz_infer::Checker;
use qz_interp::Stop;
use qz_lower::Lowerer;
use qz_mir::ConstValue;
use qz_mir::layout::Layouts;
use qz_opt::{NoValue, OptError};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::literals::StringValue;
use qz_types::{FnId, Tys};

use crate::Program;

/// Statements that the evaluation of one constant may take.
const STEP_LIMIT: u64 = 50_000_000;
/// Bytes of frames that it may take.
const STACK_SIZE: usize = 4 << 20;
/// So many constants may need each other in a row if they depend on types, which may grow without end.
const DEEPEST: usize = 64;

/// Values of constants known so far, kept with the program.
#[derive(Default)]
pub struct Constants {
    known: RefCell<FxHashMap<(FnId, Tys), State>>,
    /// Files with functions that values were computed by.
    files: RefCell<FxHashSet<FileId>>,
    /// Files with constants that functions are called for, be they the library's: the same name may be another's.
    computed: RefCell<FxHashSet<FileId>>,
}

impl Constants {
    /// Files with functions that values were computed by.
    pub(crate) fn files(&self) -> Vec<u32> {
        self.files.borrow().iter().map(|it| it.0).collect()
    }

    /// Files with constants that functions are called for.
    pub(crate) fn computed(&self) -> Vec<u32> {
        self.computed.borrow().iter().map(|it| it.0).collect()
    }
}

enum State {
    Running,
    Done(Result<Option<ConstValue>, NoValue>),
}

/// Evaluates constants of a program without errors.
pub(crate) struct Evaluator<'a, 'c, 'd> {
    program: &'a Program,
    lowerer: &'a Lowerer<'c, 'd>,
    /// Instead of it where lines are counted: what runs while the program is compiled is not counted.
    uncounted: OnceCell<Lowerer<'c, 'd>>,
    /// Constants being evaluated, outermost first.
    path: RefCell<Vec<(FnId, Tys)>>,
    problems: RefCell<Vec<Diagnostic>>,
}

impl<'a, 'c, 'd> Evaluator<'a, 'c, 'd> {
    pub(crate) fn new(program: &'a Program, lowerer: &'a Lowerer<'c, 'd>) -> Evaluator<'a, 'c, 'd> {
        Evaluator {
            program,
            lowerer,
            uncounted: OnceCell::new(),
            path: RefCell::default(),
            problems: RefCell::default(),
        }
    }

    fn lowerer(&self) -> &Lowerer<'c, 'd> {
        if self.lowerer.counters.is_none() {
            return self.lowerer;
        }
        self.uncounted.get_or_init(|| {
            let mut uncounted = Lowerer::new(self.lowerer.ck);
            uncounted.overflow = self.lowerer.overflow;
            uncounted
        })
    }

    pub(crate) fn take_problems(&self) -> Vec<Diagnostic> {
        self.problems.take()
    }

    /// The value of a constant item, if it can be shared by all uses. What has none is reported once. With type arguments,
    /// it is left to be computed where it is used: only there can be told for which types it has none.
    pub(crate) fn value(&self, item: FnId, args: Tys) -> Result<Option<ConstValue>, NoValue> {
        let known = &self.program.constants.known;
        match known.borrow().get(&(item, args)) {
            Some(State::Done(value)) => return value.clone(),
            Some(State::Running) if !args.is_empty() => return Ok(None),
            Some(State::Running) => {
                self.report_cycle(item);
                return Err(NoValue);
            }
            None if self.path.borrow().len() >= DEEPEST && !args.is_empty() => return Ok(None),
            None => {}
        }
        known.borrow_mut().insert((item, args), State::Running);
        self.path.borrow_mut().push((item, args));
        let value = match self.evaluate(item, args) {
            Err(NoValue) if !args.is_empty() => Ok(None),
            value => value,
        };
        self.path.borrow_mut().pop();
        known.borrow_mut().insert((item, args), State::Done(value.clone()));
        value
    }

    fn evaluate(&self, item: FnId, args: Tys) -> Result<Option<ConstValue>, NoValue> {
        let eval = |item, args| self.value(item, args);
        let options = qz_opt::Options {
            level: qz_opt::OptLevel::None,
            verify: cfg!(debug_assertions),
            consts: Some(&eval),
            keep_names: false,
            exports: &[],
        };
        let module = match qz_opt::build_constant(self.lowerer(), item, args, &options) {
            Ok(module) => module,
            Err(OptError::NoValue) => return Err(NoValue),
            Err(_) if !args.is_empty() => return Err(NoValue),
            Err(error) => return self.fail(item, &error.to_string(), None),
        };
        let Some(entry) = module.entry else { return Ok(None) };
        let called =
            module.instances.iter().filter(|(id, _)| *id != entry).filter_map(|(_, it)| it.body.as_ref());
        let declared = called.flat_map(|body| body.scopes.values().map(|it| it.declared.file));
        let mut declared = declared.peekable();
        if declared.peek().is_some() {
            let defs = &self.program.defs;
            self.program.constants.computed.borrow_mut().insert(defs.file_of(defs.fns[item].module));
        }
        self.program.constants.files.borrow_mut().extend(declared);
        let defs = qz_opt::SourceDefs(self.lowerer());
        let layouts = Layouts::new(&defs);
        let limits = qz_interp::Options { steps: Some(STEP_LIMIT), effects: false, stack_size: STACK_SIZE };
        match qz_interp::evaluate(&module, &layouts, &self.program.sources, entry, limits) {
            Ok(Ok(value)) => Ok(value),
            _ if !args.is_empty() => Err(NoValue),
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

    /// Evaluates the condition of a `static_assert` and tells if it does not hold.
    fn assert(&self, checker: &Checker<'_>, item: FnId, it: Assertion) {
        let span = self.program.defs.fn_span(item);
        let checked = checker.check_fn(item);
        let root = checked.body.root;
        let problem = |message: String| Diagnostic::new(Code::STATIC_ASSERT, span, message);
        let is_bool =
            checked.types.exprs.get(root).is_some_and(|ty| matches!(ty.kind(), qz_types::TyKind::Bool));
        let told = if it.condition.is_empty() || !is_bool {
            Some(problem("`static_assert` takes a condition of the type Bool, and perhaps a text".into()))
        } else {
            match self.value(item, &[]) {
                Ok(Some(ConstValue::Plain(qz_mir::body::Const::Bool(true)))) => None,
                Ok(Some(_)) => {
                    let words = it.message.unwrap_or_else(|| "it was said to".into());
                    Some(
                        problem(format!("this does not hold: {words}"))
                            .note(format!("the condition is `{}`", it.condition)),
                    )
                }
                Ok(None) => {
                    Some(problem("the condition cannot be computed while the program is compiled".into()))
                }
                Err(NoValue) => None,
            }
        };
        self.problems.borrow_mut().extend(told);
    }

    fn fail(&self, item: FnId, reason: &str, note: Option<String>) -> Result<Option<ConstValue>, NoValue> {
        let defs = &self.program.defs;
        // Messages of a program may have several lines; a diagnostic's has one.
        let mut lines = reason.lines();
        let first = lines.next().unwrap_or("");
        let message = match static_assert(self.program, item) {
            Some(_) => format!("the condition of `static_assert` cannot be computed: {first}"),
            None => format!("the constant `{}` cannot be evaluated: {first}", defs.fns[item].name),
        };
        let problem = Diagnostic::new(Code::CONST_EVAL, defs.fn_span(item), message);
        let problem = lines.map(str::to_owned).chain(note).fold(problem, Diagnostic::note);
        self.problems.borrow_mut().push(problem);
        Err(NoValue)
    }

    fn report_cycle(&self, item: FnId) {
        let path = self.path.borrow();
        let start = path.iter().position(|it| it.0 == item).unwrap_or(0);
        let name = |id: FnId| format!("`{}`", self.program.defs.fns[id].name);
        let around: Vec<String> = path[start..].iter().map(|it| it.0).chain([item]).map(name).collect();
        let span = self.program.defs.fn_span(item);
        let message = format!("the constant {} depends on itself", name(item));
        let problem = Diagnostic::new(Code::CONST_CYCLE, span, message);
        self.problems.borrow_mut().push(match around.len() {
            2 => problem,
            _ => problem.note(format!("the chain is {}", around.join(" → "))),
        });
    }
}

/// The constants of modules and of their types, in order; those that depend on type parameters have a value for each use.
fn items<'a>(program: &'a Program, modules: &'a [ModuleId]) -> impl Iterator<Item = FnId> + 'a {
    let constant = |id: &FnId| {
        let def = &program.defs.fns[*id];
        let is_one = match def.kind {
            FnKind::Const => true,
            FnKind::AssocConst => def.has_body && program.defs.fn_sig(*id).generics.len() == 0,
            _ => false,
        };
        is_one && modules.contains(&def.module)
    };
    program.defs.fns.ids().filter(constant)
}

/// The functions of modules that are said to run while the program is compiled.
fn const_defs(program: &Program, modules: &[ModuleId]) -> Vec<FnId> {
    let is_const_def = |id: &FnId| {
        let def = &program.defs.fns[*id];
        def.attrs.is_const && modules.contains(&def.module)
    };
    program.defs.fns.ids().filter(is_const_def).collect()
}

/// Whether modules have anything that is computed now.
pub(crate) fn has_any(program: &Program, modules: &[ModuleId]) -> bool {
    items(program, modules).next().is_some() || !const_defs(program, modules).is_empty()
}

/// Evaluates the constants of some modules; gives what is wrong with them. Only for programs without errors.
pub(crate) fn check(program: &Program, modules: &[ModuleId]) -> Vec<Diagnostic> {
    let items: Vec<FnId> = items(program, modules).collect();
    let functions = const_defs(program, modules);
    if items.is_empty() && functions.is_empty() {
        return Vec::new();
    }
    let checker = Checker::new(&program.defs);
    let mut problems = crate::pure::check(program, &checker, &functions);
    let lowerer = Lowerer::new(&checker);
    let evaluator = Evaluator::new(program, &lowerer);
    for item in items {
        if let Some(condition) = static_assert(program, item) {
            evaluator.assert(&checker, item, condition);
            continue;
        }
        let scheme = checker.scheme(item);
        if !scheme.members.is_empty() {
            evaluator.problems.borrow_mut().push(open_member(program, item));
            continue;
        }
        // One of any type, as `[]` is, is computed where a use tells the type.
        if !is_literal(&checker, item) && scheme.generics.is_empty() {
            // What has no value is among the problems.
            evaluator.value(item, &[]).ok();
        }
    }
    problems.extend(evaluator.take_problems());
    problems
}

/// What a `static_assert` says: the words of its condition, and the message behind it.
struct Assertion {
    condition: String,
    message: Option<String>,
}

fn static_assert(program: &Program, item: FnId) -> Option<Assertion> {
    let def = &program.defs.fns[item];
    let parsed = &program.defs.files[&program.defs.file_of(def.module)];
    let node = parsed.tree.root(&parsed.text).at_index(*def.nodes.first()?)?;
    let it = ast::StaticAssert::cast(node)?;
    let condition =
        it.condition().map_or(String::new(), |it| without_marks(it.syntax().text()).replace('\n', " "));
    let message = match it.message() {
        Some(ast::Expr::StringExpr(text)) => match &text.value()[..] {
            [StringValue::Text(text)] => {
                Some(text.lines().next().unwrap_or("").trim_end_matches('.').to_owned())
            }
            _ => None,
        },
        _ => None,
    };
    Some(Assertion { condition, message })
}

/// `const LEN = x -> x.size`: whose `size`, every use would answer in its own way.
fn open_member(program: &Program, item: FnId) -> Diagnostic {
    let span = program.defs.fn_span(item);
    let message =
        format!("it is not known whose methods the constant `{}` calls", program.defs.fns[item].name);
    Diagnostic::new(Code::CANNOT_INFER, span, message)
        .help("write its type, `const NAME: Fn(String): Int = …`, or make it a function")
}

/// Whether there is nothing to evaluate.
fn is_literal(checker: &Checker<'_>, item: FnId) -> bool {
    let checked = checker.check_fn(item);
    matches!(checked.body.exprs[checked.body.root], Expr::Lit { .. })
}

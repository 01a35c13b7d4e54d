//! `--emit`: any stage as text.

use std::fmt::Write as _;

use qz_diag::Sources;
use qz_infer::Checker;
use qz_mir::layout::Layouts;

use crate::Program;
use crate::run::{Failure, RunOptions, build};

/// A stage that can be shown.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum EmitKind {
    Tokens,
    Tree,
    Expanded,
    Hir,
    Types,
    Mir,
    MirOpt,
    Clif,
    LlvmIr,
    Asm,
}

impl EmitKind {
    pub const ALL: &[(&str, EmitKind)] = &[
        ("tokens", EmitKind::Tokens),
        ("tree", EmitKind::Tree),
        ("expanded", EmitKind::Expanded),
        ("hir", EmitKind::Hir),
        ("types", EmitKind::Types),
        ("mir", EmitKind::Mir),
        ("mir-opt", EmitKind::MirOpt),
        ("clif", EmitKind::Clif),
        ("llvm-ir", EmitKind::LlvmIr),
        ("asm", EmitKind::Asm),
    ];

    /// Whether the stage comes before types are checked.
    pub fn is_syntax(self) -> bool {
        matches!(self, EmitKind::Tokens | EmitKind::Tree | EmitKind::Expanded)
    }
}

/// The root module at a stage, as text.
pub fn emit(
    program: &Program,
    checker: &Checker<'_>,
    kind: EmitKind,
    options: &RunOptions,
) -> Result<String, Failure> {
    let Some(root) = program.root else { return Ok(String::new()) };
    let file = program.defs.file_of(root);
    let text = program.sources.text(program.sources.as_read(file));
    match kind {
        EmitKind::Expanded => Ok(crate::expansion::shown(program, root)),
        EmitKind::Tokens => Ok(qz_syntax::lex(text).dump(text)),
        EmitKind::Tree => Ok(qz_syntax::parse(text).tree.dump(text)),
        EmitKind::Hir | EmitKind::Types => Ok(bodies(program, checker, kind)),
        EmitKind::Mir => Ok(generic_mir(program, checker, options)),
        EmitKind::MirOpt => {
            let lowerer = options.lowerer(checker);
            let module = build(program, &lowerer, options)?;
            Ok(qz_mir::print::print_module(&module, &qz_opt::SourceNames(&lowerer)))
        }
        EmitKind::LlvmIr => {
            let lowerer = options.lowerer(checker);
            let module = build(program, &lowerer, options)?;
            let defs = qz_opt::SourceDefs(&lowerer);
            let config = qz_llvm::Options { count_objects: options.leaks, ..Default::default() };
            Ok(qz_llvm::print_program(&module, &Layouts::new(&defs), &program.sources, config, None))
        }
        EmitKind::Clif | EmitKind::Asm => {
            let lowerer = options.lowerer(checker);
            let module = build(program, &lowerer, options)?;
            let defs = qz_opt::SourceDefs(&lowerer);
            let layouts = Layouts::new(&defs);
            let emit =
                if kind == EmitKind::Clif { qz_cranelift::Emit::Clif } else { qz_cranelift::Emit::Asm };
            let config = qz_cranelift::Options { emit, ..Default::default() };
            crate::foreign::load(program, &module, &options.library_paths).map_err(Failure::Problems)?;
            let jit = qz_cranelift::Jit::new(&module, &layouts, Box::new(program.sources.clone()), config)
                .map_err(|error| Failure::Internal(error.to_string()))?;
            Ok(jit.text().to_string())
        }
    }
}

/// The user's functions in order of declaration.
fn functions(program: &Program) -> impl Iterator<Item = qz_types::FnId> {
    program
        .defs
        .fns
        .iter()
        .filter(|(_, def)| program.modules.contains(&def.module) && def.has_body)
        .map(|(id, _)| id)
}

fn bodies(program: &Program, checker: &Checker<'_>, kind: EmitKind) -> String {
    let mut out = String::new();
    for id in functions(program) {
        let checked = checker.check_fn(id);
        let _ = writeln!(out, "{}", program.defs.fn_path(id));
        if kind == EmitKind::Types {
            let names = &program.defs;
            let params: Vec<String> =
                checked.scheme.params.iter().map(|ty| ty.display(names).to_string()).collect();
            let _ = writeln!(out, "  ({}): {}", params.join(", "), checked.scheme.ret.display(names));
            for (local, it) in checked.body.locals.iter() {
                if let Some(ty) = checked.types.locals.get(local)
                    && !it.name.as_str().is_empty()
                {
                    let _ = writeln!(out, "  {}: {}", it.name, ty.display(names));
                }
            }
        } else {
            for (expr, node) in checked.body.exprs.iter() {
                let _ = writeln!(out, "  e{}: {node:?}", expr.raw());
            }
        }
    }
    out
}

fn generic_mir(program: &Program, checker: &Checker<'_>, options: &RunOptions) -> String {
    let lowerer = options.lowerer(checker);
    let mut out = String::new();
    for id in functions(program) {
        let mut keys = vec![qz_mir::BodyKey::main(id)];
        let lambdas = checker.check_fn(id).body.lambdas.len() as u32;
        keys.extend(
            (0..lambdas).map(|n| qz_mir::BodyKey { function: id, part: qz_mir::BodyPart::Lambda(n) }),
        );
        for key in keys {
            let body = qz_mir::Source::body(&lowerer, key);
            let _ = writeln!(out, "{}", qz_mir::print::print_body(&body, &qz_opt::SourceNames(&lowerer)));
        }
    }
    out
}

//! Which lines of the user's files have code, and where in memory is each of them counted?

use std::collections::BTreeSet;

use qz_base::{FileId, Span};
use qz_codegen::SourceFiles;
use qz_hir::FnKind;
use qz_infer::Checker;
use qz_lower::Lowerer;
use qz_mir::body::{ClosureTarget, Rvalue, StmtKind};
use qz_mir::{BodyKey, Source};

use crate::{Program, SourceMap};

/// A number for each line of the user's files, in memory that outlives the program.
#[derive(Clone, Debug)]
pub struct LineCounters {
    /// The address of the first number; each is 8 bytes.
    pub address: usize,
    /// By file: the place of its first line among the numbers.
    first: Vec<Option<usize>>,
    /// How many numbers there are.
    pub size: usize,
}

impl LineCounters {
    /// Counters for a program, without memory yet.
    pub fn new(program: &Program) -> LineCounters {
        let files: BTreeSet<FileId> = program.modules.iter().map(|&it| program.defs.file_of(it)).collect();
        let mut size = 0;
        let mut first = Vec::new();
        for file in program.sources.ids() {
            first.push(files.contains(&file).then_some(size));
            if files.contains(&file) {
                // Lines count from 1.
                size += qz_diag::Sources::text(&program.sources, file).lines().count() + 2;
            }
        }
        LineCounters { address: 0, first, size }
    }

    fn number(&self, sources: &SourceMap, span: Span) -> Option<usize> {
        let first = (*self.first.get(span.file.0 as usize)?)?;
        if span.range.end == 0 {
            return None;
        }
        Some(first + sources.position(span).line as usize)
    }

    /// For the lowerer.
    pub(crate) fn addresses(&self, sources: &SourceMap) -> qz_lower::Counters {
        let (counters, sources) = (self.clone(), sources.clone());
        Box::new(move |span| Some(counters.address + 8 * counters.number(&sources, span)?))
    }

    /// The lines with code: file, line, and the place of its number.
    pub fn lines(&self, program: &Program, checker: &Checker<'_>) -> Vec<(String, u32, usize)> {
        let lowerer = Lowerer::new(checker);
        let mut found = BTreeSet::new();
        let is_own = |module| program.modules.contains(&module);
        for (id, def) in program.defs.fns.iter() {
            let is_code = matches!(def.kind, FnKind::Normal) && def.has_body;
            if is_code && is_own(def.module) {
                self.note(&lowerer, BodyKey::main(id), program, &mut found);
            }
        }
        found.into_iter().collect()
    }

    fn note(
        &self,
        lowerer: &Lowerer<'_, '_>,
        key: BodyKey,
        program: &Program,
        found: &mut BTreeSet<(String, u32, usize)>,
    ) {
        let body = lowerer.body(key);
        for (_, block) in body.blocks.iter().filter(|it| !it.1.cleanup) {
            for stmt in &block.stmts {
                if matches!(stmt.kind, StmtKind::Nop | StmtKind::EndScope(_)) {
                    continue;
                }
                if let Some(number) = self.number(&program.sources, stmt.source.span) {
                    let place = program.sources.position(stmt.source.span);
                    found.insert((place.file, place.line, number));
                }
                if let StmtKind::Assign(_, value) | StmtKind::Init(_, value) = &stmt.kind
                    && let Rvalue::Closure(target, _) = value
                    && let ClosureTarget::Lambda(key) = **target
                {
                    self.note(lowerer, key, program, found);
                }
            }
        }
    }
}

//! Refined types: a newtype, and the functions that are made for it. See [`crate::refined`].

use qz_base::Name;
use qz_syntax::SyntaxToken;
use qz_syntax::ast::{self, AstNode};

use super::Collector;
use crate::defs::*;
use crate::diagnostics as words;
use crate::refined::{Part, Refinement};
use crate::scope::Def;

impl Collector<'_> {
    pub(super) fn refined_def(&mut self, it: ast::TypeAlias<'_>, name: SyntaxToken<'_>) {
        let Some(predicate) = it.predicate() else { return };
        let params = it.generics().into_iter().flat_map(|it| it.params());
        if let Some(bounds) = params.filter_map(|it| it.bounds()).next() {
            self.defs.report(words::refined_bound(self.span(bounds.syntax().range())));
            return self.reported(Some(name), it.is_private());
        }
        let adt = self.adt(name, it.syntax(), AdtKind::Newtype, it.is_private(), Default::default(), None);
        self.declare(name, Def::Adt(adt), it.is_private());
        let block = self.new_impl(it.syntax(), ImplOrigin::Body(adt), false);
        let mut made = |text: &str, part: Part| {
            let kind = FnKind::Refined(adt, part);
            let id = self.initialiser(Name::new(text), name.range(), it.syntax(), kind, false);
            let def = &mut self.defs.fns[id];
            def.arity = (1, Some(1));
            def.attrs.track_caller = part == Part::New;
            def.attrs.inline_always = true;
            if part != Part::Holds {
                def.container = Container::Impl(block);
                self.defs.impls[block].methods.push(id);
            }
            id
        };
        let (holds, new) = (made("holds", Part::Holds), made("new", Part::New));
        made("try", Part::Try);
        let refinement = Refinement { holds, new, predicate: predicate.syntax().range() };
        self.defs.refinements.insert(adt, refinement);
    }
}

//! The functions of refined types: see [`crate::refined`].

use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_types::{AdtId, Ty};

use super::Cx;
use crate::body::*;
use crate::refined::Part;

impl Cx<'_> {
    pub(super) fn refined_fn(&mut self, adt: AdtId, part: Part) -> (Vec<BodyParam>, ExprId) {
        let def = &self.defs.adts[adt];
        let node = self.defs.node(def.module, def.node);
        let predicate = ast::TypeAlias::cast(node.node()).and_then(|it| it.predicate());
        let range = predicate.map_or(def.name_range, |it| it.syntax().range());
        let it = self.declare(Name::new("it"), range, false, LocalKind::Param);
        // A predicate that asks nothing is told as what it is: always true, or never.
        self.locals[it].read = true;
        let params = vec![BodyParam { local: it, default: None }];
        if part == Part::Holds {
            return (params, self.maybe_value(predicate, range));
        }
        let Some(refinement) = self.defs.refinement(adt) else { return (params, self.missing(range)) };
        let type_args = Ty::list(&self.defs.adt_generics(adt).identity());
        let asked =
            self.called_with(Expr::Fns { candidates: [refinement.holds].into(), type_args }, it, range);
        let made = self.called_with(Expr::Newtype { adt, type_args }, it, range);
        let (then, else_) = match part {
            Part::Try => {
                let some = self.expr(Expr::BareVariant { name: Name::new("Some") }, range);
                let args = [Arg { kind: ArgKind::Positional, value: made }].into();
                (self.expr(Expr::Call { callee: some, args }, range), self.expr(Expr::Nil, range))
            }
            _ => {
                let text = predicate.map_or(String::new(), |it| it.syntax().text().trim().to_string());
                (made, self.refused(adt, &text, it, range))
            }
        };
        (params, self.expr(Expr::If { cond: asked, then, else_: Some(else_) }, range))
    }

    fn maybe_value(&mut self, value: Option<ast::Expr<'_>>, range: TextRange) -> ExprId {
        match value {
            Some(value) => self.scoped(|cx| cx.value_expr(value)),
            None => self.missing(range),
        }
    }

    fn called_with(&mut self, callee: Expr, local: LocalId, range: TextRange) -> ExprId {
        let callee = self.expr(callee, range);
        let value = self.expr(Expr::Local { local }, range);
        self.expr(Expr::Call { callee, args: [Arg { kind: ArgKind::Positional, value }].into() }, range)
    }

    /// The panic of a value that does not fit. One with parts of any type may have no text.
    fn refused(&mut self, adt: AdtId, predicate: &str, it: LocalId, range: TextRange) -> ExprId {
        let name = self.defs.adts[adt].name;
        let is_generic = self.defs.adt_generics(adt).len() > 0;
        let mut text = |text: &str| {
            let value = Literal::Str(text.into());
            self.expr(Expr::Lit { value }, range)
        };
        let (name, predicate) = (text(name.as_str()), text(predicate));
        if is_generic {
            return self.lang_call("unseen_refused", vec![name, predicate], range);
        }
        let value = self.expr(Expr::Local { local: it }, range);
        let shown = self.method(value, "inspect", Vec::new(), range);
        self.lang_call("value_refused", vec![shown, name, predicate], range)
    }
}

//! What may an attribute stand above, and what may it say?

use qz_syntax::ast::{self, AstNode};

use super::Collector;
use crate::diagnostics as words;

/// A declaration that has attributes.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Function,
    Constant,
    Variable,
    Struct,
    Enum,
    Newtype,
    /// Whatever else has attributes: of most there is nothing to say for it.
    Other,
}

/// What stands in the brackets of an attribute.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Says {
    Nothing,
    /// Nothing, or one text.
    Text,
    /// Told where it is read.
    More,
}

struct Rule {
    name: &'static str,
    places: &'static [Place],
    words: &'static str,
    says: Says,
}

const FUNCTION: &[Place] = &[Place::Function];
const TYPE_OR_CODE: &[Place] =
    &[Place::Function, Place::Constant, Place::Struct, Place::Enum, Place::Newtype];

/// Those that are not looked at where they are read.
const RULES: &[Rule] = &[
    Rule {
        name: "deprecated",
        places: TYPE_OR_CODE,
        words: "a function, constant or type",
        says: Says::Text,
    },
    Rule {
        name: "must_use",
        places: &[Place::Function, Place::Struct, Place::Enum, Place::Newtype],
        words: "a function or type",
        says: Says::Text,
    },
    Rule {
        name: "test_only",
        places: TYPE_OR_CODE,
        words: "a function, constant or type",
        says: Says::Nothing,
    },
    Rule { name: "value", places: &[Place::Struct], words: "a struct", says: Says::Nothing },
    Rule { name: "inline", places: FUNCTION, words: "a function", says: Says::More },
    Rule { name: "track_caller", places: FUNCTION, words: "a function", says: Says::Nothing },
    Rule { name: "overflow", places: FUNCTION, words: "a function", says: Says::More },
    Rule {
        name: "repr",
        places: &[Place::Struct, Place::Enum],
        words: "a struct or an enum",
        says: Says::More,
    },
    Rule { name: "task_local", places: &[], words: "", says: Says::Nothing },
    Rule { name: "thread_local", places: &[], words: "", says: Says::Nothing },
];

impl Collector<'_> {
    /// Whether an attribute may stand there, once, and say what it says; told if not.
    pub(super) fn fits(&mut self, place: Place, attr: ast::Attr<'_>, before: &[ast::Attr<'_>]) -> bool {
        let Some(name) = attr.name() else { return false };
        let Some(rule) = RULES.iter().find(|it| it.name == name.text()) else { return true };
        let span = self.span(name.range());
        let same = |it: &&ast::Attr<'_>| it.name().is_some_and(|it| it.text() == name.text());
        let earlier = before.iter().find(same).and_then(|it| it.name());
        let problem = if !rule.places.is_empty() && !rule.places.contains(&place) {
            words::attribute_place(span, rule.name, rule.words)
        } else if let Some(earlier) = earlier {
            words::attribute_twice(span, rule.name, self.span(earlier.range()))
        } else if !says(rule.says, attr) {
            words::attribute_says(span, rule.name, rule.says == Says::Text)
        } else {
            return true;
        };
        self.defs.report(problem);
        false
    }
}

fn says(rule: Says, attr: ast::Attr<'_>) -> bool {
    let Some(args) = attr.args() else { return true };
    let mut args = args.args();
    match rule {
        Says::More => true,
        Says::Nothing => false,
        Says::Text => {
            let one = args.next().is_some_and(|it| it.syntax().text().starts_with('"'));
            one && args.next().is_none()
        }
    }
}

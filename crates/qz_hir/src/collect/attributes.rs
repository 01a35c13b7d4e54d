//! Attributes: what they may stand above, what they may say, and what they mean.

use qz_base::name::without_marks;
use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode};
use qz_types::IntTy;

use super::Collector;
use crate::defs::{FnAttrs, Overflow, Whose};
use crate::diagnostics as words;

/// What the attributes of an item say.
#[derive(Default)]
pub(super) struct Attrs {
    pub(super) value: bool,
    pub(super) repr_c: bool,
    pub(super) repr_int: Option<IntTy>,
    pub(super) silent_drop: bool,
    /// Whose variable it is, and where that is said.
    pub(super) whose: Option<(Whose, TextRange)>,
    pub(super) function: FnAttrs,
    /// Libraries that `@link` names.
    pub(super) links: Vec<(Name, TextRange)>,
    pub(super) link_name_range: Option<TextRange>,
}

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

/// Those that a later version gives a meaning.
const LATER_ATTRIBUTES: &[&str] = &[
    "packed",
    "heap",
    "cImport",
    "cInclude",
    "naked",
    "weak",
    "panic_handler",
    "export",
    "align",
    "no_preempt",
    "gpu",
];

impl Collector<'_> {
    /// The attributes of what is not a function.
    pub(super) fn attrs<'t>(&mut self, place: Place, attrs: impl Iterator<Item = ast::Attr<'t>>) -> Attrs {
        let mut found = self.all_attrs(place, attrs);
        self.refuse_links(&mut found);
        self.refuse_link_name(&found);
        self.refuse_whose(&found);
        found
    }

    /// Only variables of modules have copies of tasks or threads.
    pub(super) fn refuse_whose(&mut self, attrs: &Attrs) {
        if let Some((whose, range)) = attrs.whose {
            let name = if whose == Whose::Task { "task_local" } else { "thread_local" };
            let span = self.span(range);
            self.defs.report(words::attribute_place(span, name, "a `var` of a module"));
        }
    }

    /// The attributes of a declaration, and what some of them are told for.
    pub(super) fn all_attrs<'t>(
        &mut self,
        place: Place,
        attrs: impl Iterator<Item = ast::Attr<'t>>,
    ) -> Attrs {
        let mut found = Attrs::default();
        let mut before = Vec::new();
        for attr in attrs {
            let Some(name) = attr.name() else { continue };
            if !self.fits(place, attr, &before) {
                continue;
            }
            before.push(attr);
            let text_arg = attr_text(attr);
            let users = &mut found.function.for_users;
            match (name.text(), self.is_std()) {
                ("deprecated", _) => users.deprecated = Some(Name::new(&text_arg.unwrap_or_default())),
                ("must_use", _) => users.must_use = Some(Name::new(&text_arg.unwrap_or_default())),
                ("test_only", _) => users.test_only = true,
                // They have done their work before.
                ("cfg" | "derive", _) => {}
                ("value", _) => found.value = true,
                ("repr", _) if attr_word(attr).as_deref() == Some("C") => found.repr_c = true,
                ("repr", _) => match repr_int(attr) {
                    None => self.defs.report(words::repr_takes(self.span(name.range()))),
                    found_int => found.repr_int = found_int,
                },
                ("inline", _) => match attr_word(attr).as_deref() {
                    Some("never") => found.function.inline_never = true,
                    None | Some("always") => found.function.inline_always = true,
                    Some(_) => self.defs.report(words::inline_takes(self.span(name.range()))),
                },
                ("overflow", _) => match attr_word(attr).as_deref() {
                    Some("wrap") => found.function.overflow = Some(Overflow::Wrap),
                    Some("check") => found.function.overflow = Some(Overflow::Check),
                    _ => self.defs.report(words::overflow_takes(self.span(name.range()))),
                },
                ("task_local", _) => found.whose = Some((Whose::Task, name.range())),
                ("thread_local", _) => found.whose = Some((Whose::Thread, name.range())),
                ("silent_drop", true) => found.silent_drop = true,
                ("track_caller", _) => found.function.track_caller = true,
                ("rare", true) => found.function.rare = true,
                ("crosses", true) => found.function.crosses = true,
                ("shares", true) => found.function.shares = true,
                ("lends", true) => found.function.lends = true,
                ("keeps", true) => found.function.keeps = true,
                ("part", true) => found.function.part = true,
                ("lang", true) => found.function.lang = text_arg.map(|t| Name::new(&t)),
                ("link_name", _) => {
                    found.function.link_name = Some(Name::new(&text_arg.unwrap_or_default()));
                    found.link_name_range = Some(attr.syntax().range());
                }
                ("link", _) => {
                    found.links.push((Name::new(&text_arg.unwrap_or_default()), attr.syntax().range()));
                }
                (known, _) if LATER_ATTRIBUTES.contains(&known) => {
                    let span = self.span(name.range());
                    self.defs.report(words::not_yet(span, &format!("the attribute `@{known}`")));
                }
                (unknown, _) => {
                    let span = self.span(name.range());
                    self.defs.report(words::unknown_attribute(span, unknown));
                }
            }
        }
        found
    }

    /// Whether an attribute may stand there, once, and say what it says; told if not.
    fn fits(&mut self, place: Place, attr: ast::Attr<'_>, before: &[ast::Attr<'_>]) -> bool {
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
    match rule {
        Says::More => true,
        Says::Nothing => false,
        Says::Text => attr_text(attr).is_some() && args.args().count() == 1,
    }
}

/// `"text"` in `@name("text")`.
fn attr_text(attr: ast::Attr<'_>) -> Option<String> {
    let arg = attr.args()?.args().next()?;
    let text = arg.syntax().text();
    text.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
}

/// `word` in `@name(word)`, which is no name in a scope: a quote means what it says.
fn attr_word(attr: ast::Attr<'_>) -> Option<String> {
    Some(without_marks(attr.args()?.args().next()?.syntax().text()).into_owned())
}

/// `u8` to `i64`.
fn repr_int(attr: ast::Attr<'_>) -> Option<IntTy> {
    let word = attr_word(attr)?;
    let bits = word.strip_prefix(['i', 'u'])?;
    let fits = |it: &IntTy| it.signed() == word.starts_with('i') && it.bits().to_string() == bits;
    IntTy::ALL.into_iter().find(fits)
}

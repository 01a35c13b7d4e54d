//! What a module declares of C: `extern "C"` functions, alone and in blocks, functions for C to call, and the
//! libraries that `@link` names.

use qz_base::{Name, TextRange};
use qz_syntax::ast::{self, AstNode};

use super::attributes::Place;
use super::{Attrs, Collector};
use crate::defs::*;
use crate::diagnostics as words;

/// Symbols that begin so are the compiler's own.
pub(crate) const RESERVED_SYMBOLS: [&str; 4] = ["qz_", "qz.", "_qz", "llvm."];

/// The library's own foreign functions that stand for whatever code their first argument leads to.
const BY_ADDRESS: &str = "c_call";

/// What surrounds a declaration of a foreign function.
#[derive(Copy, Clone, Default)]
pub(super) struct Surroundings<'t> {
    /// The block it stands in.
    pub(super) block: Option<ast::ExternBlock<'t>>,
}

impl Collector<'_> {
    /// Declarations of a block: each as if the block's `extern` stood before it.
    pub(super) fn extern_block(&mut self, block: ast::ExternBlock<'_>) {
        let mut attrs = self.all_attrs(Place::Other, block.attrs());
        self.refuse_whose(&attrs);
        self.note_links(&mut attrs);
        self.refuse_link_name(&attrs);
        let surroundings = Surroundings { block: Some(block) };
        for item in block.items() {
            match item {
                ast::Item::FnDef(def) => {
                    if let Some(id) = self.function(&[def], Container::Module, surroundings) {
                        self.declare_fn(id);
                    }
                }
                other => {
                    let span = self.span(other.syntax().range());
                    self.defs.report(words::not_in_extern_block(span));
                }
            }
        }
    }

    /// The kind that an `extern` makes of a function.
    pub(super) fn fn_kind(&mut self, def: ast::FnDef<'_>, surroundings: Surroundings<'_>) -> FnKind {
        let own = def.extern_abi();
        let Some(abi) = own.or(surroundings.block.and_then(|block| block.abi())) else {
            return FnKind::Normal;
        };
        let text = abi.abi().map(|it| it.syntax().text().trim_matches('"').to_owned()).unwrap_or_default();
        let variadic = abi.is_variadic() || def.params().is_some_and(|list| list.is_variadic());
        match (text.as_str(), self.is_std()) {
            ("rt", true) => return FnKind::Runtime,
            ("intrinsic", true) => return FnKind::Intrinsic,
            ("C", _) => {}
            _ => {
                let span = self.span(abi.syntax().range());
                self.defs.report(words::unknown_abi(span, &text));
            }
        }
        FnKind::ExternC { variadic }
    }

    /// What only foreign functions have, looked at for one function; gives its final kind.
    pub(super) fn foreign_function(
        &mut self,
        def: ast::FnDef<'_>,
        kind: FnKind,
        container: Container,
        attrs: &mut Attrs,
        surroundings: Surroundings<'_>,
    ) -> FnKind {
        let FnKind::ExternC { variadic } = kind else {
            self.refuse_links(attrs);
            self.refuse_link_name(attrs);
            return kind;
        };
        self.note_links(attrs);
        let Some(name) = def.name() else { return kind };
        let symbol = attrs.function.link_name.unwrap_or_else(|| Name::new(name.text()));
        let range = attrs.link_name_range.unwrap_or(name.range());
        let has_body = def.body().is_some() || def.value().is_some();
        let symbol = match attrs.function.lang {
            // What the first argument leads to.
            Some(lang) if lang.as_str() == BY_ADDRESS => Name::new(""),
            _ => {
                self.check_symbol(symbol, range, has_body);
                symbol
            }
        };
        attrs.function.link_name = Some(symbol);
        let span = self.span(name.range());
        let what = if container != Container::Module {
            Some("be a method")
        } else if has_body && surroundings.block.is_some() {
            Some("have a body inside an `extern` block")
        } else if has_body && variadic {
            Some("have a body and take any number of arguments")
        } else if def.generics().is_some() && !self.is_std() {
            Some("have type parameters")
        } else if super::has_patterns(def) {
            Some("take its arguments apart")
        } else if def.params().is_some_and(|list| list.params().any(|it| it.is_rest())) {
            Some("have a rest parameter")
        } else if !has_body && def.params().is_some_and(|list| list.params().any(|it| it.default().is_some()))
        {
            Some("have default values")
        } else {
            None
        };
        if let Some(what) = what {
            self.defs.report(words::foreign_form(span, what));
        }
        if !has_body {
            return kind;
        }
        attrs.function.export = Some(symbol);
        FnKind::Normal
    }

    fn check_symbol(&mut self, symbol: Name, range: TextRange, has_body: bool) {
        let text = symbol.as_str();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.' | '@');
        let starts_well = !text.starts_with(|c: char| c.is_ascii_digit());
        let problem = if text.is_empty() || !starts_well || !text.chars().all(plain) {
            "is not a name that C and linkers know"
        } else if RESERVED_SYMBOLS.iter().any(|it| text.starts_with(it)) {
            "begins as the compiler's own symbols do"
        } else if has_body && text == "main" {
            "is where every program starts"
        } else {
            return;
        };
        let span = self.span(range);
        self.defs.report(words::bad_symbol(span, text, problem));
    }

    /// The libraries that a declaration names belong to its module.
    fn note_links(&mut self, attrs: &mut Attrs) {
        for (name, range) in std::mem::take(&mut attrs.links) {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.' | '/');
            let bad = name.as_str().is_empty()
                || name.as_str().starts_with(['-', '.'])
                    && !name.as_str().starts_with("./")
                    && !name.as_str().starts_with("../")
                || !name.as_str().chars().all(plain);
            if bad {
                let span = self.span(range);
                self.defs.report(words::bad_link(span, name.as_str()));
                continue;
            }
            let links = &mut self.defs.modules[self.module].links;
            if !links.iter().any(|it| it.library == name) {
                links.push(Link { library: name, range });
            }
        }
    }

    /// `@link` where there is nothing foreign.
    pub(super) fn refuse_links(&mut self, attrs: &mut Attrs) {
        for (_, range) in std::mem::take(&mut attrs.links) {
            let span = self.span(range);
            self.defs.report(words::attribute_place(span, "link", "an `extern \"C\"` declaration"));
        }
    }

    pub(super) fn refuse_link_name(&mut self, attrs: &Attrs) {
        if let Some(range) = attrs.link_name_range {
            let span = self.span(range);
            self.defs.report(words::attribute_place(span, "link_name", "an `extern \"C\"` function"));
        }
    }
}

impl Defs {
    /// Two functions for C of one symbol in a program cannot be told apart by a linker.
    pub(crate) fn check_exports(&self) {
        let mut known: Vec<(Name, qz_types::FnId)> = Vec::new();
        for (id, def) in self.fns.iter() {
            let Some(symbol) = def.attrs.export else { continue };
            match known.iter().find(|it| it.0 == symbol) {
                Some(&(_, first)) => {
                    self.report(words::exported_twice(self.fn_span(id), symbol, self.fn_span(first)));
                }
                None => known.push((symbol, id)),
            }
        }
    }
}

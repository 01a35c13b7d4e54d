//! What a module shows others as it is written: everything but bodies, comments and what is private to it. What was left
//! out of signatures is inferred, and is told elsewhere ([`qz_infer::Checker::write_interface`]).

use std::hash::Hasher;

use qz_base::name::without_marks;
use qz_base::{FxHashMap, Name};
use qz_cache::{Key, KeyBuilder};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::tree::{SyntaxElement, SyntaxToken};
use qz_syntax::{SyntaxKind, SyntaxNode};
use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

/// The parts of a file that others depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    /// Of all that others can name.
    pub(crate) interface: Key,
    /// The same without plain functions: of what types, traits, constants and names mean.
    pub(crate) lasting: Key,
    /// Of the heads of its impls of traits, which count wherever the program is.
    pub(crate) impls: Option<Key>,
    /// Whether it gives methods to types of other files: these are seen everywhere.
    pub(crate) reaches_out: bool,
    /// Whether it has macros: what they make names its private items wherever it stands.
    pub(crate) has_macros: bool,
    /// Plain functions that others can name, and what is written of them; and of those that only this module can name.
    pub(crate) functions: Vec<Head>,
    pub(crate) private: Vec<Head>,
    /// All words that stand in it, in order: a function that is not named here does not matter here.
    pub(crate) words: Vec<u32>,
    /// Whether it passes on what others declare, under names of its own: by imports, or by what its macros make.
    pub(crate) renames: bool,
}

/// What callers depend on of a function, and of its name's other forms.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Head {
    /// Its name, as in [`Written::words`].
    pub(crate) name: u32,
    pub(crate) told: u64,
}

/// What stands for a word: two words may have the same.
pub(crate) fn word(text: &str) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(without_marks(text).as_bytes());
    hasher.finish() as u32
}

fn words(file: SyntaxNode<'_>) -> Vec<u32> {
    let names = file.descendant_tokens().filter(|it| it.kind() == SyntaxKind::Ident);
    let mut words: Vec<u32> = names.map(|it| word(it.text())).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Whether an import gives others a name that its module did not. What a macro makes is looked up where the macro stands.
fn renames(item: &ast::Item<'_>, has_macros: bool) -> bool {
    matches!(item, ast::Item::ImportDef(it)
        if (it.is_pub() || has_macros) && (it.alias().is_some() || it.names().any(|name| name.alias().is_some())))
}

/// Reads it off a file without problems.
pub(crate) fn written(file: SyntaxNode<'_>) -> Written {
    let items: Vec<ast::Item<'_>> =
        ast::SourceFile::cast(file).map_or_else(Vec::new, |file| file.items().collect());
    let own: Vec<Name> = items.iter().filter_map(declared_type).collect();
    let mut interface = KeyBuilder::new("interface");
    let mut lasting = KeyBuilder::new("lasting");
    let (mut impls, mut functions, mut private) = (None, Vec::new(), Vec::new());
    let mut numbers = FxHashMap::default();
    let mut reaches_out = false;
    let has_macros = items.iter().any(|it| matches!(it, ast::Item::MacroDef(_)));
    for item in &items {
        if has_macros || !is_hidden(item) {
            interface = visible(interface, item.syntax());
        }
        match plain(item) {
            None => lasting = visible(lasting, item.syntax()),
            Some(name) => {
                let name = word(name.text());
                // Functions of one name are told apart by their order, too.
                let number = numbers.entry(name).or_insert(0u64);
                *number += 1;
                let key = KeyBuilder::new("function").number(*number);
                let head = Head { name, told: visible(key, item.syntax()).finish().short() };
                if has_macros || !is_hidden(item) { functions.push(head) } else { private.push(head) }
            }
        }
        match item {
            ast::Item::ImplDef(it) => match it.trait_type() {
                Some(_) => {
                    let builder = impls.take().unwrap_or_else(|| KeyBuilder::new("impls"));
                    impls = Some(visible(builder, item.syntax()));
                }
                None => reaches_out |= !is_about(it.self_type(), &own),
            },
            ast::Item::ExtendDef(it) => reaches_out |= !is_about(it.ty(), &own),
            _ => {}
        }
    }
    let impls = impls.map(KeyBuilder::finish);
    let (interface, lasting) = (interface.finish(), lasting.finish());
    let (words, renames) = (words(file), items.iter().any(|it| renames(it, has_macros)));
    Written { interface, lasting, impls, reaches_out, has_macros, functions, private, words, renames }
}

/// The name of a function that matters to those alone who call it by that name.
fn plain<'t>(item: &ast::Item<'t>) -> Option<SyntaxToken<'t>> {
    let ast::Item::FnDef(it) = item else { return None };
    let is_plain = it.attrs().next().is_none() && it.extern_abi().is_none() && !it.is_const();
    it.name().filter(|name| is_plain && name.text() != "main")
}

/// Whether nobody else can tell that it is there.
fn is_hidden(item: &ast::Item<'_>) -> bool {
    // An attribute or an `extern` may make it matter elsewhere all the same.
    matches!(item, ast::Item::FnDef(it)
        if it.is_private() && it.attrs().next().is_none() && it.extern_abi().is_none())
}

/// The type that an item declares.
fn declared_type(item: &ast::Item<'_>) -> Option<Name> {
    let name = match item {
        ast::Item::StructDef(it) => it.name(),
        ast::Item::EnumDef(it) => it.name(),
        ast::Item::NewtypeDef(it) => it.name(),
        _ => None,
    };
    name.map(|it| Name::new(it.text()))
}

/// Whether a type is one of these: a plain name, perhaps with type arguments.
fn is_about(ty: Option<ast::TypeExpr<'_>>, own: &[Name]) -> bool {
    let first = ty.and_then(|ty| ty.syntax().descendant_tokens().find(|it| !it.kind().is_trivia()));
    first.is_some_and(|token| own.contains(&Name::new(token.text())))
}

/// Adds a node without its functions' bodies and without what stands between tokens.
fn visible(mut key: KeyBuilder, node: SyntaxNode<'_>) -> KeyBuilder {
    let is_function = node.kind() == SyntaxKind::FnDef;
    let mut seen_value = false;
    key = key.number(node.kind() as u64);
    if let Some(function) = ast::FnDef::cast(node) {
        key = key.number(function.body().is_some() as u64).number(function.value().is_some() as u64);
    }
    for part in node.children_with_tokens() {
        if part.kind().is_trivia() || (is_function && (seen_value || part.kind() == SyntaxKind::Block)) {
            continue;
        }
        // Behind `=` there is nothing but the value.
        seen_value |= part.kind() == SyntaxKind::Eq;
        key = match part {
            SyntaxElement::Node(node) => visible(key, node),
            SyntaxElement::Token(token) => key.number(token.kind() as u64).str(token.text()),
        };
    }
    key.number(u64::MAX)
}

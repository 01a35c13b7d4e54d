//! What a module shows others as it is written: everything but bodies, comments and what is private to it. What was left
//! out of signatures is inferred, and is told elsewhere ([`qz_infer::Checker::write_interface`]).

use qz_base::Name;
use qz_cache::{Key, KeyBuilder};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::tree::SyntaxElement;
use qz_syntax::{SyntaxKind, SyntaxNode};
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
}

/// Reads it off a file without problems.
pub(crate) fn written(file: SyntaxNode<'_>) -> Written {
    let items: Vec<ast::Item<'_>> =
        ast::SourceFile::cast(file).map_or_else(Vec::new, |file| file.items().collect());
    let own: Vec<Name> = items.iter().filter_map(declared_type).collect();
    let mut interface = KeyBuilder::new("interface");
    let mut lasting = KeyBuilder::new("lasting");
    let mut impls = None;
    let mut reaches_out = false;
    let has_macros = items.iter().any(|it| matches!(it, ast::Item::MacroDef(_)));
    for item in &items {
        if has_macros || !is_hidden(item) {
            interface = visible(interface, item.syntax());
        }
        if !is_plain(item) {
            lasting = visible(lasting, item.syntax());
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
    Written { interface, lasting, impls, reaches_out, has_macros }
}

/// Whether it is a function that matters to those alone who can name it.
fn is_plain(item: &ast::Item<'_>) -> bool {
    matches!(item, ast::Item::FnDef(it)
        if it.attrs().next().is_none() && it.extern_abi().is_none() && it.name().is_none_or(|it| it.text() != "main"))
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

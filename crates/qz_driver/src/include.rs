//! What do `include_str` and `include_bytes` name? The files are read here, before anything is checked, so that they are
//! inputs of the program like its source texts.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qz_base::digest::digest;
use qz_base::{FxHashMap, Span};
use qz_cache::{Key, KeyBuilder};
use qz_hir::{Expansions, INCLUDES};
use qz_syntax::ast::{self, AstNode};
use qz_syntax::literals::StringValue;

use crate::cache::graph::Node;
use crate::load::Parts;

/// Included files must be smaller.
const MAX_INCLUDED: u64 = 64 << 20;

/// A file that became part of a program.
pub struct Included {
    pub path: PathBuf,
    /// Of its contents, if it was there.
    pub digest: Option<String>,
}

/// Reads every file that a call names by a literal.
pub(crate) fn read_all(parts: &mut Parts, expansions: &mut Expansions) -> Vec<Included> {
    let mut known: FxHashMap<PathBuf, Result<Arc<[u8]>, String>> = FxHashMap::default();
    let mut included = Vec::new();
    for input in parts
        .inputs
        .iter()
        .filter(|it| !it.is_std && INCLUDES.iter().any(|word| it.parsed.text.contains(word)))
    {
        for node in input.parsed.tree.root(&input.parsed.text).descendants() {
            let Some((call, path)) = ast::CallExpr::cast(node).and_then(named_file) else { continue };
            let range = call.syntax().range();
            let place = parts.sources.origin(Span::new(input.file, range));
            let shown = parts.sources.shown_path(place.file);
            let full = Path::new(&shown).parent().unwrap_or(Path::new("")).join(path);
            let found = known.entry(full.clone()).or_insert_with(|| {
                let found = read(&full);
                let digest = found.as_ref().ok().map(|bytes| digest(bytes));
                included.push(Included { path: full, digest: digest.map(|it| it.to_string()) });
                found
            });
            if let Some(node) = parts.nodes.iter_mut().find(|it| it.file == input.file) {
                include_in(node, found.as_deref().ok());
            }
            expansions.included.insert((input.file, range.start), found.clone());
        }
    }
    included
}

/// What the cache knows of a module that a file is part of. Others see it, too: constants are what it says.
fn include_in(node: &mut Node, found: Option<&[u8]>) {
    let found =
        found.map_or(Key::of_content(b"nothing"), |bytes| KeyBuilder::new("included").bytes(bytes).finish());
    for key in [&mut node.content, &mut node.written.interface, &mut node.written.lasting] {
        *key = KeyBuilder::new("including").key(*key).key(found).finish();
    }
}

/// A call of one of the two with a literal.
fn named_file(call: ast::CallExpr<'_>) -> Option<(ast::CallExpr<'_>, String)> {
    let callee = call.callee()?.syntax().text();
    let callee = qz_base::name::without_marks(callee);
    if !INCLUDES.contains(&&*callee) {
        return None;
    }
    let ast::Arg::Expr(ast::Expr::StringExpr(text)) = call.args()?.args().next()? else { return None };
    let [StringValue::Text(path)] = &text.value()[..] else { return None };
    Some((call, path.clone()))
}

fn read(path: &Path) -> Result<Arc<[u8]>, String> {
    if path.is_dir() {
        return Err("it is a folder".into());
    }
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    if !file.metadata().is_ok_and(|it| it.is_file()) {
        return Err("it is no file".into());
    }
    let mut bytes = Vec::new();
    file.take(MAX_INCLUDED + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_INCLUDED {
        return Err("it is larger than 64 MiB".into());
    }
    Ok(bytes.into())
}

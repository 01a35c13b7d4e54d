//! What is part of the program here? Declarations whose `@cfg` does not hold are blanked out of the text before anything else
//! looks at it, so that places stay as they are.

use qz_base::TextRange;
use qz_syntax::SyntaxKind::*;
use qz_syntax::ast::{self, AstNode};
use qz_syntax::literals::StringValue;
use qz_syntax::{SyntaxNode, SyntaxTree};

/// What `@cfg` asks about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// `linux`, `macos`, …
    pub os: String,
    /// `x86_64`, `aarch64`, …
    pub arch: String,
    /// Names given by `--cfg feature=…`, in text order.
    pub features: Vec<String>,
    /// The program is a test or specification.
    pub test: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            os: std::env::consts::OS.into(),
            arch: std::env::consts::ARCH.into(),
            features: Vec::new(),
            test: false,
        }
    }
}

/// A condition that cannot be read.
pub struct BadCondition {
    pub range: TextRange,
    pub message: String,
}

/// The text without what is not part of the program, if anything is not; and what is wrong with conditions.
pub fn without_inactive(
    text: &str,
    tree: &SyntaxTree,
    settings: &Settings,
) -> (Option<String>, Vec<BadCondition>) {
    let mut problems = Vec::new();
    if !tree.elements().iter().any(|it| it.kind == Attr) {
        return (None, problems);
    }
    let mut gone: Vec<TextRange> = Vec::new();
    for node in tree.root(text).descendants() {
        let attrs = node.children().filter_map(ast::Attr::cast);
        let conditions = attrs.filter(|it| it.name().is_some_and(|name| name.text() == "cfg"));
        for attr in conditions {
            match holds_all(attr.args(), attr.syntax(), settings) {
                Ok(true) => {}
                Ok(false) => gone.push(node.range()),
                Err(problem) => problems.push(problem),
            }
        }
    }
    if gone.is_empty() {
        return (None, problems);
    }
    let mut bytes = text.as_bytes().to_vec();
    for range in gone {
        for byte in &mut bytes[range.start as usize..range.end as usize] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    (String::from_utf8(bytes).ok(), problems)
}

fn holds_all(
    list: Option<ast::ArgList<'_>>,
    around: SyntaxNode<'_>,
    settings: &Settings,
) -> Result<bool, BadCondition> {
    let mut holds = true;
    let mut any = false;
    for arg in list.into_iter().flat_map(|it| it.args()) {
        any = true;
        holds &= condition(arg, settings)?;
    }
    if !any {
        return bad(around, "`@cfg` takes a condition, such as `os: \"linux\"` or `feature: \"name\"`");
    }
    Ok(holds)
}

fn bad<T>(node: SyntaxNode<'_>, message: impl Into<String>) -> Result<T, BadCondition> {
    Err(BadCondition { range: node.range(), message: message.into() })
}

fn condition(arg: ast::Arg<'_>, settings: &Settings) -> Result<bool, BadCondition> {
    match arg {
        ast::Arg::NamedArg(it) => setting(it, settings),
        ast::Arg::Expr(ast::Expr::CallExpr(it)) => {
            let word = it.callee().map_or("", |it| it.syntax().text());
            let Some(list) = it.args() else { return bad(it.syntax(), "this is no condition") };
            match word {
                "all" => holds_all(Some(list), it.syntax(), settings),
                "not" => holds_all(Some(list), it.syntax(), settings).map(|holds| !holds),
                "any" => {
                    let mut holds = false;
                    for arg in list.args() {
                        holds |= condition(arg, settings)?;
                    }
                    Ok(holds)
                }
                _ => unknown(it.syntax(), word),
            }
        }
        ast::Arg::Expr(it) if it.syntax().text() == "test" => Ok(settings.test),
        other => unknown(other.syntax(), other.syntax().text()),
    }
}

fn setting(it: ast::NamedArg<'_>, settings: &Settings) -> Result<bool, BadCondition> {
    let name = it.name().map_or("", |it| it.text());
    let value = match it.value() {
        Some(ast::Expr::StringExpr(text)) => match &text.value()[..] {
            [StringValue::Text(text)] => text.clone(),
            [] => String::new(),
            _ => return bad(it.syntax(), "a condition's text is known when the program is compiled"),
        },
        _ => return bad(it.syntax(), format!("`{name}` is compared with a text: `{name}: \"…\"`")),
    };
    match name {
        "os" => Ok(settings.os == value),
        "arch" => Ok(settings.arch == value),
        "feature" => Ok(settings.features.contains(&value)),
        _ => unknown(it.syntax(), name),
    }
}

fn unknown(node: SyntaxNode<'_>, word: &str) -> Result<bool, BadCondition> {
    let near = qz_diag::did_you_mean(word, ["os", "arch", "feature", "test", "not", "any", "all"]);
    let help = near.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default();
    let word: String = word.chars().take(40).collect();
    bad(node, format!("`@cfg` knows no `{}`{help}", word.replace('\n', " ")))
}

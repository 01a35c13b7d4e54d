//! Does the page `docs/reference/grammar.md` tell what the parser does? Its forms are the kinds of nodes, so every node of
//! every program here is held against its form, and every part of every form must be met somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::{SyntaxElement, SyntaxKind, SyntaxNode, parse};

/// The right side of a form. Leaves have numbers, by which the test knows which were met.
enum Form {
    Word(String, usize),
    Named(String, usize),
    Seq(Vec<Form>),
    OneOf(Vec<Form>),
    Optional(Box<Form>),
    Repeated(Box<Form>),
}

struct Grammar {
    forms: BTreeMap<String, Form>,
    /// What each leaf is and where it stands, by its number.
    leaves: Vec<String>,
    /// The kinds of nodes and tokens that a name of the page stands for; none, if it stands for its form.
    kinds: BTreeMap<String, Vec<SyntaxKind>>,
}

/// Reads the forms from the text of the page.
struct Reader<'a> {
    tokens: Vec<&'a str>,
    at: usize,
    form: String,
    leaves: Vec<String>,
}

fn notation(page: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```ebnf";
        } else if inside {
            tokens.extend(line.split_whitespace());
        }
    }
    tokens
}

impl<'a> Reader<'a> {
    fn read(page: &'a str) -> Grammar {
        let mut reader = Reader { tokens: notation(page), at: 0, form: String::new(), leaves: Vec::new() };
        let mut forms = BTreeMap::new();
        while reader.at < reader.tokens.len() {
            let name = reader.tokens[reader.at].to_owned();
            assert_eq!(reader.tokens.get(reader.at + 1), Some(&"="), "`=` behind {name}");
            reader.at += 2;
            reader.form.clone_from(&name);
            let form = reader.one_of();
            assert!(forms.insert(name.clone(), form).is_none(), "{name} is there twice");
        }
        let mut kinds: BTreeMap<String, Vec<SyntaxKind>> = BTreeMap::new();
        for &kind in SyntaxKind::ALL {
            for name in names_of(kind) {
                kinds.entry(name).or_default().push(kind);
            }
        }
        Grammar { forms, leaves: reader.leaves, kinds }
    }

    fn one_of(&mut self) -> Form {
        let mut forms = vec![self.seq()];
        while self.tokens.get(self.at) == Some(&"|") {
            self.at += 1;
            forms.push(self.seq());
        }
        if forms.len() == 1 { forms.remove(0) } else { Form::OneOf(forms) }
    }

    fn seq(&mut self) -> Form {
        let mut parts = Vec::new();
        while let Some(&token) = self.tokens.get(self.at) {
            let next_form = self.tokens.get(self.at + 1) == Some(&"=");
            if next_form || ["|", "]", "}", ")"].contains(&token) {
                break;
            }
            self.at += 1;
            parts.push(match token {
                "[" => Form::Optional(Box::new(self.closed("]"))),
                "{" => Form::Repeated(Box::new(self.closed("}"))),
                "(" => self.closed(")"),
                _ => self.leaf(token),
            });
        }
        Form::Seq(parts)
    }

    fn closed(&mut self, end: &str) -> Form {
        let form = self.one_of();
        assert_eq!(self.tokens.get(self.at), Some(&end), "in {}", self.form);
        self.at += 1;
        form
    }

    fn leaf(&mut self, token: &str) -> Form {
        let number = self.leaves.len();
        self.leaves.push(format!("{token} (no. {number}) in {}", self.form));
        match token.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(word) => Form::Word(word.to_owned(), number),
            None => Form::Named(token.to_owned(), number),
        }
    }
}

macro_rules! define_families {
    ($($(#[$_doc:meta])* $family:ident { $($member:ident)* $(| $($other:ident)*)? })*) => {
        /// The families of nodes with their members, as the page has to list them.
        const FAMILIES: &[(&str, &[&str])] =
            &[$((stringify!($family), &[$(stringify!($member),)* $($(stringify!($other),)*)?])),*];
    };
}

for_each_family!(define_families);

/// The page says `Type`: programs do not know the table's names.
fn name_on_page(family: &str) -> &str {
    if family == "TypeExpr" { "Type" } else { family }
}

fn token_class(kind: SyntaxKind) -> Option<&'static str> {
    Some(match kind {
        SyntaxKind::Ident => "NAME",
        SyntaxKind::IntNumber => "INT",
        SyntaxKind::FloatNumber => "FLOAT",
        SyntaxKind::Char => "CHAR",
        SyntaxKind::Symbol => "SYMBOL",
        SyntaxKind::RawString => "RAW_STRING",
        SyntaxKind::Regex => "REGEX",
        SyntaxKind::StrStart => "STRING_START",
        SyntaxKind::StrText => "STRING_TEXT",
        SyntaxKind::StrEnd => "STRING_END",
        SyntaxKind::HeredocStart => "HEREDOC_START",
        SyntaxKind::HeredocEnd => "HEREDOC_END",
        _ => return None,
    })
}

/// One node's children held against a form.
struct Match<'g, 't> {
    grammar: &'g Grammar,
    children: Vec<SyntaxElement<'t>>,
    /// The leaves of the way that is being tried.
    way: Vec<usize>,
}

impl Match<'_, '_> {
    /// Whether `form` fits the children from `at` on, such that `rest` holds for what is behind.
    fn fits(&mut self, form: &Form, at: usize, rest: &mut dyn FnMut(&mut Self, usize) -> bool) -> bool {
        match form {
            Form::Word(word, leaf) => {
                let is_word = |it: &SyntaxElement| it.as_token().is_some_and(|it| it.text() == word);
                self.children.get(at).is_some_and(is_word) && self.taken(*leaf, at, rest)
            }
            Form::Named(name, leaf) => match self.grammar.kinds.get(name) {
                Some(kinds) => {
                    let is_named = |it: &SyntaxElement| kinds.contains(&it.kind());
                    self.children.get(at).is_some_and(is_named) && self.taken(*leaf, at, rest)
                }
                None => {
                    let form = &self.grammar.forms[name];
                    self.way.push(*leaf);
                    let fits = self.fits(form, at, rest);
                    self.way.pop();
                    fits
                }
            },
            Form::Seq(parts) => self.fits_all(parts, at, rest),
            Form::OneOf(forms) => forms.iter().any(|form| self.fits(form, at, rest)),
            Form::Optional(form) => self.fits(form, at, rest) || rest(self, at),
            Form::Repeated(form) => self.fits_repeated(form, at, rest),
        }
    }

    fn fits_repeated(
        &mut self,
        form: &Form,
        at: usize,
        rest: &mut dyn FnMut(&mut Self, usize) -> bool,
    ) -> bool {
        self.fits(form, at, &mut |it, behind| behind > at && it.fits_repeated(form, behind, rest))
            || rest(self, at)
    }

    fn fits_all(
        &mut self,
        parts: &[Form],
        at: usize,
        rest: &mut dyn FnMut(&mut Self, usize) -> bool,
    ) -> bool {
        match parts {
            [] => rest(self, at),
            [first, others @ ..] => self.fits(first, at, &mut |it, behind| it.fits_all(others, behind, rest)),
        }
    }

    fn taken(&mut self, leaf: usize, at: usize, rest: &mut dyn FnMut(&mut Self, usize) -> bool) -> bool {
        self.way.push(leaf);
        let fits = rest(self, at + 1);
        self.way.pop();
        fits
    }
}

/// The names by which the page means this kind: its own, and those of its families.
fn names_of(kind: SyntaxKind) -> Vec<String> {
    if !kind.is_node() {
        return token_class(kind).map(str::to_owned).into_iter().collect();
    }
    let mut names = vec![format!("{kind:?}")];
    let mut at = 0;
    while at < names.len() {
        let of = FAMILIES.iter().filter(|(_, members)| members.contains(&names[at].as_str()));
        let more: Vec<_> =
            of.map(|(family, _)| (*family).to_owned()).filter(|it| !names.contains(it)).collect();
        names.extend(more);
        at += 1;
    }
    names.iter().map(|name| name_on_page(name).to_owned()).collect()
}

fn programs_below(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap_or_else(|_| panic!("{}", dir.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            programs_below(&path, found);
        } else if path.extension().is_some_and(|it| it == "qz") {
            found.push(path);
        }
    }
}

fn grammar() -> (PathBuf, Grammar) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/reference/grammar.md")).expect("the page");
    (root, Reader::read(&page))
}

/// A name of the page is a form, a family or a token.
#[test]
fn the_page_lists_every_node_and_every_family() {
    let (_, grammar) = grammar();
    for kind in SyntaxKind::ALL.iter().filter(|kind| kind.is_node()) {
        let name = format!("{kind:?}");
        let of_recovery = name == "Error" || name.starts_with("Missing");
        assert_eq!(grammar.forms.contains_key(&name), !of_recovery, "a form for {name}");
    }
    for (family, members) in FAMILIES {
        let Some(Form::OneOf(listed)) = grammar.forms.get(name_on_page(family)) else {
            panic!("the members of {family}");
        };
        let listed: BTreeSet<&str> = listed
            .iter()
            .map(|form| match form {
                Form::Seq(parts) => match &parts[..] {
                    [Form::Named(name, _)] => name.as_str(),
                    _ => panic!("names in {family}"),
                },
                _ => panic!("names in {family}"),
            })
            .collect();
        let members: BTreeSet<&str> =
            members.iter().map(|it| name_on_page(it)).filter(|it| !it.starts_with("Missing")).collect();
        assert_eq!(listed, members, "{family}");
    }
    for leaf in &grammar.leaves {
        let name = leaf.split(' ').next().unwrap_or(leaf);
        let known =
            name.starts_with('\'') || grammar.forms.contains_key(name) || grammar.kinds.contains_key(name);
        assert!(known, "{leaf} is not told");
    }
}

#[test]
fn every_program_has_the_forms_of_the_page_and_the_page_no_others() {
    let (root, grammar) = grammar();
    let mut files = Vec::new();
    for dir in ["std", "examples", "spec", "tests/run", "crates/qz_syntax/samples"] {
        programs_below(&root.join(dir), &mut files);
    }
    let mut met = vec![false; grammar.leaves.len()];
    let mut others = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a program");
        let parse = parse(&text);
        if parse.problems.is_empty() || file.ends_with("samples/rare.qz") {
            let mut found = hold_against(&grammar, parse.tree.root(&text), &mut met);
            found.iter_mut().for_each(|it| it.push_str(&format!(" in {}", file.display())));
            others.extend(found);
        }
    }
    assert!(others.is_empty(), "not the form of the page: {others:#?}");
    let families: Vec<_> =
        FAMILIES.iter().map(|(family, _)| format!(" in {}", name_on_page(family))).collect();
    let missing: Vec<_> = (0..met.len())
        .filter(|&leaf| !met[leaf] && !families.iter().any(|family| grammar.leaves[leaf].ends_with(family)))
        .map(|leaf| &grammar.leaves[leaf])
        .collect();
    assert!(missing.is_empty(), "no program here has {missing:#?}");
}

/// The nodes that have another form than the page says, by kind and text.
fn hold_against(grammar: &Grammar, root: SyntaxNode, met: &mut [bool]) -> Vec<String> {
    let mut others = Vec::new();
    let mut quoted_until = 0;
    for node in root.descendants() {
        if node.range().start < quoted_until && node.kind() != SyntaxKind::MacroVarExpr {
            continue;
        }
        if node.kind() == SyntaxKind::QuoteExpr {
            // With its holes, a quote has forms that no program has.
            quoted_until = node.range().end;
        }
        let name = format!("{:?}", node.kind());
        let shows_semicolon = matches!(node.kind(), SyntaxKind::RepeatExpr | SyntaxKind::BinaryArray);
        let children = node
            .children_with_tokens()
            .filter(|it| !it.kind().is_trivia() && it.kind() != SyntaxKind::HeredocBody)
            .filter(|it| shows_semicolon || it.kind() != SyntaxKind::Semicolon)
            .collect::<Vec<_>>();
        let end = children.len();
        let mut matched = Match { grammar, children, way: Vec::new() };
        let fits = grammar.forms.get(&name).is_some_and(|form| {
            matched.fits(form, 0, &mut |it, at| {
                if at == end {
                    it.way.iter().for_each(|&leaf| met[leaf] = true);
                }
                at == end
            })
        });
        if !fits {
            others.push(format!("{name} {:?}", node.text().chars().take(200).collect::<String>()));
        }
    }
    others
}

//! How do tokens become a tree? The machinery of the recursive descent: the cursor, nodes, problems, context. The
//! grammar itself is in `grammar`, one function for each production.
//!
//! **Linear time.** Lookahead is a fixed number of tokens, or a fact the lexer noted, or (type arguments) a
//! memoised scan. **Recovery.** What the parser cannot use goes into an `Error` node up to the end of the line;
//! closing tokens that someone outside waits for end the inner construct. If blocks and `end`s do not match, the
//! file is parsed a second time with indentation as a witness of which block lacks its `end`. **Depth.**
//! [`Parser::enter`] bounds the recursion; deeper code is skipped.

mod cursor;
mod recovery;

use qz_base::{FxHashMap, TextRange};

pub(crate) use recovery::ends_operand;

use crate::SyntaxKind;
use crate::grammar;
use crate::lexer::{HeredocSpan, Lexed, Token, lex, lex_expanded};
use crate::problems::{StringForm, SyntaxProblem, SyntaxProblemKind};
use crate::tree::{SyntaxTree, TreeBuilder};

/// How deep constructs may nest. A level costs at most about 4 KiB of stack in debug builds.
pub const MAX_NESTING: u32 = 256;

/// The result of parsing a text: always a whole tree, and whatever is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parse {
    /// The tree of the whole text.
    pub tree: SyntaxTree,
    /// Problems of lexer and parser, by place.
    pub problems: Vec<SyntaxProblem>,
    /// How many steps the parser took: a measure of work that does not depend on the machine.
    pub steps: u64,
}

/// Parses a file. The text must be shorter than 4 GiB.
pub fn parse(text: &str) -> Parse {
    parse_lexed(text, lex(text))
}

/// The same for a text that an expansion of macros made.
pub fn parse_expanded(text: &str) -> Parse {
    parse_lexed(text, lex_expanded(text))
}

fn parse_lexed(text: &str, lexed: Lexed) -> Parse {
    let Lexed { tokens, heredocs, problems: mut lex_problems, placeholders } = lexed;
    let mut parser = Parser::new(text, tokens, &heredocs);
    parser.end_is_lost = lex_problems.iter().any(|problem| reaches_end(problem.kind));
    grammar::source_file(&mut parser);
    let mut steps = parser.steps;
    if parser.blocks_mismatch {
        let mut second = parser.again();
        grammar::source_file(&mut second);
        steps += second.steps;
        if second.problems.len() <= parser.problems.len() {
            parser = second;
        }
    }
    let Parser { builder, mut problems, tokens, .. } = parser;
    drop(tokens);
    let (tree, too_deep) = builder.finish();
    report_placeholders(&tree, text, &placeholders, &mut lex_problems);
    if let Some(offset) = too_deep {
        let range = TextRange::empty(offset);
        problems.push(SyntaxProblem { range, kind: SyntaxProblemKind::TooDeep });
    }
    problems.retain(|problem| !follows_from(problem, &lex_problems));
    problems.extend(lex_problems);
    problems.sort_by_key(|problem| (problem.range.start, problem.range.end, problem.code()));
    problems.dedup();
    Parse { tree, problems, steps }
}

/// `$name` outside of every macro.
fn report_placeholders(
    tree: &SyntaxTree,
    text: &str,
    placeholders: &[TextRange],
    problems: &mut Vec<SyntaxProblem>,
) {
    if placeholders.is_empty() {
        return;
    }
    let nodes = tree.root(text).descendants();
    let macros: Vec<TextRange> =
        nodes.filter(|it| it.kind() == SyntaxKind::MacroDef).map(|it| it.range()).collect();
    let outside = placeholders.iter().filter(|it| {
        let before = macros.partition_point(|inside| inside.start <= it.start);
        !macros[..before].iter().rev().take(8).any(|inside| inside.contains(it.start))
    });
    let kind = SyntaxProblemKind::PlaceholderOutside;
    problems.extend(outside.map(|&range| SyntaxProblem { range, kind }));
    problems.sort_by_key(|problem| problem.range.start);
}

/// A string that lacks its end takes the rest of the file with it.
fn reaches_end(kind: SyntaxProblemKind) -> bool {
    match kind {
        SyntaxProblemKind::UnterminatedString { form } => {
            matches!(form, StringForm::Triple | StringForm::Raw)
        }
        kind => kind == SyntaxProblemKind::UnterminatedHeredoc,
    }
}

/// A problem that is but another view of one the lexer has reported: an unexpected token that is malformed itself,
/// or a bracket whose partner is inside a string that lacks its end.
fn follows_from(problem: &SyntaxProblem, lexical: &[SyntaxProblem]) -> bool {
    let before = |offset: u32| lexical.partition_point(|other| other.range.start < offset);
    match problem.kind {
        SyntaxProblemKind::Expected { .. } => {
            let candidate = lexical[..before(problem.range.start + 1)].last();
            candidate.is_some_and(|other| problem.range.start < other.range.end.max(other.range.start + 1))
        }
        SyntaxProblemKind::UnclosedBracket { before: until, .. } => {
            let between = &lexical[before(problem.range.start)..before(until.start + 1)];
            between.iter().any(|other| matches!(other.kind, SyntaxProblemKind::UnterminatedString { .. }))
        }
        _ => false,
    }
}

/// A set of tokens that end a construct.
pub(crate) mod stop {
    pub(crate) const END: u16 = 1;
    /// `else`, `elsif`
    pub(crate) const ELSE: u16 = 2;
    /// The first token of an arm.
    pub(crate) const ARM: u16 = 4;
    pub(crate) const PAREN: u16 = 8;
    pub(crate) const BRACKET: u16 = 16;
    pub(crate) const BRACE: u16 = 32;
    /// Text of a string around the expression.
    pub(crate) const STRING: u16 = 64;
    pub(crate) const EOF: u16 = 128;
    /// What always ends everything inside.
    pub(crate) const ALWAYS: u16 = STRING | EOF;
}

/// What the surroundings demand.
#[derive(Copy, Clone)]
pub(crate) struct Cx {
    /// A line break ends a statement here: not so in `()` and `[]`.
    pub(crate) lines: bool,
    /// `do` belongs to someone outside.
    pub(crate) no_do: bool,
    /// `do` directly before a line break belongs to a loop's head, by mistake.
    pub(crate) loop_head: bool,
    /// In the head of `if`, `match` or a loop, where `{` is no block but a body in braces.
    pub(crate) head: bool,
    /// A range may be open, directly in `[]`.
    pub(crate) open_range: bool,
    /// In a pattern left of `=`: a field or an element can stand for a name.
    pub(crate) places: bool,
    /// Tokens that someone outside waits for.
    pub(crate) stops: u16,
}

impl Cx {
    /// Nothing from outside but who waits for which token.
    pub(crate) fn fresh(stops: u16) -> Cx {
        Cx {
            lines: true,
            no_do: false,
            loop_head: false,
            head: false,
            open_range: false,
            places: false,
            stops,
        }
    }
}

/// An open block: who waits for the next `end`.
#[derive(Copy, Clone)]
struct Opener {
    /// The indentation of its line.
    indent: u32,
}

pub(crate) struct Parser<'t> {
    pub(crate) text: &'t str,
    tokens: Vec<Token>,
    heredocs: &'t [HeredocSpan],
    /// The current significant token.
    pub(crate) pos: usize,
    pub(crate) kind: SyntaxKind,
    /// Tokens before this one are in the builder.
    emitted: usize,
    /// The last significant token.
    pub(crate) prev: SyntaxKind,
    pub(crate) prev_range: TextRange,
    builder: TreeBuilder,
    pub(crate) cx: Cx,
    problems: Vec<SyntaxProblem>,
    /// Where the current statement, declaration or arm starts.
    pub(crate) entry: usize,
    /// The token of the last problem: there is one for each token at most.
    last_problem: usize,
    /// The line of the last problem, by its first token.
    reported_line: usize,
    /// Inside constructs of a later issue nothing is reported.
    pub(crate) muted: u32,
    /// Inside of text that makes no sense nothing at all is reported.
    pub(crate) lost: u32,
    depth: u32,
    too_deep: bool,
    openers: Vec<Opener>,
    /// Believe the indentation: the first run found blocks and `end`s that do not match.
    pub(crate) trust_indent: bool,
    pub(crate) blocks_mismatch: bool,
    /// The file ends inside a string, so whatever is open at its end is no mistake of its own.
    end_is_lost: bool,
    /// The indentation of the current line.
    indent: u32,
    /// The first token of the current line, and of the line before.
    line_first: usize,
    line_before: usize,
    /// Labels of the loops around, innermost last.
    pub(crate) labels: Vec<&'t str>,
    /// Blocks of words this language has not, whose `end` is still to come.
    pub(crate) foreign_blocks: u32,
    /// How many macros are around, and how many quotes of the innermost.
    pub(crate) macros: u32,
    pub(crate) quotes: u32,
    /// In the arguments of an attribute.
    pub(crate) attr_args: bool,
    /// The last entry of the file was a reported statement.
    pub(crate) stray_run: bool,
    /// Attributes stand directly before.
    pub(crate) prev_was_attr: bool,
    /// Scanned `<`: where its list of types ends, or 0 if it is none.
    pub(crate) type_lists: FxHashMap<u32, u32>,
    /// Tokens that were split, as they were.
    split: Vec<(usize, Token)>,
    pub(crate) steps: u64,
}

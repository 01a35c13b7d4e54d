//! Is the parser total? Any text gives a whole tree, in linear time, without overflowing the stack.

use super::{SAMPLES, parsed};
use crate::{lex, parse};

/// A small fixed-seed generator (xorshift): the same cases on every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

#[test]
fn samples_have_no_problems() {
    for (name, text) in SAMPLES {
        let parse = parsed(text);
        assert!(parse.problems.is_empty(), "{name}: {:?}", parse.problems);
    }
}

#[test]
fn tokens_are_the_text() {
    for (_, text) in SAMPLES {
        let lexed = lex(text);
        let rebuilt: String = (0..lexed.tokens.len()).map(|index| lexed.range(index).text(text)).collect();
        assert_eq!(rebuilt, *text);
    }
}

#[test]
fn every_prefix_parses() {
    for (_, text) in SAMPLES {
        for (end, _) in text.char_indices() {
            parsed(&text[..end]);
        }
    }
}

#[test]
fn every_suffix_parses() {
    for (_, text) in SAMPLES {
        for (start, _) in text.char_indices().filter(|(at, _)| at % 3 == 0) {
            parsed(&text[start..]);
        }
    }
}

#[test]
fn every_single_token_deletion_parses() {
    for (_, text) in SAMPLES {
        let lexed = lex(text);
        for index in 0..lexed.tokens.len() - 1 {
            let range = lexed.range(index);
            let without = format!("{}{}", &text[..range.start as usize], &text[range.end as usize..]);
            parsed(&without);
        }
    }
}

#[test]
fn every_single_token_doubling_parses() {
    for (_, text) in SAMPLES {
        let lexed = lex(text);
        for index in 0..lexed.tokens.len() - 1 {
            let range = lexed.range(index);
            let doubled = format!("{}{}", &text[..range.end as usize], &text[range.start as usize..]);
            parsed(&doubled);
        }
    }
}

/// Pieces that meet in every order.
const SOUP: &[&str] = &[
    "def",
    "end",
    "if",
    "elsif",
    "else",
    "unless",
    "while",
    "until",
    "for",
    "loop",
    "in",
    "do",
    "return",
    "break",
    "next",
    "match",
    "struct",
    "enum",
    "trait",
    "impl",
    "import",
    "and",
    "or",
    "not",
    "is",
    "as",
    "var",
    "const",
    "true",
    "nil",
    "self",
    "await",
    "go",
    "try",
    "defer",
    "then",
    "step",
    "from",
    "with",
    "where",
    "can",
    "private",
    "pub",
    "extern",
    "effect",
    "handler",
    "macro",
    "actor",
    "yield",
    "throw",
    "catch",
    "select",
    "spawn",
    "unsafe",
    "type",
    "newtype",
    "extend",
    "dyn",
    "mut",
    "packed",
    "linear",
    "binary",
    "wrapping_as",
    "_",
    "x",
    "y?",
    "Name",
    "LIMIT",
    "1",
    "2.5",
    "0xff",
    "'a'",
    "'",
    ":sym",
    "r\"raw\"",
    "r#\"",
    "~r\"re\"",
    "\"",
    "\"text\"",
    "\"\"\"",
    "#{",
    "}",
    "<<~A",
    "\nA\n",
    "(",
    ")",
    "[",
    "]",
    "{",
    ",",
    ";",
    ":",
    "::",
    ".",
    "..",
    "..=",
    "...",
    "?.",
    "?",
    "??",
    "!",
    "@",
    "$",
    "->",
    "=>",
    "|>",
    "=",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "&+",
    "&",
    "|",
    "^",
    "~",
    "<<",
    ">>",
    "+=",
    "??=",
    "&&",
    "||",
    "\n",
    "\n",
    "\n",
    "\n  ",
    "# c\n",
    "## d\n",
    " ",
    " ",
    "\t",
    "\r\n",
    "\0",
    "é",
    "€",
    "let",
    "fn",
    "null",
    "elif",
    "class",
    "case",
    "when",
    "begin",
    "//",
    "++",
];

#[test]
fn token_soup_parses() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..6000 {
        let mut text = String::new();
        let spaced = random.next(3) > 0;
        for _ in 0..random.next(60) {
            text.push_str(SOUP[random.next(SOUP.len())]);
            if spaced {
                text.push(' ');
            }
        }
        parsed(&text);
    }
}

#[test]
fn sample_lines_in_any_order_parse() {
    let lines: Vec<&str> = SAMPLES.iter().flat_map(|(_, text)| text.split_inclusive('\n')).collect();
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    for _ in 0..2000 {
        let text: String = (0..random.next(25)).map(|_| lines[random.next(lines.len())]).collect();
        parsed(&text);
    }
}

#[test]
fn random_bytes_parse() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for _ in 0..3000 {
        let bytes: Vec<u8> = (0..random.next(80)).map(|_| (random.next(128)) as u8).collect();
        parsed(&String::from_utf8_lossy(&bytes));
    }
}

/// What may nest, as an opener and a closer.
const NESTS: &[(&str, &str)] = &[
    ("(", ")"),
    ("[", "]"),
    ("{ 1 => ", "}"),
    ("f(", ")"),
    ("f(a, ", ")"),
    ("a[", "]"),
    ("\"#{", "}\""),
    ("{ x: ", "}"),
    ("P { x: ", "}"),
    ("-", ""),
    ("not ", ""),
    ("& ", ""),
    ("await ", ""),
    ("try ", ""),
    ("go ", ""),
    ("~", ""),
    ("2 ** ", ""),
    ("1 + (", ")"),
    ("a ?? ", ""),
    ("x -> ", ""),
    ("-> ", ""),
    ("(a) -> ", ""),
    ("if a then ", " end"),
    ("if a\n", "\nend"),
    ("if ", "\nend"),
    ("unless a\n", "\nend"),
    ("if a\nelse\n", "\nend"),
    ("if a\nelsif b\n", "\nend"),
    ("while a\n", "\nend"),
    ("for x in xs\n", "\nend"),
    ("loop\n", "\nend"),
    ("l: loop\n", "\nend"),
    ("match a\n1 => ", "\nend"),
    ("match a\n1 =>\n", "\nend"),
    ("match ", "\n1 => 1\nend"),
    ("select\na =>\n", "\nend"),
    ("xs.each do x ->\n", "\nend"),
    ("do -> ", " end"),
    ("f do ", " end"),
    ("f {", "}"),
    ("x.f {", "}"),
    ("f a do ", " end"),
    ("return ", ""),
    ("break ", ""),
    ("defer ", ""),
    ("yield ", ""),
    ("with a do ", " end"),
    ("catch do ", " end"),
    ("x = ", ""),
    ("var x = ", ""),
    ("x: A<", ">"),
    ("x: (", ")"),
    ("x: Fn(", ")"),
    ("x: Fn(): ", ""),
    ("x: &", ""),
    ("x: dyn ", ""),
    ("x: { a: ", "}"),
    ("a<", ">(1)"),
    ("a<b<", ""),
    ("a < ", ""),
    ("x is (", ")"),
    ("x is A(", ")"),
    ("x is A { b: ", "}"),
    ("match a\n(", ")"),
    ("def f\n", "\nend"),
    ("struct A\n", "\nend"),
    ("struct A\nx: Int = ", "\nend"),
    ("macro m(a)\n", "\nend"),
    ("handler L\n", "\nend"),
    ("actor A\n", "\nend"),
    ("$m(", ")"),
    ("${", "}"),
    ("@a(", ")"),
    ("\"\"\"#{", "}\"\"\""),
    (").", "("),
    ("]", "["),
    ("end ", ""),
    ("else ", ""),
    ("=> ", ""),
];

#[test]
fn deep_nesting_ends_in_a_problem() {
    // The default of test threads is 2 MiB, which is what is promised.
    let work = || {
        for (open, close) in NESTS {
            for n in [100usize, 300, 100_000] {
                let text = format!("def f\n{}1{}\nend\n", open.repeat(n), close.repeat(n));
                parse(&text);
                parse(&format!("{}1", open.repeat(n)));
                parse(&format!("def f\n{}\nend\n", open.repeat(n)));
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work).expect("a thread");
    thread.join().expect("no panic");
}

/// Repeated as often as wanted, inside of a function.
const CHAINS: &[&str] = &[
    "a.",
    "a + ",
    "a < ",
    "a |> ",
    "a, ",
    "a\n",
    "a;",
    "f(1)",
    ".b",
    "[1]",
    "?",
    "!",
    "a and ",
    "1..",
    "a as A ",
    "x = ",
    "a ? b : ",
    "a<b, ",
    "a<b<c>, ",
    "f a ",
    "f a, ",
    "f(a<b, ",
    "do a, ",
    "'",
    "' ",
    "\"",
    "\"\n",
    "\"#{",
    "\"\"\"",
    "r#\"",
    "~r\"",
    "<<~A ",
    "<<~A\n",
    ":",
    "::",
    "=>\n",
    "1 => 2\n",
    "a =>\n",
    "elsif a\n",
    "else\n",
    "end\n",
    "|",
    "| a",
    "&",
    "(a\n",
    "(a,\n",
    "[a\n",
    "{ a\n",
    "})](",
    "x: ",
    "x: A | ",
    "x: A & ",
    "x: A?",
    "@a\n",
    "## d\n",
    "# c\n",
    "private ",
    "def f(",
    "def f\n",
    "import a\n",
    "struct A\n",
    "match a\n",
    "if a\n",
    "\\",
    "\0",
    "é",
    "€ ",
    "1e",
    "0b2 ",
    "a?b ",
    "a ?. ",
    "->",
    "a -> ",
    "(a) -> ",
    "$a(",
    "${",
    "x is A | ",
    "[a for b in ",
    "{ |",
    "do |",
    "++",
    "x++\n",
    "if a {\n",
    "} else {\n",
    "let a\n",
    "case a\n",
    "begin\n",
    "module A\n",
    "from a ",
    "// a\n",
    "a // b\n",
];

#[test]
fn work_is_linear() {
    let mut failures = Vec::new();
    for (open, close) in NESTS {
        let sized = |n: usize| format!("def f\n{}1{}\nend\n", open.repeat(n), close.repeat(n));
        failures.extend(superlinear(open, sized));
    }
    for chain in CHAINS {
        failures.extend(superlinear(chain, |n| format!("def f\n{}\nend\n", chain.repeat(n))));
        failures.extend(superlinear(chain, |n| chain.repeat(n)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Steps per byte must neither grow nor be many.
fn superlinear(what: &str, sized: impl Fn(usize) -> String) -> Option<String> {
    let (small, large) = (sized(2_400), sized(4_800));
    let (a, b) = (parse(&small).steps, parse(&large).steps);
    let (a_rate, b_rate) = (a as f64 / small.len() as f64, b as f64 / large.len() as f64);
    let bad = b_rate > a_rate * 1.2 + 0.01 || b_rate > 20.0;
    bad.then(|| format!("{what:?}: {a} steps for {}, {b} for {}", small.len(), large.len()))
}

#[test]
fn a_tree_is_never_deeper_than_its_limit() {
    let text = format!("def f\n  {}1\nend\n", "1 + ".repeat(50_000));
    let parse = parsed(&text);
    assert_eq!(parse.problems.len(), 1, "{:?}", parse.problems);
    let mut depth = 0;
    let mut ends: Vec<u32> = Vec::new();
    for (index, element) in parse.tree.elements().iter().enumerate() {
        while ends.last().is_some_and(|&end| end <= index as u32) {
            ends.pop();
        }
        if element.kind.is_node() {
            ends.push(index as u32 + 1 + element.data);
            depth = depth.max(ends.len() as u32);
        }
    }
    assert!(depth <= crate::tree::MAX_TREE_DEPTH);
}

//! Which values have literals?

use crate::ast::{AstNode, HeredocExpr, StringExpr};
use crate::literals::{
    IntOverflow, StringValue, char_value, float_value, int_value, raw_string_value, regex_value, unescape,
};
use crate::parse;

#[test]
fn integers() {
    assert_eq!(int_value("1_000"), Some(Ok(1000)));
    assert_eq!(int_value("0xFF_ff"), Some(Ok(0xffff)));
    assert_eq!(int_value("0o17"), Some(Ok(15)));
    assert_eq!(int_value("0b1010"), Some(Ok(10)));
    assert_eq!(int_value("340282366920938463463374607431768211455"), Some(Ok(u128::MAX)));
    assert_eq!(int_value("340282366920938463463374607431768211456"), Some(Err(IntOverflow)));
    assert_eq!(int_value(&format!("0x{}", "f".repeat(1000))), Some(Err(IntOverflow)));
    assert_eq!(int_value("0x"), None);
    assert_eq!(int_value("0b2"), None);
    assert_eq!(int_value("12ab"), None);
}

#[test]
fn floats() {
    assert_eq!(float_value("1.5"), Some(1.5));
    assert_eq!(float_value("1_0.2_5e-3"), Some(0.010_25));
    assert_eq!(float_value("1e400"), Some(f64::INFINITY));
    assert_eq!(float_value("1e"), None);
}

#[test]
fn characters_and_escapes() {
    assert_eq!(char_value("'a'"), Some('a'));
    assert_eq!(char_value("'\\''"), Some('\''));
    assert_eq!(char_value("'\\u{1F600}'"), Some('😀'));
    assert_eq!(char_value("''"), None);
    assert_eq!(char_value("'ab'"), None);
    assert_eq!(unescape(r#"\n\t\r\0\\\"\'\#\e\x41\u{e9}"#), "\n\t\r\0\\\"'#\x1bAé");
    assert_eq!(unescape(r"a\qb\u{110000}c\"), "abc");
}

#[test]
fn raw_strings_and_regexes() {
    assert_eq!(raw_string_value("r\"a\\n\""), "a\\n");
    assert_eq!(raw_string_value("r##\"a\"#b\"##"), "a\"#b");
    assert_eq!(regex_value("~r\"\\d\\\"x\""), "\\d\"x");
}

/// The pieces of the first string, interpolations as `…`.
fn string(text: &str) -> String {
    let parse = parse(text);
    let root = parse.tree.root(text);
    let string = root.descendants().find_map(StringExpr::cast).map(StringExpr::value);
    let heredoc = root.descendants().find_map(HeredocExpr::cast).map(HeredocExpr::value);
    let show = |value: StringValue<'_>| match value {
        StringValue::Text(text) => text,
        StringValue::Interp(_) => "…".to_owned(),
    };
    heredoc.or(string).expect("a string").into_iter().map(show).collect()
}

#[test]
fn strings_on_one_line() {
    assert_eq!(string("def f = \"a#{b}\\tc\""), "a…\tc");
    assert_eq!(string("def f = \"\""), "");
}

#[test]
fn triple_quotes_lose_the_closing_lines_indentation() {
    assert_eq!(string("def f = \"\"\"\n    a\n      b #{c}\n    d\n    \"\"\""), "a\n  b …\nd");
    assert_eq!(string("def f = \"\"\"\n    a\n  \"\"\""), "  a");
    assert_eq!(string("def f = \"\"\"a\n  b\"\"\""), "a\n  b");
    assert_eq!(string("def f = \"\"\"one line\"\"\""), "one line");
    assert_eq!(string("def f = \"\"\"\n  #{x}\n  \"\"\""), "…");
    assert_eq!(string("def f = \"\"\"\n\n  a\n\n  \"\"\""), "\na\n");
    assert_eq!(string("def f = \"\"\"\r\n  a\r\n  b\r\n  \"\"\""), "a\r\nb");
    assert_eq!(string("def f = \"\"\"\n  \"\"\""), "");
}

#[test]
fn heredocs_lose_the_closing_lines_indentation() {
    assert_eq!(string("def f\n  x = <<~A\n    a\n      b #{c}d\n    A\nend"), "a\n  b …d\n");
    assert_eq!(string("def f\n  x = <<~A\n    a\n  A\nend"), "  a\n");
    assert_eq!(string("def f\n  x = <<~A\nA\nend"), "");
    assert_eq!(string("def f\n  x = <<~A\n  a \\\"\n b\n  A\nend"), "a \"\nb\n");
}

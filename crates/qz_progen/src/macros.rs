//! Programs of macros and calls of them, most of them wrong: the expander has to answer for anything that can be written.

use std::fmt::Write as _;

use crate::random::Random;

/// Macros and calls that nobody would write, from a number.
pub fn macros(seed: u64) -> String {
    let mut random = Random::new(seed);
    let count = 2 + random.below(4);
    let mut writer = Writer { random, macros: count, out: String::new() };
    for at in 0..count {
        writer.definition(at);
    }
    for _ in 0..1 + writer.random.below(4) {
        writer.item();
    }
    writer.main();
    writer.out
}

struct Writer {
    random: Random,
    macros: usize,
    out: String,
}

const PARAMS: &[&str] =
    &["", "a", "a, b", "a, *rest", "*rest", "a = 1", "a: Ident", "a: Literal, b", "a: Type", "a, b = 2", "A"];

impl Writer {
    fn any(&mut self, of: &[&'static str]) -> &'static str {
        of[self.random.below(of.len())]
    }

    fn put(&mut self, args: std::fmt::Arguments<'_>) {
        self.out.write_fmt(args).expect("a string takes everything");
    }

    fn definition(&mut self, at: usize) {
        let params = self.any(PARAMS);
        self.put(format_args!("macro m{at}({params})\n"));
        for _ in 0..self.random.below(3) {
            let line = self.statement();
            self.put(format_args!("  {line}\n"));
        }
        if self.random.below(5) > 0 {
            let quote = self.quote(3);
            self.put(format_args!("  {quote}\n"));
        }
        self.put(format_args!("end\n\n"));
    }

    /// A statement of a macro's body.
    fn statement(&mut self) -> String {
        let value = self.value(2);
        match self.random.below(10) {
            0 => format!("error({value}) if {value}"),
            1 => format!("return {value}"),
            2 => format!("for x in {value}\n    y = x\n  end"),
            3 => "var i = 0\n  while i < 100\n    i += 1\n  end".to_owned(),
            4 => "var text = \"ab\"\n  while true\n    text = text + text\n  end".to_owned(),
            5 => format!("match {value}\n    1 | 2 => {value}\n    _ => nil\n  end"),
            6 => format!("a = {value}"),
            7 => "var all = []\n  loop\n    all.push(all)\n  end".to_owned(),
            8 => format!("x = {value}.{}", self.method()),
            _ => format!("x = {value}"),
        }
    }

    fn method(&mut self) -> &'static str {
        self.any(&[
            "fields",
            "name",
            "text",
            "parts",
            "kind",
            "args",
            "left",
            "value",
            "size",
            "first",
            "map(f -> f)",
            "split(\"\")",
            "join(\", \")",
            "ident",
            "snake_case",
            "reversed",
            "take(-1)",
            "replace(\"\", \"a\")",
            "chars",
            "missing",
            "type",
        ])
    }

    /// An expression of a macro's body.
    fn value(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .any(&["a", "b", "rest", "1", "\"t\"", "nil", "true", "[]", "9223372036854775807", "x"])
                .to_owned();
        }
        let inner = self.value(depth - 1);
        match self.random.below(9) {
            0 => format!("{inner}.{}", self.method()),
            1 => format!("[{inner}, {inner}]"),
            2 => format!("\"#{{{inner}}}\""),
            3 => format!("({inner} + {inner})"),
            4 => format!("{inner}[{}]", self.any(&["0", "-1", "99"])),
            5 => format!("code({inner})"),
            6 => format!("m{}({inner})", self.random.below(self.macros)),
            7 => format!("if {inner} then {inner} else a end"),
            _ => inner,
        }
    }

    fn quote(&mut self, depth: usize) -> String {
        let inside = self.template(depth);
        format!("quote do\n    {inside}\n  end")
    }

    /// What stands in a quote.
    fn template(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .any(&[
                    "$a",
                    "$b",
                    "$*rest",
                    "${a}",
                    "$A",
                    "1",
                    "x",
                    "\"#{$a}\"",
                    "_",
                    "$",
                    "end",
                    "->",
                    "(",
                    "<<~T",
                    "resume",
                ])
                .to_owned();
        }
        let (one, two) = (self.template(depth - 1), self.template(depth - 1));
        let call = self.random.below(self.macros);
        match self.random.below(16) {
            0 => format!("{one} + {two}"),
            1 => format!("def $a({one}): Int = {two}"),
            2 => format!("struct $A\n      {one}: Int\n    end"),
            3 => format!("$m{call}({one}, {two})"),
            4 => format!("$m{call}({one})\n    $m{call}({two})"),
            5 => format!("match {one}\n      {two} => 1\n      _ => 2\n    end"),
            6 => format!("Some({one})"),
            7 => format!("Vec<{one}>"),
            8 => format!("macro $a(x)\n      quote do\n        {one}\n      end\n    end"),
            9 => format!("x = {one}\n    {two}"),
            10 => format!("[{one}, {two}]"),
            11 => format!("handler $A\n      def f() = {one}\n    end"),
            12 => format!("{one} | {two}"),
            13 => format!("-> {one}"),
            14 => format!("$a.{one}"),
            _ => one,
        }
    }

    /// A call's argument.
    fn argument(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .any(&[
                    "1", "x", "Int", "\"t\"", "_", "a: 1", "Some(1)", "*x", "<<~T", "x -> x", "1 + 2", "",
                    "nil",
                ])
                .to_owned();
        }
        let inner = self.argument(depth - 1);
        match self.random.below(6) {
            0 => format!("{inner}, {inner}"),
            1 => format!("({inner})"),
            2 => self.call(depth - 1),
            3 => format!("Some({inner})"),
            _ => inner,
        }
    }

    fn call(&mut self, depth: usize) -> String {
        let (at, argument) = (self.random.below(self.macros + 1), self.argument(depth));
        format!("$m{at}({argument})")
    }

    /// A declaration with calls in it.
    fn item(&mut self) {
        let (one, two) = (self.call(2), self.call(1));
        let text = match self.random.below(8) {
            0 => format!("{one}\n"),
            1 => format!("@derive(m0, m1)\nstruct S\n  x: Int\n  {one}\nend\n"),
            2 => format!("type T = {one}\n"),
            3 => format!("def f(x: {one}): {two} = {two}\n"),
            4 => format!(
                "def g(x: Int?): Int\n  match x\n    {one} => 1\n    Some({two}) => 2\n    _ => 3\n  end\nend\n"
            ),
            5 => format!("enum E\n  {one}\n  A({two})\nend\n"),
            6 => format!("impl {one}\n  {two}\nend\n"),
            _ => format!("const N = {one}\n"),
        };
        self.put(format_args!("{text}\n"));
    }

    fn main(&mut self) {
        self.put(format_args!("def main\n  x = 1\n"));
        for _ in 0..1 + self.random.below(4) {
            let call = self.call(2);
            let line = match self.random.below(7) {
                0 => format!("puts({call})"),
                1 => format!("y = {call}"),
                2 => format!("if x is {call}\n    puts(1)\n  end"),
                3 => format!("{call} do\n    puts(x)\n  end"),
                4 => format!("{call} = x"),
                5 => format!("puts({call})\n    text #{{x}}\n  T"),
                _ => call,
            };
            self.put(format_args!("  {line}\n"));
        }
        self.put(format_args!("end\n"));
    }
}

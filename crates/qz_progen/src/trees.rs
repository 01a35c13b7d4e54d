//! Functions that make new trees of old ones, by patterns that look into several cells, with sharing and now and then
//! a panic in between: for the passes that use memory of cells again.

use crate::random::Random;

const HEAD: &str = "# Made from a number: trees that are taken apart and put together.
enum Tree
  Leaf
  Num(n: Int)
  Pair(left: Tree, n: Int, right: Tree)
  Named(name: String, of: Tree)
end

enum Row
  Last
  More(tree: Tree, n: Int, rest: Row)
end

def check(t: Tree): Int
  match t
    Leaf => 1
    Num(n) => n &* 3
    Pair(l, n, r) => (check(l) &* 5 &+ n) &* 7 &+ check(r)
    Named(s, of) => check(of) &* 11 &+ s.size
  end
end

# Values that are shared would make ever larger trees.
def cut(t: Tree, depth: Int): Tree
  match t
    Pair(l, n, r) => if depth > 0 then Pair(cut(l, depth - 1), n, cut(r, depth - 1)) else Num(n) end
    Named(s, of) => if depth > 0 then Named(s, cut(of, depth - 1)) else Leaf end
    small => small
  end
end

def look(t: Tree, depth: Int): Int
  match t
    Pair(l, n, r) => if depth > 0 then look(l, depth - 1) * 2 + n % 100 + look(r, depth - 1) else 7 end
    Named(s, of) => if depth > 0 then look(of, depth - 1) + s.size % 10 else 5 end
    Num(n) => n % 100
    Leaf => 3
  end
end

def sum(r: Row): Int
  match r
    Last => 2
    More(t, n, rest) => sum(rest) &* 13 &+ check(t) &+ n
  end
end
";

/// A pattern, and what it binds: trees, numbers, texts.
type Pattern = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// The inner ones first.
const PATTERNS: [Pattern; 9] = [
    ("Pair(Pair(a, x, b), y, c)", &["a", "b", "c"], &["x", "y"], &[]),
    ("Pair(a, x, Pair(b, y, c))", &["a", "b", "c"], &["x", "y"], &[]),
    ("Pair(Named(s, a), x, Num(y))", &["a"], &["x", "y"], &["s"]),
    ("Pair(a, x, _)", &["a"], &["x"], &[]),
    ("Pair(a, x, b)", &["a", "b"], &["x"], &[]),
    ("Named(s, Named(u, a))", &["a"], &[], &["s", "u"]),
    ("Named(_, Pair(a, x, b))", &["a", "b"], &["x"], &[]),
    ("Named(s, a)", &["a"], &[], &["s"]),
    ("Num(x)", &[], &["x"], &[]),
];

/// What may panic is written once in so many places where it could be.
const RARELY: usize = 25;
const FUNCTIONS: usize = 4;

/// The tree program of a number.
pub fn trees(seed: u64) -> String {
    let names = Names::default();
    let mut cx = Trees { random: Random::new(seed), out: HEAD.into(), names, fresh: 0 };
    (0..FUNCTIONS).for_each(|n| cx.function(n));
    cx.rows();
    cx.main();
    cx.out
}

/// What can be named at a point.
#[derive(Clone, Default)]
struct Names {
    trees: Vec<String>,
    numbers: Vec<String>,
    texts: Vec<String>,
}

struct Trees {
    random: Random,
    out: String,
    names: Names,
    fresh: usize,
}

impl Trees {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// `turns` bounds how deep functions call each other.
    fn function(&mut self, n: usize) {
        self.line(&format!("\ndef f{n}(t: Tree, turns: Int): Tree\n  return t if turns <= 0\n  match t"));
        let outer = Names { numbers: vec!["turns".into()], ..Names::default() };
        for (pattern, trees, numbers, texts) in PATTERNS {
            if self.random.one_in(2) {
                continue;
            }
            self.names = outer.clone();
            let owned = |list: &[&str]| list.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
            self.names.trees.extend(owned(trees));
            self.names.numbers.extend(owned(numbers));
            self.names.texts.extend(owned(texts));
            let guard = match self.random.one_in(4) {
                true => format!(" if {} < {}", self.number(), self.number()),
                false => String::new(),
            };
            self.line(&format!("    {pattern}{guard} =>"));
            self.arm();
        }
        self.names = Names { trees: vec!["other".into()], ..outer };
        self.line("    other =>");
        self.arm();
        self.line("  end\nend");
    }

    fn arm(&mut self) {
        for _ in 0..self.random.below(3) {
            let value = self.tree(2);
            let name = format!("v{}", self.fresh);
            self.fresh += 1;
            self.line(&format!("      {name} = {value}"));
            self.names.trees.push(name);
        }
        let value = self.tree(3);
        self.line(&format!("      {value}"));
    }

    fn tree(&mut self, depth: usize) -> String {
        if depth == 0 || self.random.one_in(4) {
            return match self.names.trees.len() {
                0 => format!("Num({})", self.number()),
                _ => self.random.pick(&self.names.trees).clone(),
            };
        }
        let below = depth - 1;
        match self.random.below(8) {
            0..=2 => format!("Pair({}, {}, {})", self.tree(below), self.number(), self.tree(below)),
            3 => format!("Named({}, {})", self.text(), self.tree(below)),
            4 => format!("Num({})", self.number()),
            5 => {
                let (a, b) = (self.number(), self.number());
                format!("(if {a} < {b} then {} else {} end)", self.tree(below), self.tree(below))
            }
            _ => format!("f{}({}, turns - 1)", self.random.below(FUNCTIONS), self.tree(below)),
        }
    }

    fn number(&mut self) -> String {
        let name = match self.names.numbers.len() {
            0 => "3".to_owned(),
            _ => self.random.pick(&self.names.numbers).clone(),
        };
        match self.random.below(5) {
            0 => self.random.below(9).to_string(),
            1 => format!("({name} * 7 % 100)"),
            2 if self.random.one_in(RARELY) => format!("(100 / ({name} - {}))", self.random.below(5)),
            3 if !self.names.trees.is_empty() => {
                format!("(look({}, 2) % 50)", self.random.pick(&self.names.trees))
            }
            _ => name,
        }
    }

    fn text(&mut self) -> String {
        match self.names.texts.len() {
            0 => format!("\"t\" + \"{}\"", self.random.below(100)),
            _ => self.random.pick(&self.names.texts).clone(),
        }
    }

    /// Rows have cells of the size that trees have.
    fn rows(&mut self) {
        let names = |trees: &[&str]| Names {
            trees: trees.iter().map(|&it| it.to_owned()).collect(),
            numbers: vec!["n".into(), "turns".into()],
            texts: Vec::new(),
        };
        self.line("\ndef row(t: Tree, turns: Int): Row\n  match t");
        self.names = names(&["a", "b"]);
        let (tree, number) = (self.tree(1), self.number());
        self.line(&format!("    Pair(a, n, b) => More({tree}, {number}, row(b, turns))"));
        self.line("    Named(_, a) => More(a, 1, Last)\n    _ => Last\n  end\nend");
        self.line("\ndef tree(r: Row, turns: Int): Tree\n  match r");
        self.names = names(&["a"]);
        let (value, number) = (self.tree(2), self.number());
        self.line(&format!("    More(a, n, rest) => Pair({value}, {number}, tree(rest, turns - 1))"));
        self.line("    Last => Leaf\n  end\nend");
    }

    fn main(&mut self) {
        self.line("\ndef main");
        self.line("  turns = 4");
        self.line("  t0 = Pair(Named(\"p\" + \"q\", Num(1)), 2, Pair(Pair(Leaf, 5, Num(6)), 3, Num(4)))");
        self.line("  defer puts(\"at last #{check(t0)}\")");
        self.names = Names { trees: vec!["t0".into()], numbers: vec!["turns".into()], texts: Vec::new() };
        for n in 1..6 {
            let value = match self.random.below(3) {
                0 => format!("tree(row({}, 2), 2)", self.tree(1)),
                _ => format!("f{}({}, turns)", self.random.below(FUNCTIONS), self.tree(2)),
            };
            self.line(&format!("  t{n} = cut({value}, 6)\n  puts(check(t{n}))"));
            self.names.trees.push(format!("t{n}"));
        }
        self.line("  puts(sum(row(t5, 3)))");
        let all = self.names.trees.iter().map(|it| format!("check({it})")).collect::<Vec<_>>().join(", ");
        self.line(&format!("  puts([{all}])\nend"));
    }
}

//! Projects whose types stay while functions change: for the question whether functions that are made anew get along
//! with those that are not. What a function keeps of its arguments, whether it may panic, what it captures and calls
//! changes from edit to edit, while its callers in other modules stay; and one function of each module comes, goes, and is
//! called otherwise.

use std::fmt::Write as _;

use crate::project::File;
use crate::random::Random;

/// A project at one point of its life.
pub struct Bodies {
    random: Random,
    modules: Vec<Module>,
}

struct Module {
    /// The module that its bodies call, an earlier one.
    other: Option<usize>,
    /// The body of each function of [`FUNCTIONS`].
    bodies: Vec<usize>,
    /// Which of [`EXTRA`] it has, and whether a constant is computed by it.
    extra: usize,
    fixed: bool,
    comments: u32,
}

/// What may stand for a function that is called with a small number and gives something to be shown. The first is none.
const EXTRA: &[&str] = &[
    "",
    "def extra(n: Int): Int = n + 1",
    "def extra(n: Int, by: Int = 2): Int = n * by",
    "def extra(n: Int): String = \"<#{n}>\"",
    "def extra(n) = [n, n]",
    "def extra<T: Show>(n: T): String = \"#{n}!\"",
    "def extra(n: Int): Int = n\n\ndef extra(n: Int, m: Int): Int = n + m",
    "def extra(n: Int, m: Int): Int = n + m\n\ndef extra(n: Int): Int = n + 3",
    "def extra(n: Int): Vec<Int> = make(n).items",
    "def extra(n: Int): Int\n  panic(\"extra #{n}\") if n > 2\n  n\nend",
];

/// What every module declares: a signature, and bodies it may have. `@` stands for the other module.
const FUNCTIONS: &[(&str, &[&str])] = &[
    (
        "make(n: Int): Node",
        &[
            "Node { name: \"n#{n}\", items: [n, n + 1] }",
            "node = Node { name: \"m\", items: [] }\n  for i in 0..n\n    node.items.push(i)\n  end\n  node",
            "@make(n + 1)",
            "node = @make(n)\n  node.items.push(node.name.size)\n  node",
        ],
    ),
    (
        "keep(node: Node, name: String): Node",
        &[
            "node.name = name\n  node",
            "Node { name: name + node.name, items: node.items.map { it + 1 } }",
            "@keep(node, name + \"!\")",
            "return node if name.empty?\n  node.items.push(name.size)\n  node",
            "other = make(2)\n  other.items = node.items\n  other.name = name\n  other",
            "panic(\"too long\") if name.size > 12\n  @keep(@make(1), name)",
        ],
    ),
    (
        "measured(node: Node): Int",
        &[
            "node.items.sum + node.name.size",
            "var n = 0\n  for x in node.items\n    n += x\n  end\n  n",
            "@measured(node) + 1",
            "node.items.map { it * 2 }.sum",
            "keep(node, \"k\").items.size",
            "weigh(node) + weigh(make(2))",
            "100 / (node.items.size - 2)",
            "\"#{@extra(node.items.size)}\".size",
            "\"#{extra(1)} #{@extra(2)}\".size",
        ],
    ),
    (
        "twice(f: Fn(Int): Int, x: Int): Int",
        &[
            "f(f(x))",
            "@twice(f, x) + 1",
            "@twice(n -> f(n) + 1, x)",
            "[x, x + 1].map { f(it) }.sum",
            "node = make(x)\n  @twice(n -> f(n) + node.items.size, x)",
        ],
    ),
    (
        "pick<T>(a: T, b: T, first: Bool): T",
        &[
            "if first then a else b end",
            "@pick(a, b, not first)",
            "xs = [a, b]\n  xs[if first then 1 else 0 end]",
            "f = -> @pick(b, a, first)\n  f()",
        ],
    ),
    (
        "text(shape: Shape): String",
        &[
            "match shape\n    Dot => \"dot\"\n    Line(n) => \"line #{n}\"\n    Held(node) => node.name\n  end",
            "@text(shape) + \".\"",
            "match shape\n    Held(node) => text(Line(measured(node)))\n    _ => \"other\"\n  end",
            "if shape is Held(node)\n    keep(node, \"held\").name\n  else\n    \"free\"\n  end",
        ],
    ),
    (
        "total(xs: Vec<Int>): Int",
        &[
            "xs.sum",
            "@total(xs.map { it + 1 })",
            "xs[0] + xs.size",
            "xs.push(1)\n  @total(xs)",
            "xs.filter { it > 1 }.reduce(0, (a, b) -> a + b)",
        ],
    ),
    (
        "handler(kind: Int): Fn(Int): Int",
        &[
            "x -> x + kind",
            "node = make(kind)\n  x -> x + node.items.size",
            "@handler(kind)",
            "inner = @handler(kind + 1)\n  x -> inner(x) * 2",
        ],
    ),
    (
        "named(kind: Int): dyn Weighed",
        &["make(kind)", "Weight(kind)", "@named(kind + 1)", "if kind > 1 then @named(1) else make(3) end"],
    ),
    (
        "spawned(n: Int): Int",
        &[
            "task = go make(n).items.size\n  await task",
            "node = make(n)\n  task = go do -> node.items.sum end\n  await task",
            "@spawned(n) + 1",
            "parallel_map([n, n + 1], x -> x * 2).sum",
        ],
    ),
    (
        "ring(n: Int): Int",
        &[
            "n",
            "ring = Ring { size: n, next: nil, told: nil }\n  ring.next = Some(ring)\n  ring.size",
            "ring = Ring { size: n, next: nil, told: nil }\n  ring.next = Some(ring)\n  ring.told = Some(-> ring.size + 1)\n  ring.size",
            "@ring(n + 1)",
            "first = Ring { size: n, next: nil, told: nil }\n  second = Ring { size: 2, next: Some(first), told: nil }\n  first.next = Some(second)\n  second.size",
        ],
    ),
];

/// What no edit changes.
const BASE: &str = "\
struct Node
  name: String
  items: Vec<Int>
end

struct Ring
  size: Int
  next: Ring?
  told: (Fn(): Int)?
end

enum Shape
  Dot
  Line(Int)
  Held(Node)
end

newtype Weight = Int

trait Weighed
  def weight(self): Int
end

impl Weighed for Node
  def weight(self): Int = self.items.size
end

impl Weighed for Weight
  def weight(self): Int
    Weight(n) = self
    n
  end
end


def weigh(it: dyn Weighed): Int = it.weight() + 1
";

impl Bodies {
    pub fn new(seed: u64) -> Bodies {
        let mut random = Random::new(seed);
        let count = 2 + random.below(4);
        let module = |n: usize| Module {
            other: (n > 0).then(|| random.below(n)),
            bodies: FUNCTIONS.iter().map(|(_, bodies)| random.below(bodies.len())).collect(),
            extra: random.below(EXTRA.len()),
            fixed: random.one_in(6),
            comments: 0,
        };
        let modules = (0..count).map(module).collect();
        Bodies { random, modules }
    }

    /// All files, `main.qz` first.
    pub fn files(&self) -> Vec<File> {
        let file = |name: String, text: String| File { name, text: Some(text) };
        let modules = (0..self.modules.len()).map(|n| file(format!("m{n}.qz"), self.text(n)));
        let first = [file("main.qz".into(), self.main()), file("base.qz".into(), BASE.into())];
        first.into_iter().chain(modules).collect()
    }

    /// Changes a function or two; says what.
    pub fn edit(&mut self) -> String {
        let mut what = Vec::new();
        for _ in 0..1 + self.random.below(2) {
            let n = self.random.below(self.modules.len());
            let at = self.random.below(FUNCTIONS.len());
            let module = &mut self.modules[n];
            if self.random.one_in(8) {
                module.comments += 1;
                what.push(format!("a comment in m{n}"));
            } else if self.random.one_in(4) {
                module.extra = self.random.below(EXTRA.len());
                what.push(format!("m{n}::extra"));
            } else {
                module.bodies[at] = self.random.below(FUNCTIONS[at].1.len());
                what.push(format!("m{n}::{}", FUNCTIONS[at].0));
            }
        }
        what.join(", ")
    }

    fn text(&self, n: usize) -> String {
        let module = &self.modules[n];
        let mut text = "# Nothing.\n".repeat(module.comments as usize)
            + "import * from base\nimport parallel_map from std/parallel\n";
        // The first module has nobody to call: its other bodies are the first ones.
        let other = module.other.map(|it| format!("m{it}::"));
        if let Some(other) = module.other {
            writeln!(text, "import m{other}").expect("a text takes all");
        }
        let has_extra = |n: usize| self.modules[n].extra > 0;
        if has_extra(n) {
            writeln!(text, "\n{}", EXTRA[module.extra]).expect("a text takes all");
            if module.fixed {
                writeln!(text, "\nconst FIXED = \"#{{extra(2)}}\".size").expect("a text takes all");
            }
        }
        for ((signature, bodies), &at) in FUNCTIONS.iter().zip(&module.bodies) {
            let lacks = |body: &str| {
                let own = body.replace("@extra", "").contains("extra") && !has_extra(n);
                own || (body.contains("@extra") && !module.other.is_some_and(has_extra))
            };
            let body = if lacks(bodies[at]) { bodies[0] } else { bodies[at] };
            let body = match (&other, body) {
                (Some(other), body) => body.replace('@', other),
                (None, body) if body.contains('@') => bodies[0].to_owned(),
                (None, body) => body.to_owned(),
            };
            writeln!(text, "\ndef {signature}\n  {body}\nend").expect("a text takes all");
        }
        text
    }

    fn main(&self) -> String {
        let mut text = String::from("import * from base\n");
        for n in 0..self.modules.len() {
            writeln!(text, "import m{n}").expect("a text takes all");
        }
        text += "\ndef main\n";
        for n in 0..self.modules.len() {
            let calls = [
                format!("m{n}::make(2).items"),
                format!("m{n}::keep(m{n}::make(1), \"kept\").name"),
                format!("m{n}::measured(m{n}::make(3))"),
                format!("m{n}::twice(x -> x * 3, 2)"),
                format!("m{n}::twice(m{n}::handler(4), 1)"),
                format!("m{n}::pick(\"a\", \"b#{{{n}}}\", true)"),
                format!("m{n}::pick(m{n}::make(1), m{n}::make(2), false).items"),
                format!("m{n}::text(Held(m{n}::make(1)))"),
                format!("m{n}::text(Line({n}))"),
                format!("m{n}::total([3, 1, 2])"),
                format!("m{n}::named(2).weight() + weigh(m{n}::named(1))"),
                format!("m{n}::spawned(3)"),
                format!("m{n}::ring(4)"),
            ];
            calls.iter().for_each(|call| writeln!(text, "  puts({call})").expect("a text takes all"));
            if self.modules[n].extra > 0 {
                writeln!(text, "  puts(m{n}::extra(3))").expect("a text takes all");
                if self.modules[n].fixed {
                    writeln!(text, "  puts(m{n}::FIXED)").expect("a text takes all");
                }
            }
        }
        text + "end\n"
    }
}

//! Projects whose functions perform effects, hand them on and handle them, in modules that call each other in circles: for
//! the question whether what they perform is found again wherever an edit may have changed it.

use std::fmt::Write as _;

use crate::project::File;
use crate::random::Random;

/// A project at one point of its life.
pub struct Rows {
    random: Random,
    modules: Vec<Module>,
    /// What is around the calls of `main`.
    main: usize,
}

struct Module {
    /// The module that its bodies call; perhaps one that calls it.
    other: usize,
    bodies: Vec<usize>,
    comments: u32,
    private: bool,
}

const EFFECTS: &str = "effect Ask
  def ask(n: Int): Int
end

effect Log
  def note(n: Int): Int
end

trait Told
  def told(self): Int
end
";

/// What every module declares: a signature, and bodies it may have. `@` stands for the other module.
const FUNCTIONS: &[(&str, &[&str])] = &[
    (
        "first(n: Int): Int",
        &[
            "n + 1",
            "ask(n)",
            "@first(n)",
            "@second(n) + 1",
            "note(n) + @first(n - 1)",
            "Held { n }.told()",
            "each(n) do x -> ask(x) end",
        ],
    ),
    (
        "second(n: Int): Int",
        &[
            "n * 2",
            "return 1 if n < 1\n  @second(n - 1)",
            "h = handler Ask\n    def ask(n: Int) = resume(n + 1)\n  end\n  with h do\n    @first(n)\n  end",
            "@each(n) do x -> ask(x) end",
            "each(n) do x -> @second(x - 1) end",
            "@made(n)()",
            "task = go @first(n)\n  await task",
        ],
    ),
    (
        "each(n: Int, f: Fn(Int): Int): Int",
        &[
            "f(n)",
            "@each(n, f)",
            "n",
            "h = handler Log\n    def note(n: Int) = resume(n)\n  end\n  with h do\n    f(n)\n  end",
            "h = handler Ask\n    def ask(n: Int) = n\n  end\n  with h do\n    f(n) + 1\n  end",
            "f(n) + @first(n)",
            "return n if n < 0\n  each(n - 1, f)",
        ],
    ),
    ("made(n: Int): Fn(): Int", &["-> n", "-> n + 2", "@made(n)", "(-> first(n))"]),
    ("shown(it: impl Told): Int", &["it.told()", "1", "@shown(it)", "note(2)"]),
];

/// What `told` of the module's own type does.
const TOLD: &[&str] = &["self.n", "ask(self.n)", "@first(self.n)", "note(1)"];

const MAINS: &[(&str, &str)] = &[
    ("", ""),
    ("  h = handler Ask\n    def ask(n: Int) = resume(n)\n  end\n  with h do\n", "  end\n"),
    ("  h = handler Log\n    def note(n: Int) = resume(n)\n  end\n  with h do\n", "  end\n"),
    (
        "  h = handler Ask\n    def ask(n: Int) = resume(n)\n  end\n  l = handler Log\n    def note(n: Int) = resume(n)\n  end\n  \
         with h do\n    with l do\n",
        "    end\n  end\n",
    ),
];

impl Rows {
    pub fn new(seed: u64) -> Rows {
        let mut random = Random::new(seed);
        let count = 2 + random.below(4);
        let module = |n: usize| Module {
            other: if random.one_in(3) { random.below(count) } else { random.below(n + 1) },
            bodies: (0..=FUNCTIONS.len()).map(|at| random.below(bodies(at).len())).collect(),
            comments: 0,
            private: false,
        };
        let modules = (0..count).map(module).collect();
        let main = random.below(MAINS.len());
        Rows { random, modules, main }
    }

    /// All files, `main.qz` first.
    pub fn files(&self) -> Vec<File> {
        let file = |name: String, text: String| File { name, text: Some(text) };
        let modules = (0..self.modules.len()).map(|n| file(format!("m{n}.qz"), self.text(n)));
        let first = [file("main.qz".into(), self.main()), file("base.qz".into(), EFFECTS.into())];
        first.into_iter().chain(modules).collect()
    }

    /// Changes something; says what.
    pub fn edit(&mut self) -> String {
        let n = self.random.below(self.modules.len());
        match self.random.below(10) {
            0 => {
                self.main = self.random.below(MAINS.len());
                "main".into()
            }
            1 => {
                self.modules[n].comments += 1;
                format!("a comment in m{n}")
            }
            2 => {
                self.modules[n].private ^= true;
                format!("a private function in m{n}")
            }
            _ => {
                let at = self.random.below(FUNCTIONS.len() + 1);
                self.modules[n].bodies[at] = self.random.below(bodies(at).len());
                format!("m{n}::{}", FUNCTIONS.get(at).map_or("told", |it| it.0))
            }
        }
    }

    fn text(&self, n: usize) -> String {
        let module = &self.modules[n];
        let mut text = "# Nothing.\n".repeat(module.comments as usize) + "import * from base\n";
        if module.other != n {
            writeln!(text, "import m{}", module.other).expect("a text takes all");
        }
        if module.private {
            text += "\nprivate def hidden(n: Int): Int = ask(n)\n";
        }
        let other = if module.other == n { String::new() } else { format!("m{}::", module.other) };
        for (at, (signature, _)) in FUNCTIONS.iter().enumerate() {
            let body = bodies(at)[module.bodies[at]].replace('@', &other);
            writeln!(text, "\ndef {signature}\n  {body}\nend").expect("a text takes all");
        }
        let told = TOLD[module.bodies[FUNCTIONS.len()]].replace('@', &other);
        writeln!(
            text,
            "\nstruct Held\n  n: Int\nend\n\nimpl Told for Held\n  def told(self): Int = {told}\nend"
        )
        .expect("a text takes all");
        text
    }

    fn main(&self) -> String {
        let mut text = String::from("import * from base\n");
        for n in 0..self.modules.len() {
            writeln!(text, "import m{n}").expect("a text takes all");
        }
        let (before, behind) = MAINS[self.main];
        text = text + "\ndef main\n" + before;
        for n in 0..self.modules.len() {
            for call in ["first(3)", "second(2)", "each(1) do x -> x + 1 end", "shown(m0::Held { n: 2 })"] {
                writeln!(text, "      puts(m{n}::{call})").expect("a text takes all");
            }
        }
        text + behind + "end\n"
    }
}

fn bodies(at: usize) -> &'static [&'static str] {
    FUNCTIONS.get(at).map_or(TOLD, |it| it.1)
}

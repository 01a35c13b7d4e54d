//! Random programs over strings, tuples, options, objects, trees, closures and values with a `drop`, with
//! branches, loops and panics that are taken here and there. Whatever they do, nothing may be left over, and
//! optimisation may not change what they print. The seeds are fixed.

use std::fmt::Write;

use qz_opt::OptLevel;

use super::run_at;

const PRELUDE: &str = r#"
enum Option<T> { None, Some(T) }
enum Tree { Leaf, Node(Tree, String, Tree) }
ref Cell { String, Option<Cell> }
ref Noisy { String }
drop Noisy = noisy_drop
fn noisy_drop(it_1: Noisy) -> () {
  bb0:
    _0 = call print(it_1.*.0)
    return
}
fn print(s_1: String) -> () {
  let _2: Int
  bb0:
    _2 = call rt out_line(s_1)
    return
}
fn keep(s_1: String) -> Cell noinline {
  let none_2: Option<Cell>
  bb0:
    none_2 = variant 0 Option<Cell> ()
    _0 = new Cell (s_1, none_2)
    return
}
fn node(a_1: Tree, s_2: String, b_3: Tree) -> Tree noinline {
  bb0:
    _0 = variant 1 Tree (a_1, s_2, b_3)
    return
}
fn depth(t_1: Tree) -> Int {
  let _2: Int
  let a_3: Int
  let b_4: Int
  let l_5: Tree
  bb0:
    _2 = discr t_1
    switch _2 [0: bb1, 1: bb2]
  bb1:
    _0 = 0
    return
  bb2:
    l_5 = t_1.v1.0
    a_3 = call depth(l_5)
    b_4 = call depth(t_1.v1.2)
    _0 = add! a_3, b_4
    _0 = add! _0, 1
    return
}
fn burn(fuel_1: Int) -> Int noinline {
  let _2: Int
  bb0:
    _2 = div! 1000, fuel_1
    _0 = sub! fuel_1, 1
    return
}
fn choose(c_1: Bool, a_2: String, b_3: String) -> String noinline {
  bb0:
    branch c_1, bb1, bb2
  bb1:
    _0 = a_2
    return
  bb2:
    _0 = b_3
    return
}
lambda main 0 fn main(this_1: Fn(Int): String, n_2: Int) -> String {
  captures String
  let s_3: String
  bb0:
    s_3 = call rt int_to_str(n_2)
    _0 = call rt str_concat2(this_1.c0, s_3)
    return
}
"#;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }
}

/// Locals of each type: strings 10.., tuples 20.., options 30.., cells 40.., trees 50.., noisy ones 60..,
/// closures 70.. are numbered from 1 in this order.
const TYPES: [(&str, u32); 7] = [
    ("String", 3),
    ("(String, Int)", 2),
    ("Option<String>", 2),
    ("Cell", 2),
    ("Tree", 3),
    ("Noisy", 2),
    ("Fn(Int): String", 1),
];

struct Program {
    random: Random,
    blocks: Vec<(String, Vec<String>)>,
    current: usize,
    handlers: Vec<usize>,
    kind_starts: Vec<u32>,
    locals: String,
    next: u32,
}

impl Program {
    fn new(seed: u64) -> Program {
        let mut program = Program {
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            blocks: Vec::new(),
            current: 0,
            handlers: Vec::new(),
            kind_starts: Vec::new(),
            locals: String::new(),
            next: 1,
        };
        for (ty, count) in TYPES {
            program.kind_starts.push(program.next);
            (0..count).for_each(|_| {
                program.local(ty);
            });
        }
        program
    }

    fn local(&mut self, ty: &str) -> String {
        let name = format!("_{}", self.next);
        writeln!(self.locals, "  let {name}: {ty}").expect("a String takes all text");
        self.next += 1;
        name
    }

    /// One of the variables of a kind.
    fn var(&mut self, kind: usize) -> String {
        let n = self.random.below(TYPES[kind].1 as u64) as u32;
        format!("_{}", self.kind_starts[kind] + n)
    }

    fn block(&mut self, cleanup: bool) -> usize {
        let mut header = format!("bb{}", self.blocks.len());
        header += if cleanup { " cleanup" } else { "" };
        if let Some(handler) = self.handlers.last() {
            write!(header, " unwind bb{handler}").expect("a String takes all text");
        }
        self.blocks.push((header, Vec::new()));
        self.blocks.len() - 1
    }

    fn put(&mut self, line: String) {
        self.blocks[self.current].1.push(line);
    }

    fn go(&mut self, to: usize) {
        self.put(format!("goto bb{to}"));
        self.current = to;
    }

    fn text(mut self) -> String {
        self.current = self.block(false);
        let fuel = self.local("Int");
        let start = 20 + self.random.below(60);
        self.put(format!("{fuel} = {start}"));
        self.start();
        self.statements(&fuel, 4, 12);
        for (n, kind) in [(0, 5), (1, 5)] {
            let kept = self.kind_starts[kind] + n;
            self.put(format!("end _{kept}"));
        }
        self.put("return".into());
        let mut text = format!("{PRELUDE}fn main() -> () {{\n{}", self.locals);
        for (header, lines) in &self.blocks {
            writeln!(text, "  {header}:").expect("a String takes all text");
            lines.iter().for_each(|line| writeln!(text, "    {line}").expect("a String takes all text"));
        }
        text + "}\n"
    }

    /// Every variable gets a value.
    fn start(&mut self) {
        let none = self.local("Option<Cell>");
        for (kind, (_, count)) in TYPES.iter().enumerate() {
            for n in 0..*count {
                let var = format!("_{}", self.kind_starts[kind] + n);
                let line = match kind {
                    0 => format!("{var} = call rt int_to_str({n})"),
                    1 => format!("{var} = tuple (String, Int) (_1, {n})"),
                    2 => format!("{var} = variant {n} Option<String> ({})", if n == 1 { "_2" } else { "" }),
                    3 => {
                        self.put(format!("{none} = variant 0 Option<Cell> ()"));
                        format!("{var} = new Cell (_3, {none})")
                    }
                    4 => format!("{var} = variant 0 Tree ()"),
                    5 => format!("{var} = new Noisy (_{})", n + 1),
                    _ => format!("{var} = closure lambda main.lambda0 (_1)"),
                };
                self.put(line);
            }
        }
    }

    fn statements(&mut self, fuel: &str, depth: u32, count: u64) {
        for _ in 0..1 + self.random.below(count) {
            match self.random.below(if depth > 0 { 26 } else { 22 }) {
                0..22 => self.plain(fuel),
                22 => self.branch(fuel, depth),
                23 => self.repeat(fuel, depth),
                24 => self.guard(fuel, depth),
                _ => self.look_into_option(fuel, depth),
            }
        }
    }

    fn plain(&mut self, fuel: &str) {
        let (s, s2, p, o) = (self.var(0), self.var(0), self.var(1), self.var(2));
        let (c, c2, t, t2, t3) = (self.var(3), self.var(3), self.var(4), self.var(4), self.var(4));
        let (noisy, f) = (self.var(5), self.var(6));
        let line = match self.random.below(24) {
            0 => format!("{s} = call rt int_to_str({fuel})"),
            1 => format!("{s} = {s2}"),
            2 => format!("{s} = call rt str_concat2({s2}, \"x\")"),
            3 => format!("{p} = tuple (String, Int) ({s}, 1)"),
            4 => format!("{s} = {p}.0"),
            5 => format!("{p}.0 = {s}"),
            6 => format!("{o} = variant 1 Option<String> ({s})"),
            7 => format!("{o} = variant 0 Option<String> ()"),
            8 => format!("{c} = call keep({s})"),
            9 => format!("{c} = {c2}"),
            10 => format!("{s} = {c}.*.0"),
            11 => format!("{c}.*.0 = {s}"),
            12 => {
                let (fresh, some) = (self.local("Cell"), self.local("Option<Cell>"));
                self.put(format!("{fresh} = call keep({s})"));
                self.put(format!("{some} = variant 1 Option<Cell> ({fresh})"));
                format!("{c}.*.1 = {some}")
            }
            13 => format!("{t} = call node({t2}, {s}, {t3})"),
            14 => format!("{t} = variant 1 Tree ({t2}, {s}, {t3})"),
            15 => format!("{t} = {t2}"),
            16 => format!("{t} = variant 0 Tree ()"),
            17 => format!("{noisy} = new Noisy ({s})"),
            18 => format!("{f} = closure lambda main.lambda0 ({s})"),
            19 => format!("{s} = call ({f})({fuel})"),
            20 => {
                let unit = self.local("()");
                format!("{unit} = call print({s})")
            }
            21 => {
                let even = self.local("Bool");
                self.put(format!("{even} = gt {fuel}, 12"));
                format!("{s} = call choose({even}, {s2}, {p}.0)")
            }
            22 => {
                let (n, unit, text) = (self.local("Int"), self.local("()"), self.local("String"));
                self.put(format!("{n} = call depth({t})"));
                self.put(format!("{text} = call rt int_to_str({n})"));
                format!("{unit} = call print({text})")
            }
            _ => format!("{fuel} = call burn({fuel})"),
        };
        self.put(line);
    }

    fn branch(&mut self, fuel: &str, depth: u32) {
        let cond = self.local("Bool");
        let limit = self.random.below(60);
        self.put(format!("{cond} = lt {fuel}, {limit}"));
        let (yes, no, after) = (self.block(false), self.block(false), self.block(false));
        self.put(format!("branch {cond}, bb{yes}, bb{no}"));
        for side in [yes, no] {
            self.current = side;
            self.statements(fuel, depth - 1, 4);
            self.go(after);
        }
    }

    fn repeat(&mut self, fuel: &str, depth: u32) {
        let (i, cond) = (self.local("Int"), self.local("Bool"));
        self.put(format!("{i} = 0"));
        let (head, inside, after) = (self.block(false), self.block(false), self.block(false));
        self.go(head);
        let turns = 1 + self.random.below(4);
        self.put(format!("{cond} = lt {i}, {turns}"));
        self.put(format!("branch {cond}, bb{inside}, bb{after}"));
        self.current = inside;
        self.put(format!("{i} = add {i}, 1"));
        self.put(format!("{fuel} = call burn({fuel})"));
        self.statements(fuel, depth - 1, 4);
        self.put(format!("goto bb{head}"));
        self.current = after;
    }

    /// A region whose panics are taken.
    fn guard(&mut self, fuel: &str, depth: u32) {
        let handler = self.block(true);
        self.handlers.push(handler);
        let inside = self.block(false);
        self.go(inside);
        self.statements(fuel, depth - 1, 6);
        self.handlers.pop();
        let (caught, after) = (self.block(false), self.block(false));
        self.go(after);
        let message = self.local("String");
        self.current = handler;
        let s = self.var(0);
        self.put(format!("{message} = call rt take_panic()"));
        self.put(format!("{s} = {message}"));
        self.go(caught);
        let unit = self.local("()");
        self.put(format!("{unit} = call print({s})"));
        self.put(format!("{fuel} = 30"));
        self.go(after);
    }

    fn look_into_option(&mut self, fuel: &str, depth: u32) {
        let (o, s, t, t2) = (self.var(2), self.var(0), self.var(4), self.var(4));
        let index = self.local("Int");
        let (none, some, after) = (self.block(false), self.block(false), self.block(false));
        let of_tree = self.random.below(2) == 0;
        self.put(format!("{index} = discr {}", if of_tree { &t } else { &o }));
        self.put(format!("switch {index} [0: bb{none}, 1: bb{some}]"));
        self.current = none;
        self.statements(fuel, depth - 1, 2);
        self.go(after);
        self.current = some;
        if of_tree {
            let part = self.local("Tree");
            let side = 2 * self.random.below(2);
            self.put(format!("{part} = {t}.v1.{side}"));
            self.put(format!("{s} = {t}.v1.1"));
            self.statements(fuel, depth - 1, 2);
            self.put(format!("{t2} = {part}"));
        } else {
            let part = self.local("String");
            self.put(format!("{part} = {o}.v1.0"));
            self.statements(fuel, depth - 1, 2);
            self.put(format!("{s} = {part}"));
        }
        self.go(after);
    }
}

#[test]
fn random_programs_leave_nothing_behind() {
    let seeds = std::env::var("SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(150);
    for seed in 1..=seeds {
        let text = Program::new(seed).text();
        let runs = [OptLevel::None, OptLevel::Speed].map(|level| {
            std::panic::catch_unwind(|| run_at(&text, level))
                .unwrap_or_else(|_| panic!("seed {seed} at {level:?}:\n{text}"))
        });
        assert!(!runs[0].contains("leak:"), "seed {seed}: {}\n{text}", runs[0]);
        assert_eq!(runs[0], runs[1], "seed {seed}:\n{text}");
    }
}

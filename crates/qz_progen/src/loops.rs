//! Loops over vectors, in and out of their bounds: for the passes that leave checks out. Half of the programs end in
//! a panic, after a different number of turns each.

use crate::random::Random;

const VECTORS: [&str; 3] = ["a", "b", "c"];
const COUNTERS: [&str; 3] = ["i", "j", "q"];

/// The loop program of a number.
pub fn loops(seed: u64) -> String {
    let mut cx = Loops { random: Random::new(seed), out: String::new(), depth: 1 };
    cx.line("# Made from a number: loops at the edges of vectors.");
    cx.out.push_str(
        "@inline(never)\ndef shrink(v: Vec<Int>, least: Int)\n  v.pop() if v.size > least\nend\n\n",
    );
    cx.out.push_str("def work(a: Vec<Int>, b: Vec<Int>, c: Vec<Int>, n: Int, m: Int): Int\n");
    cx.line("var sum = 0");
    cx.line("var k = 1");
    cx.line("var fuel = 60");
    cx.line("var d = b");
    for _ in 0..1 + cx.random.below(2) {
        cx.one_loop(&mut vec!["k"]);
    }
    cx.line("sum + k");
    cx.out.push_str("end\n\ndef main\n");
    let sizes: Vec<usize> = (0..3).map(|_| 3 + cx.random.below(6)).collect();
    cx.line(&format!("a = [x * 3 % 7 for x in 0..{}]", sizes[0]));
    let second = if cx.random.one_in(2) { "a".to_owned() } else { format!("[x for x in 0..{}]", sizes[1]) };
    cx.line(&format!("b = {second}"));
    cx.line(&format!("c = [x + 1 for x in 0..{}]", sizes[2]));
    cx.line("defer puts(\"#{a} #{b} #{c}\")");
    let (n, m) = (cx.random.below(7), cx.random.below(10) as i64 - 1);
    cx.line(&format!("puts(work(a, b, c, {n}, {m}))"));
    cx.out.push_str("end\n");
    cx.out
}

struct Loops {
    random: Random,
    out: String,
    depth: usize,
}

impl Loops {
    fn line(&mut self, text: &str) {
        self.out.push_str(&"  ".repeat(self.depth));
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn vector(&mut self) -> &'static str {
        VECTORS[self.random.below(VECTORS.len())]
    }

    fn index(&mut self, names: &[&'static str]) -> String {
        let name = *self.random.pick(names);
        match self.random.below(12) {
            0..=2 => name.to_owned(),
            3 => format!("{name} + {}", self.random.below(4)),
            4 => format!("{name} - {}", self.random.below(3)),
            5 => (self.random.below(12) as i64 - 3).to_string(),
            6 => "k".to_owned(),
            7 => format!("({name} & {})", [1, 3, 7][self.random.below(3)]),
            8 => format!("{name} % {}", 2 + self.random.below(4)),
            9 => format!("({name} >> {})", self.random.below(3)),
            10 => {
                let (vector, mask) = (self.vector(), self.random.below(6));
                format!("({name} {} ({vector}.size - {mask}))", self.random.pick(&["&", "%", "-"]))
            }
            _ => format!("{name} * 2"),
        }
    }

    /// What holds where an index is used, or nearly.
    fn guard(&mut self, name: &str, vector: &str, names: &[&'static str]) -> String {
        let other = *self.random.pick(names);
        match self.random.below(9) {
            0 => format!("{name} < {vector}.size"),
            1 => format!("{name} >= 0 and {name} < {vector}.size"),
            2 => format!("{name} > 0 and {name} <= {vector}.size - 1"),
            3 => format!("{name} != 0 and {name} < {}", self.limit()),
            4 => format!("not ({name} < 1 or {name} >= {vector}.size)"),
            5 => format!("{name} &+ {} < {vector}.size and {name} > 0", 1 + self.random.below(3)),
            6 => format!("{name} &- {} >= 0 and {name} < {vector}.size", 1 + self.random.below(3)),
            7 => format!("{name} <= {other} and {other} < {vector}.size"),
            _ => format!("{name} == {other} or {name} < {vector}.size"),
        }
    }

    fn limit(&mut self) -> &'static str {
        const LIMITS: [&str; 7] = ["a.size", "b.size", "n", "n + 1", "5", "c.size - 1", "m"];
        LIMITS[self.random.below(LIMITS.len())]
    }

    /// A loop that ends: its counter grows, and nothing else changes it.
    fn one_loop(&mut self, names: &mut Vec<&'static str>) {
        if self.random.one_in(3) {
            return self.wild_loop(names);
        }
        let counter = COUNTERS[names.len() - 1];
        let limit = self.limit();
        let counts = self.random.one_in(3);
        let mut is_far = false;
        if counts {
            let start = *self.random.pick(&["0", "0", "2", "-1"]);
            self.line(&format!("var {counter} = {start}"));
            self.line(&format!("while {counter} < {limit}"));
        } else {
            let start = *self.random.pick(&["0", "0", "1", "-1", "k"]);
            let dots = *self.random.pick(&["..", "..", "..="]);
            self.line(&format!("for {counter} in {start}{dots}{limit}"));
            is_far = start == "k";
        }
        self.depth += 1;
        if is_far {
            self.use_fuel();
        }
        names.push(counter);
        for _ in 0..1 + self.random.below(3) {
            self.statement(names, counts);
        }
        if names.len() < COUNTERS.len() && self.random.one_in(2) {
            self.one_loop(names);
        }
        names.pop();
        if counts {
            self.line(&format!("{counter} += 1"));
        }
        self.depth -= 1;
        self.line("end");
    }

    /// A loop whose counter goes anywhere: down, in steps, over the end, to the ends of what an integer can be.
    fn wild_loop(&mut self, names: &mut Vec<&'static str>) {
        const STARTS: [&str; 8] =
            ["0", "1", "-2", "a.size", "b.size - 1", "9223372036854775800", "-9223372036854775806", "m"];
        const ENDS: [&str; 8] =
            ["a.size", "b.size", "0", "n", "9223372036854775807", "9223372036854775806", "c.size - 1", "-1"];
        let counter = COUNTERS[names.len() - 1];
        let (start, end) = (*self.random.pick(&STARTS), *self.random.pick(&ENDS));
        let compared = *self.random.pick(&["<", "<=", ">", ">=", "!="]);
        self.line(&format!("var {counter} = {start}"));
        self.line(&format!("while {counter} {compared} {end}"));
        self.depth += 1;
        self.use_fuel();
        names.push(counter);
        let early = self.random.one_in(3);
        if early {
            self.step(counter);
        }
        for _ in 0..1 + self.random.below(3) {
            self.statement(names, true);
        }
        if names.len() < COUNTERS.len() && self.random.one_in(3) {
            self.one_loop(names);
        }
        names.pop();
        if !early {
            self.step(counter);
        }
        self.depth -= 1;
        self.line("end");
    }

    /// For loops that may go on for as long as integers last.
    fn use_fuel(&mut self) {
        self.line("fuel -= 1");
        self.line("break if fuel < 0");
    }

    fn step(&mut self, counter: &str) {
        let by = 1 + self.random.below(3);
        let line = match self.random.below(9) {
            0..=2 => format!("{counter} += {by}"),
            3 | 4 => format!("{counter} -= {by}"),
            5 => format!("{counter} = {counter} &+ {by}"),
            6 => format!("if {counter} < k then {counter} += {by} else {counter} -= 1 end"),
            7 => format!("{counter} = {counter} / 2 + {by}"),
            // Changed where the loop does not see it.
            _ => format!("[0].each do _ -> {counter} += {by} end"),
        };
        self.line(&line);
    }

    fn statement(&mut self, names: &[&'static str], counts: bool) {
        let (into, index) = (self.vector(), self.index(names));
        match self.random.below(16) {
            0 | 1 => {
                let (from, at, more) = (self.vector(), self.index(names), self.random.below(5));
                self.line(&format!("{into}[{index}] = {from}[{at}] + {more}"));
            }
            2 => self.line(&format!("sum += {into}[{index}]")),
            3 => {
                let (from, at, bound) = (self.vector(), self.index(names), self.random.below(10));
                self.line(&format!("if {into}[{index}] > {bound}"));
                self.line(&format!("  sum += {from}[{at}]"));
                self.line("end");
            }
            4 => self.line(&format!("{into}[{index}] += 1")),
            5 => {
                let bound = 50 + self.random.below(150);
                self.line(&format!("break if sum > {bound}"));
            }
            // A `for` panics when its vector grows; a counted loop over another goes on.
            6 if counts && self.random.one_in(3) => {
                self.line(&format!("{into}.push(sum) if {into}.size < 12"));
            }
            7 | 8 => {
                let name = *self.random.pick(names);
                let guard = self.guard(name, into, names);
                let (from, at) = (self.vector(), self.index(names));
                self.line(&format!("if {guard}"));
                if counts && self.random.one_in(2) {
                    let least = self.random.below(3);
                    self.line(&format!("  shrink({from}, {least})"));
                }
                self.line(&format!("  sum = sum &+ {into}[{name}]"));
                self.line(&format!("  sum = sum &+ {into}[{index}] &+ {from}[{at}]"));
                self.line("end");
            }
            9 => {
                let name = *self.random.pick(names);
                let guard = self.guard(name, into, names);
                self.line(&format!("sum = sum &+ (if {guard} then {into}[{name}] else {index} end)"));
            }
            // Not of a number, which would be looked at before the program runs.
            10 => {
                let to = *self.random.pick(&["U8", "I32", "U64", "I8"]);
                let name = *self.random.pick(names);
                self.line(&format!("sum = sum &+ (({name} + {}) as {to} as Int)", into.len()));
            }
            11 => {
                let (from, at) = (self.vector(), self.index(names));
                let mask = [1, 3, 7][self.random.below(3)];
                self.line(&format!("sum = sum &+ {into}[{from}[{at}] & {mask}]"));
            }
            12 if counts => {
                let least = self.random.below(6);
                self.line(&format!("{into}.pop() if {into}.size > {least}"));
            }
            13 => self.line(&format!("d = {into}")),
            14 => self.line(&format!("sum = sum &+ d[{index}] if d.size > 0")),
            _ => self.line(&format!("k = {index}")),
        }
    }
}

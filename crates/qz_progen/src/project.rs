//! Projects of several modules, and edits of them, from a number: for the question whether building after an edit gives
//! what building anew gives.
//!
//! Edits are those that people make: bodies, signatures, types that are inferred, private items, fields, impls here and
//! far away, constants, imports, names, comments, macros and who uses them, included files, files that go and come back.
//! Half of them break something, which is mended later.

use std::fmt::Write as _;

use crate::random::Random;

/// A project at one point of its life.
pub struct Project {
    random: Random,
    modules: Vec<Module>,
    /// Modules that are away for a while.
    away: Vec<bool>,
    effects: Option<Effects>,
}

/// An effect that module 0 declares.
#[derive(Clone)]
struct Effects {
    /// What its operation does where nobody handles it, if it says.
    default: Option<u32>,
    /// Whether `main` handles it, and what by.
    handler: Option<u32>,
}

#[derive(Clone)]
struct Module {
    imports: Vec<usize>,
    /// What it imports beside the modules' names: nothing, all their names, or one.
    style: Style,
    functions: Vec<Function>,
    fields: u32,
    /// Of its enum.
    variants: u32,
    constant: Option<i64>,
    /// Whether its struct has an impl of the trait of module 0.
    has_impl: bool,
    /// A method that it gives to `Int`, by number.
    extends: Option<u32>,
    /// A generic function with such a bound.
    bound: Option<&'static str>,
    comments: u32,
    /// It has a macro, and a function for what that makes; which ones.
    quotes: Option<u32>,
    /// The earlier module whose macro it uses.
    uses: Option<usize>,
    /// It includes a file that says this.
    includes: Option<u32>,
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Style {
    Named,
    Wildcard,
    Listed,
}

#[derive(Clone)]
struct Function {
    name: u32,
    /// Of its parameter: 0 is Int, 1 is String, 2 is left out.
    param: u32,
    /// Of its result: 0 is Int, 1 is String, 2 is left out.
    ret: u32,
    /// What the body gives if the type is left out.
    gives_text: bool,
    body: u32,
    private: bool,
    /// Of the modules that are seen: which one it calls, and which function there.
    calls: Option<(usize, usize)>,
    /// It panics for some argument, so that places in panics are compared too.
    panics: bool,
    performs: bool,
}

/// One file of a project.
pub struct File {
    pub name: String,
    /// `None` for one that is away.
    pub text: Option<String>,
}

impl Project {
    pub fn new(seed: u64) -> Project {
        let mut random = Random::new(seed);
        let count = 2 + random.below(5);
        let modules: Vec<Module> = (0..count).map(|n| module(&mut random, n, count)).collect();
        let effects = random.one_in(3).then_some(Effects { default: Some(1), handler: None });
        Project { away: vec![false; count], random, modules, effects }
    }

    /// All files, `main.qz` first.
    pub fn files(&self) -> Vec<File> {
        let main = File { name: "main.qz".into(), text: Some(self.main()) };
        let module =
            |n: usize| File { name: format!("m{n}.qz"), text: (!self.away[n]).then(|| self.text(n)) };
        let said = |n: usize| {
            let text = self.modules[n].includes?;
            Some(File { name: format!("said{n}.txt"), text: Some(format!("{text}\n")) })
        };
        let all = 0..self.modules.len();
        std::iter::once(main).chain(all.clone().map(module)).chain(all.filter_map(said)).collect()
    }

    /// Changes something; says what.
    pub fn edit(&mut self) -> String {
        let n = self.random.below(self.modules.len());
        let count = self.modules.len();
        let random = &mut self.random;
        if let Some(effects) = self.effects.as_mut().filter(|_| random.one_in(8)) {
            if random.one_in(2) {
                effects.default = random.one_in(2).then(|| random.below(5) as u32);
            } else {
                effects.handler = random.one_in(2).then(|| random.below(9) as u32);
            }
            return "who handles an effect".to_owned();
        }
        let module = &mut self.modules[n];
        let at = random.below(module.functions.len());
        let function = &mut module.functions[at];
        let what = match random.below(24) {
            0..=2 => {
                function.body += 1;
                "a body"
            }
            3 => {
                function.performs ^= true;
                "what a body performs"
            }
            4 => {
                function.ret = random.below(3) as u32;
                "a result type"
            }
            5 => {
                function.param = random.below(3) as u32;
                "a parameter's type"
            }
            6 => {
                function.gives_text ^= true;
                "what a body gives"
            }
            7 => {
                function.private ^= true;
                "private or not"
            }
            8 => {
                let other = random.one_in(3).then(|| random.below(count)).or(module.imports.first().copied());
                function.calls = other.map(|other| (other, random.below(4)));
                "a call"
            }
            9 => {
                module.comments += 1;
                "a comment"
            }
            10 => {
                module.fields = 1 + random.below(3) as u32;
                "fields"
            }
            11 => {
                module.variants = 1 + random.below(3) as u32;
                "variants"
            }
            12 => {
                module.constant = random.one_in(3).then(|| random.below(7) as i64 - 1);
                "a constant"
            }
            13 => {
                module.has_impl ^= true;
                "an impl"
            }
            14 => {
                module.extends = if module.extends.is_some() { None } else { Some(random.below(2) as u32) };
                "methods for Int"
            }
            15 => {
                module.imports = imports(random, n, count);
                module.style = style(random);
                "imports"
            }
            16 => {
                function.name += 100;
                "a name"
            }
            17 => {
                let new = self::function(random, module.functions.len() as u32 + 50, &module.imports);
                if module.functions.len() > 3 {
                    module.functions.truncate(2)
                } else {
                    module.functions.push(new)
                }
                "functions"
            }
            18 => {
                module.bound = *random.pick(&[None, Some("Ord"), Some("Show + Eq")]);
                "a bound"
            }
            19 | 20 => {
                module.quotes = if random.one_in(6) { None } else { Some(random.below(10) as u32) };
                "a macro"
            }
            21 => {
                module.uses = (n > 0 && !random.one_in(4)).then(|| random.below(n));
                "the use of a macro"
            }
            22 => {
                module.includes = Some(module.includes.map_or(0, |it| it + 1));
                "an included file"
            }
            _ => {
                self.away[n] ^= true;
                "a file that goes or comes back"
            }
        };
        format!("{what} in m{n}")
    }

    fn main(&self) -> String {
        let mut text = String::from("import Named from m0\n");
        for (n, module) in self.modules.iter().enumerate() {
            if n % 2 == 0 || module.has_impl || module.uses.is_some() || module.includes.is_some() {
                writeln!(text, "import m{n}").expect("a text takes all");
            }
        }
        let handler = self.effects.as_ref().and_then(|it| it.handler);
        if handler.is_some() {
            text += "import Asked from m0\n";
        }
        text += "\ndef main\n";
        match handler {
            Some(n) if n % 3 == 2 => {
                text += &format!(
                    "  h = handler Asked\n    def ask(k)\n      rest = resume(k * {n})\n      rest\n    end\n  end\n  with h do\n"
                );
            }
            Some(n) => {
                text +=
                    &format!("  h = handler Asked\n    def ask(k) = resume(k * {n})\n  end\n  with h do\n")
            }
            None => {}
        }
        for (n, module) in self.modules.iter().enumerate() {
            if n % 2 == 0 {
                for function in module.functions.iter().filter(|it| !it.private && it.name < 100) {
                    let argument = if function.param == 1 { "\"a\"" } else { "2" };
                    writeln!(text, "  puts(m{n}::f{}({argument}))", function.name).expect("a text takes all");
                }
            }
            if module.uses.is_some() {
                writeln!(text, "  puts(m{n}::made{n}({n}))").expect("a text takes all");
            }
            if module.includes.is_some() {
                writeln!(text, "  puts(m{n}::SAID{n})").expect("a text takes all");
            }
            if module.has_impl {
                let fields: Vec<String> = (0..module.fields).map(|it| format!("x{it}: {it}")).collect();
                writeln!(text, "  puts((m{n}::S{n} {{ {} }}).named())", fields.join(", "))
                    .expect("a text takes all");
            }
        }
        if self.modules.iter().any(|it| it.extends == Some(1)) {
            text += "  puts(3.more1())\n";
        }
        if handler.is_some() {
            text += "  end\n";
        }
        text + "end\n"
    }

    fn text(&self, n: usize) -> String {
        let module = &self.modules[n];
        let mut text = String::new();
        let mut line = |it: String| {
            text += &it;
            text.push('\n');
        };
        (0..module.comments).for_each(|it| line(format!("# Remark {it}.")));
        for &other in &module.imports {
            line(format!("import m{other}"));
            match module.style {
                Style::Named => {}
                Style::Wildcard => line(format!("import * from m{other}")),
                Style::Listed => line(format!("import S{other} from m{other}")),
            }
        }
        if let Some(other) = module.uses {
            line(format!("import q{other} from m{other}"));
        }
        match &self.effects {
            Some(effects) if n == 0 => {
                let default = effects.default.map(|it| format!(" = n + {it}")).unwrap_or_default();
                line(format!("\neffect Asked\n  def ask(n: Int): Int{default}\nend"));
            }
            Some(_) if module.functions.iter().any(|it| it.performs) => line("import ask from m0".into()),
            _ => {}
        }
        if n == 0 {
            line("\ntrait Named\n  def named(self): String\n  def twice(self) = self.named() + self.named()\nend".into());
        }
        line(format!("\nstruct S{n}"));
        (0..module.fields).for_each(|it| line(format!("  x{it}: Int")));
        line("\n  def first(self) = self.x0\nend".into());
        line(format!("\nenum E{n}"));
        (0..module.variants).for_each(|it| line(format!("  V{n}{it}(Int)")));
        line("end".into());
        if let Some(value) = module.constant {
            line(format!("\nconst C{n} = 12 / {value}"));
        }
        if module.has_impl {
            let named = if n == 0 { "Named" } else { "m0::Named" };
            line(format!("\nimpl {named} for S{n}\n  def named(self): String = \"s{n} #{{self.x0}}\"\nend"));
        }
        if let Some(which) = module.extends {
            line(format!("\nextend Int\n  def more{which}(self) = self + {n}\nend"));
        }
        if let Some(which) = module.quotes {
            let ty = if which % 5 == 4 { "String" } else { "Int" };
            line(format!("\nmacro q{n}(x)\n  quote do\n    hidden{n}($x + {which})\n  end\nend"));
            line(format!("\nprivate def hidden{n}(a: {ty}): {ty} = a + {}", which / 2));
        }
        if let Some(other) = module.uses {
            line(format!("\ndef made{n}(a: Int): Int = $q{other}(a * 2)"));
        }
        if module.includes.is_some() {
            line(format!("\nconst SAID{n} = include_str(\"said{n}.txt\")"));
        }
        let bound = module.bound.map(|it| format!(": {it}")).unwrap_or_default();
        line(format!("\ndef pick{n}<T{bound}>(a: T, b: T, first: Bool) = if first then a else b end"));
        for function in &module.functions {
            line(self.function(module, n, function));
        }
        text
    }

    fn function(&self, module: &Module, n: usize, it: &Function) -> String {
        let types = [": Int", ": String", ""];
        let (param, ret) = (types[it.param as usize], types[it.ret as usize]);
        let gives_text = it.ret == 1 || (it.ret == 2 && it.gives_text);
        let private = if it.private { "private " } else { "" };
        let mut text = format!("\n{private}def f{}(a{param}){ret}\n", it.name);
        if let Some((other, which)) = it.calls {
            let target = &self.modules[other];
            let callee = &target.functions[which % target.functions.len()];
            let argument = if callee.param == 1 { "\"b\"" } else { "1" };
            let path = if other == n { String::new() } else { format!("m{other}::") };
            // Circles of calls would not end.
            if other < n {
                text += &format!("  y = {path}f{}({argument})\n", callee.name);
            }
        }
        if let Some(value) = module.constant.filter(|_| it.body % 2 == 1) {
            text += &format!("  z = C{n} + {value}\n");
        }
        let asked = if it.performs && self.effects.is_some() {
            format!("{} + ask({})", it.body, it.name)
        } else {
            it.body.to_string()
        };
        text += &format!("  e = E{n}::V{n}0({asked})\n  x = match e\n");
        (0..module.variants).for_each(|v| text += &format!("    E{n}::V{n}{v}(k) => k + {v}\n"));
        text += "  end\n";
        if it.panics {
            text += &format!("  if x == {}\n    panic(\"at #{{x}}\")\n  end\n", it.body + 40);
        }
        text += &match (gives_text, it.param) {
            (true, _) => format!("  pick{n}(\"t\", \"u\", x > {}) + \"#{{a}}\"\n", it.body % 3),
            (false, 0) => format!("  pick{n}(a, x, x > {}) + x\n", it.body % 3),
            (false, _) => format!("  pick{n}(x, 7, x > {})\n", it.body % 3),
        };
        text + "end\n"
    }
}

fn module(random: &mut Random, n: usize, count: usize) -> Module {
    let imports = imports(random, n, count);
    let functions = (0..1 + random.below(3)).map(|it| function(random, it as u32, &imports)).collect();
    Module {
        imports,
        style: style(random),
        functions,
        fields: 1 + random.below(3) as u32,
        variants: 1 + random.below(3) as u32,
        constant: random.one_in(2).then(|| 1 + random.below(5) as i64),
        has_impl: n == 0 || random.one_in(3),
        extends: random.one_in(5).then_some(0),
        bound: None,
        comments: 0,
        quotes: random.one_in(4).then_some(1),
        uses: None,
        includes: random.one_in(6).then_some(0),
    }
}

fn function(random: &mut Random, name: u32, seen: &[usize]) -> Function {
    let calls = (!seen.is_empty() && random.one_in(2)).then(|| (*random.pick(seen), random.below(3)));
    Function {
        name,
        param: random.below(2) as u32,
        ret: random.below(3) as u32,
        gives_text: random.one_in(2),
        body: random.below(5) as u32,
        private: random.one_in(12),
        calls,
        panics: random.one_in(4),
        performs: random.one_in(4),
    }
}

/// Mostly earlier modules; sometimes a later one, which makes circles.
fn imports(random: &mut Random, n: usize, count: usize) -> Vec<usize> {
    let mut found: Vec<usize> = (0..n).filter(|_| !random.one_in(3)).collect();
    if n > 0 && !found.contains(&0) {
        found.insert(0, 0);
    }
    if random.one_in(4) && n + 1 < count {
        found.push(n + 1 + random.below(count - n - 1));
    }
    found
}

fn style(random: &mut Random) -> Style {
    *random.pick(&[Style::Named, Style::Named, Style::Named, Style::Wildcard, Style::Listed])
}

//! Makes a well-typed Quartz program from a number: structs, enums, generic functions, closures, vectors, maps,
//! text, loops, `defer`, Options and Results with `?`, and arithmetic that may panic.
//!
//! Every program ends: loops count over small ranges and functions call only those above them. It prints what it
//! computes, so that two engines that differ anywhere print different things. The number is all it depends on.
//! Start reading at [`program`]; expressions are in `exprs`, statements in `stmts`.

mod bodies;
mod exprs;
mod loops;
mod macros;
mod project;
mod random;
mod rows;
mod stmts;
mod trees;

use std::fmt::Write as _;

use random::Random;

pub use bodies::Bodies;
pub use loops::loops;
pub use macros::macros;
pub use project::{File, Project};
pub use rows::Rows;
pub use trees::trees;

/// A type of the generated language.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Ty {
    Int,
    Bool,
    Str,
    Vec(Box<Ty>),
    Opt(Box<Ty>),
    Map(Box<Ty>),
    Pair(Box<Ty>, Box<Ty>),
    Struct(usize),
    Enum(usize),
    /// `Fn(Int): T`
    Fn(Box<Ty>),
}

struct StructDef {
    fields: Vec<Ty>,
    is_value: bool,
}

struct EnumDef {
    variants: Vec<Vec<Ty>>,
}

struct FnDef {
    params: Vec<Ty>,
    /// What it gives; as `Result<T, String>` if it may fail.
    ret: Ty,
    fails: bool,
}

struct Name {
    text: String,
    ty: Ty,
    mutable: bool,
}

/// What the function being written gives its caller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaves {
    Plainly,
    WithErrors,
}

struct Gen {
    random: Random,
    out: String,
    indent: usize,
    structs: Vec<StructDef>,
    enums: Vec<EnumDef>,
    fns: Vec<FnDef>,
    names: Vec<Name>,
    fresh: usize,
    leaves: Leaves,
    /// Statements that may still be written in this function.
    budget: usize,
    in_loop: bool,
    /// Lambdas around: what is written there cannot leave the function.
    lambdas: usize,
}

/// The program of a number.
pub fn program(seed: u64) -> String {
    let mut gen_ = Gen {
        random: Random::new(seed),
        out: String::new(),
        indent: 0,
        structs: Vec::new(),
        enums: Vec::new(),
        fns: Vec::new(),
        names: Vec::new(),
        fresh: 0,
        leaves: Leaves::Plainly,
        budget: 0,
        in_loop: false,
        lambdas: 0,
    };
    gen_.program();
    gen_.out
}

impl Gen {
    fn line(&mut self, text: &str) {
        writeln!(self.out, "{}{text}", "  ".repeat(self.indent)).expect("a string takes everything");
    }

    fn program(&mut self) {
        for _ in 0..1 + self.random.below(3) {
            self.struct_def();
        }
        for _ in 0..1 + self.random.below(3) {
            self.enum_def();
        }
        self.line("def same<T: Eq>(a: T, b: T): Bool = a == b");
        self.line("def pick<T>(first: Bool, a: T, b: T): T = if first then a else b end");
        self.line("def twice<T>(f: Fn(T): T, x: T): T = f(f(x))");
        self.line("def shown(x) = \"<#{x.show}>\"\n");
        for _ in 0..2 + self.random.below(4) {
            self.fn_def();
        }
        self.main();
    }

    fn struct_def(&mut self) {
        let id = self.structs.len();
        let is_value = self.random.one_in(3);
        if is_value {
            self.line("@value");
        }
        self.line(&format!("struct S{id}"));
        let fields: Vec<Ty> = (0..1 + self.random.below(4)).map(|_| self.data_ty(2)).collect();
        for (n, ty) in fields.iter().enumerate() {
            let text = self.ty(ty);
            self.line(&format!("  f{n}: {text}"));
        }
        self.line("end\n");
        self.structs.push(StructDef { fields, is_value });
    }

    fn enum_def(&mut self) {
        let id = self.enums.len();
        self.line(&format!("enum E{id}"));
        let mut variants = Vec::new();
        for n in 0..2 + self.random.below(3) {
            // The first variant is empty or holds numbers, so that every enum has small values.
            let parts: Vec<Ty> = match n {
                0 => vec![Ty::Int; self.random.below(2)],
                // Values of its own kind.
                1 if self.random.one_in(2) => vec![Ty::Enum(id), Ty::Int],
                _ => (0..self.random.below(3)).map(|_| self.data_ty(2)).collect(),
            };
            let texts: Vec<String> = parts.iter().map(|ty| self.ty(ty)).collect();
            let list = if parts.is_empty() { String::new() } else { format!("({})", texts.join(", ")) };
            self.line(&format!("  V{id}{n}{list}"));
            variants.push(parts);
        }
        self.line("end\n");
        self.enums.push(EnumDef { variants });
    }

    /// A type of values that can be compared and shown.
    fn data_ty(&mut self, depth: usize) -> Ty {
        match self.random.below(if depth == 0 { 4 } else { 12 }) {
            0 | 1 | 4 => Ty::Int,
            2 => Ty::Bool,
            3 => Ty::Str,
            5 => Ty::Opt(Box::new(self.data_ty(depth - 1))),
            6 | 7 => Ty::Vec(Box::new(self.data_ty(depth - 1))),
            8 => Ty::Map(Box::new(self.data_ty(depth - 1))),
            9 => Ty::Pair(Box::new(self.data_ty(depth - 1)), Box::new(self.data_ty(depth - 1))),
            10 if !self.structs.is_empty() => Ty::Struct(self.random.below(self.structs.len())),
            11 if !self.enums.is_empty() => Ty::Enum(self.random.below(self.enums.len())),
            _ => Ty::Str,
        }
    }

    fn ty(&self, ty: &Ty) -> String {
        match ty {
            Ty::Int => "Int".into(),
            Ty::Bool => "Bool".into(),
            Ty::Str => "String".into(),
            Ty::Vec(of) => format!("Vec<{}>", self.ty(of)),
            Ty::Opt(of) => format!("Option<{}>", self.ty(of)),
            Ty::Map(of) => format!("Map<String, {}>", self.ty(of)),
            Ty::Pair(a, b) => format!("({}, {})", self.ty(a), self.ty(b)),
            Ty::Struct(id) => format!("S{id}"),
            Ty::Enum(id) => format!("E{id}"),
            Ty::Fn(of) => format!("Fn(Int): {}", self.ty(of)),
        }
    }

    fn fn_def(&mut self) {
        let id = self.fns.len();
        let params: Vec<Ty> = (0..1 + self.random.below(3))
            .map(|_| match self.random.below(6) {
                0 => Ty::Fn(Box::new(Ty::Int)),
                _ => self.data_ty(2),
            })
            .collect();
        let (ret, fails) = (self.data_ty(2), self.random.one_in(3));
        let list: Vec<String> =
            params.iter().enumerate().map(|(n, ty)| format!("a{n}: {}", self.ty(ty))).collect();
        let shown = self.ty(&ret);
        let result = if fails { format!("Result<{shown}, String>") } else { shown };
        self.line(&format!("def g{id}({}): {result}", list.join(", ")));
        self.names = params
            .iter()
            .enumerate()
            .map(|(n, ty)| Name { text: format!("a{n}"), ty: ty.clone(), mutable: false })
            .collect();
        self.leaves = if fails { Leaves::WithErrors } else { Leaves::Plainly };
        self.body(8);
        let value = self.expr(&ret, 3);
        self.indent += 1;
        self.line(&if fails { format!("Ok({value})") } else { value });
        self.indent -= 1;
        self.line("end\n");
        self.fns.push(FnDef { params, ret, fails });
    }

    fn main(&mut self) {
        self.line("def main");
        self.names.clear();
        self.leaves = Leaves::Plainly;
        self.body(14);
        self.indent += 1;
        for id in 0..self.fns.len() {
            let call = self.call(id, 2);
            self.line(&format!("puts({call})"));
        }
        self.indent -= 1;
        self.line("end");
    }

    fn body(&mut self, budget: usize) {
        self.budget = budget;
        self.in_loop = false;
        self.indent += 1;
        while self.budget > 0 {
            self.stmt();
        }
        self.indent -= 1;
    }

    fn fresh(&mut self, of: &str) -> String {
        self.fresh += 1;
        format!("{of}{}", self.fresh)
    }
}

/// A program with a few of its tokens dropped, doubled, exchanged or replaced by others of the same text.
pub fn damage(text: &str, seed: u64) -> String {
    let mut random = Random::new(seed ^ 0xda3a);
    let mut parts: Vec<String> = Vec::new();
    for c in text.chars() {
        let joins = |last: &char| last.is_alphanumeric() && c.is_alphanumeric();
        match parts.last_mut() {
            Some(part) if part.chars().last().as_ref().is_some_and(joins) => part.push(c),
            _ => parts.push(c.to_string()),
        }
    }
    for _ in 0..1 + random.below(4) {
        if parts.is_empty() {
            break;
        }
        let (at, other) = (random.below(parts.len()), random.below(parts.len()));
        match random.below(4) {
            0 => drop(parts.remove(at)),
            1 => parts.insert(at, parts[other].clone()),
            2 => parts.swap(at, other),
            _ => parts[at] = parts[other].clone(),
        }
    }
    parts.concat()
}

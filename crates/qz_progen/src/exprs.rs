//! Expressions of a wanted type.

use crate::{Gen, Leaves, Name, Ty};

const WORDS: &[&str] = &["", "a", "quartz", "héllo", "two words", "0", "-17", "x\\ny", "𝔘nicode"];
const NUMBERS: &[&str] = &["0", "1", "2", "3", "7", "-1", "10", "100", "-5"];
/// Sums and products of these overflow.
const LARGE: &[&str] = &["1_000_000_007", "4611686018427387904", "-9223372036854775808"];
/// What may panic is written once in so many places where it could be: most programs should get far.
const RARELY: usize = 60;

impl Gen {
    /// An expression of this type, in parentheses if it could be misread where it stands.
    pub(crate) fn expr(&mut self, ty: &Ty, depth: usize) -> String {
        if self.random.one_in(3)
            && let Some(name) = self.name_of(ty)
        {
            return name;
        }
        if depth == 0 {
            return self.leaf(ty);
        }
        match self.random.below(14) {
            0 => {
                let (cond, a, b) =
                    (self.expr(&Ty::Bool, depth - 1), self.expr(ty, depth - 1), self.expr(ty, depth - 1));
                format!("(if {cond} then {a} else {b} end)")
            }
            1 if !matches!(ty, Ty::Fn(_)) => {
                let (cond, a, b) =
                    (self.expr(&Ty::Bool, depth - 1), self.expr(ty, depth - 1), self.expr(ty, depth - 1));
                format!("pick<{}>({cond}, {a}, {b})", self.ty(ty))
            }
            2 => match self.fn_giving(ty) {
                Some(id) if self.fns[id].fails => self.handled(id, ty, depth - 1),
                Some(id) => self.call(id, depth - 1),
                None => self.special(ty, depth),
            },
            3 => self.part_of_something(ty).unwrap_or_else(|| self.leaf(ty)),
            4 => {
                let option = self.expr(&Ty::Opt(Box::new(ty.clone())), depth - 1);
                let other = self.expr(ty, depth - 1);
                format!("(({option}) ?? {other})")
            }
            5 if self.random.one_in(RARELY) && !matches!(ty, Ty::Fn(_)) => {
                let option = self.expr(&Ty::Opt(Box::new(ty.clone())), depth - 1);
                format!("({option})!")
            }
            6 if !matches!(ty, Ty::Fn(_)) => {
                let (list, at) =
                    (self.expr(&Ty::Vec(Box::new(ty.clone())), depth - 1), self.small(depth - 1));
                if self.random.one_in(RARELY) {
                    return format!("({list})[{at}]");
                }
                let other = self.expr(ty, depth - 1);
                match self.random.below(2) {
                    0 => format!("([{other}] + {list})[0]"),
                    _ => format!("(({list}).get({at}) ?? {other})"),
                }
            }
            7 => {
                let f = self.expr(&Ty::Fn(Box::new(ty.clone())), depth - 1);
                let arg = self.expr(&Ty::Int, depth - 1);
                format!("({f})({arg})")
            }
            _ => self.special(ty, depth),
        }
    }

    fn name_of(&mut self, ty: &Ty) -> Option<String> {
        let fitting: Vec<String> =
            self.names.iter().filter(|it| it.ty == *ty).map(|it| it.text.clone()).collect();
        (!fitting.is_empty()).then(|| self.random.pick(&fitting).clone())
    }

    fn fn_giving(&mut self, ty: &Ty) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.fns.len()).filter(|&id| self.fns[id].ret == *ty).collect();
        (!fitting.is_empty()).then(|| *self.random.pick(&fitting))
    }

    pub(crate) fn call(&mut self, id: usize, depth: usize) -> String {
        let params = self.fns[id].params.clone();
        let args: Vec<String> = params.iter().map(|ty| self.expr(ty, depth)).collect();
        format!("g{id}({})", args.join(", "))
    }

    /// A call that may fail, as a value.
    fn handled(&mut self, id: usize, ty: &Ty, depth: usize) -> String {
        let call = self.call(id, depth);
        if self.leaves == Leaves::WithErrors && self.lambdas == 0 && self.random.one_in(2) {
            return format!("{call}?");
        }
        let other = self.expr(ty, depth);
        format!("{call}.unwrap_or({other})")
    }

    /// A number that is often a good index.
    fn small(&mut self, depth: usize) -> String {
        if self.random.one_in(8) {
            return self.expr(&Ty::Int, depth);
        }
        (*self.random.pick(&["0", "0", "0", "-1", "1"])).to_owned()
    }

    fn part_of_something(&mut self, ty: &Ty) -> Option<String> {
        let mut found = Vec::new();
        for name in &self.names {
            match &name.ty {
                Ty::Struct(id) => {
                    for (n, field) in self.structs[*id].fields.iter().enumerate() {
                        if field == ty {
                            found.push(format!("{}.f{n}", name.text));
                        }
                    }
                }
                Ty::Pair(a, b) => {
                    for (n, part) in [a, b].into_iter().enumerate() {
                        if **part == *ty {
                            found.push(format!("{}.{n}", name.text));
                        }
                    }
                }
                Ty::Map(of) if Ty::Opt(of.clone()) == *ty => found.push(format!("{}.get(\"a\")", name.text)),
                Ty::Vec(of) if Ty::Opt(of.clone()) == *ty => found.push(format!("{}.get(1)", name.text)),
                _ => {}
            }
        }
        (!found.is_empty()).then(|| self.random.pick(&found).clone())
    }

    fn leaf(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::Int if self.random.one_in(RARELY) => (*self.random.pick(LARGE)).to_owned(),
            Ty::Int => (*self.random.pick(NUMBERS)).to_owned(),
            Ty::Bool => (*self.random.pick(&["true", "false"])).to_owned(),
            Ty::Str => format!("\"{}\"", self.random.pick(WORDS)),
            Ty::Vec(of) => format!("Vec<{}>.new()", self.ty(of)),
            Ty::Map(of) => format!("Map<String, {}>.new()", self.ty(of)),
            Ty::Opt(of) if self.random.one_in(2) => format!("Some({})", self.leaf(of)),
            Ty::Opt(of) => format!("Option<{}>::None", self.ty(of)),
            Ty::Pair(a, b) => format!("({}, {})", self.leaf(a), self.leaf(b)),
            Ty::Struct(_) => self.build(ty, 0),
            Ty::Enum(id) => {
                let parts = self.enums[*id].variants[0].clone();
                self.variant(*id, 0, &parts, 0)
            }
            Ty::Fn(of) => {
                let value = self.leaf(of);
                format!("((_n: Int) -> {value})")
            }
        }
    }

    fn build(&mut self, ty: &Ty, depth: usize) -> String {
        let Ty::Struct(id) = ty else { return self.leaf(ty) };
        let fields = self.structs[*id].fields.clone();
        let mut parts = Vec::new();
        for (n, field) in fields.iter().enumerate() {
            let value = if depth == 0 { self.leaf(field) } else { self.expr(field, depth - 1) };
            parts.push(format!("f{n}: {value}"));
        }
        format!("S{id} {{ {} }}", parts.join(", "))
    }

    fn variant(&mut self, id: usize, n: usize, parts: &[Ty], depth: usize) -> String {
        let values: Vec<String> = parts
            .iter()
            .map(|part| if depth == 0 { self.leaf(part) } else { self.expr(part, depth - 1) })
            .collect();
        let list = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
        format!("E{id}::V{id}{n}{list}")
    }

    /// What only this type has.
    fn special(&mut self, ty: &Ty, depth: usize) -> String {
        let below = depth - 1;
        match ty {
            Ty::Int => self.int(below),
            Ty::Bool => self.truth(below),
            Ty::Str => self.text(below),
            Ty::Vec(of) => self.list(of, below),
            Ty::Map(of) => {
                let entries: Vec<String> = ["a", "b", "héllo"][..1 + self.random.below(3)]
                    .iter()
                    .map(|key| format!("\"{key}\" => {}", self.expr(of, below)))
                    .collect();
                format!("({{ {} }})", entries.join(", "))
            }
            Ty::Opt(of) => match self.random.below(3) {
                0 => {
                    let list = self.expr(&Ty::Vec(of.clone()), below);
                    format!("({list}).{}()", self.random.pick(&["first", "last"]))
                }
                _ => format!("Some({})", self.expr(of, below)),
            },
            Ty::Pair(a, b) => format!("({}, {})", self.expr(a, below), self.expr(b, below)),
            Ty::Struct(id) if self.random.one_in(3) => {
                let field = self.structs[*id].fields[0].clone();
                let (base, value) = (self.expr(ty, below), self.expr(&field, below));
                format!("({base}).with {{ f0: {value} }}")
            }
            Ty::Struct(_) => self.build(ty, depth),
            Ty::Enum(id) => {
                let n = self.random.below(self.enums[*id].variants.len());
                let parts = self.enums[*id].variants[n].clone();
                self.variant(*id, n, &parts, below)
            }
            Ty::Fn(of) => {
                let param = self.fresh("n");
                self.names.push(Name { text: param.clone(), ty: Ty::Int, mutable: false });
                self.lambdas += 1;
                let value = self.expr(of, below);
                self.lambdas -= 1;
                self.names.pop();
                format!("(({param}: Int) -> {value})")
            }
        }
    }

    fn int(&mut self, depth: usize) -> String {
        let a = self.expr(&Ty::Int, depth);
        let b = self.expr(&Ty::Int, depth);
        match self.random.below(12) {
            0 | 1 => format!("({a} + {b})"),
            2 => format!("({a} - {b})"),
            3 => format!("({a} * {})", self.random.pick(NUMBERS)),
            4 if self.random.one_in(RARELY) => format!("({a} / {b})"),
            4 => format!("({a} / {})", self.random.pick(&["2", "3", "-7"])),
            5 => format!("({a} % {})", self.random.pick(&["2", "3", "-7", "100"])),
            6 => format!("({a} &* {b})"),
            7 => format!("({a} ^ {b})"),
            8 => format!("({}).size", self.expr(&Ty::Str, depth)),
            9 => {
                let of = self.data_ty(1);
                format!("({}).size", self.expr(&Ty::Vec(Box::new(of)), depth))
            }
            10 => {
                let list = self.expr(&Ty::Vec(Box::new(Ty::Int)), depth);
                format!("({list}).reduce({a}) do x, y -> x &+ y end")
            }
            _ => {
                let f = self.expr(&Ty::Fn(Box::new(Ty::Int)), depth);
                format!("twice({f}, {a})")
            }
        }
    }

    fn truth(&mut self, depth: usize) -> String {
        match self.random.below(7) {
            0 => format!("({} < {})", self.expr(&Ty::Int, depth), self.expr(&Ty::Int, depth)),
            1 => format!("({} and {})", self.expr(&Ty::Bool, depth), self.expr(&Ty::Bool, depth)),
            2 => format!("({} or {})", self.expr(&Ty::Bool, depth), self.expr(&Ty::Bool, depth)),
            3 => format!("(not {})", self.expr(&Ty::Bool, depth)),
            4 => format!("({} <= {})", self.expr(&Ty::Str, depth), self.expr(&Ty::Str, depth)),
            _ => {
                let ty = self.data_ty(2);
                let (a, b) = (self.expr(&ty, depth), self.expr(&ty, depth));
                let shown = self.ty(&ty);
                if self.random.one_in(2) {
                    format!("same<{shown}>({a}, {b})")
                } else {
                    format!("({a} == {b})")
                }
            }
        }
    }

    fn text(&mut self, depth: usize) -> String {
        match self.random.below(6) {
            0 => format!("({} + {})", self.expr(&Ty::Str, depth), self.expr(&Ty::Str, depth)),
            1 => format!("({}).upper", self.expr(&Ty::Str, depth)),
            2 => format!("({}).reversed", self.expr(&Ty::Str, depth)),
            3 => {
                let ty = self.data_ty(1);
                format!("shown({})", self.expr(&ty, depth))
            }
            _ => {
                let ty = self.data_ty(2);
                let value = self.expr(&ty, depth);
                format!("\"[#{{{value}}}]\"")
            }
        }
    }

    fn list(&mut self, of: &Ty, depth: usize) -> String {
        let list = Ty::Vec(Box::new(of.clone()));
        match self.random.below(7) {
            0 => format!("({} + {})", self.expr(&list, depth), self.expr(&list, depth)),
            1 => format!("({}).reversed", self.expr(&list, depth)),
            2 => format!("({}).take({})", self.expr(&list, depth), self.small(depth)),
            3 => {
                let source = self.expr(&Ty::Vec(Box::new(Ty::Int)), depth);
                let f = self.expr(&Ty::Fn(Box::new(of.clone())), depth);
                format!("({source}).map({f})")
            }
            4 => format!("[{}; {}]", self.expr(of, depth), self.random.below(4)),
            5 => {
                let name = self.fresh("c");
                self.names.push(Name { text: name.clone(), ty: Ty::Int, mutable: false });
                // Comprehensions are loops of this function, so `?` in them leaves it.
                let value = self.expr(of, depth);
                self.names.pop();
                format!("[{value} for {name} in 0..{}]", 1 + self.random.below(3))
            }
            _ => {
                let items: Vec<String> =
                    (0..1 + self.random.below(3)).map(|_| self.expr(of, depth)).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }
}

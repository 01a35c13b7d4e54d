//! Statements, each written on lines of its own.

use crate::{Gen, Leaves, Name, Ty};

impl Gen {
    pub(crate) fn stmt(&mut self) {
        // Blocks cost what is in them, so a function's size is bounded: at the end there are plain statements.
        let plain = self.budget <= 1;
        self.budget = self.budget.saturating_sub(1);
        match self.random.below(if plain { 7 } else { 17 }) {
            0..=2 => self.bind(false),
            3 | 4 => self.bind(true),
            5 | 6 => self.assign(),
            7 => self.if_stmt(),
            8 => self.for_stmt(),
            9 => self.match_enum(),
            10 => self.match_option(),
            11 => self.change(),
            12 => {
                // What is deferred cannot leave the function, like what stands in a lambda.
                self.lambdas += 1;
                let text = self.expr(&Ty::Str, 2);
                self.lambdas -= 1;
                let n = self.random.below(100);
                self.line(&format!("defer puts(\"later {n} #{{{text}}}\")"));
            }
            13 if self.leaves == Leaves::WithErrors && self.lambdas == 0 => {
                let (cond, text) = (self.expr(&Ty::Bool, 2), self.expr(&Ty::Str, 1));
                self.line(&format!("return Err({text}) if {cond}"));
            }
            14 if self.in_loop => {
                let cond = self.expr(&Ty::Bool, 2);
                let word = *self.random.pick(&["next", "break"]);
                self.line(&format!("{word} if {cond}"));
            }
            15 => self.capture(),
            16 => self.caught(),
            _ => {
                let ty = self.data_ty(2);
                let value = self.expr(&ty, 3);
                self.line(&format!("puts({value})"));
            }
        }
    }

    fn bind(&mut self, mutable: bool) {
        // A variable of a closure could be captured by what is assigned to it: a circle, which is never given back.
        let ty = if !mutable && self.random.one_in(7) {
            Ty::Fn(Box::new(self.data_ty(1)))
        } else {
            self.data_ty(2)
        };
        let value = self.expr(&ty, 3);
        let text = self.fresh("v");
        let (word, shown) = (if mutable { "var " } else { "" }, self.ty(&ty));
        self.line(&format!("{word}{text}: {shown} = {value}"));
        self.names.push(Name { text, ty, mutable });
    }

    fn assign(&mut self) {
        let places: Vec<(String, Ty)> =
            self.names.iter().filter(|it| it.mutable).map(|it| (it.text.clone(), it.ty.clone())).collect();
        if places.is_empty() {
            return self.bind(true);
        }
        let (text, ty) = self.random.pick(&places).clone();
        let value = self.expr(&ty, 3);
        let op = if ty == Ty::Int && self.random.one_in(2) { "+=" } else { "=" };
        self.line(&format!("{text} {op} {value}"));
    }

    /// Changes a shared object, or a value in a variable, in place.
    fn change(&mut self) {
        let things: Vec<(String, Ty, bool)> =
            self.names.iter().map(|it| (it.text.clone(), it.ty.clone(), it.mutable)).collect();
        let mut found = Vec::new();
        for (text, ty, mutable) in &things {
            match ty {
                Ty::Vec(of) => found.push((format!("{text}.push("), (**of).clone(), ")")),
                Ty::Map(of) => found.push((format!("{text}[\"b\"] = "), (**of).clone(), "")),
                Ty::Struct(id) if *mutable || !self.structs[*id].is_value => {
                    found.push((format!("{text}.f0 = "), self.structs[*id].fields[0].clone(), ""));
                }
                _ => {}
            }
        }
        if found.is_empty() {
            return self.bind(false);
        }
        let (before, ty, after) = self.random.pick(&found).clone();
        // The value may walk the very thing: it is computed first.
        let value = self.expr(&ty, 2);
        let text = self.fresh("w");
        self.line(&format!("{text} = {value}"));
        self.line(&format!("{before}{text}{after}"));
    }

    /// A block of statements, with its own names.
    fn block(&mut self) {
        let names = self.names.len();
        self.indent += 1;
        for _ in 0..1 + self.random.below(3) {
            self.stmt();
        }
        self.indent -= 1;
        self.names.truncate(names);
    }

    fn if_stmt(&mut self) {
        let cond = self.expr(&Ty::Bool, 3);
        self.line(&format!("if {cond}"));
        self.block();
        if self.random.one_in(2) {
            self.line("else");
            self.block();
        }
        self.line("end");
    }

    fn for_stmt(&mut self) {
        let (name, outer) = (self.fresh("i"), self.in_loop);
        let (source, ty) = if self.random.one_in(2) {
            (format!("0..{}", 1 + self.random.below(4)), Ty::Int)
        } else {
            let ty = self.data_ty(1);
            // A copy: the body may change what the expression names.
            (format!("({}).to_vec", self.expr(&Ty::Vec(Box::new(ty.clone())), 2)), ty)
        };
        self.line(&format!("for {name} in {source}"));
        let names = self.names.len();
        self.names.push(Name { text: name, ty, mutable: false });
        self.in_loop = true;
        self.block();
        self.in_loop = outer;
        self.names.truncate(names);
        self.line("end");
    }

    fn match_enum(&mut self) {
        let id = self.random.below(self.enums.len());
        let subject = self.expr(&Ty::Enum(id), 3);
        self.line(&format!("match {subject}"));
        self.indent += 1;
        for n in 0..self.enums[id].variants.len() {
            let parts = self.enums[id].variants[n].clone();
            let names = self.names.len();
            let mut texts = Vec::new();
            for ty in parts {
                let text = self.fresh("m");
                texts.push(text.clone());
                self.names.push(Name { text, ty, mutable: false });
            }
            let list = if texts.is_empty() { String::new() } else { format!("({})", texts.join(", ")) };
            if self.random.one_in(3) {
                let guard = self.expr(&Ty::Bool, 2);
                self.line(&format!("V{id}{n}{list} if {guard} =>"));
                self.block();
            }
            self.line(&format!("V{id}{n}{list} =>"));
            self.block();
            self.names.truncate(names);
        }
        self.indent -= 1;
        self.line("end");
    }

    fn match_option(&mut self) {
        let ty = self.data_ty(2);
        let subject = self.expr(&Ty::Opt(Box::new(ty.clone())), 3);
        let text = self.fresh("o");
        self.line(&format!("if ({subject}) is Some({text})"));
        let names = self.names.len();
        self.names.push(Name { text, ty, mutable: false });
        self.block();
        self.names.truncate(names);
        self.line("end");
    }

    /// A block whose panics are caught.
    fn caught(&mut self) {
        let (name, outer, names) = (self.fresh("c"), self.in_loop, self.names.len());
        self.line(&format!("{name} = catch_panic do"));
        self.indent += 1;
        self.in_loop = false;
        self.lambdas += 1;
        for _ in 0..1 + self.random.below(3) {
            self.stmt();
            self.may_panic();
        }
        let ty = self.data_ty(1);
        let value = self.expr(&ty, 2);
        self.line(&value);
        self.lambdas -= 1;
        self.in_loop = outer;
        self.indent -= 1;
        self.names.truncate(names);
        self.line("end");
        self.line(&format!("puts({name})"));
    }

    /// A panic, at once or in clean-up.
    fn may_panic(&mut self) {
        let (cond, n) = (self.expr(&Ty::Bool, 2), self.random.below(100));
        match self.random.below(3) {
            0 => self.line(&format!("panic(\"stop {n}\") if {cond}")),
            1 => self.line(&format!("defer (if {cond} then panic(\"late {n}\") else () end)")),
            _ => {}
        }
    }

    /// A closure that shares a variable with its surroundings.
    fn capture(&mut self) {
        let cell = self.fresh("k");
        let f = self.fresh("h");
        let (start, step) = (self.expr(&Ty::Int, 1), self.random.below(5));
        self.line(&format!("var {cell} = {start}"));
        self.line(&format!("{f} = -> {cell} = {cell} &+ {step}"));
        self.line(&format!("{f}()"));
        self.line(&format!("puts({cell})"));
        self.names.push(Name { text: cell, ty: Ty::Int, mutable: true });
    }
}

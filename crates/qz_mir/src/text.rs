//! A program written as text: declarations and generic MIR that serve as a [`Source`]. For tests of what
//! comes after lowering.
//!
//! ```text
//! ref Node { Int, Option<Node> }          a reference struct
//! value Pair<A> { A, Int }                a `@value` struct
//! enum Option<T> { None, Some(T) }
//! trait Shape 2                           a trait with two methods
//! impl Shape<Node> { node_area, node_name }
//! drop Node = drop_node                   a user's `drop`; `silent drop` for one that nobody can watch
//! var counter: Int
//! extern labs(Int) -> Int
//! fn main() -> () { … }                   as `print` writes it; `fn f<T>(…)` has a type parameter
//! lambda main 0 fn …                      lambda 0 of `main`
//! ```
//!
//! Callees are named: `call f<Int>(…)`.

use std::sync::Arc;

use qz_base::{FileId, FxHashMap, Name, Span, TextRange};
use qz_types::{AdtId, FnId, StaticId, TraitId, Ty, Tys};

use crate::body::Body;
use crate::program::{
    AdtDef, AdtKind, BodyKey, BodyPart, FieldDef, FnInfo, FnKind, Repr, Source, StaticInfo, VariantDef,
};
use crate::read::{Lookup, ReadError, Reader, Result};

/// Names, found before anything is read.
#[derive(Default)]
struct Table {
    adts: Vec<String>,
    functions: Vec<String>,
    traits: Vec<String>,
    statics: Vec<String>,
}

fn position(list: &[String], name: &str) -> Option<u32> {
    list.iter().position(|it| it == name).map(|i| i as u32)
}

impl Lookup for Table {
    fn adt(&self, name: &str) -> Option<AdtId> {
        position(&self.adts, name).map(AdtId::from_raw)
    }
    fn function(&self, name: &str) -> Option<FnId> {
        position(&self.functions, name).map(FnId::from_raw)
    }
    fn trait_(&self, name: &str) -> Option<TraitId> {
        position(&self.traits, name).map(TraitId::from_raw)
    }
    fn static_(&self, name: &str) -> Option<StaticId> {
        position(&self.statics, name).map(StaticId::from_raw)
    }
}

/// A program read from text.
#[derive(Default)]
pub struct TextProgram {
    adts: Vec<Arc<AdtDef>>,
    functions: FxHashMap<FnId, FnInfo>,
    bodies: FxHashMap<BodyKey, Arc<Body>>,
    trait_paths: Vec<Name>,
    methods: Vec<u32>,
    impls: FxHashMap<(TraitId, Ty), Vec<FnId>>,
    drops: FxHashMap<AdtId, (FnId, bool)>,
    statics: Vec<StaticInfo>,
    names: Vec<String>,
}

impl TextProgram {
    /// Reads a program.
    pub fn read(text: &str) -> std::result::Result<TextProgram, ReadError> {
        let table = find_names(text);
        let mut program = TextProgram { names: table.functions.clone(), ..TextProgram::default() };
        let mut reader = Reader::new(text, &table);
        while !reader.at_end() {
            program.item(&mut reader, &table)?;
        }
        Ok(program)
    }

    /// The function of this name.
    pub fn function_id(&self, name: &str) -> Option<FnId> {
        position(&self.names, name).map(FnId::from_raw)
    }

    fn item<'t>(&mut self, r: &mut Reader<'t>, table: &Table) -> Result<()> {
        r.ty_params.clear();
        if r.eat("ref") {
            self.adt(r, AdtKind::Reference)
        } else if r.eat("value") {
            self.adt(r, AdtKind::Value)
        } else if r.eat("enum") {
            self.enumeration(r)
        } else if r.eat("trait") {
            self.trait_paths.push(Name::new(r.path()?));
            self.methods.push(r.integer()?);
            Ok(())
        } else if r.eat("impl") {
            self.implementation(r)
        } else if r.eat("silent") {
            r.expect("drop")?;
            self.drop(r, true)
        } else if r.eat("drop") {
            self.drop(r, false)
        } else if r.eat("var") {
            let path = Name::new(r.path()?);
            r.expect(":")?;
            let ty = r.ty()?;
            self.statics.push(StaticInfo { path, ty, span: nowhere(), of_task: false });
            Ok(())
        } else if r.eat("extern") {
            self.foreign(r, table)
        } else if r.eat("lambda") {
            let function = r.function()?;
            let n = r.integer()?;
            let body = self.generic_body(r)?;
            self.add_body(BodyKey { function, part: BodyPart::Lambda(n) }, body);
            Ok(())
        } else {
            self.function(r, table)
        }
    }

    fn ty_params<'t>(&mut self, r: &mut Reader<'t>) -> Result<()> {
        if !r.rest().starts_with('<') {
            return Ok(());
        }
        let names = r.list("<", ">", |r| r.word())?;
        for (i, name) in names.into_iter().enumerate() {
            r.ty_params.insert(name, Ty::param(i as u32, Name::new(name)));
        }
        Ok(())
    }

    fn define(&mut self, name: &str, kind: AdtKind) {
        let name = Name::new(name);
        self.adts.push(Arc::new(AdtDef { path: name, name, kind, repr: Repr::Quartz }));
    }

    fn adt(&mut self, r: &mut Reader, kind: fn(Vec<FieldDef>) -> AdtKind) -> Result<()> {
        let name = r.path()?;
        self.ty_params(r)?;
        let tys = r.list("{", "}", |r| r.ty())?;
        self.define(name, kind(fields(&tys)));
        Ok(())
    }

    fn enumeration(&mut self, r: &mut Reader) -> Result<()> {
        let name = r.path()?;
        self.ty_params(r)?;
        let variants = r.list("{", "}", |r| {
            let name = Name::new(r.word()?);
            let tys = if r.rest().starts_with('(') { r.list("(", ")", |r| r.ty())? } else { Vec::new() };
            Ok(VariantDef { name, fields: fields(&tys) })
        })?;
        self.define(name, AdtKind::Enum(variants));
        Ok(())
    }

    fn implementation(&mut self, r: &mut Reader) -> Result<()> {
        let trait_id = r.trait_()?;
        let args = r.list("<", ">", |r| r.ty())?;
        let functions = r.list("{", "}", |r| r.function())?;
        self.impls.insert((trait_id, args[0]), functions);
        Ok(())
    }

    fn drop(&mut self, r: &mut Reader, silent: bool) -> Result<()> {
        let name = r.path()?;
        let adt = r.adt(name)?;
        r.expect("=")?;
        let function = r.function()?;
        self.drops.insert(adt, (function, silent));
        Ok(())
    }

    fn foreign(&mut self, r: &mut Reader, table: &Table) -> Result<()> {
        let name = r.path()?;
        let params = r.list("(", ")", |r| r.ty())?;
        r.expect("->")?;
        let ret = r.ty()?;
        let path = Name::new(name);
        let kind = FnKind::Extern { symbol: path, variadic: false };
        let id = table.function(name).expect("found before");
        self.functions.insert(id, FnInfo { path, params, ret, kind, owns_from: None, export: None });
        Ok(())
    }

    /// A body whose header may name type parameters.
    fn generic_body(&mut self, r: &mut Reader) -> Result<Body> {
        r.body_with(&mut |r| self.ty_params(r))
    }

    fn function(&mut self, r: &mut Reader, table: &Table) -> Result<()> {
        let body = self.generic_body(r)?;
        let path = body.scopes.values().next().expect("scope 0").function;
        let id = table.function(path.as_str()).expect("found before");
        let params = body.params().map(|local| body.locals[local].ty).collect();
        self.functions.insert(
            id,
            FnInfo {
                path,
                params,
                ret: body.return_ty(),
                kind: FnKind::Quartz,
                owns_from: None,
                export: None,
            },
        );
        self.add_body(BodyKey::main(id), body);
        Ok(())
    }

    fn add_body(&mut self, key: BodyKey, mut body: Body) {
        body.key = key;
        self.bodies.insert(key, Arc::new(body));
    }
}

/// Every name that an item declares, by the word in front of it.
fn find_names(text: &str) -> Table {
    let mut table = Table::default();
    for line in text.lines() {
        let line = line.trim_start();
        let Some((word, rest)) = line.split_once(' ') else { continue };
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "_:?".contains(c))).unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches(':').to_owned();
        match word {
            "ref" | "value" | "enum" => table.adts.push(name),
            "fn" | "extern" => table.functions.push(name),
            "trait" => table.traits.push(name),
            "var" => table.statics.push(name),
            _ => {}
        }
    }
    table
}

fn nowhere() -> Span {
    Span::new(FileId(0), TextRange::empty(0))
}

fn fields(tys: &[Ty]) -> Vec<FieldDef> {
    tys.iter().map(|&ty| FieldDef { name: Name::new("f"), ty }).collect()
}

impl Source for TextProgram {
    fn adt(&self, id: AdtId) -> Arc<AdtDef> {
        self.adts[id.index()].clone()
    }

    fn function(&self, id: FnId) -> FnInfo {
        self.functions[&id].clone()
    }

    fn body(&self, key: BodyKey) -> Arc<Body> {
        self.bodies[&key].clone()
    }

    fn trait_path(&self, id: TraitId) -> Name {
        self.trait_paths[id.index()]
    }

    fn resolve_method(&self, trait_id: TraitId, method: u32, args: Tys, own_args: Tys) -> (FnId, Tys) {
        let functions = self.impls.get(&(trait_id, args[0]));
        let functions = functions.unwrap_or_else(|| panic!("no impl for {:?}", args[0]));
        (functions[method as usize], own_args)
    }

    fn dyn_slots(&self, dyn_ty: Ty) -> Vec<(qz_types::TraitRef, u32)> {
        let qz_types::TyKind::Dyn(traits) = *dyn_ty.kind() else { return Vec::new() };
        let each = |it: qz_types::TraitRef| (0..self.methods[it.trait_id.index()]).map(move |n| (it, n));
        traits.iter().flat_map(|&it| each(it)).collect()
    }

    fn normalize(&self, ty: Ty) -> Ty {
        ty
    }

    fn user_drop(&self, ty: Ty) -> Option<(FnId, Tys)> {
        let (id, args) = ty.as_adt()?;
        self.drops.get(&id).map(|&(function, _)| (function, args))
    }

    fn drop_is_silent(&self, ty: Ty) -> bool {
        ty.as_adt().and_then(|(id, _)| self.drops.get(&id)).is_some_and(|&(_, silent)| silent)
    }

    fn static_var(&self, id: StaticId) -> StaticInfo {
        self.statics[id.index()].clone()
    }
}

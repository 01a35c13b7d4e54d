//! Declared things by module, for what is kept on disk ([`qz_types::kept`]): their numbers there stay what they are when other
//! modules change, and when functions change that the module hides.
//!
//! What is kept says of each module that it names what that was like (its *shape*): if that is not so any more, numbers may
//! mean other things, and nothing of it is believed.

use qz_base::{FxHashMap, Id, Name};
use qz_types::kept::{Bytes, ItemKind, Items, Tables, put_block, put_number};

use crate::defs::{Container, Defs, FnDef, FnKind, Module, ModuleId};

/// A module's things of one kind; hidden ones are counted for themselves.
#[derive(Clone, Default)]
struct Row {
    seen: Vec<u32>,
    hidden: Vec<u32>,
}

/// All things of one kind.
struct Kind {
    /// The module of each and its number there.
    places: Vec<(u32, u32)>,
    by_module: Vec<Row>,
}

impl Kind {
    fn new(modules: usize, things: impl Iterator<Item = (ModuleId, bool)>) -> Kind {
        let mut kind = Kind { places: Vec::new(), by_module: vec![Row::default(); modules] };
        for (id, (module, hidden)) in (0..).zip(things) {
            let row = &mut kind.by_module[module.index()];
            let list = if hidden { &mut row.hidden } else { &mut row.seen };
            kind.places.push((module.raw(), (list.len() as u32) << 1 | u32::from(hidden)));
            list.push(id);
        }
        kind
    }
}

/// What is to be known of a module, so that its things can be named outside of the program.
#[derive(Copy, Clone, Debug)]
pub struct Shape {
    /// Of all that others can name of it.
    pub digest: u64,
    /// Whether others cannot name its plain functions that are private.
    pub hides: bool,
}

/// The numbers of a program's things.
pub struct Numbers {
    functions: Kind,
    adts: Kind,
    traits: Kind,
    statics: Kind,
    modules: Vec<ModuleName>,
    by_path: FxHashMap<Name, ModuleId>,
}

struct ModuleName {
    path: Name,
    is_std: bool,
    shape: Option<Shape>,
}

impl Numbers {
    /// Things of modules without a shape have no names.
    pub fn new(defs: &Defs, shape: &dyn Fn(ModuleId) -> Option<Shape>) -> Numbers {
        let name =
            |(id, it): (ModuleId, &Module)| ModuleName { path: it.path, is_std: it.is_std, shape: shape(id) };
        let named: Vec<ModuleName> = defs.modules.iter().map(name).collect();
        let hides: Vec<bool> = named.iter().map(|it| it.shape.is_some_and(|it| it.hides)).collect();
        let modules = defs.modules.len();
        let is_hidden = |it: &FnDef| {
            it.is_private
                && it.kind == FnKind::Normal
                && it.container == Container::Module
                && hides[it.module.index()]
        };
        Numbers {
            functions: Kind::new(modules, defs.fns.iter().map(|(_, it)| (it.module, is_hidden(it)))),
            adts: Kind::new(modules, defs.adts.iter().map(|(_, it)| (it.module, false))),
            traits: Kind::new(modules, defs.traits.iter().map(|(_, it)| (it.module, false))),
            statics: Kind::new(modules, defs.statics.iter().map(|(_, it)| (it.module, false))),
            by_path: defs.modules.iter().map(|(id, it)| (it.path, id)).collect(),
            modules: named,
        }
    }

    fn of(&self, kind: ItemKind) -> &Kind {
        match kind {
            ItemKind::Adt => &self.adts,
            ItemKind::Function => &self.functions,
            ItemKind::Trait => &self.traits,
            ItemKind::Static => &self.statics,
        }
    }

    /// The module of a thing and its number there, as `from` may know it.
    pub fn place(&self, kind: ItemKind, id: u32, from: ModuleId) -> Option<(ModuleId, u32)> {
        let &(module, number) = self.of(kind).places.get(id as usize)?;
        let is_hidden = number & 1 == 1 && module != from.raw();
        let of = &self.modules[module as usize];
        // What programs share names nothing of one of them.
        let is_own = !of.is_std && self.modules[from.index()].is_std;
        (!is_hidden && !is_own && of.shape.is_some()).then_some((Id::from_raw(module), number))
    }

    pub fn at(&self, kind: ItemKind, module: ModuleId, number: u32) -> Option<u32> {
        let row = self.of(kind).by_module.get(module.index())?;
        let list = if number & 1 == 1 { &row.hidden } else { &row.seen };
        list.get(number as usize >> 1).copied()
    }

    /// Writes tables, and what the modules are like that they name.
    pub fn put_tables(&self, tables: &Tables, out: &mut Vec<u8>) {
        tables.put(out, &mut |module, out| {
            let ModuleName { path, shape, .. } = &self.modules[module as usize];
            put_block(out, path.as_str().as_bytes());
            put_number(out, shape.map_or(0, |it| it.digest));
        });
    }

    /// Reads them, if these modules are like that.
    pub fn take_tables(&self, input: &mut Bytes<'_>, items: &dyn Items) -> Option<Tables> {
        Tables::take(input, items, &mut |input| {
            let path = Name::new(input.text()?);
            let digest = input.number()?;
            let module = *self.by_path.get(&path)?;
            (self.modules[module.index()].shape?.digest == digest).then_some(module.raw())
        })
    }
}

/// Things as one module names them; functions that no module declares have no names.
pub struct Named<'a> {
    pub numbers: &'a Numbers,
    pub from: ModuleId,
}

impl Items for Named<'_> {
    fn place(&self, kind: ItemKind, id: u32) -> Option<(u32, u32)> {
        self.numbers.place(kind, id, self.from).map(|(module, number)| (module.raw(), number))
    }

    fn at(&self, kind: ItemKind, module: u32, number: u32) -> Option<u32> {
        self.numbers.at(kind, Id::from_raw(module), number)
    }
}

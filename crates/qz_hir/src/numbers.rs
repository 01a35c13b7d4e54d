//! Declared things by module: their numbers there stay what they are when other modules change, and when functions change
//! that the module hides.

use qz_base::Id;
use qz_types::kept::ItemKind;

use crate::defs::{Container, Defs, FnDef, FnKind, ModuleId};

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

/// The numbers of a program's things.
pub struct Numbers {
    functions: Kind,
    adts: Kind,
    traits: Kind,
    statics: Kind,
}

impl Numbers {
    /// `hides` says of which modules nobody else can name the plain functions that are private.
    pub fn new(defs: &Defs, hides: &dyn Fn(ModuleId) -> bool) -> Numbers {
        let modules = defs.modules.len();
        let hides: Vec<bool> = defs.modules.ids().map(hides).collect();
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
        let is_hidden = number & 1 == 1;
        (!is_hidden || module == from.raw()).then_some((Id::from_raw(module), number))
    }

    pub fn at(&self, kind: ItemKind, module: ModuleId, number: u32) -> Option<u32> {
        let row = self.of(kind).by_module.get(module.index())?;
        let list = if number & 1 == 1 { &row.hidden } else { &row.seen };
        list.get(number as usize >> 1).copied()
    }
}

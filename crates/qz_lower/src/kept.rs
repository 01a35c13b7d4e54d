//! Generic bodies that were lowered before: read back instead of inferred and lowered again.
//!
//! They are kept by module. What a module's bodies became depends on its text and on what it sees of others; whoever keeps
//! them ([`FindBodies`]) gives back what was made of the same. Things are called by their modules and numbers there
//! ([`Numbers`]).

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use qz_base::FxHashMap;
use qz_hir::{ModuleId, Named, Numbers};
use qz_mir::{Body, BodyKey, BodyPart, FnInfo};
use qz_types::kept::{Bytes, ItemKind, Items, Keep, Reader, Tables, Writer, put_block, put_number};
use qz_types::{FnId, keep};

use crate::{DerivePart, Lowerer, Synth};

/// Gives the kept bodies of a module.
pub type FindBodies<'k> = Box<dyn Fn(ModuleId) -> Option<Vec<u8>> + 'k>;

/// The kept bodies of a program, and which of them were asked for.
pub struct Kept<'k> {
    find: FindBodies<'k>,
    numbers: &'k Numbers,
    modules: RefCell<FxHashMap<ModuleId, Rc<Shelved>>>,
    made: RefCell<FxHashMap<ModuleId, Vec<Part>>>,
}

/// What one module's bodies became this time.
pub struct NewBodies {
    pub module: ModuleId,
    /// Bodies that were there, and how many were asked for.
    pub found: u32,
    pub asked: u32,
    /// What to keep; nothing if that is what was there.
    pub bytes: Option<Vec<u8>>,
}

/// What is kept of a function.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
enum Part {
    Body(BodyKey),
    Info(FnId),
}

impl Part {
    fn function(self) -> FnId {
        match self {
            Part::Body(key) => key.function,
            Part::Info(id) => id,
        }
    }

    /// Which part of its function it is.
    fn number(self) -> u64 {
        match self {
            Part::Info(_) => 0,
            Part::Body(key) => match key.part {
                BodyPart::Main => 1,
                BodyPart::Lambda(n) => 2 + 2 * u64::from(n),
                BodyPart::Default(n) => 3 + 2 * u64::from(n),
            },
        }
    }
}

/// What was kept of a module.
#[derive(Default)]
struct Shelved {
    tables: Tables,
    /// The parts, one behind the other.
    bytes: Vec<u8>,
    /// Where each is, by the function's number and the part's.
    places: FxHashMap<(u32, u64), (usize, usize)>,
    found: std::cell::Cell<u32>,
}

/// Things as one module's bodies name them.
struct InBodies<'a, 'c, 'd> {
    lowerer: &'a Lowerer<'c, 'd>,
    named: Named<'a>,
}

impl Items for InBodies<'_, '_, '_> {
    fn place(&self, kind: ItemKind, id: u32) -> Option<(u32, u32)> {
        self.named.place(kind, id)
    }

    fn at(&self, kind: ItemKind, module: u32, number: u32) -> Option<u32> {
        self.named.at(kind, module, number)
    }

    fn put_made(&self, function: FnId, out: &mut Writer<'_>) {
        match self.lowerer.as_synth(function) {
            Some(what) => what.put(out),
            None => out.lose(),
        }
    }

    fn take_made(&self, input: &mut Reader<'_>) -> Option<FnId> {
        Some(self.lowerer.synth(Synth::take(input)?))
    }
}

impl<'k> Kept<'k> {
    /// Bodies that `find` gives are those of modules with the same text that see the same of others.
    pub fn new(numbers: &'k Numbers, find: FindBodies<'k>) -> Kept<'k> {
        Kept { find, numbers, modules: RefCell::default(), made: RefCell::default() }
    }

    pub(crate) fn body(&self, lowerer: &Lowerer<'k, '_>, key: BodyKey) -> Option<Body> {
        self.find(lowerer, Part::Body(key)).filter(|body: &Body| body.key == key)
    }

    pub(crate) fn info(&self, lowerer: &Lowerer<'k, '_>, function: FnId) -> Option<FnInfo> {
        self.find(lowerer, Part::Info(function))
    }

    fn find<T: Keep>(&self, lowerer: &Lowerer<'k, '_>, part: Part) -> Option<T> {
        let module = lowerer.defs().fns[part.function()].module;
        let shelved = self.module(lowerer, module);
        let found = self.read(lowerer, &shelved, module, part);
        match (&found, part) {
            (Some(_), Part::Body(_)) => shelved.found.set(shelved.found.get() + 1),
            (Some(_), Part::Info(_)) => {}
            (None, _) => self.made.borrow_mut().entry(module).or_default().push(part),
        }
        found
    }

    fn read<T: Keep>(
        &self,
        lowerer: &Lowerer<'k, '_>,
        shelved: &Shelved,
        from: ModuleId,
        part: Part,
    ) -> Option<T> {
        let (_, number) = self.numbers.place(ItemKind::Function, part.function().raw(), from)?;
        let &(start, end) = shelved.places.get(&(number, part.number()))?;
        let named = self.items(lowerer, from);
        let file = lowerer.defs().file_of(from);
        T::take(&mut Reader::new(&shelved.bytes[start..end], &shelved.tables, &named, file))
    }

    fn module(&self, lowerer: &Lowerer<'k, '_>, module: ModuleId) -> Rc<Shelved> {
        if let Some(known) = self.modules.borrow().get(&module) {
            return known.clone();
        }
        let bytes = (self.find)(module);
        let shelved = bytes.and_then(|it| self.open(&self.items(lowerer, module), it));
        let shelved = Rc::new(shelved.unwrap_or_default());
        self.modules.borrow_mut().insert(module, shelved.clone());
        shelved
    }

    fn items<'a, 'd>(&'a self, lowerer: &'a Lowerer<'k, 'd>, from: ModuleId) -> InBodies<'a, 'k, 'd> {
        InBodies { lowerer, named: Named { numbers: self.numbers, from } }
    }

    fn open(&self, items: &dyn Items, all: Vec<u8>) -> Option<Shelved> {
        let mut input = Bytes::new(&all);
        let tables = self.numbers.take_tables(&mut input, items)?;
        let bytes = input.block()?.to_vec();
        let (mut places, mut parts) = (FxHashMap::default(), Bytes::new(&bytes));
        while !parts.is_empty() {
            let function = u32::try_from(parts.number()?).ok()?;
            let part = parts.number()?;
            let block = parts.block()?;
            let end = bytes.len() - parts.len();
            places.insert((function, part), (end - block.len(), end));
        }
        Some(Shelved { tables, bytes, places, found: Default::default() })
    }

    /// What was asked for, by module, with what was made anew behind what was there.
    fn all(&self, lowerer: &Lowerer<'k, '_>) -> Vec<NewBodies> {
        let made = self.made.borrow();
        let mut modules: Vec<ModuleId> = self.modules.borrow().keys().copied().collect();
        modules.sort_unstable();
        let one = |module: ModuleId| {
            let shelved = self.modules.borrow()[&module].clone();
            let new = made.get(&module).map_or(&[] as &[Part], |it| it);
            let found = shelved.found.get();
            let lowered = new.iter().filter(|it| matches!(it, Part::Body(_))).count() as u32;
            let bytes = (!new.is_empty()).then(|| self.write(lowerer, module, &shelved, new));
            NewBodies { module, found, asked: found + lowered, bytes: bytes.flatten() }
        };
        modules.into_iter().map(one).collect()
    }

    /// Nothing if none of the new parts can be kept.
    fn write(
        &self,
        lowerer: &Lowerer<'k, '_>,
        module: ModuleId,
        shelved: &Shelved,
        new: &[Part],
    ) -> Option<Vec<u8>> {
        let named = self.items(lowerer, module);
        let mut writer = Writer::new(shelved.tables.clone(), &named, lowerer.defs().file_of(module));
        let mut parts = shelved.bytes.clone();
        for &part in new {
            let written = match part {
                Part::Body(key) => lowerer.bodies.borrow().get(&key).and_then(|it| writer.write(&**it)),
                Part::Info(function) => {
                    lowerer.infos.borrow().get(&function).and_then(|it| writer.write(&**it))
                }
            };
            let number = self.numbers.place(ItemKind::Function, part.function().raw(), module);
            let (Some(bytes), Some((_, function))) = (written, number) else { continue };
            put_number(&mut parts, function.into());
            put_number(&mut parts, part.number());
            put_block(&mut parts, &bytes);
        }
        if parts.len() == shelved.bytes.len() {
            return None;
        }
        let mut all = Vec::new();
        self.numbers.put_tables(&writer.finish(), &mut all);
        put_block(&mut all, &parts);
        Some(all)
    }
}

impl<'c> Lowerer<'c, '_> {
    /// What was asked for of the bodies that are kept; nothing if none are.
    pub fn new_bodies(&self) -> Vec<NewBodies> {
        self.kept.as_ref().map_or_else(Vec::new, |kept| kept.all(self))
    }

    /// A body that was lowered before.
    pub(crate) fn kept_body(&self, key: BodyKey) -> Option<Arc<Body>> {
        let kept = self.kept.as_ref().filter(|_| self.as_synth(key.function).is_none())?;
        kept.body(self, key).map(Arc::new)
    }
}

keep!(
    enum Synth {
        DeriveAdt(what, adt),
        Derive(part, adt),
        DeriveTuple(what, len),
        DeriveRecord(what, shape),
        DeriveOpaque(what),
        JoinTuples(left, right),
        Variant(adt, index),
        Newtype(adt),
        Main(main),
        Static(id),
        StaticMake(id),
        StaticEnd(id),
        DynCall(ty, slot),
    }
);
keep!(units DerivePart: Show Start Finish Inspect);

//! Arenas and the typed ids that point into them, after rust-analyzer's `la-arena`: ids are 32 bits,
//! iteration is in order of allocation, and side tables ([`ArenaMap`]) are vectors.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// An index into the [`Arena`] that made it.
pub struct Id<T> {
    raw: u32,
    marker: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    pub const fn from_raw(raw: u32) -> Id<T> {
        Id { raw, marker: PhantomData }
    }

    pub const fn raw(self) -> u32 {
        self.raw
    }

    pub const fn index(self) -> usize {
        self.raw as usize
    }
}

impl<T> Copy for Id<T> {}
impl<T> Clone for Id<T> {
    fn clone(&self) -> Id<T> {
        *self
    }
}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Id<T>) -> bool {
        self.raw == other.raw
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Id<T>) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Id<T>) -> std::cmp::Ordering {
        self.raw.cmp(&other.raw)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = std::any::type_name::<T>();
        write!(f, "{}#{}", name.rsplit("::").next().unwrap_or(name), self.raw)
    }
}

/// Owns values of one kind and hands out ids for them. Values are never removed.
#[derive(Clone, PartialEq, Eq)]
pub struct Arena<T> {
    data: Vec<T>,
}

impl<T> Default for Arena<T> {
    fn default() -> Arena<T> {
        Arena { data: Vec::new() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Arena<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.data).finish()
    }
}

impl<T> Arena<T> {
    pub const fn new() -> Arena<T> {
        Arena { data: Vec::new() }
    }

    pub fn alloc(&mut self, value: T) -> Id<T> {
        let id = Id::from_raw(self.data.len() as u32);
        self.data.push(value);
        id
    }

    pub fn len(&self) -> usize {
        self.data.len()
    }

    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    pub fn ids(&self) -> impl DoubleEndedIterator<Item = Id<T>> + ExactSizeIterator + use<T> {
        (0..self.data.len() as u32).map(Id::from_raw)
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Id<T>, &T)> + ExactSizeIterator {
        self.data.iter().enumerate().map(|(i, v)| (Id::from_raw(i as u32), v))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Id<T>, &mut T)> {
        self.data.iter_mut().enumerate().map(|(i, v)| (Id::from_raw(i as u32), v))
    }

    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.data.iter()
    }

    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.data.iter_mut()
    }

    pub fn shrink_to_fit(&mut self) {
        self.data.shrink_to_fit();
    }
}

impl<T> FromIterator<T> for Arena<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Arena<T> {
        Arena { data: items.into_iter().collect() }
    }
}

impl<T> Index<Id<T>> for Arena<T> {
    type Output = T;
    fn index(&self, id: Id<T>) -> &T {
        &self.data[id.index()]
    }
}

impl<T> IndexMut<Id<T>> for Arena<T> {
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        &mut self.data[id.index()]
    }
}

/// A dense table keyed by ids of another kind than its values: `IdVec<FnMarker, FnDef>`.
pub struct IdVec<K, V> {
    data: Vec<V>,
    marker: PhantomData<fn() -> K>,
}

impl<K, V> Default for IdVec<K, V> {
    fn default() -> IdVec<K, V> {
        IdVec { data: Vec::new(), marker: PhantomData }
    }
}

impl<K, V> IdVec<K, V> {
    pub fn push(&mut self, value: V) -> Id<K> {
        let id = Id::from_raw(self.data.len() as u32);
        self.data.push(value);
        id
    }

    pub fn next_id(&self) -> Id<K> {
        Id::from_raw(self.data.len() as u32)
    }

    pub fn len(&self) -> usize {
        self.data.len()
    }

    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    pub fn ids(&self) -> impl DoubleEndedIterator<Item = Id<K>> + ExactSizeIterator + use<K, V> {
        (0..self.data.len() as u32).map(Id::from_raw)
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Id<K>, &V)> + ExactSizeIterator {
        self.data.iter().enumerate().map(|(i, v)| (Id::from_raw(i as u32), v))
    }
}

impl<K, V> Index<Id<K>> for IdVec<K, V> {
    type Output = V;
    fn index(&self, id: Id<K>) -> &V {
        &self.data[id.index()]
    }
}

impl<K, V> IndexMut<Id<K>> for IdVec<K, V> {
    fn index_mut(&mut self, id: Id<K>) -> &mut V {
        &mut self.data[id.index()]
    }
}

/// A side table: facts about the values of an arena, kept beside it.
pub struct ArenaMap<K, V> {
    data: Vec<Option<V>>,
    marker: PhantomData<fn() -> K>,
}

impl<K, V> Default for ArenaMap<K, V> {
    fn default() -> ArenaMap<K, V> {
        ArenaMap { data: Vec::new(), marker: PhantomData }
    }
}

impl<K, V: Clone> Clone for ArenaMap<K, V> {
    fn clone(&self) -> ArenaMap<K, V> {
        ArenaMap { data: self.data.clone(), marker: PhantomData }
    }
}

impl<K, V: fmt::Debug> fmt::Debug for ArenaMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.data.iter().enumerate().filter_map(|(i, v)| v.as_ref().map(|v| (i, v))))
            .finish()
    }
}

impl<K, V> ArenaMap<Id<K>, V> {
    pub fn new() -> ArenaMap<Id<K>, V> {
        ArenaMap::default()
    }

    pub fn insert(&mut self, id: Id<K>, value: V) -> Option<V> {
        if self.data.len() <= id.index() {
            self.data.resize_with(id.index() + 1, || None);
        }
        self.data[id.index()].replace(value)
    }

    pub fn get(&self, id: Id<K>) -> Option<&V> {
        self.data.get(id.index()).and_then(Option::as_ref)
    }

    pub fn get_mut(&mut self, id: Id<K>) -> Option<&mut V> {
        self.data.get_mut(id.index()).and_then(Option::as_mut)
    }

    pub fn contains(&self, id: Id<K>) -> bool {
        self.get(id).is_some()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Id<K>, &V)> {
        self.data.iter().enumerate().filter_map(|(i, v)| Some((Id::from_raw(i as u32), v.as_ref()?)))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Id<K>, &mut V)> {
        self.data.iter_mut().enumerate().filter_map(|(i, v)| Some((Id::from_raw(i as u32), v.as_mut()?)))
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.data.iter_mut().flatten()
    }
}

impl<K, V> Index<Id<K>> for ArenaMap<Id<K>, V> {
    type Output = V;
    fn index(&self, id: Id<K>) -> &V {
        self.get(id).expect("a fact recorded for every id of this arena")
    }
}

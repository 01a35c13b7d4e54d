//! What happens to names, in which order: a body as a graph of events, for the rules that depend on the way that control
//! takes.
//!
//! [`build`] makes the graph of a function or lambda; [`borrows`] and [`linear`] go through it. Places are names and what
//! is reached from them. What an object holds is another place than the name that refers to the object: a name can get
//! another object while something is borrowed inside of the first.

pub(super) mod borrows;
pub(super) mod build;
pub(super) mod linear;

use qz_base::Span;
use qz_hir::body::LocalId;
use qz_types::StaticId;

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Root {
    Local(LocalId),
    Static(StaticId),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Step {
    Field(u32),
    /// From a reference to its object.
    Through,
    /// An element; its number if that is written.
    Element(Option<i128>),
}

/// A name, and what is reached from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) root: Root,
    pub(super) path: Vec<Step>,
}

impl Place {
    pub(super) fn local(local: LocalId) -> Place {
        Place { root: Root::Local(local), path: Vec::new() }
    }

    pub(super) fn then(mut self, step: Step) -> Place {
        self.path.push(step);
        self
    }

    /// The local that is the place, or of which it is a part.
    pub(super) fn owner(&self) -> Option<LocalId> {
        match self.root {
            Root::Local(local) => Some(local),
            Root::Static(_) => None,
        }
    }

    /// Whether changing one changes the other.
    pub(super) fn overlaps(&self, other: &Place) -> bool {
        if self.root != other.root {
            return false;
        }
        let differ = |pair: (&Step, &Step)| match pair {
            (Step::Element(Some(a)), Step::Element(Some(b))) => a != b,
            (Step::Element(_), Step::Element(_)) => false,
            (a, b) => a != b,
        };
        if self.path.iter().zip(&other.path).any(differ) {
            return false;
        }
        let common = self.path.len().min(other.path.len());
        let rest = if self.path.len() > common { &self.path[common..] } else { &other.path[common..] };
        !rest.contains(&Step::Through)
    }
}

/// Who has a borrow: a name, or a call until it is made.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Holder {
    Local(LocalId),
    /// An argument of a call, by the call's number.
    Call(u32),
}

#[derive(Clone, Debug)]
pub(super) enum Event {
    Read {
        place: Place,
        span: Span,
    },
    Write {
        place: Place,
        span: Span,
    },
    /// The value goes to another task.
    Go {
        place: Place,
        span: Span,
    },
    /// A name gets its first value.
    Bind {
        local: LocalId,
    },
    /// A place is lent.
    Borrow {
        place: Place,
        mutable: bool,
        holder: Holder,
        span: Span,
    },
    /// The arguments of a call begin.
    Open {
        call: u32,
    },
    /// A call gets what was lent to it, and gives it back.
    Call {
        call: u32,
    },
    /// A linear value goes on from its name.
    Move {
        local: LocalId,
        span: Span,
    },
    /// A name ends.
    End {
        local: LocalId,
        span: Span,
    },
}

#[derive(Default)]
pub(super) struct Block {
    pub(super) events: Vec<Event>,
    pub(super) next: Vec<usize>,
}

/// The events of a function or lambda; it begins with the first block.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) blocks: Vec<Block>,
    /// Names with linear values that went where these cannot be, which was told.
    pub(super) refused: Vec<LocalId>,
}

impl Graph {
    /// Goes through the blocks until nothing new is known: `step` tells what holds behind the block of a number where this holds before
    /// it, `meet` adds what holds on another way, and tells whether that was new. Gives what holds before each block,
    /// nothing for those that are never reached.
    pub(super) fn solve<S: Clone>(
        &self,
        start: S,
        mut step: impl FnMut(usize, S) -> S,
        meet: impl Fn(&mut S, &S) -> bool,
    ) -> Vec<Option<S>> {
        let mut before: Vec<Option<S>> = vec![None; self.blocks.len()];
        before[0] = Some(start);
        let mut waits = vec![false; self.blocks.len()];
        let mut work = vec![0];
        while let Some(at) = work.pop() {
            waits[at] = false;
            let after = step(at, before[at].clone().expect("only reached blocks are looked at"));
            for &next in &self.blocks[at].next {
                let is_new = match &mut before[next] {
                    Some(known) => meet(known, &after),
                    unknown => {
                        *unknown = Some(after.clone());
                        true
                    }
                };
                if is_new && !std::mem::replace(&mut waits[next], true) {
                    work.push(next);
                }
            }
        }
        before
    }
}

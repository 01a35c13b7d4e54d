//! What is known of each function, and the order in which that becomes known.
//!
//! A signature with all its types written is known without looking at the body. For any other the body is
//! inferred on demand. If, meanwhile, a function that is still being inferred is asked for, the two are
//! mutually recursive: they see each other with one fixed type (monomorphic recursion) and are generalised
//! together when the first of them is done. This is Tarjan's strongly connected components, with the call
//! graph discovered as inference goes.

use std::cell::RefCell;
use std::sync::Arc;

use qz_base::{FxHashMap, Name, Span};
use qz_hir::body::Body;
use qz_hir::{Defs, FnKind, FnSig, Generics, ModuleId};
use qz_types::{FnId, InferTable, Ty, VarKind};

use crate::facts::BodyTypes;
use crate::infer::{Inferred, infer_body};
use crate::needs::{Need, Notes};

/// A function's type as its callers see it: everything known, what was left out inferred.
#[derive(Debug)]
pub struct FnScheme {
    /// Written parameters first, then inferred ones.
    pub generics: Arc<Generics>,
    /// What a structural function asks of its parameters.
    pub members: Vec<MemberBound>,
    pub params: Vec<Ty>,
    pub ret: Ty,
}

/// `x.name(args): ret`, asked of a type parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberBound {
    pub receiver: Ty,
    pub name: Name,
    pub args: Vec<Ty>,
    /// Written without parentheses: a field will do.
    pub maybe_field: bool,
    pub ret: Ty,
    /// The module whose scope decides what `name` means.
    pub module: ModuleId,
    pub span: Span,
}

/// A function whose body has been looked at.
pub struct CheckedFn {
    pub scheme: Arc<FnScheme>,
    pub body: Arc<Body>,
    pub types: BodyTypes,
    /// What each `impl Trait` of the result stands for.
    pub hidden: Vec<Ty>,
}

/// Knows all declarations, and infers bodies when asked.
pub struct Checker<'d> {
    pub defs: &'d Defs,
    schemes: RefCell<FxHashMap<FnId, Arc<FnScheme>>>,
    checked: RefCell<FxHashMap<FnId, Arc<CheckedFn>>>,
    /// What bodies hand to other tasks, and what functions ask of their callers because of that.
    pub(crate) notes: RefCell<FxHashMap<FnId, Arc<Notes>>>,
    pub(crate) needs: RefCell<FxHashMap<FnId, Arc<[Need]>>>,
    /// Bodies are let go once they were checked: nothing will be lowered.
    pub(crate) forgets: bool,
}

/// A run of nested inferences that share one table of variables.
#[derive(Default)]
pub(crate) struct Session {
    pub(crate) table: InferTable,
    /// Functions being inferred, callers first.
    stack: Vec<InProgress>,
    /// Finished bodies whose group is still open.
    waiting: Vec<Inferred>,
}

struct InProgress {
    function: FnId,
    /// Types of parameters and result while the group is open.
    params: Vec<Ty>,
    ret: Ty,
    /// The earliest function on the stack that is reached from here.
    low: usize,
}

/// How a function is seen by another body.
pub(crate) enum SeenFn {
    Known(Arc<FnScheme>),
    /// A member of the group at hand: one fixed type.
    Open {
        params: Vec<Ty>,
        ret: Ty,
    },
}

impl<'d> Checker<'d> {
    pub fn new(defs: &'d Defs) -> Checker<'d> {
        let (schemes, checked) = (RefCell::default(), RefCell::default());
        Checker {
            defs,
            schemes,
            checked,
            notes: RefCell::default(),
            needs: RefCell::default(),
            forgets: false,
        }
    }

    /// A checker for problems alone: it does not keep the bodies it has checked.
    pub fn for_problems(defs: &'d Defs) -> Checker<'d> {
        Checker { forgets: true, ..Checker::new(defs) }
    }

    pub(crate) fn forget(&self, id: FnId) {
        self.checked.borrow_mut().remove(&id);
    }

    /// The type of a function, inferring its body if types were left out.
    pub fn scheme(&self, id: FnId) -> Arc<FnScheme> {
        let mut session = Session::default();
        match self.see(&mut session, id) {
            SeenFn::Known(scheme) => scheme,
            SeenFn::Open { .. } => unreachable!("nothing is open in a new session"),
        }
    }

    /// A function's body with its types. Only for functions that have a body.
    pub fn check_fn(&self, id: FnId) -> Arc<CheckedFn> {
        if let Some(done) = self.checked.borrow().get(&id) {
            return done.clone();
        }
        let mut session = Session::default();
        self.infer(&mut session, id);
        self.checked.borrow()[&id].clone()
    }

    /// Whether it is declared only, in a trait. (Operations of effects have bodies that nobody wrote.)
    pub(crate) fn is_abstract(&self, id: FnId) -> bool {
        let def = &self.defs.fns[id];
        !def.has_body
            && matches!(def.container, qz_hir::Container::Trait(_))
            && def.kind == qz_hir::FnKind::Normal
    }

    pub fn is_checked(&self, id: FnId) -> bool {
        self.checked.borrow().contains_key(&id)
    }

    /// The signature as written, if nothing was left out.
    fn written_scheme(&self, id: FnId) -> Option<FnScheme> {
        let sig = self.defs.fn_sig(id);
        let params: Option<Vec<Ty>> = sig.params.iter().map(|p| p.ty).collect();
        // A hidden result type is only known from the body; callers need only its bounds.
        let ret = sig.ret?;
        Some(FnScheme { generics: sig.generics.clone(), members: Vec::new(), params: params?, ret })
    }

    /// How `id` looks from a body in this session.
    pub(crate) fn see(&self, session: &mut Session, id: FnId) -> SeenFn {
        if let Some(known) = self.schemes.borrow().get(&id) {
            return SeenFn::Known(known.clone());
        }
        if let Some(scheme) = self.written_scheme(id) {
            let scheme = Arc::new(scheme);
            self.schemes.borrow_mut().insert(id, scheme.clone());
            return SeenFn::Known(scheme);
        }
        if let Some(at) = session.stack.iter().position(|it| it.function == id) {
            let top = session.stack.last_mut().expect("not empty");
            top.low = top.low.min(at);
            let it = &session.stack[at];
            return SeenFn::Open { params: it.params.clone(), ret: it.ret };
        }
        if let Some(waiting) = session.waiting.iter().find(|it| it.function == id) {
            let (params, ret, low) = (waiting.params.clone(), waiting.ret, waiting.low);
            let top = session.stack.last_mut().expect("a group is open");
            top.low = top.low.min(low);
            return SeenFn::Open { params, ret };
        }
        stacker::maybe_grow(256 * 1024, 4 * 1024 * 1024, || self.infer(session, id));
        match self.schemes.borrow().get(&id) {
            Some(known) => SeenFn::Known(known.clone()),
            None => {
                let waiting = session.waiting.iter().find(|it| it.function == id).expect("just inferred");
                SeenFn::Open { params: waiting.params.clone(), ret: waiting.ret }
            }
        }
    }

    /// Infers a body; if it closes its group, generalises the whole group.
    fn infer(&self, session: &mut Session, id: FnId) {
        let sig = self.defs.fn_sig(id);
        let at = session.stack.len();
        let first = session.waiting.len();
        let (params, ret) = self.open_types(session, &sig);
        session.stack.push(InProgress { function: id, params: params.clone(), ret, low: at });
        let mut inferred = infer_body(self, session, id, params, ret);
        let done = session.stack.pop().expect("pushed above");
        inferred.low = done.low;
        if let Some(caller) = session.stack.last_mut() {
            caller.low = caller.low.min(done.low.min(at));
        }
        session.waiting.push(inferred);
        // What still waits since this one began is of its group.
        if done.low == at {
            let group = session.waiting.split_off(first);
            self.close_group(session, group);
        } else {
            // Places on the stack are used again: each must name the group's own.
            for it in &mut session.waiting[first..] {
                it.low = it.low.min(done.low);
            }
        }
    }

    fn open_types(&self, session: &mut Session, sig: &FnSig) -> (Vec<Ty>, Ty) {
        let params =
            sig.params.iter().map(|p| p.ty.unwrap_or_else(|| session.table.fresh(VarKind::Any))).collect();
        let ret = sig.ret.unwrap_or_else(|| session.table.fresh(VarKind::Any));
        (params, ret)
    }

    /// `main` throws its last value away unless a result type is written.
    pub(crate) fn is_program_main(&self, id: FnId) -> bool {
        let def = &self.defs.fns[id];
        def.name == qz_base::name::known::MAIN
            && def.container == qz_hir::Container::Module
            && def.kind == FnKind::Normal
    }

    fn close_group(&self, session: &mut Session, group: Vec<Inferred>) {
        for (id, checked, notes) in crate::infer::finish_group(self, session, group) {
            self.notes.borrow_mut().insert(id, Arc::new(notes));
            self.schemes.borrow_mut().entry(id).or_insert_with(|| checked.scheme.clone());
            self.checked.borrow_mut().insert(id, Arc::new(checked));
        }
    }
}

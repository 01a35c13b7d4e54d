//! The machine: frames, statements one after the other, calls, unwinding.
//!
//! Something that takes several calls in a row, such as releasing a tuple of objects, puts all their frames
//! on the stack at once; each runs when the one above it has returned.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use qz_base::FxHashMap;
use qz_codegen::{SourceFiles, TypeTable};
use qz_mir::layout::{Layout, Layouts};
use qz_mir::{
    BlockId, Body, Call, Callee, InstanceId, InstanceKey, Local, Module, SourceInfo, StaticDataId, Stmt,
    StmtKind, TermKind,
};
use qz_rt::panic::{Panic, PanicTrace};
use qz_rt::unwind::{Frame as Shown, INNER_FRAMES, OUTER_FRAMES};
use qz_rt::{Context, Enter, Settings};
use qz_rt_abi::Fiber;
use qz_rt_abi::fiber::MAX_DROP_DEPTH;
use qz_rt_abi::object::TypeInfo;

use crate::data::{Data, instance_of, type_infos};
use crate::memory::{Addr, FrameStack};
use crate::{Options, Stop};

/// What is known of an instance's frames.
pub(crate) struct Code {
    pub(crate) id: InstanceId,
    pub(crate) body: Arc<Body>,
    pub(crate) layouts: Vec<Arc<Layout>>,
    offsets: Vec<u32>,
    size: u32,
    is_destroy: bool,
}

/// A function at work, or one that waits for those above it to start.
pub(crate) struct Frame {
    pub(crate) code: Rc<Code>,
    base: Addr,
    block: BlockId,
    /// The next statement.
    next: usize,
    /// Where the last one came from.
    source: SourceInfo,
    started: bool,
    /// There was no room for it but what is reserved for clean-up: it panics as soon as it starts.
    overflows: bool,
    /// Where the result goes in the end.
    result: Addr,
}

impl Frame {
    pub(crate) fn local(&self, local: Local) -> Addr {
        self.base.plus(self.code.offsets[local.index()])
    }
}

/// Ends a statement: a panic that has started, or a stop from outside.
pub(crate) enum Break {
    Panic,
    Stop(Stop),
}

pub(crate) type Step<T = ()> = Result<T, Break>;

impl From<Stop> for Break {
    fn from(stop: Stop) -> Break {
        Break::Stop(stop)
    }
}

/// What the fibers of a program share.
pub(crate) struct Shared<'m> {
    pub(crate) module: &'m Module,
    pub(crate) layouts: &'m Layouts<'m>,
    files: &'m dyn SourceFiles,
    pub(crate) options: Options,
    pub(crate) types: TypeTable,
    pub(crate) data: RefCell<Data>,
    codes: RefCell<FxHashMap<InstanceId, Rc<Code>>>,
    destroys: Vec<InstanceId>,
    steps: Cell<u64>,
    /// Whether the program asked for something that differs between processes.
    pub(crate) used_hash_key: Cell<bool>,
    /// Why a task was stopped from outside.
    pub(crate) stopped: RefCell<Option<Stop>>,
    type_infos: Vec<TypeInfo>,
}

impl<'m> Shared<'m> {
    pub(crate) fn new(
        module: &'m Module,
        layouts: &'m Layouts<'m>,
        files: &'m dyn SourceFiles,
        options: Options,
    ) -> Shared<'m> {
        let types = TypeTable::new(module, layouts);
        let type_infos = type_infos(module, &types);
        Shared {
            module,
            layouts,
            files,
            options,
            types,
            data: RefCell::default(),
            codes: RefCell::default(),
            destroys: module.types.iter().map(|entry| entry.destroy).collect(),
            steps: Cell::new(0),
            used_hash_key: Cell::new(false),
            stopped: RefCell::default(),
            type_infos,
        }
    }

    /// An evaluated constant.
    pub(crate) fn blob(&self, data: StaticDataId) -> Addr {
        self.data.borrow_mut().blob(self.module, &self.types, data)
    }

    /// The runtime's view of the program. It must not outlive this.
    pub(crate) fn context(&self) -> Result<Context, Stop> {
        let settings = Settings {
            stack_size: MACHINE_STACK,
            count_objects: true,
            single_thread: true,
            enter: Enter::By(run_task, self as *const Shared<'_> as usize),
            ..Settings::default()
        };
        Context::new(self.type_infos.as_ptr(), settings).map_err(Stop::Memory)
    }
}

/// What the machine itself needs of a fiber's stack.
const MACHINE_STACK: usize = 1 << 20;
/// Bytes of frames of a task before "stack overflow".
const TASK_FRAMES: usize = 1 << 20;

/// Runs the function that tasks begin with.
unsafe fn run_task(host: usize, fiber: *mut Fiber, entry: *const u8) {
    // SAFETY: `Shared::context` told the runtime so, and lives as long as the program runs.
    let shared = unsafe { &*(host as *const Shared<'_>) };
    let mut machine = Machine::new(shared, fiber, TASK_FRAMES);
    if let Err(stop) = machine.run_instance(instance_of(entry as u64), Addr::of(&mut [0u64; 2])) {
        shared.stopped.replace(Some(stop));
    }
}

/// A fiber at work.
pub(crate) struct Machine<'m> {
    pub(crate) shared: &'m Shared<'m>,
    pub(crate) module: &'m Module,
    pub(crate) layouts: &'m Layouts<'m>,
    pub(crate) options: Options,
    pub(crate) frames: Vec<Frame>,
    /// The block for the object that is made next, or null.
    pub(crate) token: Addr,
    stack: FrameStack,
    fiber: *mut Fiber,
}

/// Frames kept free for clean-up after a stack overflow.
const RESERVE: usize = 1 << 20;

impl<'m> Machine<'m> {
    /// A machine for a live fiber, with so many bytes of frames.
    pub(crate) fn new(shared: &'m Shared<'m>, fiber: *mut Fiber, frames: usize) -> Machine<'m> {
        let Shared { module, layouts, options, .. } = *shared;
        let stack = FrameStack::new(frames + RESERVE);
        Machine {
            shared,
            module,
            layouts,
            options,
            frames: Vec::new(),
            token: Addr::from_word(0),
            stack,
            fiber,
        }
    }

    pub(crate) fn fiber(&self) -> *mut Fiber {
        self.fiber
    }

    fn code(&mut self, id: InstanceId) -> Result<Rc<Code>, Stop> {
        if let Some(known) = self.shared.codes.borrow().get(&id) {
            return Ok(known.clone());
        }
        let instance = &self.module.instances[id];
        let Some(body) = &instance.body else {
            let symbol = instance.foreign.as_ref().map_or("", |foreign| foreign.symbol.as_str());
            return Err(Stop::Foreign(symbol.to_owned()));
        };
        let layouts: Vec<_> = body.locals.values().map(|local| self.layouts.of(local.ty)).collect();
        let mut size = 0u32;
        let offsets = layouts.iter().map(|layout| {
            let offset = size.next_multiple_of(8);
            size = offset + layout.size;
            offset
        });
        let offsets = offsets.collect();
        let by_key = matches!(instance.key, InstanceKey::DestroyGlue(_) | InstanceKey::DestroyClosure(_));
        let is_destroy = by_key || self.shared.destroys.contains(&id);
        let code = Rc::new(Code { id, body: body.clone(), layouts, offsets, size, is_destroy });
        self.shared.codes.borrow_mut().insert(id, code.clone());
        Ok(code)
    }

    /// Runs an instance without parameters to its end; whether it ended without a panic.
    pub(crate) fn run_instance(&mut self, id: InstanceId, result: Addr) -> Result<bool, Stop> {
        match self.push(id, result) {
            Ok(_) => {}
            Err(Break::Stop(stop)) => return Err(stop),
            Err(Break::Panic) => return Ok(false),
        }
        while !self.frames.is_empty() {
            match self.step() {
                Ok(()) => {}
                Err(Break::Stop(stop)) => return Err(stop),
                Err(Break::Panic) => {
                    if !self.unwind() {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    // ---- frames

    /// A new frame on top; its parameters are for the caller to fill.
    pub(crate) fn push(&mut self, id: InstanceId, result: Addr) -> Step<&mut Frame> {
        let code = self.code(id)?;
        // Destroy functions do not grow without bound, and what they and those for values are given must end.
        let instance = &self.module.instances[id];
        let ends = code.is_destroy || matches!(instance.key, InstanceKey::ReleaseGlue(_));
        let checked = instance.may_panic && !ends;
        let overflows = checked && !self.stack.fits(code.size, RESERVE) && !self.context_overflowed();
        let Some(base) = self.stack.push(code.size) else {
            self.panic("stack overflow".into(), true)?;
            return Err(Break::Panic);
        };
        let source = code.body.blocks[Body::ENTRY].term.source;
        let frame =
            Frame { code, base, block: Body::ENTRY, next: 0, source, started: false, overflows, result };
        self.frames.push(frame);
        Ok(self.frames.last_mut().expect("just pushed"))
    }

    fn context_overflowed(&mut self) -> bool {
        let fiber = self.fiber();
        // SAFETY: the machine's fiber is live, and nothing else refers to its state.
        let state = unsafe { qz_rt::context::state(fiber) };
        state.panics.iter().any(Panic::is_overflow)
    }

    pub(crate) fn top(&self) -> &Frame {
        self.frames.last().expect("a function is running")
    }

    fn top_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a function is running")
    }

    fn pop(&mut self) {
        let frame = self.frames.pop().expect("a function is running");
        self.stack.pop(frame.code.size);
        if frame.code.is_destroy && frame.started {
            self.change_drop_depth(-1);
        }
    }

    fn change_drop_depth(&mut self, by: i32) {
        let fiber = self.fiber();
        // SAFETY: the machine's fiber is live.
        unsafe { (*fiber).drop_depth = (*fiber).drop_depth.wrapping_add_signed(by) };
    }

    fn drop_depth(&mut self) -> u32 {
        let fiber = self.fiber();
        // SAFETY: the machine's fiber is live.
        unsafe { (*fiber).drop_depth }
    }

    /// The function on top is about to start: whether it may, or is a destroy function whose object has to
    /// wait.
    fn start(&mut self) -> Step<bool> {
        let top = self.top_mut();
        top.started = true;
        if top.overflows {
            // In the function called: what it was given is its to release.
            self.panic("stack overflow".into(), true)?;
        }
        if !self.top().code.is_destroy {
            return Ok(true);
        }
        if self.drop_depth() < MAX_DROP_DEPTH {
            self.change_drop_depth(1);
            return Ok(true);
        }
        let object = self.top().local(Local::from_raw(1)).follow();
        self.defer(object);
        self.top_mut().started = false;
        self.pop();
        Ok(false)
    }

    // ---- steps

    fn step(&mut self) -> Step {
        let steps = self.shared.steps.get() + 1;
        self.shared.steps.set(steps);
        if self.options.steps.is_some_and(|limit| steps > limit) {
            return Err(Stop::Steps.into());
        }
        if !self.top().started && !self.start()? {
            return Ok(());
        }
        let code = self.top().code.clone();
        let top = self.top_mut();
        let block = &code.body.blocks[top.block];
        match block.stmts.get(top.next) {
            Some(stmt) => {
                top.next += 1;
                top.source = stmt.source;
                self.statement(stmt)
            }
            None => {
                top.source = block.term.source;
                self.terminator(&block.term.kind)
            }
        }
    }

    fn statement(&mut self, stmt: &Stmt) -> Step {
        match &stmt.kind {
            StmtKind::Assign(place, value) | StmtKind::Init(place, value) => self.assign(place, value),
            StmtKind::Call(call) => self.call(call),
            StmtKind::Retain(place) => {
                let (at, layout) = self.place(place);
                self.retain(&layout, at);
                Ok(())
            }
            StmtKind::Release(place) => {
                let (at, layout) = self.place(place);
                self.release(&layout, at)
            }
            StmtKind::EndScope(_) | StmtKind::Nop => Ok(()),
        }
    }

    fn terminator(&mut self, term: &TermKind) -> Step {
        match term {
            TermKind::Goto(to) => self.goto(*to),
            TermKind::Branch { cond, then, else_, .. } => {
                let cond = self.scalar(cond);
                self.goto(if cond != 0 { *then } else { *else_ });
            }
            TermKind::Switch { value, cases, otherwise } => {
                let ty = self.operand_ty(value);
                let bits = self.scalar(value);
                let value = crate::arith::to_i128(ty, bits);
                let listed = cases.iter().find(|(case, _)| *case == value).map(|&(_, to)| to);
                let last = cases.last().map(|&(_, to)| to);
                match listed.or(*otherwise).or(last) {
                    Some(to) => self.goto(to),
                    None => return Err(Stop::Unsupported("an unreachable switch was reached".into()).into()),
                }
            }
            TermKind::Return => return self.return_(),
            TermKind::Unreachable => {
                return Err(Stop::Unsupported("unreachable code was reached".into()).into());
            }
            TermKind::Resume => {
                self.pop();
                return Err(Break::Panic);
            }
        }
        Ok(())
    }

    fn goto(&mut self, to: BlockId) {
        let top = self.top_mut();
        top.block = to;
        top.next = 0;
    }

    fn return_(&mut self) -> Step {
        let top = self.top();
        let (from, to, size) = (top.local(Body::RETURN), top.result, top.code.layouts[0].size);
        to.copy_from(from, size as u64);
        let was_destroy = top.code.is_destroy;
        self.pop();
        if was_destroy && self.drop_depth() == 0 {
            return self.destroy_deferred();
        }
        Ok(())
    }

    // ---- calls

    fn call(&mut self, call: &Call) -> Step {
        let (id, first) = match &call.callee {
            Callee::Instance(id) => (*id, None),
            Callee::Value(closure) => {
                let object = Addr::from_word(self.scalar(closure));
                let code = object.plus(qz_rt_abi::object::CLOSURE_CODE).read(qz_mir::Scalar::Ptr);
                (crate::data::instance_of(code), Some(object))
            }
            Callee::Dyn { slot, .. } => {
                let object = Addr::from_word(self.scalar(&call.args[0]));
                let table = object.plus(qz_rt_abi::object::DYN_VTABLE).follow();
                (crate::data::instance_of(table.plus(slot * 8).read(qz_mir::Scalar::Ptr)), None)
            }
            Callee::Runtime(f) => return self.call_runtime(call, *f),
            other @ (Callee::Fn(..) | Callee::Method { .. } | Callee::Member(_)) => {
                unreachable!("{other:?} is an instance by now")
            }
        };
        let caller = self.frames.len() - 1;
        let result = self.top().local(call.dest);
        self.push(id, result)?;
        let mut next = 1;
        if let Some(object) = first {
            self.top().local(Local::from_raw(1)).write(qz_mir::Scalar::Ptr, object.word());
            next = 2;
        }
        for (i, arg) in call.args.iter().enumerate() {
            let to = self.top().local(Local::from_raw(next + i as u32));
            self.operand_into(caller, arg, to);
        }
        Ok(())
    }

    // ---- panics

    /// Records a panic that starts at the statement at hand.
    pub(crate) fn panic(&mut self, message: String, overflow: bool) -> Step {
        let trace = PanicTrace::Told(self.trace());
        let fiber = self.fiber();
        // SAFETY: the machine's fiber is live.
        unsafe { qz_rt::panic::push(fiber, Panic::new(message, trace), overflow) };
        Err(Break::Panic)
    }

    /// Goes to the innermost cleanup; without one the panic is nobody's.
    fn unwind(&mut self) -> bool {
        while let Some(frame) = self.frames.last() {
            let handler = frame.code.body.blocks[frame.block].unwind.filter(|_| frame.started);
            let Some(handler) = handler else {
                self.pop();
                continue;
            };
            self.goto(handler);
            // Towards callers the number grows, as addresses of machine frames do.
            let number = usize::MAX / 2 - self.frames.len();
            let fiber = self.fiber();
            // SAFETY: the machine's fiber is live.
            unsafe { qz_rt::panic::enter_frame(fiber, number) };
            return true;
        }
        let fiber = self.fiber();
        // SAFETY: the machine's fiber is live.
        unsafe { qz_rt::panic::enter_frame(fiber, usize::MAX) };
        false
    }

    fn trace(&self) -> Vec<Result<Shown, usize>> {
        let mut running = self.frames.iter().rev().filter(|frame| frame.started);
        let inner: Vec<_> = running.by_ref().take(INNER_FRAMES).collect();
        let mut outer = VecDeque::new();
        let mut left_out = 0;
        for frame in running {
            outer.push_back(frame);
            if outer.len() > OUTER_FRAMES {
                outer.pop_front();
                left_out += 1;
            }
        }
        let shown = |frame: &Frame| self.shown(&frame.code.body, frame.source);
        let mut trace: Vec<_> = inner.into_iter().flat_map(shown).map(Ok).collect();
        trace.extend((left_out > 0).then_some(Err(left_out)));
        trace.extend(outer.into_iter().flat_map(shown).map(Ok));
        trace
    }

    /// The function at a place and those it was inlined into.
    fn shown(&self, body: &Body, source: SourceInfo) -> Vec<Shown> {
        let chain = std::iter::successors(Some(source), |at| body.scopes[at.scope].inlined_at);
        let one = |at: SourceInfo| {
            let (scope, place) = (&body.scopes[at.scope], self.shared.files.position(at.span));
            Shown {
                function: scope.function.as_str().to_owned(),
                file: place.file,
                line: place.line,
                column: place.column,
                track_caller: scope.track_caller,
            }
        };
        // What the compiler made itself stands nowhere, and nobody wants to read of it.
        chain.filter(|at| at.span.range != qz_base::TextRange::default()).map(one).collect()
    }
}

//! Every function of the runtime: what it is called, what goes in and out, whether it can panic or block.
//!
//! `extern "rt" def name(…)` in the standard library refers to an entry by its name; its symbol is the name
//! with the reserved prefix `qz_rt_`. All engines, the runtime itself and the verifier read this one list
//! ([`rt_functions`]).
//!
//! **Convention.** C's, with the fiber as the first argument (left out in the list). Arguments are
//! borrowed: the runtime adds a count to what it keeps. Results are owned by the caller. An `out` pointer
//! leads to memory for the result named. *Status* is 0 (or a count) for success and a negated `errno`
//! otherwise; `errno_message` words it. *Nullable* strings are null where the text says so, which is
//! `None` of `String?` in memory.
//!
//! A function that can panic only records the panic and sets [`crate::Fiber::raise`]; the stub that generated code
//! calls looks at it and starts the unwinding, so no Rust frame is ever unwound.

/// A function of the runtime: its index in the registry.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RtFn(pub u16);

/// A machine value in a runtime function's signature.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum RtScalar {
    /// `Bool`, `U8`, `I8`.
    I8,
    /// `Char`, `U32`, `I32`.
    I32,
    /// `Int`, `U64`.
    I64,
    F32,
    F64,
    /// `String`, `Ptr<T>`, objects.
    Ptr,
}

/// A signature without the fiber.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RtSig {
    pub params: &'static [RtScalar],
    pub ret: Option<RtScalar>,
}

/// What is known about one function.
#[derive(Copy, Clone, Debug)]
pub struct RtDef {
    /// What the standard library calls it.
    pub name: &'static str,
    /// The name of its machine code.
    pub symbol: &'static str,
    pub sig: RtSig,
    pub param_names: &'static [&'static str],
    pub may_panic: bool,
    /// May wait for something outside: a file, a clock, another process.
    pub may_block: bool,
    /// Does not return.
    pub never: bool,
    /// Depends on, or changes, what is outside the program: not for constants. Whatever may block is.
    pub effect: bool,
    /// Depends on this process's hash key: a constant may use it on its way, but what came of it is not kept.
    pub keyed: bool,
    /// Looks at nothing but its arguments and changes nothing.
    pub only_args: bool,
    /// Looks at what its arguments, the fiber among them, lead to, and changes nothing.
    pub reads: bool,
}

/// How many arguments a function has at most, the fiber aside.
pub const MOST_ARGUMENTS: usize = 8;

// What panics does nothing else, so engines go straight on to the clean-up. Its arguments go in registers: a stub in
// front of it moves the stack.
const _: () = {
    let mut f = 0;
    while f < TABLE.len() {
        let (def, most) = (&TABLE[f], if TABLE[f].may_panic { 5 } else { MOST_ARGUMENTS });
        assert!(!def.may_panic || def.never);
        assert!(def.sig.params.len() <= most);
        f += 1;
    }
};

/// Calls `$callback!` with the whole list. An entry is
/// `$(#[doc])* fn name(param: Type, …) -> Type: flag flag;` with the flags `panics`, `blocks`, `never`,
/// `effect`, `keyed`, `only_args`, `reads` and the types `Bool U8 I32 U32 Char Int U64 F32 F64 Ptr Str Unit`.
#[macro_export]
macro_rules! rt_functions {
    ($callback:ident) => {
        $callback! {
            // ---- memory
            /// A block of raw memory, uninitialised. Aborts when there is none.
            fn alloc(size: U64, align: U64) -> Ptr: ;
            /// Moves a block to a new size, keeping what fits. `old_size` must be what it was made with.
            fn realloc(block: Ptr, old_size: U64, new_size: U64, align: U64) -> Ptr: ;
            /// Gives a block back. `size` and `align` must be what it was made with; null is ignored.
            fn free(block: Ptr, size: U64, align: U64) -> Unit: ;
            /// A new object of the type table's entry: count 1, fields uninitialised.
            fn new_object(type_index: U32) -> Ptr: ;
            /// Gives an object's memory back; what it refers to has been released. For all objects but
            /// strings (`str_free`).
            fn free_object(object: Ptr) -> Unit: ;
            /// Adds a count to an object whose count is negative.
            fn retain_shared(object: Ptr) -> Unit: ;
            /// Takes a count from an object whose count is negative; whether it was the last one.
            fn release_shared(object: Ptr) -> Bool: ;
            /// Destroys an object (count 1) later, because too many destroy functions are active.
            fn defer_destroy(object: Ptr) -> Unit: ;
            /// The next object to destroy, or null.
            fn next_deferred() -> Ptr: ;
            /// Objects alive now; 0 unless the program was compiled to count.
            fn live_objects() -> Int: ;

            // ---- walks over objects
            /// Whether the object is not being shown yet; notes that it is now.
            fn show_enter(object: Ptr) -> Bool: ;
            /// The object noted last is shown.
            fn show_leave() -> Unit: ;
            /// The copy of this object that is asked for next belongs to the walk under way.
            fn copy_part(object: Ptr) -> Unit: ;
            /// What a copy of the object would be: 0 a walk of its own, 1 there is one already, 2 a part of the walk
            /// under way, 3 the same of a walk that remembers nothing.
            fn copy_look(object: Ptr) -> Int: ;
            /// A count of the copy that `copy_look` told of.
            fn copy_of(object: Ptr) -> Ptr: ;
            /// Begins a walk, or goes deeper in the one under way.
            fn copy_begin(is_root: Bool, remembers: Bool) -> Unit: ;
            /// Notes the copy of an object, if the walk remembers.
            fn copy_note(object: Ptr, copy: Ptr) -> Unit: ;
            /// Ends what `copy_begin` began.
            fn copy_end() -> Unit: ;

            // ---- weak references
            /// A new `Weak` refers to this object from now on.
            fn weak_refer(weak: Ptr, target: Ptr) -> Unit: effect;
            /// A `Weak` ends.
            fn weak_forget(weak: Ptr) -> Unit: effect;
            /// A count of what a `Weak` refers to, or null. For targets that only one task knows.
            fn weak_target(weak: Ptr) -> Ptr: effect;
            /// The same for targets that several tasks may know.
            fn weak_target_shared(weak: Ptr) -> Ptr: effect;
            /// Whether a `Weak` refers to something.
            fn weak_alive(weak: Ptr) -> Bool: effect;
            /// Whether both refer to the same object, or neither to any.
            fn weak_same(a: Ptr, b: Ptr) -> Bool: effect;
            /// A new `Weak` refers to what another one refers to, or to its copy in the walk under way.
            fn weak_copied(from: Ptr, to: Ptr) -> Unit: effect;
            /// An object ends that a `Weak` may refer to.
            fn weak_end(object: Ptr) -> Unit: effect;

            // ---- circles; see `qz_rt::cycles`
            /// An object lost a reference, and has others.
            fn cycles_log(object: Ptr) -> Unit: ;
            /// A reference was moved out of an object: to this one, or to none if it is a small number. Or this is a
            /// container whose elements are about to move to later places, or to other memory.
            fn cycles_moved(object: Ptr) -> Unit: ;
            /// Whether the collector has something to do.
            fn cycles_due() -> Bool: effect;
            /// Begins a search, if `all` with all that may be left in circles.
            fn cycles_begin(all: Bool) -> Unit: effect;
            /// An object whose parts are to be visited, or null.
            fn cycles_next() -> Ptr: effect;
            /// The element at which the visit of a container goes on; 0 if it is not the collector's.
            fn cycles_from() -> Int: effect;
            /// Where it stops for now, of so many elements.
            fn cycles_to(elements: Int) -> Int: effect;
            /// Whether the search found objects to end.
            fn cycles_found() -> Bool: effect;
            /// Hands some objects over that the next destroy function ends (`next_deferred`), such as that of the object
            /// given; whether there is more to do.
            fn cycles_release(sweep: Ptr) -> Bool: effect;
            /// How a destroy function goes on: 0 as usual, 1 with nothing but the object's `drop`, 2 without it.
            fn cycles_stage(object: Ptr) -> Int: effect;

            // ---- failure
            /// Starts a panic with this message.
            fn panic(message: Str) -> Unit: panics never;
            /// A failed operation on integers. `what` is an `ArithError` and an integer type; see
            /// `arith_code`.
            fn panic_arith(what: U32, a: U64, b: U64) -> Unit: panics never;
            /// A failed conversion. `what` holds both types; see `cast_code`.
            fn panic_cast(what: U32, bits: U64) -> Unit: panics never;
            /// "index 5 is out of bounds for size 3".
            fn panic_index(index: Int, size: Int) -> Unit: panics never;
            /// Called by prologues.
            fn panic_stack() -> Unit: panics never;
            /// Goes on unwinding at the end of a cleanup.
            fn resume() -> Unit: panics never;
            /// Ends the panic that led to this cleanup and gives its message, attached ones included.
            fn take_panic() -> Str: ;
            /// Where the panic that is on its way started, `file:line:column`. Ask before `take_panic`.
            fn panic_place() -> Str: ;
            /// The backtrace of the panic that is on its way, one frame per line. Ask before `take_panic`.
            fn panic_trace() -> Str: ;
            /// Whether a panic is on its way.
            fn panicking() -> Bool: ;
            /// How many panics are on their way.
            fn panic_depth() -> Int: ;
            /// Adds the message to the panic on its way, as one of its clean-up.
            fn panic_attach(message: Str) -> Unit: effect;
            /// For code that catches, where there were `depth` panics before: those above the first new one came out
            /// of its clean-up and are attached to it. Before the other questions about it.
            fn settle_panics(depth: Int) -> Unit: ;
            /// Prints the message to standard error and ends the process at once, without unwinding.
            fn abort(message: Str) -> Unit: never;

            // ---- what goes to another task; see `qz_rt::crossing`
            /// Begins a walk through a value.
            fn cross_begin() -> Unit: ;
            /// Whether nobody outside of what was met knows an object in it that can be changed.
            fn cross_end() -> Bool: ;
            /// An object whose parts are still to be visited, or null.
            fn cross_next() -> Ptr: ;
            /// Shares a string.
            fn cross_text(text: Str) -> Unit: ;
            /// Shares an object that nobody changes.
            fn cross_cell(object: Ptr) -> Unit: ;
            /// Meets an object that can be changed.
            fn cross_object(object: Ptr) -> Unit: ;
            /// Meets an object that can be changed and that a `Weak` may refer to.
            fn cross_target(object: Ptr) -> Unit: ;
            /// Meets a `Weak`.
            fn cross_weak(weak: Ptr) -> Unit: ;
            /// Shares a `Weak` and its target, which several tasks may know.
            fn cross_weak_shared(weak: Ptr) -> Unit: ;
            /// Meets an object that stays in its task.
            fn cross_never() -> Unit: ;
            /// Meets a function or `dyn` value: 0 it is shared, 1 its parts are to be visited now, 2 they were.
            fn cross_function(object: Ptr) -> Int: ;
            /// Shares one whose parts turned out not to change.
            fn cross_settle(object: Ptr) -> Unit: ;
            /// The index of an object's type.
            fn object_type(object: Ptr) -> Int: reads;
            /// The same if one reference leads to it; 0 if it is shared, -1 for others.
            fn lone_type(object: Ptr) -> Int: reads;

            // ---- tasks, channels, locks; `outcome`, `timeout`: see `qz_rt::tasks`
            /// From now on other threads may refer to the object, too: its count is an atomic one.
            fn share(object: Ptr) -> Unit: ;
            /// Whether the reference in this place is the only one to its object. Of a reference in a local variable whose
            /// address nobody knows, a count may have been left out.
            fn sole(place: Ptr) -> Bool: effect;
            /// Starts the scheduler with so many workers, 0 for as many as there are processors; 0 if there can be so many,
            /// else the largest number.
            fn sched_init(workers: Int) -> Int: effect;
            /// Lets what is ready finish, cancels what waits, and stops the scheduler's threads.
            fn sched_shutdown() -> Unit: blocks;
            /// 0 idle, 1 running, 2 draining, 3 stopped.
            fn sched_state() -> Int: effect;
            fn sched_workers() -> Int: effect;
            /// Tasks that were started and are not over.
            fn sched_tasks() -> Int: effect;
            /// Lets others go first. Outcome.
            fn sched_yield() -> Int: blocks;
            /// The panic that an outcome below -1 means.
            fn wait_failed(outcome: Int) -> Unit: panics never;
            /// Starts a task with this function for C, the same for all tasks, which asks for the body. The body is
            /// moved; the name may be empty, and the bytes of stack 0 for the usual. A count of the task.
            fn task_spawn(entry: Ptr, body: Ptr, own_thread: Bool, name: Str, stack_size: U64) -> Ptr: effect;
            /// What a task is called; empty if nobody said.
            fn task_name(task: Ptr) -> Str: effect;
            /// Names the task at work.
            fn task_set_name(name: Str) -> Unit: effect;
            /// A task that nobody runs, for `task_finish` to end. Two counts of it.
            fn task_promise() -> Ptr: effect;
            /// Ends such a task, and gives a count up.
            fn task_finish(task: Ptr) -> Unit: effect;
            /// The body of the task at work, once.
            fn task_body() -> Ptr: effect;
            /// Waits for the end of a task. Outcome.
            fn task_join(task: Ptr, timeout: Int) -> Int: blocks;
            fn task_done(task: Ptr) -> Bool: effect;
            /// Whether somebody knows of the panic that ended the task, or will hear of it.
            fn task_heard(task: Ptr) -> Bool: effect;
            fn task_set_heard(task: Ptr) -> Unit: effect;
            /// Whether the task waits for something now.
            fn task_waiting(task: Ptr) -> Bool: effect;
            /// The task ends at its wait, if it waits, or at its next one.
            fn task_cancel(task: Ptr) -> Unit: effect;
            /// Another count of the task.
            fn task_retain(task: Ptr) -> Unit: effect;
            /// Gives a count of the task up.
            fn task_release(task: Ptr) -> Unit: effect;
            /// Whether the task at work is to end.
            fn task_cancelled() -> Bool: effect;
            /// Names the fiber at work for as long as it lives.
            fn fiber_at_work() -> Ptr: effect;
            /// A fiber is to leave what it is at as if it were cancelled; it settles that afterwards.
            fn fiber_interrupt(fiber: Ptr) -> Unit: effect;
            /// An interruption of the fiber at work has had its effect.
            fn fiber_settle() -> Unit: effect;
            /// A count of the shared object that was given to `bind` last in the fiber at work, or null.
            fn bindings() -> Ptr: effect;
            /// The object stays the caller's, who binds another one before it goes.
            fn bind(bindings: Ptr) -> Unit: effect;
            /// The memory of two words in which the library keeps the handlers in force in the fiber at work. Null at first.
            fn evidence_place() -> Ptr: effect;
            /// Where the object lies.
            fn address_of(object: Ptr) -> Ptr: only_args;
            /// A task panicked, and nobody asked for its result.
            fn task_failed(report: Str) -> Unit: blocks;
            /// A generator with this function for C, the same for all generators, which asks for the body (`task_body`).
            /// The body is moved.
            fn generator_new(entry: Ptr, body: Ptr) -> Ptr: effect;
            /// Whether no further value comes.
            fn generator_over(generator: Ptr) -> Bool: effect;
            /// Lets the body run until it yields or is over. Outcome.
            fn generator_resume(generator: Ptr) -> Int: blocks;
            /// Lets who asked go on until it asks again. For the body. Outcome.
            fn generator_yield(generator: Ptr) -> Int: blocks;
            /// Ends the body, if it is not over, and frees the generator.
            fn generator_end(generator: Ptr) -> Unit: blocks;
            // ---- variables of modules; whose a variable is (`kind`): everybody's 0, each task's 1, each thread's 2
            /// Whether the caller is to make the variable at this place: outcome 0 if so, 2 if it is made, below -1 if
            /// waiting for that failed, -6 if it is needed to make itself.
            fn variable_begin(place: Ptr, name: Str) -> Int: blocks;
            /// What a panic says of that.
            fn variable_cycle(place: Ptr) -> Str: effect;
            /// It could not be made; the next one who asks tries again.
            fn variable_failed(place: Ptr) -> Unit: effect;
            /// It is made. `end` is moved: what lets go of it in the end, called by this function for C.
            fn variable_made(place: Ptr, kind: Int, entry: Ptr, end: Ptr) -> Unit: effect;
            /// Where the copy of the task or thread at work lies of the variable at `key`; zeros at first.
            fn variable_place(key: Ptr, size: U64, kind: Int) -> Ptr: effect;
            /// Memory for a value that the task at work sends or receives, until it asks for it again.
            fn transfer_slot(size: U64) -> Ptr: effect;
            /// A channel for values of `size` bytes; a capacity below zero is none.
            fn channel_new(size: U64, capacity: Int) -> Ptr: effect;
            fn channel_free(channel: Ptr) -> Unit: effect;
            /// The bytes at `value` are moved if the outcome says so.
            fn channel_send(channel: Ptr, value: Ptr, timeout: Int) -> Int: blocks;
            fn channel_recv(channel: Ptr, value: Ptr, timeout: Int) -> Int: blocks;
            fn channel_try_send(channel: Ptr, value: Ptr) -> Int: effect;
            fn channel_try_recv(channel: Ptr, value: Ptr) -> Int: effect;
            /// False if it was closed before.
            fn channel_close(channel: Ptr) -> Bool: effect;
            /// How many values wait.
            fn channel_len(channel: Ptr) -> Int: effect;
            fn channel_closed(channel: Ptr) -> Bool: effect;
            /// Of several cases (channel, 0 receive or 1 send, place of the value: three words each) one. Outcome.
            fn select(cases: Ptr, count: Int, wait: Bool, timeout: Int) -> Int: blocks;
            fn mutex_new() -> Ptr: effect;
            fn mutex_free(mutex: Ptr) -> Unit: effect;
            fn mutex_lock(mutex: Ptr, timeout: Int) -> Int: blocks;
            fn mutex_try_lock(mutex: Ptr) -> Bool: effect;
            fn mutex_unlock(mutex: Ptr) -> Unit: effect;
            fn semaphore_new(permits: U64) -> Ptr: effect;
            fn semaphore_free(semaphore: Ptr) -> Unit: effect;
            fn semaphore_acquire(semaphore: Ptr, amount: U64, timeout: Int) -> Int: blocks;
            fn semaphore_try_acquire(semaphore: Ptr, amount: U64) -> Bool: effect;
            fn semaphore_release(semaphore: Ptr, amount: U64) -> Unit: effect;
            fn semaphore_free_permits(semaphore: Ptr) -> Int: effect;
            fn condition_new() -> Ptr: effect;
            fn condition_free(condition: Ptr) -> Unit: effect;
            /// Gives the lock back, waits to be told, takes the lock again. Outcome.
            fn condition_wait(condition: Ptr, mutex: Ptr, timeout: Int) -> Int: blocks;
            /// Tells the first who waits, or all; how many there were.
            fn condition_notify(condition: Ptr, all: Bool) -> Int: effect;

            // ---- atomic numbers; `kind`, `order`: see `qz_rt::atomics`
            fn atomic_load(at: Ptr, kind: Int, order: Int) -> Int: effect;
            fn atomic_store(at: Ptr, kind: Int, value: Int, order: Int) -> Unit: effect;
            /// Changes the number by operation `op`, as told there; the old one.
            fn atomic_update(at: Ptr, kind: Int, op: Int, value: Int, order: Int) -> Int: effect;
            /// Stores `value` if the number is `expected`, which then is the result; else the result is the number.
            fn atomic_cas(at: Ptr, kind: Int, expected: Int, value: Int, order: Int) -> Int: effect;

            // ---- strings
            /// `n` strings, whose pointers stand one after the other, as one.
            fn str_concat(pieces: Ptr, n: U64) -> Str: ;
            fn str_concat2(a: Str, b: Str) -> Str: ;
            fn str_concat3(a: Str, b: Str, c: Str) -> Str: ;
            fn str_concat4(a: Str, b: Str, c: Str, d: Str) -> Str: ;
            fn str_concat5(a: Str, b: Str, c: Str, d: Str, e: Str) -> Str: ;
            fn str_concat6(a: Str, b: Str, c: Str, d: Str, e: Str, f: Str) -> Str: ;
            fn str_concat7(a: Str, b: Str, c: Str, d: Str, e: Str, f: Str, g: Str) -> Str: ;
            fn str_concat8(a: Str, b: Str, c: Str, d: Str, e: Str, f: Str, g: Str, h: Str) -> Str: ;
            /// A string of these bytes, or null if they are not UTF-8.
            fn str_from_bytes(bytes: Ptr, len: U64) -> Str: ;
            /// A string of these bytes, which are UTF-8.
            fn str_from_utf8(bytes: Ptr, len: U64) -> Str: ;
            /// As `str_from_utf8`, for text whose characters were counted.
            fn str_from_counted(bytes: Ptr, len: U64, chars: U64) -> Str: ;
            /// As `str_from_counted`, of the start of a block that `alloc` made with size `cap` and alignment 1: the
            /// string owns the block from now on.
            fn str_owning(block: Ptr, cap: U64, len: U64, chars: U64) -> Str: ;
            /// A string of these bytes, what is not UTF-8 replaced by U+FFFD.
            fn str_from_lossy(bytes: Ptr, len: U64) -> Str: ;
            /// Offset of the first such byte, or `len`.
            fn bytes_find(bytes: Ptr, len: U64, byte: U8) -> U64: reads;
            /// How many bytes from the start are UTF-8.
            fn utf8_valid(bytes: Ptr, len: U64) -> Int: reads;
            /// Characters in UTF-8 bytes.
            fn utf8_count(bytes: Ptr, len: U64) -> Int: reads;
            /// The bytes `from..to` of a string; both lie between characters. Copies below 64 bytes.
            fn str_slice(s: Str, from: U64, to: U64) -> Str: ;
            fn str_eq(a: Str, b: Str) -> Bool: reads;
            /// -1, 0 or 1, by bytes, which is by characters too.
            fn str_cmp(a: Str, b: Str) -> Int: reads;
            /// The first 8 bytes as a number that has their order, filled up with zeros.
            fn str_first(s: Str) -> U64: reads;
            /// A keyed hash under this process's random key.
            fn str_hash(s: Str) -> U64: keyed reads;
            /// As `str_hash` for any bytes.
            fn hash_bytes(bytes: Ptr, len: U64) -> U64: keyed reads;
            /// A keyed hash of one word, cheaper than `hash_bytes`.
            fn hash_word(word: U64) -> U64: keyed reads;
            /// A random word, the same throughout the process.
            fn hash_seed() -> U64: keyed reads;
            /// Offset of the first `needle` at or after byte `from`, or -1.
            fn str_find(s: Str, needle: Str, from: U64) -> Int: ;
            /// How often `needle`, which is not empty, stands in a string, without overlaps.
            fn str_count(s: Str, needle: Str) -> Int: ;
            /// Writes the parts between separators, one more than `str_count` says, to memory.
            fn str_split(s: Str, separator: Str, parts: Ptr) -> Unit: ;
            /// Offset of the last `needle` that ends at or before byte `to`, or -1.
            fn str_rfind(s: Str, needle: Str, to: U64) -> Int: ;
            /// Byte offset of character `n`; the string's byte size if `n` is its number of characters.
            fn str_offset(s: Str, n: U64) -> Int: ;
            fn str_repeat(s: Str, times: U64) -> Str: ;
            /// Every `from` replaced by `to`, left to right.
            fn str_replace(s: Str, from: Str, to: Str) -> Str: ;
            /// What is wrong with a regex; nothing if it is one.
            fn regex_problem(pattern: Str) -> Str: ;
            /// How many groups a regex has, the whole match among them; 0 for what is none.
            fn regex_size(pattern: Str) -> Int: ;
            /// The name of a group, or nothing.
            fn regex_name(pattern: Str, group: Int) -> Str: ;
            /// Looks for a match from byte `from` on. Writes for each of `groups` where it begins and ends, or -1 twice;
            /// 1 if there is a match, 0 if there is none, -1 if the pattern is no regex.
            fn regex_find(pattern: Str, text: Str, from: Int, spans: Ptr, groups: Int) -> Int: ;
            fn str_upper(s: Str) -> Str: ;
            fn str_lower(s: Str) -> Str: ;
            fn str_from_char(c: Char) -> Str: ;
            /// In quotes, with escapes: what `inspect` shows.
            fn str_inspect(s: Str) -> Str: ;
            fn char_inspect(c: Char) -> Str: ;
            /// Single-character mappings; a character whose mapping is longer stays as it is.
            fn char_upper(c: Char) -> Char: ;
            fn char_lower(c: Char) -> Char: ;
            /// 0 alphabetic, 1 numeric, 2 alphanumeric, 3 whitespace, 4 upper case, 5 lower case, 6 control.
            fn char_is(c: Char, class: Int) -> Bool: ;
            /// Frees a string whose last count goes.
            fn str_free(s: Str) -> Unit: ;
            /// Takes a count from a string, and frees it if that was the last one.
            fn str_release(s: Str) -> Unit: ;

            // ---- numbers and text
            fn int_to_str(value: Int) -> Str: ;
            fn uint_to_str(value: U64) -> Str: ;
            /// Digits above 9 are lower-case letters; `radix` is 2 to 36.
            fn int_to_radix(value: Int, radix: Int) -> Str: ;
            /// The shortest text that reads back, with a point or an exponent: `1.0`, `0.1`, `1e21`, `NaN`.
            fn f64_to_str(value: F64) -> Str: ;
            fn f32_to_str(value: F32) -> Str: ;
            /// Exactly `digits` digits after the point.
            fn f64_to_fixed(value: F64, digits: Int) -> Str: ;
            /// Scientific, with `digits` digits after the point, or the shortest for -1.
            fn f64_to_exp(value: F64, digits: Int) -> Str: ;
            /// Writes the decimal digits (at most 20 bytes); how many bytes.
            fn fmt_int(value: Int, buffer: Ptr) -> Int: ;
            fn fmt_uint(value: U64, buffer: Ptr) -> Int: ;
            /// As `f64_to_str`, at most 32 bytes.
            fn fmt_f64(value: F64, buffer: Ptr) -> Int: ;
            /// 0 and the value, 1 not a number, 2 out of range. Accepts a sign and single `_` between digits.
            fn parse_int(s: Str, radix: Int, out: Ptr) -> Int: ;
            /// As `parse_int`, for `U64`.
            fn parse_uint(s: Str, radix: Int, out: Ptr) -> Int: ;
            /// 0 and the value, or 1.
            fn parse_f64(s: Str, out: Ptr) -> Int: ;

            // ---- standard streams
            /// Writes to standard output, through its buffer. Status.
            fn out_write(bytes: Ptr, len: U64) -> Int: blocks;
            fn out_str(s: Str) -> Int: blocks;
            /// The string and a newline.
            fn out_line(s: Str) -> Int: blocks;
            fn out_flush() -> Int: blocks;
            /// Writes to standard error, unbuffered, after flushing standard output. Status.
            fn err_write(bytes: Ptr, len: U64) -> Int: blocks;
            fn err_str(s: Str) -> Int: blocks;
            fn err_line(s: Str) -> Int: blocks;
            /// Reads a line without its end. Result: 1 and the string, 0 at the end of input, -84 (`EILSEQ`) if it
            /// is not UTF-8.
            fn in_line(out: Ptr, timeout: Int) -> Int: blocks;
            /// Reads up to `len` bytes. Result: how many, 0 at the end.
            fn in_read(bytes: Ptr, len: U64, timeout: Int) -> Int: blocks;

            // ---- sockets; `address`, `result`, `socket`: see `qz_rt::net`
            /// A socket (to `out`) for an open descriptor, which belongs to it then. Status.
            fn io_open(fd: Int, out: Ptr) -> Int: effect;
            /// Closes a socket; those who wait for it go on. Again does nothing.
            fn io_close(socket: Ptr) -> Unit: effect;
            /// Closes and forgets a socket.
            fn io_free(socket: Ptr) -> Unit: effect;
            /// Reads what is there, once something is. Result: how many bytes, 0 at the end.
            fn io_read(socket: Ptr, bytes: Ptr, len: U64, timeout: Int) -> Int: blocks;
            /// Writes what fits, once something does. Result: how many bytes.
            fn io_write(socket: Ptr, bytes: Ptr, len: U64, timeout: Int) -> Int: blocks;
            /// An address in words: 65536 times its kind (0 IPv4, 1 IPv6, 2 of the file system) and its port; its host or
            /// path, always in the same words, to `out`. Status.
            fn net_parse(text: Str, out: Ptr) -> Int: effect;
            /// A descriptor that listens at an address, one for messages, one that connects to an address. Result.
            fn net_listen(address: Str) -> Int: effect;
            fn net_bind(address: Str) -> Int: effect;
            fn net_connect(address: Str) -> Int: effect;
            /// Waits until a socket is connected. Result.
            fn net_connected(socket: Ptr, timeout: Int) -> Int: blocks;
            /// The descriptor of the next connection. Result.
            fn net_accept(socket: Ptr, timeout: Int) -> Int: blocks;
            fn net_send_to(socket: Ptr, bytes: Ptr, len: U64, to: Str) -> Int: blocks;
            fn net_recv_from(socket: Ptr, bytes: Ptr, len: U64, timeout: Int) -> Int: blocks;
            /// The address of who sent the message that the task at work received last.
            fn net_sender() -> Str: effect;
            /// The socket's own address, or its peer's, to `out`. Status.
            fn net_address(socket: Ptr, peer: Bool, out: Ptr) -> Int: effect;
            /// Ends reading (0), writing (1) or both (2). Status.
            fn net_shutdown(socket: Ptr, how: Int) -> Int: effect;
            /// Whether small writes go out at once. Status.
            fn net_no_delay(socket: Ptr, on: Bool) -> Int: effect;
            /// The addresses of a host, each on a line, to `out`. Status.
            fn net_resolve(host: Str, port: Int, out: Ptr) -> Int: blocks;
            /// Both ends of a pipe: reading in the low half, writing in the high one. Result.
            fn net_pipe() -> Int: effect;

            // ---- files
            /// `flags`: 1 read, 2 write, 4 append, 8 create, 16 truncate, 32 must be new. A descriptor or
            /// status.
            fn file_open(path: Str, flags: Int, mode: Int) -> Int: blocks;
            fn fd_read(fd: Int, bytes: Ptr, len: U64) -> Int: blocks;
            fn fd_write(fd: Int, bytes: Ptr, len: U64) -> Int: blocks;
            /// `whence`: 0 start, 1 current, 2 end. The new offset or status.
            fn fd_seek(fd: Int, offset: Int, whence: Int) -> Int: blocks;
            fn fd_sync(fd: Int) -> Int: blocks;
            fn fd_close(fd: Int) -> Int: blocks;
            /// Fills six `Int`s: kind (0 file, 1 folder, 2 link, 3 other), size, modified, accessed,
            /// created (nanoseconds since 1970, -1 unknown), permission bits. Status.
            fn path_stat(path: Str, follow: Bool, out: Ptr) -> Int: blocks;
            fn path_remove(path: Str) -> Int: blocks;
            fn path_rename(from: Str, to: Str) -> Int: blocks;
            fn path_link(from: Str, to: Str, symbolic: Bool) -> Int: blocks;
            fn path_chmod(path: Str, mode: Int) -> Int: blocks;
            fn dir_create(path: Str, mode: Int) -> Int: blocks;
            fn dir_remove(path: Str) -> Int: blocks;
            /// The names in a folder, sorted, each followed by a zero byte. Status; the string goes to `out`.
            fn dir_list(path: Str, out: Ptr) -> Int: blocks;
            /// The absolute path without links. Status; the string goes to `out`.
            fn path_real(path: Str, out: Ptr) -> Int: blocks;
            /// Where a symbolic link leads. Status; the string goes to `out`.
            fn path_readlink(path: Str, out: Ptr) -> Int: blocks;
            fn cwd(out: Ptr) -> Int: blocks;
            fn chdir(path: Str) -> Int: blocks;
            fn temp_dir() -> Str: effect;
            /// The system's words for an `errno` (either sign).
            fn errno_message(code: Int) -> Str: ;

            // ---- process
            fn arg_count() -> Int: effect;
            /// Argument `n` (0 is the program), which exists.
            fn arg(n: Int) -> Str: effect;
            /// Nullable.
            fn env_get(name: Str) -> Str: effect;
            fn env_set(name: Str, value: Str) -> Unit: effect;
            fn env_remove(name: Str) -> Unit: effect;
            /// All `name=value`, sorted, each followed by a zero byte.
            fn env_list() -> Str: effect;
            /// Flushes and ends the process with this status, without unwinding.
            fn exit(status: Int) -> Unit: effect never;
            fn pid() -> Int: effect;
            fn cpu_count() -> Int: effect;
            /// Starts a program. `argv` holds its name and arguments, `variables` the `name=value`s that it gets besides
            /// those of this process, each followed by a zero byte; `folder` is nullable. `streams`: two bits for each of
            /// its standard streams, 0 this program's, 1 a pipe, 2 nothing. Four words go to `out`: the child, and the
            /// descriptors of this end of the pipes, or -1. Status.
            fn child_start(argv: Str, folder: Str, variables: Str, streams: Int, out: Ptr) -> Int: blocks;
            /// Waits for a child's end. Result: its exit status, 128 + n after signal n.
            fn child_wait(child: Ptr, timeout: Int) -> Int: blocks;
            /// Sends a signal, unless the child is over. Status.
            fn child_signal(child: Ptr, signal: Int) -> Int: effect;
            fn child_id(child: Ptr) -> Int: effect;
            /// Forgets a child, which goes on.
            fn child_free(child: Ptr) -> Unit: effect;
            /// Whether a descriptor is a terminal.
            fn is_terminal(fd: Int) -> Bool: effect;
            /// Columns and rows of the terminal into two `Int`s. Status.
            fn terminal_size(out: Ptr) -> Int: effect;

            // ---- time and chance
            /// Nanoseconds on a clock that never goes back.
            fn time_monotonic() -> Int: effect;
            /// Nanoseconds since 1970, UTC.
            fn time_wall() -> Int: effect;
            /// Seconds to add to UTC for local time at this moment (seconds since 1970).
            fn time_local_offset(seconds: Int) -> Int: effect;
            /// Waits for so long; others go on meanwhile. Outcome.
            fn sleep(nanoseconds: Int) -> Int: blocks;
            /// 64 random bits from the system.
            fn random_seed() -> U64: effect;
            fn random_bytes(bytes: Ptr, len: U64) -> Int: effect;

            // ---- mathematics
            fn f64_sin(x: F64) -> F64: only_args;
            fn f64_cos(x: F64) -> F64: only_args;
            fn f64_tan(x: F64) -> F64: only_args;
            fn f64_asin(x: F64) -> F64: only_args;
            fn f64_acos(x: F64) -> F64: only_args;
            fn f64_atan(x: F64) -> F64: only_args;
            fn f64_atan2(y: F64, x: F64) -> F64: only_args;
            fn f64_sinh(x: F64) -> F64: only_args;
            fn f64_cosh(x: F64) -> F64: only_args;
            fn f64_tanh(x: F64) -> F64: only_args;
            fn f64_asinh(x: F64) -> F64: only_args;
            fn f64_acosh(x: F64) -> F64: only_args;
            fn f64_atanh(x: F64) -> F64: only_args;
            fn f64_exp(x: F64) -> F64: only_args;
            fn f64_exp2(x: F64) -> F64: only_args;
            fn f64_exp_m1(x: F64) -> F64: only_args;
            fn f64_ln(x: F64) -> F64: only_args;
            fn f64_ln_1p(x: F64) -> F64: only_args;
            fn f64_log2(x: F64) -> F64: only_args;
            fn f64_log10(x: F64) -> F64: only_args;
            fn f64_pow(x: F64, y: F64) -> F64: only_args;
            fn f64_cbrt(x: F64) -> F64: only_args;
            fn f64_hypot(x: F64, y: F64) -> F64: only_args;
            /// The remainder whose sign is the dividend's.
            fn f64_rem(x: F64, y: F64) -> F64: only_args;
            /// To the nearest, ties away from zero.
            fn f64_round(x: F64) -> F64: only_args;
            fn f32_rem(x: F32, y: F32) -> F32: only_args;
        }
    };
}

macro_rules! scalar {
    (Bool) => {
        Some(RtScalar::I8)
    };
    (U8) => {
        Some(RtScalar::I8)
    };
    (I32) => {
        Some(RtScalar::I32)
    };
    (U32) => {
        Some(RtScalar::I32)
    };
    (Char) => {
        Some(RtScalar::I32)
    };
    (Int) => {
        Some(RtScalar::I64)
    };
    (U64) => {
        Some(RtScalar::I64)
    };
    (F32) => {
        Some(RtScalar::F32)
    };
    (F64) => {
        Some(RtScalar::F64)
    };
    (Ptr) => {
        Some(RtScalar::Ptr)
    };
    (Str) => {
        Some(RtScalar::Ptr)
    };
    (Unit) => {
        None
    };
}

macro_rules! param {
    ($ty:ident) => {
        match scalar!($ty) {
            Some(scalar) => scalar,
            None => unreachable!(),
        }
    };
}

const fn has_flag(flags: &[&str], flag: &str) -> bool {
    let mut i = 0;
    while i < flags.len() {
        // The flags differ in their first letter.
        if flags[i].as_bytes()[0] == flag.as_bytes()[0] {
            return true;
        }
        i += 1;
    }
    false
}

macro_rules! define {
    ($($(#[$doc:meta])* fn $name:ident($($param:ident: $ty:ident),*) -> $ret:ident: $($flag:ident)*;)*) => {
        /// The registry, in the order of [`RtFn`].
        pub const TABLE: &[RtDef] = &[$(RtDef {
            name: stringify!($name),
            symbol: concat!("qz_rt_", stringify!($name)),
            sig: RtSig { params: &[$(param!($ty)),*], ret: scalar!($ret) },
            param_names: &[$(stringify!($param)),*],
            may_panic: has_flag(&[$(stringify!($flag)),*], "panics"),
            may_block: has_flag(&[$(stringify!($flag)),*], "blocks"),
            never: has_flag(&[$(stringify!($flag)),*], "never"),
            effect: has_flag(&[$(stringify!($flag)),*], "effect")
                || has_flag(&[$(stringify!($flag)),*], "blocks"),
            keyed: has_flag(&[$(stringify!($flag)),*], "keyed"),
            only_args: has_flag(&[$(stringify!($flag)),*], "only_args"),
            reads: has_flag(&[$(stringify!($flag)),*], "reads"),
        }),*];

        #[allow(non_camel_case_types, reason = "only its numbers are used")]
        #[repr(u16)]
        enum Slot { $($name),* }

        /// The functions by name, for those who call one in particular.
        #[allow(non_upper_case_globals, reason = "named like the functions")]
        pub mod rt {
            use super::{RtFn, Slot};
            $($(#[$doc])* pub const $name: RtFn = RtFn(Slot::$name as u16);)*
        }
    };
}

rt_functions!(define);

impl RtFn {
    /// How many there are.
    pub const COUNT: usize = TABLE.len();

    /// The function that the standard library calls `name`.
    pub fn by_name(name: &str) -> Option<RtFn> {
        TABLE.iter().position(|def| def.name == name).map(|index| RtFn(index as u16))
    }

    pub fn def(self) -> &'static RtDef {
        &TABLE[self.0 as usize]
    }

    pub fn all() -> impl Iterator<Item = RtFn> {
        (0..TABLE.len() as u16).map(RtFn)
    }
}

/// What failed, in the first argument of `panic_arith`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ArithError {
    Add,
    Sub,
    Mul,
    /// The quotient does not fit (`MIN / -1`).
    Div,
    Rem,
    Neg,
    /// Division by zero.
    DivZero,
    RemZero,
    /// The shift count `b` is outside the width.
    Shl,
    Shr,
}

impl ArithError {
    pub const ALL: [ArithError; 10] = [
        ArithError::Add,
        ArithError::Sub,
        ArithError::Mul,
        ArithError::Div,
        ArithError::Rem,
        ArithError::Neg,
        ArithError::DivZero,
        ArithError::RemZero,
        ArithError::Shl,
        ArithError::Shr,
    ];
}

/// Numeric types as the runtime knows them: `I8 I16 I32 I64 U8 U16 U32 U64 F32 F64 Char`, from 0.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NumTy {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
    Char,
}

impl NumTy {
    pub const ALL: [NumTy; 11] = [
        NumTy::I8,
        NumTy::I16,
        NumTy::I32,
        NumTy::I64,
        NumTy::U8,
        NumTy::U16,
        NumTy::U32,
        NumTy::U64,
        NumTy::F32,
        NumTy::F64,
        NumTy::Char,
    ];

    /// The name a user writes.
    pub fn name(self) -> &'static str {
        ["I8", "I16", "I32", "Int", "U8", "U16", "U32", "U64", "F32", "F64", "Char"][self as usize]
    }

    pub fn bits(self) -> u32 {
        [8, 16, 32, 64, 8, 16, 32, 64, 32, 64, 32][self as usize]
    }

    pub fn signed(self) -> bool {
        (self as u8) < 4
    }
}

/// The first argument of `panic_arith`.
pub const fn arith_code(error: ArithError, ty: NumTy) -> u32 {
    error as u32 | (ty as u32) << 8
}

/// The first argument of `panic_cast`; its second one is the value, integers extended to 64 bits after their
/// own type, floats as their bits.
pub const fn cast_code(from: NumTy, to: NumTy) -> u32 {
    from as u32 | (to as u32) << 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_their_functions() {
        assert_eq!(RtFn::by_name("str_find"), Some(rt::str_find));
        assert_eq!(RtFn::by_name("nothing"), None);
        for f in RtFn::all() {
            assert_eq!(RtFn::by_name(f.def().name), Some(f), "names are unique");
        }
    }

    #[test]
    fn flags_are_read() {
        assert!(rt::panic.def().may_panic && rt::panic.def().never);
        assert!(rt::sleep.def().may_block && !rt::sleep.def().may_panic);
    }
}

//! Does a panic find its handlers? Functions are built by hand, so that only tables and walking are tested.

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, ExtFuncData, ExternalName,
    FuncRef, InstBuilder, Signature, SourceLoc, Type, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use qz_cranelift::Made;
use qz_cranelift::image::{Image, Symbol};
use qz_cranelift::isa::{OptLevel, host};
use qz_cranelift::load::Loaded;
use qz_rt::unwind::{ENTRY_LOCATION, Frame, Resolver};
use qz_rt::{Context as RtContext, Settings};
use qz_rt_abi::Fiber;
use qz_rt_abi::registry::{ArithError, NumTy, RtFn, arith_code, rt};

struct Names;

impl Resolver for Names {
    fn frames(&self, location: u32) -> Vec<Frame> {
        let function = format!("f{location}");
        vec![Frame { function, file: "t.qz".into(), line: location, column: 1, track_caller: location == 1 }]
    }
}

fn sig(conv: CallConv, params: &[Type], ret: Option<Type>) -> Signature {
    let mut s = Signature::new(conv);
    s.params = params.iter().map(|&t| AbiParam::new(t)).collect();
    s.returns = ret.into_iter().map(AbiParam::new).collect();
    s
}

fn import(b: &mut FunctionBuilder, symbol: Symbol, signature: Signature) -> FuncRef {
    let signature = b.func.import_signature(signature);
    let name = b.func.declare_imported_user_function(symbol.name());
    let name = ExternalName::user(name);
    b.func.import_function(ExtFuncData { name, signature, colocated: true, patchable: false })
}

/// A call that goes on in a fresh block, and in another one after a panic. Gives the results and that other
/// block, which is left open.
fn call_or_else(
    b: &mut FunctionBuilder,
    f: FuncRef,
    args: &[Value],
) -> (Value, cranelift_codegen::ir::Block) {
    let (next, handler) = (b.create_block(), b.create_block());
    let result = b.append_block_param(next, types::I64);
    let signature = b.func.dfg.ext_funcs[f].signature;
    let pool = &mut b.func.dfg.value_lists;
    let normal = BlockCall::new(next, [BlockArg::TryCallRet(0)], pool);
    let caught = BlockCall::new(handler, [], pool);
    let table = ExceptionTableData::new(signature, normal, [ExceptionTableItem::Default(caught)]);
    let table = b.func.dfg.exception_tables.push(table);
    b.ins().try_call(f, args, table);
    b.seal_block(next);
    b.seal_block(handler);
    b.switch_to_block(next);
    (result, handler)
}

fn runtime(b: &mut FunctionBuilder, f: RtFn, params: &[Type]) -> FuncRef {
    import(b, Symbol::Runtime(f), sig(CallConv::Tail, params, None))
}

struct Maker {
    isa: std::sync::Arc<dyn TargetIsa>,
    cx: Context,
    fbc: FunctionBuilderContext,
    image: Image,
}

impl Maker {
    fn function(
        &mut self,
        number: u32,
        signature: Signature,
        body: impl FnOnce(&mut FunctionBuilder, &[Value]),
    ) {
        self.cx.clear();
        self.cx.func.signature = signature;
        let mut b = FunctionBuilder::new(&mut self.cx.func, &mut self.fbc);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        b.seal_block(entry);
        let params = b.block_params(entry).to_vec();
        body(&mut b, &params);
        b.finalize(self.isa.frontend_config());
        self.cx.compile(&*self.isa, &mut ControlPlane::default()).expect("compiles");
        let code = self.cx.compiled_code().expect("was compiled");
        self.image.add_function(number, &Made::new(&*self.isa, code, &self.cx.func), &self.cx.func);
    }
}

const I64X2: [Type; 2] = [types::I64, types::I64];

/// 0 `dive(fiber, n)`: at 0 panics, else `dive(n - 1) + 1`.
/// 1 `keeps(fiber, n)`: `dive(n)`; when a panic comes by, goes on with it after calling 3.
/// 2 `takes(fiber, n)`: `keeps(n)`; when a panic comes by, `n * 1000` kept from before.
/// 3 `cleanup(fiber, n)`: panics and takes it.
/// 4 the entry.
fn program() -> Loaded {
    let isa = host(OptLevel::Speed);
    let mut m =
        Maker { isa, cx: Context::new(), fbc: FunctionBuilderContext::new(), image: Image::default() };
    let tail = || sig(CallConv::Tail, &I64X2, Some(types::I64));
    m.function(0, tail(), |b, p| {
        let (zero, more) = (b.create_block(), b.create_block());
        b.ins().brif(p[1], more, &[], zero, &[]);
        b.switch_to_block(zero);
        let arith = runtime(b, rt::panic_arith, &[types::I64, types::I32, types::I64, types::I64]);
        let what = b.ins().iconst(types::I32, arith_code(ArithError::Add, NumTy::I64) as i64);
        let one = b.ins().iconst(types::I64, 1);
        b.set_srcloc(SourceLoc::new(1));
        b.ins().call(arith, &[p[0], what, one, one]);
        b.ins().trap(cranelift_codegen::ir::TrapCode::unwrap_user(1));
        b.switch_to_block(more);
        b.set_srcloc(SourceLoc::new(2));
        let dive = import(b, Symbol::Function(0), tail());
        let less = b.ins().iadd_imm_s(p[1], -1);
        let call = b.ins().call(dive, &[p[0], less]);
        let result = b.inst_results(call)[0];
        let more = b.ins().iadd_imm_s(result, 1);
        b.ins().return_(&[more]);
        b.seal_all_blocks();
    });
    m.function(1, tail(), |b, p| {
        b.set_srcloc(SourceLoc::new(3));
        let dive = import(b, Symbol::Function(0), tail());
        let (result, handler) = call_or_else(b, dive, p);
        b.ins().return_(&[result]);
        b.switch_to_block(handler);
        let cleanup = import(b, Symbol::Function(3), tail());
        b.ins().call(cleanup, p);
        let resume = runtime(b, rt::resume, &[types::I64]);
        b.ins().call(resume, &[p[0]]);
        b.ins().trap(cranelift_codegen::ir::TrapCode::unwrap_user(1));
    });
    m.function(2, tail(), |b, p| {
        b.set_srcloc(SourceLoc::new(4));
        let keeps = import(b, Symbol::Function(1), tail());
        let kept = b.ins().imul_imm_s(p[1], 1000);
        let (result, handler) = call_or_else(b, keeps, p);
        let sum = b.ins().iadd(result, kept);
        b.ins().return_(&[sum]);
        b.switch_to_block(handler);
        b.ins().return_(&[kept]);
    });
    m.function(3, tail(), |b, p| {
        b.set_srcloc(SourceLoc::new(5));
        let dive = import(b, Symbol::Function(0), tail());
        let zero = b.ins().iconst(types::I64, 0);
        let (result, handler) = call_or_else(b, dive, &[p[0], zero]);
        b.ins().return_(&[result]);
        b.switch_to_block(handler);
        let take = import(
            b,
            Symbol::Runtime(rt::take_panic),
            sig(CallConv::SystemV, &[types::I64], Some(types::I64)),
        );
        b.ins().call(take, &[p[0]]);
        b.ins().return_(&[zero]);
    });
    m.function(4, sig(CallConv::SystemV, &I64X2, Some(types::I64)), |b, p| {
        b.set_srcloc(SourceLoc::new(ENTRY_LOCATION - 1));
        let takes = import(b, Symbol::Function(2), tail());
        let deep = import(b, Symbol::Function(0), tail());
        let (first, second) = (b.create_block(), b.create_block());
        let negative = b.ins().icmp_imm_s(IntCC::SignedLessThan, p[1], 0);
        b.ins().brif(negative, second, &[], first, &[]);
        b.switch_to_block(first);
        let call = b.ins().call(takes, p);
        let result = b.inst_results(call)[0];
        b.ins().return_(&[result]);
        b.switch_to_block(second);
        let n = b.ins().ineg(p[1]);
        let (result, handler) = call_or_else(b, deep, &[p[0], n]);
        b.ins().return_(&[result]);
        b.switch_to_block(handler);
        let minus = b.ins().iconst(types::I64, -1);
        b.ins().return_(&[minus]);
        b.seal_all_blocks();
    });
    m.image.load(&|_| None, Box::new(Names)).expect("memory, and nothing is outside")
}

fn run(loaded: &Loaded, context: &mut RtContext, n: i64) -> i64 {
    // SAFETY: function 4 was built with this signature and C's convention.
    let entry: extern "C" fn(*mut Fiber, i64) -> i64 = unsafe { std::mem::transmute(loaded.function(4)) };
    context.run(|fiber| entry(fiber, n)).expect("memory")
}

#[test]
fn a_panic_runs_cleanups_and_is_taken() {
    let loaded = program();
    let mut context = RtContext::new(std::ptr::null(), Settings::default()).expect("memory");
    for n in 0..100 {
        assert_eq!(run(&loaded, &mut context, n), n * 1000);
        let panic = context.take_panic().expect("nobody took it");
        assert_eq!(panic.message, "integer overflow: 1 + 1");
        assert!(context.take_panic().is_none());
    }
}

#[test]
fn a_panic_tells_where_it_was() {
    let loaded = program();
    let mut context = RtContext::new(std::ptr::null(), Settings::default()).expect("memory");
    assert_eq!(run(&loaded, &mut context, -2), -1);
    let report = context.take_panic().expect("nobody took it").report();
    let expected = "panic: integer overflow: 1 + 1
  at t.qz:2:1
  in f1 (t.qz:1:1)
  in f2 (t.qz:2:1)
  in f2 (t.qz:2:1)
";
    assert_eq!(report.replace("  in f4294967294 (t.qz:4294967294:1)\n", ""), expected);
}

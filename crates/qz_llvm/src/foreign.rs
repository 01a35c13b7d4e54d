//! Calls of C by its convention, and code that C can call.
//!
//! A function for C has two parts around the Quartz function. The outer one is what C calls: it writes its arguments
//! to its frame and asks the runtime (`qz_foreign_run`) to run the inner one there, which finds or makes a fiber. The
//! inner one calls the Quartz function, and ends the program if a panic comes out.

use std::fmt::Write;

use qz_codegen::c_abi::{CAbi, CArch, CFrame, CParam, CPass, CRet, CSource, Extend, Pieces, padded_size};
use qz_codegen::{FnAbi, PassMode, RetMode};
use qz_mir::layout::{Layout, Scalar, Slot};
use qz_mir::{Call, ForC, Instance, InstanceId};
use qz_types::Ty;

use crate::Arch;
use crate::function::FnCx;
use crate::ir::{LlTy, Value};
use crate::memory::Addr;
use crate::program::{ProgramCx, quoted};
use crate::returns::ret_ty;
use crate::value::{Parts, Val};

impl Arch {
    fn c(self) -> CArch {
        match self {
            Arch::X86_64 => CArch::X86_64,
            Arch::Aarch64 => CArch::Aarch64,
        }
    }
}

fn extension(extend: Extend) -> &'static str {
    match extend {
        Extend::None => "",
        Extend::Sign => " signext",
        Extend::Zero => " zeroext",
    }
}

fn slots_ty(slots: &[Slot]) -> String {
    let tys: Vec<String> = slots.iter().map(|slot| LlTy::of(slot.scalar).to_string()).collect();
    match tys.as_slice() {
        [one] => one.clone(),
        many => format!("{{ {} }}", many.join(", ")),
    }
}

fn c_ret_ty(abi: &CAbi) -> String {
    match &abi.ret.1 {
        CRet::Ignore | CRet::Address => "void".into(),
        CRet::Scalar(scalar, _) => LlTy::of(*scalar).to_string(),
        CRet::Pieces(slots) => slots_ty(slots),
    }
}

/// `ptr sret(…)`, where the result is written to an address.
fn result_param(abi: &CAbi) -> Option<String> {
    let layout = &abi.ret.0;
    (abi.ret.1 == CRet::Address)
        .then(|| format!("ptr sret([{} x i8]) align {}", layout.size, layout.align.max(1)))
}

/// The types of the machine arguments that a parameter becomes, with what must be said of them.
fn param_tys(param: &CParam) -> Vec<String> {
    match &param.pass {
        CPass::Ignore => Vec::new(),
        CPass::Scalar(scalar, extend) => vec![format!("{}{}", LlTy::of(*scalar), extension(*extend))],
        CPass::Pieces(Pieces { used_up, slots }) => {
            let unused = used_up.iter().flat_map(|&(scalar, n)| std::iter::repeat_n(scalar, n as usize));
            unused.chain(slots.iter().map(|slot| slot.scalar)).map(|it| LlTy::of(it).to_string()).collect()
        }
        CPass::Stack { size, align } => vec![format!("ptr byval([{size} x i8]) align {align}")],
        CPass::Address => vec!["ptr".into()],
    }
}

// ---------------------------------------------------------------------------------------------- calls of C

impl FnCx<'_, '_> {
    pub(crate) fn call_foreign(&mut self, call: &Call, instance: &Instance) {
        let foreign = instance.foreign.as_ref().expect("asked before");
        let skipped = usize::from(foreign.is_by_address());
        let operands = &call.args[skipped..];
        let tys: Vec<Ty> = operands.iter().map(|arg| self.operand_ty(arg)).collect();
        let abi = CAbi::new(self.program.layouts, self.program.options.arch.c(), tys, instance.ret);
        let result = match &abi.ret.1 {
            CRet::Pieces(_) | CRet::Address => Some(self.padded_temp(&abi.ret.0)),
            CRet::Ignore | CRet::Scalar(..) => None,
        };
        let mut list: Vec<String> = Vec::new();
        if let (Some(param), Some(at)) = (result_param(&abi), result) {
            list.push(format!("{param} {}", at.base));
        }
        let mut fixed: Vec<String> = result_param(&abi).into_iter().collect();
        for (n, (arg, param)) in operands.iter().zip(&abi.params).enumerate() {
            let value = self.operand(arg).1;
            let values = self.c_argument(param, &value);
            let tys = param_tys(param);
            list.extend(tys.iter().zip(values).map(|(ty, value)| format!("{ty} {value}")));
            if n + skipped < instance.params.len() {
                fixed.extend(tys);
            }
        }
        if foreign.variadic {
            fixed.push("...".into());
        }
        // A type by itself says nothing of how its values travel.
        let bare: Vec<&str> = fixed.iter().map(|it| it.split(' ').next().unwrap_or_default()).collect();
        let (ret, bare, fixed) = (c_ret_ty(&abi), bare.join(", "), fixed.join(", "));
        let code = match foreign.is_by_address() {
            true => self.scalar(&call.args[0]).to_string(),
            false => {
                let symbol = quoted(foreign.symbol.as_str());
                self.program.declare(foreign.symbol.as_str(), format!("declare {ret} @{symbol}({fixed}) #0"));
                format!("@{symbol}")
            }
        };
        let text = format!("call {ret} ({bare}) {code}({}) #0", list.join(", "));
        self.take_c_result(call, &abi, result, &text);
    }

    fn take_c_result(&mut self, call: &Call, abi: &CAbi, result: Option<Addr>, text: &str) {
        let value = match (&abi.ret.1, result) {
            (CRet::Scalar(scalar, _), _) => Val::one(self.w.set(LlTy::of(*scalar), format_args!("{text}"))),
            (CRet::Pieces(slots), Some(at)) => {
                let parts = self.c_results(slots, text);
                for (slot, part) in slots.iter().zip(parts) {
                    self.store(part, at.plus(slot.offset));
                }
                self.load_value(&abi.ret.0, at)
            }
            (CRet::Address, Some(at)) => {
                self.w.line(format_args!("{text}"));
                self.load_value(&abi.ret.0, at)
            }
            _ => return self.w.line(format_args!("{text}")),
        };
        self.write_local(call.dest, &value);
    }

    fn c_results(&mut self, slots: &[Slot], text: &str) -> Parts {
        if let [slot] = slots {
            return Parts::from_iter([self.w.set(LlTy::of(slot.scalar), format_args!("{text}"))]);
        }
        let (n, ty) = (self.w.next_number(), slots_ty(slots));
        self.w.line(format_args!("%r{n} = {text}"));
        let one = |(i, slot): (usize, &Slot)| {
            self.w.set(LlTy::of(slot.scalar), format_args!("extractvalue {ty} %r{n}, {i}"))
        };
        slots.iter().enumerate().map(one).collect()
    }

    /// Memory for a value of which whole words are read.
    fn padded_temp(&mut self, layout: &Layout) -> Addr {
        let name = format!("%t{}", self.w.next_number());
        let size = padded_size(layout);
        Addr::new(self.w.slot(&name, &format!("[{size} x i8]"), layout.align.max(8)))
    }

    fn c_argument(&mut self, param: &CParam, value: &Val) -> Vec<Value> {
        match (&param.pass, param.source) {
            (CPass::Ignore, _) => Vec::new(),
            (_, CSource::Object(offset)) => {
                let at = Addr::object(value.single()).plus(offset);
                vec![self.address(at)]
            }
            (_, CSource::Held(offset)) => {
                let at = Addr::object(value.single()).plus(offset);
                vec![self.load(LlTy::Ptr, at)]
            }
            (CPass::Scalar(..), CSource::Value) => vec![value.single()],
            (CPass::Pieces(Pieces { used_up, slots }), CSource::Value) => {
                let mut values: Vec<Value> = Vec::new();
                if let Some((scalar, count)) = used_up {
                    let nothing = Value::zero(LlTy::of(*scalar));
                    values.extend(std::iter::repeat_n(nothing, *count as usize));
                }
                let temp = self.padded_temp(&param.layout);
                self.store_value(&param.layout, value, temp);
                for slot in slots {
                    values.push(self.load(LlTy::of(slot.scalar), temp.plus(slot.offset)));
                }
                values
            }
            (CPass::Stack { .. } | CPass::Address, CSource::Value) => {
                let temp = self.padded_temp(&param.layout);
                self.store_value(&param.layout, value, temp);
                vec![temp.base]
            }
        }
    }
}

// ---------------------------------------------------------------------------------------- functions for C

/// The text of a function whose values are numbered.
#[derive(Default)]
struct Text {
    lines: String,
    values: u32,
}

impl Text {
    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.lines, "  {text}");
    }

    fn set(&mut self, text: std::fmt::Arguments<'_>) -> String {
        let name = format!("%v{}", self.values);
        self.values += 1;
        let _ = writeln!(self.lines, "  {name} = {text}");
        name
    }

    /// The address of a part of the frame.
    fn at(&mut self, offset: u32) -> String {
        match offset {
            0 => "%frame".into(),
            offset => self.set(format_args!("getelementptr inbounds i8, ptr %frame, i64 {offset}")),
        }
    }

    fn load(&mut self, scalar: Scalar, offset: u32) -> String {
        let at = self.at(offset);
        self.set(format_args!("load {}, ptr {at}", LlTy::of(scalar)))
    }

    fn store(&mut self, ty: LlTy, value: &str, offset: u32) {
        let at = self.at(offset);
        self.line(format_args!("store {ty} {value}, ptr {at}"));
    }

    fn copy(&mut self, to: &str, from: &str, size: u32) {
        self.line(format_args!(
            "call void @llvm.memmove.p0.p0.i64(ptr {to}, ptr {from}, i64 {size}, i1 false)"
        ));
    }

    /// Several values as one of a struct type.
    fn together(&mut self, ty: &str, parts: &[(LlTy, String)]) -> String {
        let mut whole = "undef".to_owned();
        for (i, (part, value)) in parts.iter().enumerate() {
            whole = self.set(format_args!("insertvalue {ty} {whole}, {part} {value}, {i}"));
        }
        whole
    }
}

/// What C calls a function by: its own symbol, or one that only this program has.
pub(crate) fn outer_symbol(instance: &Instance, for_c: &ForC) -> String {
    match for_c.symbol {
        Some(symbol) => quoted(symbol.as_str()),
        None => format!("{}.outer", instance.symbol),
    }
}

impl ProgramCx<'_> {
    /// The address of a function for C, which may stand in another part.
    pub(crate) fn function_for_c(&mut self, id: InstanceId) -> Option<Value> {
        let instance = &self.module.instances[id];
        let for_c = instance.for_c.as_ref()?;
        let symbol = outer_symbol(instance, for_c);
        let (name, scope) = match for_c.symbol {
            Some(name) => (name.as_str().to_owned(), ""),
            None => (symbol.clone(), "hidden "),
        };
        self.declare(&name, format!("declare {scope}void @{symbol}()"));
        Some(Value::named(LlTy::Ptr, &format!("@{symbol}")))
    }

    /// What stands around each function for C.
    pub(crate) fn print_for_c(&mut self) -> String {
        let mut text = String::new();
        for (id, instance) in self.module.instances.iter() {
            let Some(for_c) = &instance.for_c else { continue };
            let params = instance.params.iter().map(|param| param.ty);
            let abi = CAbi::new(self.layouts, self.options.arch.c(), params, instance.ret);
            let frame = abi.frame();
            text += &self.outer(&abi, &frame, instance, for_c);
            text += &self.inner(id, instance, for_c, &frame);
        }
        text
    }

    fn outer(&mut self, abi: &CAbi, frame: &CFrame, instance: &Instance, for_c: &ForC) -> String {
        let mut body = Text::default();
        let _ = writeln!(body.lines, "  %frame = alloca [{} x i8], align 16", frame.size);
        let mut list: Vec<String> = result_param(abi).map(|it| format!("{it} %result")).into_iter().collect();
        let mut count = 0;
        for (param, &offset) in abi.params.iter().zip(&frame.params) {
            let tys = param_tys(param);
            let names: Vec<String> = (0..tys.len()).map(|n| format!("%a{}", count + n)).collect();
            count += tys.len();
            list.extend(tys.iter().zip(&names).map(|(ty, name)| format!("{ty} {name}")));
            arrive(&mut body, param, &names, offset);
        }
        let run = "qz_foreign_run";
        self.declare(run, format!("declare void @{run}(ptr, ptr, ptr)"));
        body.line(format_args!(
            "call void @{run}(ptr @{}.inner, ptr %frame, ptr @qz.program)",
            instance.symbol
        ));
        let mut extends = "";
        match &abi.ret.1 {
            CRet::Ignore => body.line(format_args!("ret void")),
            CRet::Scalar(scalar, extend) => {
                extends = extension(*extend).trim_start();
                let value = body.load(*scalar, 0);
                body.line(format_args!("ret {} {value}", LlTy::of(*scalar)));
            }
            CRet::Pieces(slots) => {
                let part = |slot: &Slot| (LlTy::of(slot.scalar), body.load(slot.scalar, slot.offset));
                let parts: Vec<_> = slots.iter().map(part).collect();
                let ty = slots_ty(slots);
                let value = match parts.as_slice() {
                    [(_, one)] => one.clone(),
                    many => body.together(&ty, many),
                };
                body.line(format_args!("ret {ty} {value}"));
            }
            CRet::Address => {
                body.copy("%result", "%frame", abi.ret.0.size);
                body.line(format_args!("ret void"));
            }
        }
        let linkage = match for_c.symbol {
            Some(_) => "",
            None if self.has_parts() => "hidden ",
            None => "internal ",
        };
        let (ret, symbol, list) = (c_ret_ty(abi), outer_symbol(instance, for_c), list.join(", "));
        let space = if extends.is_empty() { "" } else { " " };
        format!("define {linkage}{extends}{space}{ret} @{symbol}({list}) #0 {{\n{}}}\n\n", body.lines)
    }

    fn inner(&mut self, id: InstanceId, instance: &Instance, for_c: &ForC, frame: &CFrame) -> String {
        let mut body = Text::default();
        let abi = self.abi(id);
        let flagged = self.is_flagged(id);
        let list = arguments(&mut body, &abi, frame);
        let (ty, callee) = (ret_ty(&abi, flagged), self.function_symbol(id));
        let call = format!("call fastcc {ty} {callee}(ptr %fiber{list}) #0");
        let slots: &[Slot] = match &abi.ret.1 {
            RetMode::Direct(slots) => slots,
            RetMode::Ignore | RetMode::Indirect => &[],
        };
        let whole = if ty == "void" {
            body.line(format_args!("{call}"));
            String::new()
        } else {
            body.set(format_args!("{call}"))
        };
        let is_struct = slots.len() + usize::from(flagged) > 1;
        let part = |body: &mut Text, i: usize| match is_struct {
            true => body.set(format_args!("extractvalue {ty} {whole}, {i}")),
            false => whole.clone(),
        };
        if flagged {
            let flag = part(&mut body, slots.len());
            body.line(format_args!("br i1 {flag}, label %panicked, label %fine"));
            let _ = writeln!(body.lines, "fine:");
        }
        for (i, slot) in slots.iter().enumerate() {
            let value = part(&mut body, i);
            body.store(LlTy::of(slot.scalar), &value, slot.offset);
        }
        body.line(format_args!("ret void"));
        if flagged {
            self.end_by_panic(&mut body, instance, for_c);
        }
        format!(
            "define internal void @{}.inner(ptr %fiber, ptr %frame) #0 {{\n{}}}\n\n",
            instance.symbol, body.lines
        )
    }

    /// A panic came to the border.
    fn end_by_panic(&mut self, body: &mut Text, instance: &Instance, for_c: &ForC) {
        let (end, len) = ("qz_foreign_panicked", for_c.name.len());
        self.declare(end, format!("declare void @{end}(ptr, ptr, i64) #1"));
        let text = crate::data::escaped(for_c.name.as_bytes());
        let symbol = &instance.symbol;
        let _ = writeln!(self.data, "@{symbol}.name = private constant [{len} x i8] c\"{text}\"");
        let _ = writeln!(body.lines, "panicked:");
        body.line(format_args!("call void @{end}(ptr %fiber, ptr @{symbol}.name, i64 {len}) #1"));
        body.line(format_args!("unreachable"));
    }
}

/// Puts one of C's arguments into the frame.
fn arrive(body: &mut Text, param: &CParam, names: &[String], offset: u32) {
    match &param.pass {
        CPass::Ignore => {}
        CPass::Scalar(scalar, _) => body.store(LlTy::of(*scalar), &names[0], offset),
        CPass::Pieces(Pieces { used_up, slots }) => {
            let unused = used_up.map_or(0, |it| it.1 as usize);
            for (slot, name) in slots.iter().zip(&names[unused..]) {
                body.store(LlTy::of(slot.scalar), name, offset + slot.offset);
            }
        }
        CPass::Stack { .. } | CPass::Address => {
            let to = body.at(offset);
            body.copy(&to, &names[0], param.layout.size);
        }
    }
}

/// The arguments of the Quartz function behind the fiber, from the frame.
fn arguments(body: &mut Text, abi: &FnAbi, frame: &CFrame) -> String {
    let mut list = String::new();
    if abi.ret.1 == RetMode::Indirect {
        list += ", ptr %frame";
    }
    for ((_, mode), &offset) in abi.params.iter().zip(&frame.params) {
        match mode {
            PassMode::Ignore => {}
            PassMode::Direct(slots) => {
                for slot in slots {
                    let value = body.load(slot.scalar, offset + slot.offset);
                    let _ = write!(list, ", {} {value}", LlTy::of(slot.scalar));
                }
            }
            PassMode::Indirect => {
                let at = body.at(offset);
                let _ = write!(list, ", ptr {at}");
            }
        }
    }
    list
}

//! How a function gives back its result and the flag of [`unwind`](crate::unwind). What is more than one value leaves
//! through one block where the parts meet each by itself: LLVM takes no pair apart that several ways made, and so would
//! not see in a caller which way brings which flag.

use qz_codegen::{FnAbi, RetMode};

use crate::function::FnCx;
use crate::ir::{Label, LlTy, Value};

/// The block that several values leave through, and what each way to it brings.
pub(crate) struct Exit {
    label: Label,
    ways: Vec<(Label, Vec<Option<Value>>)>,
}

/// What a function gives back, with the flag if it has one.
pub(crate) fn ret_ty(abi: &FnAbi, flagged: bool) -> String {
    let tys: Vec<String> = parts(abi, flagged).iter().map(LlTy::to_string).collect();
    match tys.as_slice() {
        [] => "void".into(),
        [one] => one.clone(),
        many => format!("{{ {} }}", many.join(", ")),
    }
}

fn parts(abi: &FnAbi, flagged: bool) -> Vec<LlTy> {
    let slots: &[_] = match &abi.ret.1 {
        RetMode::Direct(slots) => slots,
        RetMode::Ignore | RetMode::Indirect => &[],
    };
    slots.iter().map(|slot| LlTy::of(slot.scalar)).chain(flagged.then_some(LlTy::I1)).collect()
}

impl FnCx<'_, '_> {
    /// Returns these values, and that nothing went wrong.
    pub(crate) fn return_values(&mut self, values: &[Value]) {
        let fine = Value::int(LlTy::I1, 0);
        let all = values.iter().copied().chain(self.flagged.then_some(fine));
        self.give_back(all.map(Some).collect());
    }

    /// Returns that something went wrong.
    pub(crate) fn return_flag(&mut self) {
        let mut all = vec![None; parts(self.abi, self.flagged).len() - 1];
        all.push(Some(Value::int(LlTy::I1, 1)));
        self.give_back(all);
    }

    fn give_back(&mut self, values: Vec<Option<Value>>) {
        match values.as_slice() {
            [] => self.w.end(format_args!("ret void")),
            [Some(one)] => self.w.end(format_args!("ret {} {one}", one.ty)),
            _ => {
                let here = self.w.here();
                let exit = match &mut self.exit {
                    Some(known) => known,
                    None => self.exit.insert(Exit { label: self.w.label(), ways: Vec::new() }),
                };
                exit.ways.push((here, values));
                let label = exit.label;
                self.w.end(format_args!("br label %{label}"));
            }
        }
    }

    /// Writes the block that values leave through, if there is one.
    pub(crate) fn finish_exit(&mut self) {
        let Some(Exit { label, ways }) = self.exit.take() else { return };
        self.w.begin(label);
        let (ty, tys) = (ret_ty(self.abi, self.flagged), parts(self.abi, self.flagged));
        let met: Vec<Value> = tys
            .iter()
            .enumerate()
            .map(|(i, &ty)| {
                if let [(_, values)] = ways.as_slice()
                    && let Some(only) = values[i]
                {
                    return only;
                }
                let arriving = ways.iter().map(|(from, values)| match values[i] {
                    Some(value) => format!("[ {value}, %{from} ]"),
                    None => format!("[ undef, %{from} ]"),
                });
                let arriving: Vec<String> = arriving.collect();
                self.w.set(ty, format_args!("phi {ty} {}", arriving.join(", ")))
            })
            .collect();
        let mut whole = "undef".to_owned();
        for (i, value) in met.iter().enumerate() {
            let n = self.w.next_number();
            self.w.line(format_args!("%r{n} = insertvalue {ty} {whole}, {} {value}, {i}", value.ty));
            whole = format!("%r{n}");
        }
        self.w.end(format_args!("ret {ty} {whole}"));
    }
}

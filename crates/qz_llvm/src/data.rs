//! Static data: string literals, closures without captures, tables of methods, constants, module variables,
//! the type table.

use std::fmt::Write;
use std::sync::Arc;

use qz_mir::{InstanceId, StaticDataId, VtableId};
use qz_rt_abi::object::{IMMORTAL, TYPE_STR};
use qz_types::StaticId;

use crate::ir::{LlTy, Value};
use crate::program::ProgramCx;

impl ProgramCx<'_> {
    fn define(&mut self, name: &str, text: std::fmt::Arguments<'_>) -> Value {
        let _ = writeln!(self.data, "@{name} = {text}");
        Value::named(LlTy::Ptr, &format!("@{name}"))
    }

    /// A string literal: an immortal object.
    pub(crate) fn string(&mut self, text: &Arc<str>) -> Value {
        if let Some(&known) = self.strings.get(text) {
            return known;
        }
        let n = self.strings.len();
        let (len, chars) = (text.len(), text.chars().count());
        let bytes = escaped(text.as_bytes());
        self.define(
            &format!("text.{n}"),
            format_args!("private unnamed_addr constant [{len} x i8] c\"{bytes}\", align 1"),
        );
        let object = self.define(
            &format!("string.{n}"),
            format_args!(
                "private constant %qz.string {{ i32 {IMMORTAL}, i32 {TYPE_STR}, ptr @text.{n}, i32 {len}, i32 \
                 {chars} }}, align 8"
            ),
        );
        self.strings.insert(text.clone(), object);
        object
    }

    /// The closure object of a function that captures nothing. Nobody destroys it, so it needs no entry in the
    /// type table.
    pub(crate) fn static_closure(&mut self, instance: InstanceId) -> Value {
        if let Some(&known) = self.closures.get(&instance) {
            return known;
        }
        let name = format!("closure.{}", self.closures.len());
        let code = self.function_symbol(instance);
        let object = self.define(
            &name,
            format_args!(
                "private constant {{ i32, i32, ptr }} {{ i32 {IMMORTAL}, i32 {TYPE_STR}, ptr {code} }}, align 8"
            ),
        );
        self.closures.insert(instance, object);
        object
    }

    pub(crate) fn vtable(&mut self, vtable: VtableId) -> Value {
        if let Some(&known) = self.vtables.get(&vtable) {
            return known;
        }
        let slots = &self.module.vtables[vtable].slots;
        let codes: Vec<String> =
            slots.iter().map(|&id| format!("ptr {}", self.function_symbol(id))).collect();
        let name = format!("methods.{}", self.vtables.len());
        let table = self.define(
            &name,
            format_args!("private constant [{} x ptr] [{}], align 8", codes.len(), codes.join(", ")),
        );
        self.vtables.insert(vtable, table);
        table
    }

    /// An evaluated constant.
    pub(crate) fn static_data(&mut self, data: StaticDataId) -> Value {
        if let Some(&known) = self.blobs.get(&data) {
            return known;
        }
        let name = format!("const.{}", data.raw());
        self.blobs.insert(data, Value::named(LlTy::Ptr, &format!("@{name}")));
        let blob = &self.module.data[data];
        let mut pointers = blob.pointers.clone();
        pointers.sort_unstable_by_key(|&(at, _)| at);
        let all = blob.bytes_with_header(|kind| self.types.index(kind));
        let (mut tys, mut values, mut from) = (Vec::new(), Vec::new(), 0);
        let bytes = |from: usize, to: usize| {
            let ty = format!("[{} x i8]", to - from);
            let value = format!("{ty} c\"{}\"", escaped(&all[from..to]));
            (ty, value)
        };
        for (at, to) in pointers {
            let (ty, value) = bytes(from, at as usize);
            let to = self.static_data(to);
            tys.extend([ty, "ptr".into()]);
            values.extend([value, format!("ptr {to}")]);
            from = at as usize + 8;
        }
        let (ty, value) = bytes(from, all.len());
        tys.push(ty);
        values.push(value);
        let (tys, values, align) = (tys.join(", "), values.join(", "), blob.align.max(8));
        self.define(&name, format_args!("internal global <{{ {tys} }}> <{{ {values} }}>, align {align}"))
    }

    /// The memory of a module variable.
    pub(crate) fn static_storage(&mut self, id: StaticId) -> Value {
        let next = self.statics.len();
        let is_new = !self.statics.contains_key(&id);
        let named = || Value::named(LlTy::Ptr, &format!("@var.{next}"));
        let storage = *self.statics.entry(id).or_insert_with(named);
        if self.statics_here.insert(id) {
            let found = self.module.statics.iter().find(|(known, _)| *known == id);
            let (_, info) = found.expect("the module lists the variables it uses");
            let layout = self.layouts.of(info.ty);
            let (size, align) = (layout.size, layout.align.max(8));
            let name = storage.to_string();
            // The part that comes first defines it.
            let what = match (is_new, self.has_parts()) {
                (true, false) => "internal global",
                (true, true) => "hidden global",
                (false, _) => "external hidden global",
            };
            let value = if is_new { " zeroinitializer" } else { "" };
            let text = format_args!("{what} [{size} x i8]{value}, align {align}");
            self.define(name.trim_start_matches('@'), text);
        }
        storage
    }

    /// The run-time type table, an array of [`qz_rt_abi::TypeInfo`].
    pub(crate) fn type_table(&mut self) {
        let names: Vec<String> = std::iter::once("String".to_owned())
            .chain(self.module.types.iter().map(|entry| entry.name.clone()))
            .collect();
        let mut rows = Vec::new();
        for (i, name) in names.iter().enumerate() {
            let len = name.len();
            let text = escaped(name.as_bytes());
            self.define(
                &format!("type.{i}"),
                format_args!("private unnamed_addr constant [{len} x i8] c\"{text}\", align 1"),
            );
            let flags = i.checked_sub(1).map_or(0, |i| self.module.types[i].circle.flags());
            let len = len | flags;
            let (size, align, destroy) = match i.checked_sub(1).map(|i| self.types.entries[i]) {
                Some(entry) => (entry.size, entry.align, self.function_symbol(entry.destroy).to_string()),
                None => (0, 0, "null".into()),
            };
            rows.push(format!(
                "%qz.type {{ i32 {size}, i32 {align}, ptr {destroy}, ptr @type.{i}, i64 {len} }}"
            ));
        }
        let rows_text = rows.join(",\n  ");
        self.define(
            "qz.types",
            format_args!("private constant [{} x %qz.type] [\n  {rows_text}\n], align 8", rows.len()),
        );
    }
}

/// Bytes as they stand between the quotes of a string constant.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => {
                let _ = write!(text, "\\{byte:02X}");
            }
            b' '..=b'~' => text.push(byte as char),
            _ => {
                let _ = write!(text, "\\{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn bytes_are_escaped_where_llvm_needs_it() {
        assert_eq!(super::escaped("a\"b\\\né".as_bytes()), "a\\22b\\5C\\0A\\C3\\A9");
    }
}

//! A program's functions for C as a header: their declarations, behind the structs that they take and give.

use std::fmt::Write;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use qz_base::FxHashSet;
use qz_diag::{Code, Diagnostic};
use qz_hir::{AdtKind, Defs};
use qz_types::{AdtId, FloatTy, FnId, IntTy, Ty, TyKind, Tys, subst};

use super::output::Output;
use crate::Program;
use crate::run::{Failure, exports};

/// Writes the header of a checked program from the file at `source`; `-` is standard output.
pub fn write_header(program: &Program, source: &Path, output: Option<&Path>) -> Result<(), Failure> {
    let functions = exports(program);
    if functions.is_empty() {
        let file = program.root.map_or(qz_base::FileId(0), |root| program.defs.file_of(root));
        let problem =
            Diagnostic::new(Code::NO_MAIN, crate::load::file_start(file), "there is nothing for C here")
                .help("functions for C are declared by `extern \"C\" def` with a body");
        return Err(Failure::Problems(vec![problem]));
    }
    let stem = source.file_stem().filter(|it| *it != "-").unwrap_or("main".as_ref()).to_string_lossy();
    let text = header(&program.defs, &functions, &stem);
    if output == Some(Path::new("-")) {
        // A reader that went away is no reason to fail.
        std::io::stdout().write_all(text.as_bytes()).ok();
        return Ok(());
    }
    let target = output.map_or_else(|| PathBuf::from(format!("{stem}.h")), Path::to_owned);
    let output = Output::prepare(&target, source)?;
    let made = output.write("program.h", text.as_bytes())?;
    output.publish(&made)
}

fn header(defs: &Defs, functions: &[FnId], stem: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let guard: String = "QUARTZ_".chars().chain(stem.chars().map(upper)).chain("_H".chars()).collect();
    let mut header = Header { defs, structs: String::new(), seen: FxHashSet::default() };
    let functions: String = functions.iter().map(|&id| header.function(id)).collect();
    format!(
        "/* Made by `quartz build --emit=header`. */\n#ifndef {guard}\n#define {guard}\n\n#include <stdbool.h>\n\
         #include <stdint.h>\n\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n{}{functions}\n#ifdef __cplusplus\n}}\n\
         #endif\n\n#endif\n",
        header.structs
    )
}

struct Header<'a> {
    defs: &'a Defs,
    /// Definitions so far, each behind those it needs.
    structs: String,
    seen: FxHashSet<Ty>,
}

impl Header<'_> {
    fn function(&mut self, id: FnId) -> String {
        let def = &self.defs.fns[id];
        let sig = self.defs.fn_sig(id);
        let mut params: Vec<String> = Vec::new();
        for (n, param) in sig.params.iter().enumerate() {
            let Some(ty) = param.ty else { continue };
            params.push(self.declare(ty, &c_name(param.name.as_str(), n)));
        }
        let list = if params.is_empty() { "void".into() } else { params.join(", ") };
        let symbol = def.attrs.export.unwrap_or(def.name);
        let declared = match sig.ret {
            Some(ret) if ret.is_never() => format!("_Noreturn void {symbol}({list})"),
            Some(ret) if !ret.is_unit() => self.declare(ret, &format!("{symbol}({list})")),
            _ => format!("void {symbol}({list})"),
        };
        format!("{declared};\n")
    }

    /// A declaration of something of this type.
    fn declare(&mut self, ty: Ty, declarator: &str) -> String {
        match *ty.kind() {
            TyKind::Ptr(to) => self.declare(to, &format!("*{declarator}")),
            TyKind::Tuple([first, rest @ ..]) => {
                self.declare(*first, &format!("{declarator}[{}]", rest.len() + 1))
            }
            TyKind::Adt(id, args) => self.declare_adt(ty, id, args, declarator),
            _ => with_declarator(scalar(ty, declarator.starts_with('*')), declarator),
        }
    }

    fn declare_adt(&mut self, ty: Ty, id: AdtId, args: Tys, declarator: &str) -> String {
        let def = &self.defs.adts[id];
        if self.defs.lang.adt("CFn") == Some(id) {
            return match args[0].as_fn() {
                Some(func) => self.function_pointer(func, declarator),
                None => with_declarator("void".into(), &format!("*{declarator}")),
            };
        }
        match def.kind {
            AdtKind::Newtype => {
                let fields = self.defs.adt_fields(id);
                let inner = fields.variants[0].fields.first().map(|it| subst(it.ty, args));
                inner.map_or_else(
                    || with_declarator("void".into(), declarator),
                    |it| self.declare(it, declarator),
                )
            }
            AdtKind::Value if def.repr_c => {
                self.define(ty, id, args);
                with_declarator(self.struct_name(id, args), declarator)
            }
            AdtKind::Enum if let Some(int) = def.repr_int => {
                self.define_enum(ty, id, int);
                with_declarator(self.struct_name(id, args), declarator)
            }
            // Something of Quartz's own, behind a pointer.
            _ => with_declarator("void".into(), declarator),
        }
    }

    fn function_pointer(&mut self, func: qz_types::FnTy, declarator: &str) -> String {
        let params: Vec<String> = func.params.iter().map(|&ty| self.declare(ty, "")).collect();
        let list = if params.is_empty() { "void".into() } else { params.join(", ") };
        let declarator = format!("(*{declarator})({list})");
        match func.ret.is_unit() || func.ret.is_never() {
            true => format!("void {declarator}"),
            false => self.declare(func.ret, &declarator),
        }
    }

    fn struct_name(&self, id: AdtId, args: Tys) -> String {
        let def = &self.defs.adts[id];
        let is_same =
            |other: &qz_hir::AdtDef| other.name == def.name && other.module != def.module && other.repr_c;
        let mut name = match self.defs.adts.iter().any(|(_, other)| is_same(other)) {
            true => self.defs.adt_path(id).as_str().replace("::", "_"),
            false => def.name.as_str().to_owned(),
        };
        for arg in args {
            let shown = arg.display(self.defs).to_string();
            name.push('_');
            name.extend(shown.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
        }
        name.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect()
    }

    /// An enum of C's, or a number with names for its values. The names are the variants' behind that of the enum.
    fn define_enum(&mut self, ty: Ty, id: AdtId, int: IntTy) {
        if !self.seen.insert(ty) {
            return;
        }
        let name = self.struct_name(id, &[]);
        let mut body = String::new();
        for (n, variant) in self.defs.adt_fields(id).variants.iter().enumerate() {
            let (variant_name, number) = (c_name(variant.name.as_str(), n), variant.number.unwrap_or(0));
            // The least number is no literal in C.
            let number = match number {
                i64::MIN => "INT64_MIN".to_owned(),
                _ => number.to_string(),
            };
            let _ = writeln!(body, "    {name}_{variant_name} = {number},");
        }
        let _ = match self.defs.adts[id].repr_c {
            true => writeln!(self.structs, "typedef enum {name} {{\n{body}}} {name};\n"),
            false => {
                let number = scalar(Ty::new(TyKind::Int(int)), false);
                writeln!(self.structs, "typedef {number} {name};\nenum {{\n{body}}};\n")
            }
        };
    }

    fn define(&mut self, ty: Ty, id: AdtId, args: Tys) {
        if !self.seen.insert(ty) {
            return;
        }
        let name = self.struct_name(id, args);
        // A struct may lead to itself through a pointer.
        let _ = writeln!(self.structs, "typedef struct {name} {name};");
        let fields = self.defs.adt_fields(id);
        let mut body = String::new();
        for (n, field) in fields.variants[0].fields.iter().enumerate() {
            let declared = self.declare(subst(field.ty, args), &c_name(field.name.as_str(), n));
            let _ = writeln!(body, "    {declared};");
        }
        let _ = writeln!(self.structs, "struct {name} {{\n{body}}};\n");
    }
}

fn with_declarator(ty: String, declarator: &str) -> String {
    match declarator {
        "" => ty,
        _ => format!("{ty} {declarator}"),
    }
}

/// C's name for a number. What a pointer to signed bytes leads to is text.
fn scalar(ty: Ty, behind_pointer: bool) -> String {
    match ty.kind() {
        TyKind::Bool => "bool",
        TyKind::Int(IntTy::I8) if behind_pointer => "char",
        TyKind::Int(IntTy::I8) => "int8_t",
        TyKind::Int(IntTy::I16) => "int16_t",
        TyKind::Int(IntTy::I32) => "int32_t",
        TyKind::Int(IntTy::I64) => "int64_t",
        TyKind::Int(IntTy::U8) => "uint8_t",
        TyKind::Int(IntTy::U16) => "uint16_t",
        TyKind::Int(IntTy::U32) => "uint32_t",
        TyKind::Int(IntTy::U64) => "uint64_t",
        TyKind::Float(FloatTy::F32) => "float",
        TyKind::Float(FloatTy::F64) => "double",
        _ => "void",
    }
    .to_owned()
}

/// A name that C takes.
fn c_name(name: &str, n: usize) -> String {
    const TAKEN: [&str; 48] = [
        "auto",
        "bool",
        "break",
        "case",
        "catch",
        "char",
        "class",
        "const",
        "continue",
        "default",
        "delete",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "false",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "namespace",
        "new",
        "operator",
        "private",
        "public",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "template",
        "this",
        "true",
        "typedef",
        "union",
        "unsigned",
        "using",
        "void",
        "volatile",
        "while",
    ];
    if name == "_" || !name.is_ascii() {
        return format!("p{n}");
    }
    if TAKEN.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

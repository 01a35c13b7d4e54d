//! Structs of many shapes travel between C and Quartz, both ways: C functions that take and give them are called, and
//! Quartz functions that do are called by C. clang compiles the C side; both sides compute what they saw.
//!
//! `QUARTZ_SHAPES=500` tries that many signatures, `QUARTZ_FIRST=17` starts with that number.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SHAPES: u64 = 60;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Numbers that only depend on a seed: splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// Names in Quartz and C.
const SCALARS: [(&str, &str); 10] = [
    ("I8", "int8_t"),
    ("U8", "uint8_t"),
    ("I16", "int16_t"),
    ("U16", "uint16_t"),
    ("I32", "int32_t"),
    ("U32", "uint32_t"),
    ("I64", "int64_t"),
    ("U64", "uint64_t"),
    ("F32", "float"),
    ("F64", "double"),
];

#[derive(Clone, Debug)]
enum Shape {
    Scalar(usize),
    /// A number of equal scalars.
    Row(usize, usize),
    Struct(usize),
}

/// What one signature is made of.
struct Case {
    structs: Vec<Vec<Shape>>,
    params: Vec<Shape>,
    ret: Shape,
}

impl Case {
    fn new(seed: u64) -> Case {
        let mut random = Random(seed);
        let mut structs: Vec<Vec<Shape>> = Vec::new();
        for n in 0..1 + random.below(4) {
            // Some are all floats, which AArch64 treats apart.
            let only_floats = random.below(3) == 0;
            let count = 1 + random.below(5);
            structs.push((0..count).map(|_| field(&mut random, n, only_floats)).collect());
        }
        let param = |random: &mut Random| match random.below(3) {
            0 => Shape::Scalar(random.below(SCALARS.len())),
            _ => Shape::Struct(random.below(structs.len())),
        };
        let params = (0..1 + random.below(9)).map(|_| param(&mut random)).collect();
        let ret = Shape::Struct(random.below(structs.len()));
        Case { structs, params, ret }
    }

    /// The scalars of a value: how to reach each from its name, in C and Quartz, and its type.
    fn leaves(&self, shape: &Shape, c: &str, quartz: &str, out: &mut Vec<(String, String, usize)>) {
        match shape {
            Shape::Scalar(ty) => out.push((c.to_owned(), quartz.to_owned(), *ty)),
            Shape::Row(ty, len) => {
                out.extend((0..*len).map(|n| (format!("{c}[{n}]"), format!("{quartz}.{n}"), *ty)));
            }
            Shape::Struct(index) => {
                for (n, field) in self.structs[*index].iter().enumerate() {
                    self.leaves(field, &format!("{c}.f{n}"), &format!("{quartz}.f{n}"), out);
                }
            }
        }
    }

    fn all_leaves(&self) -> Vec<(String, String, usize)> {
        let mut leaves = Vec::new();
        for (n, param) in self.params.iter().enumerate() {
            self.leaves(param, &format!("p{n}"), &format!("p{n}"), &mut leaves);
        }
        leaves
    }

    /// A value in Quartz with numbers from `next` on.
    fn quartz_value(&self, shape: &Shape, next: &mut i64) -> String {
        let mut one = |ty: usize| {
            *next += 1;
            let n = value(*next);
            if ty >= 8 { format!("{n}.0") } else { n.to_string() }
        };
        match shape {
            Shape::Scalar(ty) => one(*ty),
            Shape::Row(ty, len) => {
                let all: Vec<String> = (0..*len).map(|_| one(*ty)).collect();
                format!("({})", all.join(", "))
            }
            Shape::Struct(index) => {
                let fields = self.structs[*index].iter().enumerate();
                let fields: Vec<String> =
                    fields.map(|(n, it)| format!("f{n}: {}", self.quartz_value(it, next))).collect();
                format!("S{index} {{ {} }}", fields.join(", "))
            }
        }
    }

    fn quartz_ty(&self, shape: &Shape) -> String {
        match shape {
            Shape::Scalar(ty) => SCALARS[*ty].0.to_owned(),
            Shape::Row(ty, len) => format!("({})", vec![SCALARS[*ty].0; *len].join(", ")),
            Shape::Struct(index) => format!("S{index}"),
        }
    }

    fn c_declaration(&self, shape: &Shape, name: &str) -> String {
        match shape {
            Shape::Scalar(ty) => format!("{} {name}", SCALARS[*ty].1),
            Shape::Row(ty, len) => format!("{} {name}[{len}]", SCALARS[*ty].1),
            Shape::Struct(index) => format!("S{index} {name}"),
        }
    }

    fn c_params(&self) -> String {
        let params = self.params.iter().enumerate();
        let params: Vec<String> = params.map(|(n, it)| self.c_declaration(it, &format!("p{n}"))).collect();
        params.join(", ")
    }

    fn c_text(&self) -> String {
        let mut text = String::from("#include <stdint.h>\n\n");
        for (n, fields) in self.structs.iter().enumerate() {
            let fields: String = fields
                .iter()
                .enumerate()
                .map(|(f, it)| format!("  {};\n", self.c_declaration(it, &format!("f{f}"))))
                .collect();
            let _ = writeln!(text, "typedef struct {{\n{fields}}} S{n};\n");
        }
        let ret = self.c_declaration(&self.ret, "").trim_end().to_owned();
        let sum: String = self
            .all_leaves()
            .iter()
            .map(|(c, ..)| format!("  h = h * 31 + (uint64_t)(int64_t){c};\n"))
            .collect();
        let mut leaves = Vec::new();
        self.leaves(&self.ret, "r", "r", &mut leaves);
        let fill: String = leaves
            .iter()
            .enumerate()
            .map(|(n, (c, ..))| format!("  {c} = {};\n", value(n as i64 + 1)))
            .collect();
        let params = self.c_params();
        let _ = writeln!(
            text,
            "static uint64_t seen;\nuint64_t c_seen(void) {{ return seen; }}\n\n{ret} c_take({params}) {{\n  uint64_t h = \
             7;\n{sum}  seen = h;\n  {ret} r;\n{fill}  return r;\n}}\n"
        );
        let mut names = Vec::new();
        let mut set = String::new();
        let mut next = 0;
        for (n, param) in self.params.iter().enumerate() {
            let name = format!("p{n}");
            let _ = writeln!(set, "  {};", self.c_declaration(param, &name));
            let mut leaves = Vec::new();
            self.leaves(param, &name, &name, &mut leaves);
            for (c, ..) in leaves {
                next += 1;
                let _ = writeln!(set, "  {c} = {};", value(next));
            }
            names.push(name);
        }
        let sum: String =
            leaves.iter().map(|(c, ..)| format!("  h = h * 31 + (uint64_t)(int64_t){c};\n")).collect();
        let _ = writeln!(
            text,
            "uint64_t c_call({ret} (*f)({params})) {{\n{set}  {ret} r = f({});\n  uint64_t h = 7;\n{sum}  return h;\n}}",
            names.join(", ")
        );
        text
    }

    fn quartz_text(&self) -> String {
        let mut text = String::new();
        for (n, fields) in self.structs.iter().enumerate() {
            let fields: String = fields
                .iter()
                .enumerate()
                .map(|(f, it)| format!("  f{f}: {}\n", self.quartz_ty(it)))
                .collect();
            let _ = writeln!(text, "@value\n@repr(C)\nstruct S{n}\n{fields}end\n");
        }
        let tys: Vec<String> = self.params.iter().map(|it| self.quartz_ty(it)).collect();
        let list: Vec<String> = tys.iter().enumerate().map(|(n, ty)| format!("p{n}: {ty}")).collect();
        let (list, tys, ret) = (list.join(", "), tys.join(", "), self.quartz_ty(&self.ret));
        let _ = writeln!(
            text,
            "@link(\"./libshapes.so\")\nextern \"C\"\n  def c_seen(): U64\n  def c_take({list}): {ret}\n  def c_call(f: \
             CFn<Fn({tys}): {ret}>): U64\nend\n"
        );
        let sum = |leaves: &[(String, String, usize)]| -> String {
            let add = |(_, it, _): &(String, String, usize)| format!("  h = h &* 31 &+ ({it} as U64)\n");
            leaves.iter().map(add).collect()
        };
        let mut leaves = Vec::new();
        self.leaves(&self.ret, "r", "r", &mut leaves);
        let _ = writeln!(text, "def sum(r: {ret}): U64\n  var h: U64 = 7\n{}  h\nend\n", sum(&leaves));
        let made = self.quartz_value(&self.ret, &mut 0);
        let _ = writeln!(
            text,
            "def given({list}): {ret}\n  var h: U64 = 7\n{}  puts(h)\n  {made}\nend\n",
            sum(&self.all_leaves())
        );
        let mut next = 0;
        let args: Vec<String> = self.params.iter().map(|it| self.quartz_value(it, &mut next)).collect();
        let _ = writeln!(
            text,
            "def main\n  unsafe do\n    puts(sum(c_take({})))\n    puts(c_seen())\n    puts(c_call(c_fn(given)))\n  end\nend",
            args.join(", ")
        );
        text
    }

    /// What both sides must have seen: the result, the arguments, the arguments, the result.
    fn expected(&self) -> String {
        let sum =
            |n: usize| (1..=n as i64).fold(7u64, |h, n| h.wrapping_mul(31).wrapping_add(value(n) as u64));
        let mut leaves = Vec::new();
        self.leaves(&self.ret, "r", "r", &mut leaves);
        let (ret, args) = (sum(leaves.len()), sum(self.all_leaves().len()));
        format!("{ret}\n{args}\n{args}\n{ret}\n")
    }
}

/// Fits into every type.
fn value(n: i64) -> i64 {
    n % 100 + 1
}

fn field(random: &mut Random, structs: usize, only_floats: bool) -> Shape {
    let scalar = |random: &mut Random| match only_floats {
        true => 8 + random.below(2),
        false => random.below(SCALARS.len()),
    };
    match random.below(6) {
        0 => Shape::Row(scalar(random), 2 + random.below(4)),
        1 if structs > 0 => Shape::Struct(random.below(structs)),
        _ => Shape::Scalar(scalar(random)),
    }
}

fn clang() -> Option<String> {
    let names = (15..=22).rev().map(|n| format!("clang-{n}")).chain(["clang".to_owned()]);
    let works = |name: &String| {
        let output = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        output.is_ok_and(|status| status.success())
    };
    names.into_iter().find(works)
}

fn quartz(folder: &Path, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quartz"));
    output(command.current_dir(folder).arg("--color=never").args(args))
}

fn output(command: &mut Command) -> Result<String, String> {
    let out = command.stdin(Stdio::null()).output().expect("the command starts");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let words = String::from_utf8_lossy(&out.stderr).into_owned();
    if out.status.success() { Ok(text) } else { Err(format!("{:?}: {text}{words}", out.status.code())) }
}

/// One signature on both engines, optimised and not; native programs now and then, since they take longer.
fn check(clang: &str, folder: &Path, seed: u64) -> Result<(), String> {
    let case = Case::new(seed);
    let shown = |why: String| format!("signature {seed}: {why}\n{}\n{}", case.c_text(), case.quartz_text());
    let write =
        |name: &str, text: String| std::fs::write(folder.join(name), text).expect("the folder is ours");
    write("shapes.c", case.c_text());
    write("shapes.qz", case.quartz_text());
    let mut compile = Command::new(clang);
    compile.current_dir(folder).args(["-O1", "-fPIC", "-shared", "shapes.c", "-o", "libshapes.so"]);
    output(&mut compile).map_err(&shown)?;
    let judge = |found: Result<String, String>, how: &str| match found {
        Ok(text) if text == case.expected() => Ok(()),
        Ok(text) => Err(shown(format!("{how}: expected\n{}found\n{text}", case.expected()))),
        Err(why) => Err(shown(format!("{how}: {why}"))),
    };
    judge(quartz(folder, &["run", "--leaks", "shapes.qz"]), "run")?;
    judge(quartz(folder, &["run", "--leaks", "--unoptimised", "shapes.qz"]), "unoptimised")?;
    for level in [None, Some("--release")].into_iter().filter(|_| seed.is_multiple_of(4)) {
        let build: Vec<&str> = ["build", "shapes.qz", "-o", "shapes"].into_iter().chain(level).collect();
        match quartz(folder, &build) {
            Ok(_) => judge(output(&mut Command::new(folder.join("shapes"))), &format!("native {level:?}"))?,
            Err(why) if why.contains("QZ9005") => eprintln!("not tested natively: {why}"),
            Err(why) => return Err(shown(why)),
        }
    }
    Ok(())
}

#[test]
fn structs_travel_as_c_has_it() {
    let Some(clang) = clang() else { return eprintln!("not tested: there is no clang") };
    let folder: PathBuf = std::env::temp_dir().join(format!("quartz-c-structs-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let first = number("QUARTZ_FIRST", 0);
    for seed in first..first + number("QUARTZ_SHAPES", SHAPES) {
        if let Err(why) = check(&clang, &folder, seed) {
            panic!("{why}");
        }
    }
    std::fs::remove_dir_all(&folder).ok();
}

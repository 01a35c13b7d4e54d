//! Projects of any size, made of modules as people write them: types with methods, traits, generic
//! functions, closures, matches, comments, imports of one another. In Quartz, and in the languages that compile
//! times are compared with, in the same shape. The modules' texts stand in `lines/`.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::languages::Language;

/// How a language's modules hang together.
struct Shape {
    /// The text of a module with names to be filled in.
    template: &'static str,
    extension: &'static str,
    /// What the main file says first, once.
    head: &'static str,
    /// What the main file says of each module, in front.
    import: &'static str,
    /// How a program starts.
    start: &'static str,
    /// What it does with each module.
    call: &'static str,
    end: &'static str,
    /// How a module imports the one before.
    import_before: &'static str,
    /// The one before's function, called.
    distance: &'static str,
    /// What stands for it in a first module.
    no_distance: &'static str,
}

const QUARTZ: Shape = Shape {
    template: include_str!("lines/quartz.txt"),
    extension: "qz",
    head: "",
    import: "import part_{n}\n",
    start: "\ndef main\n  var total = 0\n",
    call: "  total += part_{n}::report(10).size\n",
    end: "  puts(total)\nend\n",
    import_before: "import distance_{before} from part_{before}\n",
    distance: "distance_{before}(a.weight, b.weight)",
    no_distance: "(a.weight - b.weight).abs()",
};

const RUST: Shape = Shape {
    template: include_str!("lines/rust.txt"),
    extension: "rs",
    head: "",
    import: "mod part_{n};\n",
    start: "\nfn main() {\n    let mut total = 0;\n",
    call: "    total += part_{n}::report(10).len();\n",
    end: "    println!(\"{total}\");\n}\n",
    import_before: "use crate::part_{before}::distance_{before};\n",
    distance: "distance_{before}(a.weight, b.weight)",
    no_distance: "(a.weight - b.weight).abs()",
};

const CRYSTAL: Shape = Shape {
    template: include_str!("lines/crystal.txt"),
    extension: "cr",
    head: "",
    import: "require \"./part_{n}\"\n",
    start: "\ntotal = 0\n",
    call: "total += Part{n}.report(10_i64).size\n",
    end: "puts total\n",
    import_before: "",
    distance: "Part{before}.distance_{before}(a.weight, b.weight)",
    no_distance: "(a.weight - b.weight).abs",
};

const GO: Shape = Shape {
    template: include_str!("lines/go.txt"),
    extension: "go",
    head: "package main\n\nimport \"fmt\"\n",
    import: "",
    start: "\nfunc main() {\n\ttotal := 0\n",
    call: "\ttotal += len(report{n}(10))\n",
    end: "\tfmt.Println(total)\n}\n",
    import_before: "",
    distance: "distance{before}(a.weight, b.weight)",
    no_distance: "distance{n}(a.weight, b.weight)",
};

/// Writes a project of about so many lines in Quartz. Gives how many there are.
pub(crate) fn write_project(folder: &Path, lines: usize) -> io::Result<usize> {
    write_shape(&QUARTZ, folder, lines)
}

/// The same in another language, if there are modules for it. The main file's name is the language's.
pub(crate) fn write_project_in(language: Language, folder: &Path, lines: usize) -> Option<io::Result<usize>> {
    let shape = match language {
        Language::Quartz => &QUARTZ,
        Language::Rust => &RUST,
        Language::Crystal => &CRYSTAL,
        Language::Go => &GO,
        _ => return None,
    };
    Some(write_shape(shape, folder, lines))
}

fn write_shape(shape: &Shape, folder: &Path, lines: usize) -> io::Result<usize> {
    let modules = (lines / shape.template.lines().count()).max(1);
    std::fs::create_dir_all(folder)?;
    let mut total = 0;
    let (mut imports, mut calls) = (String::new(), String::new());
    for n in 0..modules {
        let text = module(shape, n);
        total += text.lines().count();
        std::fs::write(folder.join(format!("part_{n}.{}", shape.extension)), text)?;
        imports += &numbered(shape.import, n);
        calls += &numbered(shape.call, n);
    }
    let mut main = String::new();
    let _ = write!(main, "{}{imports}{}{calls}{}", shape.head, shape.start, shape.end);
    total += main.lines().count();
    std::fs::write(folder.join(format!("main.{}", shape.extension)), main)?;
    Ok(total)
}

fn numbered(text: &str, n: usize) -> String {
    text.replace("{n}", &n.to_string()).replace("{before}", &n.wrapping_sub(1).to_string())
}

/// A module about one kind of thing in a shop. It imports the one before, so that chains and forests of
/// imports both occur.
fn module(shape: &Shape, n: usize) -> String {
    let things = ["Order", "Invoice", "Parcel", "Account", "Booking", "Ticket"];
    let thing = things[n % things.len()];
    let (import, reuse) = match n % 8 {
        0 => ("", shape.no_distance),
        _ => (shape.import_before, shape.distance),
    };
    let text = shape
        .template
        .replace("{import}", import)
        .replace("{reuse}", reuse)
        .replace("{Thing}", &format!("{thing}{n}"))
        .replace("{Part}", &format!("Part{n}"))
        .replace("{limit}", &(100 + n % 37).to_string());
    numbered(&text, n)
}

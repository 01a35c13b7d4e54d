//! Building after an edit gives what building anew gives: random projects, random edits, and caches that are damaged,
//! shared by two at a time or left by a build that was killed.
//!
//! `QUARTZ_EDITS=20000` makes that many edits, `QUARTZ_KILLS=1000` kills that many builds; `QUARTZ_FIRST=17` starts with
//! that project.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use qz_cache::{Key, Store, Tier};
use qz_driver::cache::{Journal, Outcome, Place, Stage};
use qz_driver::{Cache, Root};
use qz_infer::Checker;
use qz_progen::{Bodies, File, Project, Rows};

/// In an ordinary test run.
const EDITS: u64 = 400;
const RUNS: u64 = 40;
const KILLS: u64 = 25;
/// Edits of one project.
const EACH: u64 = 20;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A folder with a project and its cache, removed at the end, unless something is wrong in it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("quartz-edits-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        Scratch(folder)
    }

    fn write(&self, files: &[File]) {
        for file in files {
            let path = self.0.join(&file.name);
            match &file.text {
                Some(text) => std::fs::write(&path, text).expect("the file can be written"),
                None => drop(std::fs::remove_file(&path)),
            }
        }
    }

    fn main(&self) -> PathBuf {
        self.0.join("main.qz")
    }

    fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    fn entries(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(&self.cache(), &mut found);
        found.retain(|it| it.file_name().is_some_and(|name| name.len() == 62));
        found.sort();
        found
    }

    fn quartz(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quartz"));
        command.current_dir(&self.0).args(args).env("QUARTZ_CACHE_DIR", self.cache()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn output(&self, args: &[&str]) -> Output {
        self.quartz(args).output().expect("the command starts")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::fs::remove_dir_all(&self.0).ok();
        }
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}

/// What checking finds, as it is shown.
fn check(file: &Path, cache: Option<&Cache>) -> String {
    if let Some(known) = cache.and_then(|cache| cache.unchanged(file)) {
        return known.warnings.iter().map(|it| qz_diag::render_human(it, &known.sources, false)).collect();
    }
    let Ok(loaded) = qz_driver::load(Root::File(file.to_owned()), &Default::default(), cache) else {
        return "unreadable".into();
    };
    let program = qz_driver::collect(loaded);
    let problems = qz_driver::check(&program, &Checker::for_problems(&program.defs), cache);
    problems.iter().map(|it| qz_diag::render_human(it, &program.sources, false)).collect()
}

fn open(scratch: &Scratch) -> Cache {
    let place = Place { folder: scratch.cache(), limit: 1 << 30, remote: None };
    Cache::at(&place, &scratch.main(), &Default::default())
        .unwrap_or_else(|_| panic!("the temporary folder can be written"))
}

/// Removes, cuts off or changes one entry.
fn damage(entries: &[PathBuf], number: u64) {
    if entries.is_empty() {
        return;
    }
    let path = &entries[number as usize % entries.len()];
    let bytes = std::fs::read(path).expect("the entry is there");
    match number % 3 {
        0 => std::fs::remove_file(path).expect("the entry can be removed"),
        1 => std::fs::write(path, &bytes[..bytes.len() / 2]).expect("the entry can be written"),
        _ => {
            let mut bytes = bytes;
            let at = number as usize * 7 % bytes.len();
            bytes[at] ^= 1 << (number % 8);
            std::fs::write(path, bytes).expect("the entry can be written");
        }
    }
}

/// What checking files finds, which is the same with the cache and without; and what of that was reused.
fn checked(scratch: &Scratch, files: &[File], place: &str) -> (String, Journal) {
    scratch.write(files);
    let cache = open(scratch);
    let found = check(&scratch.main(), Some(&cache));
    let anew = check(&scratch.main(), None);
    assert_eq!(found, anew, "{place}, in {}", scratch.0.display());
    (found, cache.journal())
}

#[test]
fn checking_after_edits() {
    let edits = number("QUARTZ_EDITS", EDITS);
    let first = number("QUARTZ_FIRST", 1);
    let (mut clean, mut reused) = (0, 0);
    for seed in first..first + edits.div_ceil(EACH) {
        let scratch = Scratch::new(&format!("check{seed}"));
        let mut project = Project::new(seed);
        let mut what = String::from("nothing");
        for edit in 0..EACH {
            let place = format!("project {seed}, edit {edit} ({what})");
            let (found, journal) = checked(&scratch, &project.files(), &place);
            clean += u64::from(!found.contains("error["));
            reused += journal.lines.iter().filter(|it| it.outcome.is_hit()).count();
            if (seed + edit) % 5 == 0 {
                damage(&scratch.entries(), seed * EACH + edit);
            }
            what = project.edit();
        }
    }
    // The question is worth nothing if programs are never right or nothing is ever reused.
    assert!(clean * 8 > edits, "{clean} of {edits} were without errors");
    assert!(reused as u64 > edits, "{reused} things were reused in {edits} edits");
}

/// What functions perform, in modules that call each other.
#[test]
fn checking_effects_after_edits() {
    let edits = number("QUARTZ_EDITS", EDITS);
    let first = number("QUARTZ_FIRST", 1);
    let (mut clean, mut reused) = (0, 0);
    for seed in first..first + edits.div_ceil(EACH) {
        let scratch = Scratch::new(&format!("rows{seed}"));
        let mut project = Rows::new(seed);
        let mut what = String::from("nothing");
        for edit in 0..EACH {
            let place = format!("project {seed}, edit {edit} ({what})");
            let (found, journal) = checked(&scratch, &project.files(), &place);
            let others: Vec<&str> =
                found.lines().filter(|it| it.starts_with("error[") && !it.contains("[QZ09")).collect();
            assert_eq!(others, [""; 0], "{place} is wrong");
            clean += u64::from(!found.contains("error["));
            let rows = journal.lines.iter().filter(|it| it.stage == Stage::Effects);
            reused += rows.filter(|it| !matches!(it.outcome, Outcome::Partly { reused: 0, .. })).count();
            what = project.edit();
        }
    }
    assert!(clean * 8 > edits, "{clean} of {edits} were without errors");
    assert!(reused as u64 > edits / 2, "rows of {reused} modules were reused in {edits} edits");
}

#[test]
fn running_after_edits() {
    let runs = number("QUARTZ_EDITS", RUNS * 10) / 10;
    let first = number("QUARTZ_FIRST", 1);
    for seed in first..first + runs.div_ceil(EACH) {
        let scratch = Scratch::new(&format!("run{seed}"));
        let mut project = Project::new(seed);
        for edit in 0..EACH {
            scratch.write(&project.files());
            let command = ["run", "--color=never", "main.qz"];
            let anew = scratch.output(&["run", "--color=never", "--no-cache", "main.qz"]);
            for round in 0..2 {
                let found = scratch.output(&command);
                let place = format!("project {seed}, edit {edit}, round {round}");
                assert_eq!(text(&found.stdout), text(&anew.stdout), "{place}");
                assert_eq!(text(&found.stderr), text(&anew.stderr), "{place}");
                assert_eq!(found.status.code(), anew.status.code(), "{place}");
            }
            project.edit();
        }
    }
}

/// How a file is built after each edit, in turns.
const BUILDS: [&[&str]; 4] = [&[], &["-g"], &["--emit=obj"], &["--emit=llvm-ir", "--overflow=wrap"]];

#[test]
fn building_after_edits() {
    let builds = number("QUARTZ_EDITS", RUNS * 10) / 20;
    let first = number("QUARTZ_FIRST", 1);
    let mut built = 0;
    for seed in first..first + builds.div_ceil(EACH) {
        let scratch = Scratch::new(&format!("build{seed}"));
        let mut project = Project::new(seed);
        for edit in 0..EACH {
            scratch.write(&project.files());
            let flags = BUILDS[(seed + edit / 2) as usize % BUILDS.len()];
            let build = |more: &[&str]| {
                let output = scratch
                    .output(&[&["build", "--color=never", "main.qz", "-o", "out"], flags, more].concat());
                (text(&output.stderr), output.status.code(), std::fs::read(scratch.0.join("out")).ok())
            };
            let place = format!("project {seed}, edit {edit}");
            // What is there already may stay where it is, and comes back where it is gone.
            for round in 0..3 {
                if round == 1 {
                    std::fs::remove_file(scratch.0.join("out")).ok();
                }
                let found = build(&[]);
                let anew = build(&["--no-cache"]);
                assert!(found == anew, "{place}, round {round}: {} / {}", found.0, anew.0);
                built += u64::from(found.1 == Some(0));
            }
            project.edit();
        }
    }
    assert!(built * 4 > builds, "of {builds} edits {built} were built");
}

/// The report of what was reused stands behind what the program wrote.
fn without_report(text: &str) -> (&str, &str) {
    let report = text.lines().find(|line| line.starts_with("module ") && line.ends_with("outcome"));
    report.and_then(|line| text.find(line)).map_or((text, ""), |at| text.split_at(at))
}

#[test]
fn running_after_new_bodies() {
    let runs = number("QUARTZ_EDITS", RUNS * 10) / 10;
    let first = number("QUARTZ_FIRST", 1);
    let (mut partly, mut compiled) = (0, 0);
    for seed in first..first + runs.div_ceil(EACH) {
        let scratch = Scratch::new(&format!("bodies{seed}"));
        let mut project = Bodies::new(seed);
        let mut what = String::from("nothing");
        for edit in 0..EACH {
            scratch.write(&project.files());
            let anew = scratch.output(&["run", "--color=never", "--leaks", "--no-cache", "main.qz"]);
            compiled += u64::from(!text(&anew.stderr).contains("error["));
            for round in 0..2 {
                let found =
                    scratch.output(&["run", "--color=never", "--leaks", "--explain-cache", "main.qz"]);
                let place = format!("project {seed}, edit {edit} ({what}), round {round}");
                let errors = text(&found.stderr);
                let (errors, report) = without_report(&errors);
                assert_eq!(text(&found.stdout), text(&anew.stdout), "{place}");
                assert_eq!(errors, text(&anew.stderr), "{place}");
                assert_eq!(found.status.code(), anew.status.code(), "{place}");
                partly += u64::from(report.contains("functions reused"));
            }
            what = project.edit();
        }
    }
    // The question is worth nothing if everything was made anew each time.
    assert!(compiled * 10 > runs * 9, "of {runs} programs {compiled} were right");
    assert!(partly * 2 > runs, "of {runs} edits {partly} were made in parts");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Two builds at a time into one cache, each as if it were alone.
#[test]
fn two_at_once() {
    let scratch = Scratch::new("two");
    let mut project = Project::new(4);
    for _ in 0..15 {
        scratch.write(&project.files());
        let anew = scratch.output(&["run", "--color=never", "--no-cache", "main.qz"]);
        let start =
            || scratch.quartz(&["run", "--color=never", "main.qz"]).spawn().expect("the command starts");
        let both: Vec<Child> = vec![start(), start()];
        for child in both {
            let found = child.wait_with_output().expect("the command ends");
            assert_eq!(text(&found.stdout), text(&anew.stdout));
            assert_eq!(text(&found.stderr), text(&anew.stderr));
        }
        project.edit();
    }
    let verified = scratch.output(&["cache", "verify"]);
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified.stdout));
}

/// Builds that are killed leave entries or nothing, and what is built afterwards is right.
#[test]
fn killed_at_any_point() {
    let scratch = Scratch::new("killed");
    let mut project = Project::new(9);
    for round in 0..number("QUARTZ_KILLS", KILLS) {
        scratch.write(&project.files());
        let mut child = scratch.quartz(&["run", "main.qz"]).spawn().expect("the command starts");
        std::thread::sleep(Duration::from_micros(round * 7919 % 30_000));
        child.kill().ok();
        child.wait().expect("the command ends");
        if round % 8 == 0 {
            let anew = scratch.output(&["run", "--color=never", "--no-cache", "main.qz"]);
            let found = scratch.output(&["run", "--color=never", "main.qz"]);
            assert_eq!(text(&found.stdout), text(&anew.stdout), "round {round}");
            assert_eq!(text(&found.stderr), text(&anew.stderr), "round {round}");
        }
        project.edit();
    }
    let verified = scratch.output(&["cache", "verify"]);
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified.stdout));
}

/// Programs that share modules and a folder, after the case that once made a program call a function that did not exist.
const FOUR: [(&str, &str); 6] = [
    ("a.qz", "import vectors\n\ndef main = puts(vectors::collect(3))\n"),
    ("b.qz", "import numbers\n\ndef main = puts(numbers::next(1))\n"),
    ("c.qz", "import vectors\nimport numbers\n\ndef main = puts(vectors::collect(numbers::next(1)).size)\n"),
    ("d.qz", "def push(n: Int): Int = n\n\ndef main = puts(push(4))\n"),
    (
        "vectors.qz",
        "import numbers\n\ndef collect(n: Int)\n  result: Vec<Int> = []\n  for i in 0..n\n    result.push(numbers::next(i))\n  end\n  result\nend\n",
    ),
    ("numbers.qz", "def next(n: Int) = n + 1\n"),
];
const PROGRAMS: [&str; 4] = ["a.qz", "b.qz", "c.qz", "d.qz"];
const PRINTED: [&str; 4] = ["[1, 2, 3]\n", "2\n", "2\n", "4\n"];

fn four(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    for (file, text) in FOUR {
        std::fs::write(scratch.0.join(file), text).expect("the file can be written");
    }
    scratch
}

fn runs_as_alone(scratch: &Scratch, program: usize, place: &str) {
    let found = scratch.output(&["run", "--color=never", PROGRAMS[program]]);
    assert_eq!(text(&found.stdout), PRINTED[program], "{place}: {}", text(&found.stderr));
    assert_eq!(found.status.code(), Some(0), "{place}");
}

/// Every order of four.
fn orders() -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for n in 0..4 {
        let at = |order: &Vec<usize>, place: usize| {
            let mut longer = order.clone();
            longer.insert(place, n);
            longer
        };
        orders = orders.iter().flat_map(|it| (0..=it.len()).map(move |place| at(it, place))).collect();
    }
    orders
}

#[test]
fn four_programs_in_every_order() {
    let scratch = four("orders");
    for order in orders() {
        std::fs::remove_dir_all(scratch.cache()).ok();
        order.iter().for_each(|&program| runs_as_alone(&scratch, program, &format!("{order:?}")));
    }
}

#[test]
fn any_entry_may_be_gone_or_cut_off() {
    let scratch = four("entries");
    (0..4).for_each(|program| runs_as_alone(&scratch, program, "at first"));
    for entry in scratch.entries() {
        let bytes = std::fs::read(&entry).expect("the entry is there");
        // The first and the third use every module.
        let programs = |place: &str| {
            [0, 2].into_iter().for_each(|program| {
                runs_as_alone(&scratch, program, &format!("{}: {place}", entry.display()))
            });
        };
        std::fs::remove_file(&entry).expect("it can be removed");
        programs("gone");
        std::fs::write(&entry, &bytes[..bytes.len() - 1]).expect("it can be written");
        programs("cut off");
    }
}

/// The cache stays below its bound, and what was let go is made anew.
#[test]
fn the_bound_holds() {
    let scratch = four("bound");
    for round in 0..6 {
        let text = format!("def next(n: Int) = n + 1 + {round} - {round}\n");
        std::fs::write(scratch.0.join("numbers.qz"), text).expect("the file can be written");
        for program in 0..4 {
            let mut command = scratch.quartz(&["run", "--color=never", PROGRAMS[program]]);
            let found = command.env("QUARTZ_CACHE_SIZE", "0").output().expect("the command starts");
            assert_eq!(text_of(&found), PRINTED[program]);
        }
    }
    let left: u64 = scratch.entries().iter().map(|it| it.metadata().map_or(0, |it| it.len())).sum();
    assert_eq!(left, 0, "nothing may stay where nothing is allowed");
}

fn text_of(output: &Output) -> String {
    text(&output.stdout)
}

const SPEC: &str = "import * from qspec

def main(): Int
  it(\"is\") do
    assert_eq(1, 1)
  end
  qspec_main()
end
";

fn key_of(path: &Path) -> Option<Key> {
    let start = path.parent()?.file_name()?.to_str()?;
    Key::from_hex(&format!("{start}{}", path.file_name()?.to_str()?))
}

/// The machine code of the program that was run last.
fn image(scratch: &Scratch, store: &Store, known: &[PathBuf]) -> (Key, Vec<u8>) {
    let new = scratch.entries().into_iter().filter(|it| !known.contains(it));
    let code = new.filter(|it| it.components().any(|part| part.as_os_str() == "code"));
    let images = code.filter_map(|path| {
        let key = key_of(&path)?;
        Some((key, store.get(Tier::Code, key).content()?))
    });
    images.max_by_key(|it| it.1.len()).expect("a program was kept")
}

/// A whole entry that says something false is the one kind of damage that only comparing finds.
#[test]
fn comparing_finds_a_false_entry() {
    let scratch = Scratch::new("false");
    let store = Store::open(&scratch.cache(), 1 << 30).expect("the temporary folder can be written");
    let program =
        |name: &str| std::fs::write(scratch.0.join(name), format!("def main\n  puts(\"{name}\")\nend\n"));
    let mut images = Vec::new();
    for name in ["one.qz", "two.qz"] {
        program(name).expect("the file can be written");
        let known = scratch.entries();
        assert_eq!(text_of(&scratch.output(&["run", name])), format!("{name}\n"));
        images.push(image(&scratch, &store, &known));
    }
    let compare = |name: &str| scratch.output(&["run", "--check-cache", name]);
    assert_eq!(compare("one.qz").status.code(), Some(0));
    store.put(Tier::Code, images[0].0, &images[1].1);
    let found = compare("one.qz");
    assert_eq!(text(&found.stdout), "two.qz\n");
    assert_eq!(found.status.code(), Some(70), "{}", text(&found.stderr));
    assert!(text(&found.stderr).contains("what the cache gave is not what is made without it"));
}

/// Replaces each of these byte strings by the other, of equal length, wherever an entry of the tier has it; how many had.
fn lie(scratch: &Scratch, tier: Tier, truth: &[u8], untruth: &[u8]) -> usize {
    assert_eq!(truth.len(), untruth.len());
    let store = Store::open(&scratch.cache(), 1 << 30).expect("the cache can be opened");
    let mut count = 0;
    for path in scratch.entries().into_iter().filter(|it| it.iter().any(|part| part == tier.name())) {
        let Some(key) = key_of(&path) else { continue };
        let Some(mut content) = store.get(tier, key).content() else { continue };
        let places: Vec<usize> = (0..content.len().saturating_sub(truth.len()))
            .filter(|&at| content[at..].starts_with(truth))
            .collect();
        places.iter().for_each(|&at| content[at..at + untruth.len()].copy_from_slice(untruth));
        if !places.is_empty() {
            store.put(tier, key, &content);
            count += 1;
        }
    }
    count
}

/// Told by the command that compares, and by the next one that does.
fn finds_the_lie(scratch: &Scratch, command: &[&str], status: i32) {
    for round in ["at first", "again"] {
        let found = scratch.output(command);
        let words = text(&found.stderr) + &text(&found.stdout);
        assert_eq!(found.status.code(), Some(status), "{command:?}, {round}: {words}");
        let told = words.contains("what the cache gave is not what is made without it");
        assert!(told, "{command:?}, {round}: {words}");
    }
}

const WARNS: &str = "def main\n  unused = 1\n  puts(\"main\")\nend\n";

/// Warnings that are kept of a module, and of a program.
#[test]
fn comparing_finds_a_false_warning() {
    let commands: [(&[&str], &str, i32); 4] = [
        (&["check", "--check-cache", "main.qz"], "main.qz", 70),
        (&["run", "--check-cache", "main.qz"], "main.qz", 70),
        (&["build", "--check-cache", "main.qz", "-o", "main"], "main.qz", 70),
        (&["test", "--check-cache", "main_spec.qz"], "main_spec.qz", 1),
    ];
    for (command, file, status) in commands {
        // What `build` knows of the program as a whole, it writes only.
        let tiers: &[Tier] =
            if command[0] == "build" { &[Tier::Check] } else { &[Tier::Check, Tier::Program] };
        for &tier in tiers {
            let scratch = Scratch::new(&format!("warning-{}-{}", command[0], tier.name()));
            let program = match file {
                "main.qz" => WARNS.to_owned(),
                _ => SPEC.replace("    assert_eq(1, 1)\n", "    unused = 1\n    assert_eq(1, 1)\n"),
            };
            std::fs::write(scratch.0.join(file), program).expect("the file can be written");
            let found = scratch.output(command);
            assert_eq!(found.status.code(), Some(0), "{command:?}: {}", text(&found.stderr));
            assert!(lie(&scratch, tier, b"unused", b"abused") > 0, "{command:?}: no entry has the warning");
            if tier == Tier::Check {
                std::fs::remove_dir_all(scratch.cache().join("v1/program")).expect("programs are kept");
            }
            finds_the_lie(&scratch, command, status);
        }
    }
}

/// Machine code that computes something else: of functions, of whole programs, and what LLVM made.
#[test]
fn comparing_finds_false_code() {
    let (truth, untruth) = (0x0123_4567_u32.to_le_bytes(), 0x0123_4568_u32.to_le_bytes());
    let program = "import std/args\n\ndef main\n  puts(args::args().size + 19_088_743)\nend\n";
    let spec = SPEC.replace("assert_eq(1, 1)", "puts(args::args().size + 19_088_743)");
    let spec = spec.replace("def main", "import std/args\n\ndef main");
    let commands: [(&[&str], i32); 6] = [
        (&["run", "--check-cache", "main.qz"], 70),
        (&["build", "--check-cache", "main.qz", "-o", "main"], 70),
        (&["build", "--check-cache", "--emit=obj", "main.qz", "-o", "main.o"], 70),
        (&["build", "--check-cache", "--separate", "--emit=obj", "main.qz", "-o", "parts"], 70),
        (&["build", "--check-cache", "--release", "main.qz", "-o", "main"], 70),
        (&["test", "--check-cache", "main_spec.qz"], 1),
    ];
    for (n, (command, status)) in commands.into_iter().enumerate() {
        let scratch = Scratch::new(&format!("code-{n}"));
        std::fs::write(scratch.main(), program).expect("the file can be written");
        std::fs::write(scratch.0.join("main_spec.qz"), &spec).expect("the file can be written");
        let found = scratch.output(command);
        assert_eq!(
            found.status.code(),
            Some(0),
            "{command:?}: {}",
            text(&found.stderr) + &text(&found.stdout)
        );
        assert!(lie(&scratch, Tier::Code, &truth, &untruth) > 0, "{command:?}: no entry has the number");
        // What is there already is right, and stays.
        ["main", "main.o"].into_iter().for_each(|it| drop(std::fs::remove_file(scratch.0.join(it))));
        finds_the_lie(&scratch, command, status);
    }
}

/// What is not true of bodies and of functions whose modules did not change, while others did.
#[test]
fn comparing_finds_a_lie_behind_an_edit() {
    // The number in machine code, and in bodies: twice itself, seven bits a byte.
    let code = |n: u32| n.to_le_bytes().to_vec();
    let body =
        |n: u32| (0..4).map(|at| (n * 2 >> (7 * at)) as u8 & 0x7f | if at < 3 { 0x80 } else { 0 }).collect();
    let lies: [(Tier, &dyn Fn(u32) -> Vec<u8>); 2] = [(Tier::Code, &code), (Tier::Mir, &body)];
    let number = 19_088_743;
    for (tier, bytes) in lies {
        for command in [&["run", "--check-cache", "main.qz"][..], &["build", "--check-cache", "main.qz"]] {
            let scratch = Scratch::new(&format!("behind-{}-{}", tier.name(), command[0]));
            let write = |shown: &str| {
                let main =
                    format!("import part\n\ndef main\n  puts({shown})\n  puts(part::large([1]))\nend\n");
                std::fs::write(scratch.main(), main).expect("the file can be written");
            };
            let part = "@inline(never)\ndef large(of: Vec<Int>): Int = of.size + 19_088_743\n";
            std::fs::write(scratch.0.join("part.qz"), part).expect("the file can be written");
            let says = |status: i32| {
                let found = scratch.output(command);
                let words = text(&found.stderr) + &text(&found.stdout);
                assert_eq!(found.status.code(), Some(status), "{command:?}, {}: {words}", tier.name());
            };
            write("1");
            says(0);
            write("2");
            says(0);
            assert!(lie(&scratch, tier, &bytes(number), &bytes(number + 1)) > 0, "{}", tier.name());
            write("[3].size");
            says(70);
        }
    }
}

/// Warnings are the same whether they were kept or found; so are executables and folders of parts.
#[test]
fn comparing_finds_nothing_else() {
    let scratch = Scratch::new("compare");
    let text_of_main = "import part\n\ndef main\n  unused = 1\n  puts(part::name)\nend\n";
    std::fs::write(scratch.main(), text_of_main).expect("the file can be written");
    let part = "import std/path\n\ndef name: String\n  other = 2\n  \"part\"\nend\n";
    std::fs::write(scratch.0.join("part.qz"), part).expect("the file can be written");
    std::fs::write(scratch.0.join("main_spec.qz"), SPEC).expect("the file can be written");
    let commands: [&[&str]; 6] = [
        &["check", "--check-cache", "main.qz"],
        &["run", "--check-cache", "main.qz"],
        &["build", "--check-cache", "--emit-deps", "main.qz", "-o", "main"],
        &["build", "--check-cache", "--separate", "--emit=obj", "main.qz", "-o", "parts"],
        &["build", "--check-cache", "--release", "main.qz", "-o", "fast"],
        &["test", "--check-cache", "."],
    ];
    for command in commands {
        for round in ["new", "known"] {
            let found = scratch.output(command);
            let words = text(&found.stderr);
            assert_eq!(found.status.code(), Some(0), "{command:?}, {round}: {words}{}", text(&found.stdout));
            assert!(words.matches("`unused`").count() < 2, "{command:?}, {round}: told twice: {words}");
        }
    }
    let left: Vec<_> =
        std::fs::read_dir(&scratch.0).into_iter().flatten().flatten().map(|it| it.file_name()).collect();
    assert!(!left.iter().any(|it| it.to_string_lossy().contains(".anew")), "{left:?}");
}

/// Code of the library's functions is found again by other programs, and what they share is not lost to any of them.
#[test]
fn programs_share_the_code_of_the_library() {
    let scratch = Scratch::new("library");
    let program = |name: &str, expression: &str| {
        let text = format!("def main\n  names = [\"b\", \"a\"]\n  puts({expression})\nend\n");
        std::fs::write(scratch.0.join(name), text).expect("the file can be written");
    };
    program("one.qz", "names.sorted.join(\"-\")");
    program("two.qz", "names.reversed.join(\"-\")");
    let made = |name: &str| -> Vec<String> {
        let told = text(&scratch.output(&["run", "--explain-cache=json", name]).stderr);
        let lines = told.lines().map(|it| serde_json::from_str::<serde_json::Value>(it).expect("JSON"));
        let anew = lines.filter(|it| it["tier"] == "code" && it["reused"] == false);
        anew.filter_map(|it| it["module"].as_str().map(str::to_owned)).collect()
    };
    let library = |made: &[String]| made.iter().filter(|it| it.starts_with("std::")).count();
    let (first, second) = (made("one.qz"), made("two.qz"));
    assert!(library(&second) < library(&first), "{first:?}, {second:?}");
    // The same after edits that change nothing which the library is asked for.
    for (name, expression) in
        [("one.qz", "names.sorted.join(\"+\")"), ("two.qz", "names.reversed.join(\"+\")")]
    {
        program(name, expression);
        assert_eq!(library(&made(name)), 0, "{name}");
    }
}

/// The same program may have been made in parts or as a whole; what is noted of one is not taken for the other.
#[test]
fn a_whole_takes_the_place_of_parts() {
    let scratch = Scratch::new("wholes");
    let write = |body: &str, other: &str| {
        let part =
            format!("def twice(n: Int): Int\n  {body}\nend\n\ndef named(n: Int): String = \"<#{{n}}>\"\n");
        std::fs::write(scratch.0.join("part.qz"), part).expect("the file can be written");
        let main = format!(
            "import part\n\ndef main\n  {other}\n  puts(part::twice(4))\n  puts(part::named(5))\nend\n"
        );
        std::fs::write(scratch.main(), main).expect("the file can be written");
    };
    let said = |flag: &str| text_of(&scratch.output(&["run", flag, "main.qz"]));
    write("n * 2", "puts(1)");
    assert_eq!(said("--color=never"), "1\n8\n<5>\n");
    write("[n, n].map { it + 1 }.sum", "puts(1)");
    assert_eq!(said("--color=never"), "1\n10\n<5>\n");
    assert_eq!(said("--check-cache"), "1\n10\n<5>\n");
    for n in 2..6 {
        write("[n, n].map { it + 1 }.sum", &format!("puts([1, {n}].map {{ it + {n} }})"));
        assert_eq!(said("--color=never"), format!("[{}, {}]\n10\n<5>\n", 1 + n, 2 * n));
        assert_eq!(said("--check-cache"), format!("[{}, {}]\n10\n<5>\n", 1 + n, 2 * n));
    }
}

/// Files of tests start from the library of another one, even if their own types have the same names.
#[test]
fn tests_share_the_library_alone() {
    let scratch = Scratch::new("library");
    let text = |fields: &str, point: &str, shown: &str| {
        format!(
            "import * from qspec\nimport Atomic from std/atomic\n\nstruct Point\n{fields}end\n\nvar seen = Atomic.new(0)\n\ndef main(): Int\n  it \"is shown\" do ->\n    \
             points = [{point}]\n    assert_eq(points.map {{ it.shown() }}, [\"{shown}\"])\n    points.push({point})\n    \
             seen.fetch_add(points.size)\n    assert_eq(\"#{{points.size}} #{{seen.load}}\", \"2 2\")\n  end\n  qspec_main()\nend\n\n\
             extend Point\n  def shown(self): String = \"{}\"\nend\n",
            shown.replace("1.5", "#{self.y}").replace("left", "#{self.name}")
        )
    };
    let programs = [
        ("one", text("  x: Int\n  y: F64\n", "Point { x: 1, y: 1.5 }", "at 1.5")),
        ("two", text("  name: String\n", "Point { name: \"left\" }", "left")),
        ("three", text("  y: F64\n  z: Vec<Int>\n", "Point { y: 1.5, z: [3] }", "1.5")),
    ];
    for (folder, text) in &programs {
        std::fs::create_dir_all(scratch.0.join(folder)).expect("the temporary folder can be written");
        std::fs::write(scratch.0.join(folder).join("point_spec.qz"), text).expect("the file can be written");
    }
    for (n, (folder, _)) in programs.iter().enumerate() {
        let found = scratch.output(&["test", "--explain-cache", folder]);
        let told = text_of(&found);
        assert_eq!(found.status.code(), Some(0), "{told}{}", self::text(&found.stderr));
        let errors = self::text(&found.stderr);
        let shares = errors
            .lines()
            .any(|it| it.starts_with("(the whole program)") && it.ends_with("functions reused"));
        assert_eq!(shares, n > 0, "{errors}");
    }
    let changed = programs[1].1.replace("points.push(Point { name: \"left\" })", "points.push(points[0])");
    std::fs::write(scratch.0.join("two/point_spec.qz"), changed).expect("the file can be written");
    let found = scratch.output(&["test", "--explain-cache", "."]);
    assert_eq!(found.status.code(), Some(0), "{}{}", text_of(&found), self::text(&found.stderr));
}

#[test]
fn tests_say_what_they_reused() {
    let scratch = Scratch::new("explain");
    std::fs::write(scratch.0.join("a_spec.qz"), SPEC).expect("the file can be written");
    let told = |flag: &str| text(&scratch.output(&["test", flag, "."]).stderr);
    assert!(told("--explain-cache").contains("made: there was no entry"));
    assert!(told("--explain-cache").contains("(the whole program)"));
    assert!(told("--explain-cache=json").contains("\"tier\":\"program\""));
    std::fs::remove_dir_all(scratch.cache()).expect("the cache can be removed");
    assert_eq!(told("--no-cache"), "");
    assert!(scratch.entries().is_empty());
}

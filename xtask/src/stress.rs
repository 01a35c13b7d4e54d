//! `cargo xtask stress`: do programs with tasks do the same a thousand times, on any number of workers and on any
//! schedule? Each program is compiled once and run many times.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A run that takes longer is thought to hang.
const LIMIT: Duration = Duration::from_secs(60);

const FOLDERS: [&str; 3] = ["spec/concurrency", "tests/run/concurrency", "tests/run/net"];

struct Wanted {
    name: String,
    times: u64,
    workers: Vec<usize>,
    seeds: std::ops::Range<u64>,
}

struct Program {
    /// Below the project's folder.
    name: String,
    binary: PathBuf,
    /// What it is to print; of specifications the status says enough.
    output: Option<String>,
    input: String,
}

/// One run: how it is set up, and how to say that.
#[derive(Clone, Copy)]
enum Way {
    Workers(usize),
    Seed(u64),
}

/// Runs what the arguments ask for; whether all was well.
pub(crate) fn stress(top: &Path, arguments: &[String]) -> bool {
    let Some(wanted) = wanted(arguments) else { return false };
    let folder = top.join("target/stress");
    let quartz = std::env::var_os("CARGO_TARGET_DIR").map_or(top.join("target"), PathBuf::from);
    let quartz = quartz.join("debug/quartz");
    let mut cargo = Command::new("cargo");
    if !crate::run(cargo.current_dir(top).args(["build", "--quiet", "-p", "quartz"])) {
        return false;
    }
    std::fs::create_dir_all(&folder).ok();
    let mut files: Vec<PathBuf> = FOLDERS.iter().flat_map(|it| programs(&top.join(it))).collect();
    files.sort();
    let name = |file: &Path| file.strip_prefix(top).unwrap_or(file).display().to_string();
    files.retain(|it| name(it).contains(&wanted.name));
    let all: Vec<_> = files.iter().map(|it| compiled(&quartz, it, &folder, name(it))).collect();
    let mut failures = 0;
    for program in &all {
        match program {
            Ok(program) => failures += u64::from(!holds(program, &wanted)),
            Err(words) => {
                println!("✗ {words}");
                failures += 1;
            }
        }
    }
    let programs = all.len();
    println!("{programs} programs, {failures} of them failed");
    failures == 0 && programs > 0
}

fn wanted(arguments: &[String]) -> Option<Wanted> {
    let mut wanted = Wanted { name: String::new(), times: 100, workers: vec![1, 2, 8], seeds: 1..101 };
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let (option, inline) = word.split_once('=').map_or((word.as_str(), None), |(a, b)| (a, Some(b)));
        let known = match option {
            "--times" | "--workers" | "--seeds" => {
                let value = inline.or_else(|| rest.next().map(String::as_str));
                value.and_then(|it| set(&mut wanted, option, it))
            }
            _ if option.starts_with('-') => None,
            _ => {
                wanted.name = word.clone();
                Some(())
            }
        };
        if known.is_none() {
            eprintln!("`{word}`: use `stress [NAME] [--times N] [--workers 1,2,8] [--seeds A..B]`");
            return None;
        }
    }
    Some(wanted)
}

fn set(wanted: &mut Wanted, option: &str, value: &str) -> Option<()> {
    match option {
        "--times" => wanted.times = value.parse().ok()?,
        "--workers" => {
            let numbers: Result<_, _> = value.split(',').map(str::parse).collect();
            wanted.workers = numbers.ok()?;
        }
        _ => {
            let (from, to) = value.split_once("..")?;
            wanted.seeds = from.parse().ok()?..to.parse().ok()?;
        }
    }
    Some(())
}

/// Specifications, and programs that say what they print.
fn programs(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(programs(&path));
        } else if path.to_string_lossy().ends_with("_spec.qz")
            || std::fs::read_to_string(&path).is_ok_and(|it| it.contains("\n#~ stdout"))
        {
            found.push(path);
        }
    }
    found
}

fn compiled(quartz: &Path, file: &Path, folder: &Path, name: String) -> Result<Program, String> {
    let binary = folder.join(name.replace('/', "-").trim_end_matches(".qz"));
    let mut build = Command::new(quartz);
    build.args(["build", "--color=never", "-o"]).arg(&binary).arg(file);
    let output = build.output().map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name} is not built: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    let lines = |directive: &str| -> String {
        let start = format!("#~ {directive}:");
        let lines = text.lines().filter_map(|line| line.strip_prefix(&start));
        lines.map(|it| format!("{}\n", it.strip_prefix(' ').unwrap_or(it))).collect()
    };
    let output = (!name.ends_with("_spec.qz")).then(|| lines("stdout"));
    Ok(Program { output, input: lines("stdin"), name, binary })
}

/// All runs of a program; the first that fails ends them.
fn holds(program: &Program, wanted: &Wanted) -> bool {
    let on_workers = wanted.workers.iter().flat_map(|n| (0..wanted.times).map(|_| Way::Workers(*n)));
    let ways: Vec<Way> = on_workers.chain(wanted.seeds.clone().map(Way::Seed)).collect();
    let told = std::io::stdout().is_terminal();
    let begun = Instant::now();
    for (index, way) in ways.iter().enumerate() {
        if told && index % 10 == 0 {
            print!("\r  {} {index}/{}", program.name, ways.len());
            std::io::stdout().flush().ok();
        }
        if let Err(words) = run_once(program, *way) {
            let again = match way {
                Way::Workers(n) => format!("QUARTZ_WORKERS={n}"),
                Way::Seed(seed) => format!("QUARTZ_SCHED_SEED={seed}"),
            };
            println!("\r✗ {}, run {} of {}: {words}", program.name, index + 1, ways.len());
            println!("  again: QUARTZ_STRESS=1 {again} {}", program.binary.display());
            return false;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let workers: Vec<String> = wanted.workers.iter().map(usize::to_string).collect();
    println!(
        "\r✓ {}: {} times on {} workers each, {} seeds, {seconds:.1} s",
        program.name,
        wanted.times,
        workers.join(", "),
        wanted.seeds.end.saturating_sub(wanted.seeds.start),
    );
    true
}

fn run_once(program: &Program, way: Way) -> Result<(), String> {
    let mut command = Command::new(&program.binary);
    command.env("QUARTZ_STRESS", "1").env("QUARTZ_HASH_SEED", "7");
    match way {
        Way::Workers(n) => command.env("QUARTZ_WORKERS", n.to_string()).env_remove("QUARTZ_SCHED_SEED"),
        Way::Seed(seed) => command.env("QUARTZ_SCHED_SEED", seed.to_string()),
    };
    // Files, so that no pipe is full while the limit is watched.
    let file = |ending: &str| program.binary.with_extension(ending);
    std::fs::write(file("in"), &program.input).map_err(|error| error.to_string())?;
    let made = |ending| std::fs::File::create(file(ending)).map_err(|error| error.to_string());
    command.stdin(std::fs::File::open(file("in")).map_err(|error| error.to_string())?);
    command.stdout(made("out")?).stderr(made("err")?);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let status = ended(&mut child)?;
    let said = |ending| std::fs::read_to_string(file(ending)).unwrap_or_default();
    let output = said("out");
    match &program.output {
        _ if !status.success() => Err(format!("{status}\n{output}{}", said("err"))),
        Some(expected) if *expected != output => Err(format!("it printed\n{output}")),
        _ => Ok(()),
    }
}

/// How it ended; an error if it does not end.
fn ended(child: &mut Child) -> Result<ExitStatus, String> {
    let begun = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status);
        }
        if begun.elapsed() > LIMIT {
            // What its tasks wait for goes to standard error.
            let mut tell = Command::new("kill");
            tell.args(["-USR1", &child.id().to_string()]).stderr(Stdio::null()).status().ok();
            std::thread::sleep(Duration::from_secs(1));
            child.kill().ok();
            child.wait().ok();
            return Err(format!(
                "it takes longer than {} s; its `.err` file lists its tasks",
                LIMIT.as_secs()
            ));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

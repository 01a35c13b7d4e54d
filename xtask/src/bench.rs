//! `cargo xtask bench`: the programs of `bench/programs` beside their peers', and the front end on projects of
//! growing size. Everything that is compared runs in turns in one go, since machines are noisy; what is
//! reported are ratios of the shortest times.

mod lines;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How often each program runs.
const ROUNDS: usize = 5;

/// Runs the benchmarks whose names hold the filter. Says whether all could be run and gave the same answers.
pub(crate) fn bench(top: &Path, filter: &[String]) -> bool {
    let wanted = |name: &str| filter.is_empty() || filter.iter().any(|it| name.contains(it.as_str()));
    let Some(bench) = Bench::new(top) else { return false };
    let mut fine = true;
    println!("{}", bench.machine());
    if wanted("hello") {
        fine &= bench.hello();
    }
    fine &= bench.programs(&wanted);
    if wanted("lines") {
        fine &= bench.front_end();
    }
    fine
}

/// How long a program runs after compilation, in milliseconds.
struct Times {
    c: f64,
    /// Compiled by LLVM.
    native: f64,
    /// Compiled by Cranelift.
    run: f64,
}

struct Bench {
    top: PathBuf,
    /// Where compiled peers and generated projects go.
    out: PathBuf,
    quartz: PathBuf,
    clang: Option<PathBuf>,
}

/// The first of these commands that is installed.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().find_map(|name| folders.iter().map(|it| it.join(name)).find(|it| it.is_file()))
}

fn quiet(command: &mut Command) -> Option<Output> {
    let output = command.stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Some(output),
        Ok(output) => {
            eprintln!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(error) => {
            eprintln!("{command:?}: {error}");
            None
        }
    }
}

fn timed(command: &mut Command) -> Option<(Duration, Output)> {
    let start = Instant::now();
    let output = quiet(command)?;
    Some((start.elapsed(), output))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// One of the stages that `--timings` lists on standard error, in milliseconds (or, for memory, megabytes).
fn stage(output: &Output, name: &str) -> Option<f64> {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

impl Bench {
    fn new(top: &Path) -> Option<Bench> {
        let mut build = Command::new("cargo");
        build.current_dir(top).args(["build", "--release", "--quiet", "-p", "quartz", "-p", "qz_rt_native"]);
        quiet(&mut build)?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top.join("target"), PathBuf::from);
        let out = target.join("bench");
        std::fs::create_dir_all(&out).ok()?;
        let clang = find(&["clang-22", "clang-19", "clang"]);
        if clang.is_none() {
            eprintln!("clang is missing, so nothing is compared with C: install it as `clang-19`");
        }
        Some(Bench { top: top.to_owned(), out, quartz: target.join("release/quartz"), clang })
    }

    fn machine(&self) -> String {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        format!("{} ({cores} cores)\n", model.map_or("unknown machine", |it| it.1))
    }

    fn program(&self, name: &str, file: &str) -> PathBuf {
        self.top.join("bench/programs").join(name).join(file)
    }

    fn compile_c(&self, name: &str) -> Option<PathBuf> {
        let to = self.out.join(name);
        let mut command = Command::new(self.clang.as_ref()?);
        command.arg("-O2").arg(self.program(name, "main.c")).arg("-o").arg(&to).arg("-lm");
        quiet(&mut command)?;
        Some(to)
    }

    /// Whole processes, from source text to the last line printed, with everything in the file cache.
    fn hello(&self) -> bool {
        let mut peers: Vec<(&str, Command)> = Vec::new();
        let mut quartz = Command::new(&self.quartz);
        quartz.arg("run").arg(self.program("hello", "main.qz"));
        peers.push(("quartz run", quartz));
        for (name, first, file) in [("go", "go run", "main.go"), ("crystal", "crystal run", "main.cr")] {
            match find(&[name]) {
                Some(path) => {
                    let mut command = Command::new(path);
                    command.arg("run").arg(self.program("hello", file));
                    peers.push((first, command));
                }
                None => eprintln!("{name} is missing and left out"),
            }
        }
        let mut best = vec![Duration::MAX; peers.len()];
        for _ in 0..=ROUNDS {
            for (best, (_, command)) in best.iter_mut().zip(&mut peers) {
                let Some((time, output)) = timed(command) else { return false };
                if output.stdout != b"Hello, world!\n" {
                    eprintln!("{command:?} prints something else");
                    return false;
                }
                *best = time.min(*best);
            }
        }
        println!("| hello, whole process | ms | times `quartz run` |\n|---|---:|---:|");
        for ((name, _), time) in peers.iter().zip(&best) {
            println!("| `{name}` | {:.1} | {:.1} |", ms(*time), ms(*time) / ms(best[0]));
        }
        println!();
        true
    }

    /// Running time after compilation, as a ratio to C's.
    fn programs(&self, wanted: &dyn Fn(&str) -> bool) -> bool {
        let Ok(folders) = std::fs::read_dir(self.top.join("bench/programs")) else { return false };
        let mut names: Vec<String> =
            folders.flatten().map(|it| it.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names.retain(|name| name != "hello" && wanted(name));
        if names.is_empty() || self.clang.is_none() {
            return names.is_empty();
        }
        println!(
            "| program | `clang -O2`, s | `quartz build --release`, s | ratio | `quartz run`, s | ratio |"
        );
        println!("|---|---:|---:|---:|---:|---:|");
        let mut products = (1.0, 1.0);
        for name in &names {
            let Some(Times { c, native, run }) = self.times(name) else { return false };
            let ratios = (native / c, run / c);
            products = (products.0 * ratios.0, products.1 * ratios.1);
            println!(
                "| {name} | {:.3} | {:.3} | {:.2} | {:.3} | {:.2} |",
                c / 1000.0,
                native / 1000.0,
                ratios.0,
                run / 1000.0,
                ratios.1
            );
        }
        let mean = |product: f64| f64::powf(product, 1.0 / names.len() as f64);
        println!("| geometric mean | | | {:.2} | | {:.2} |\n", mean(products.0), mean(products.1));
        true
    }

    fn compile_quartz(&self, name: &str) -> Option<PathBuf> {
        let to = self.out.join(format!("{name}.native"));
        let mut command = Command::new(&self.quartz);
        command.args(["build", "--release"]).arg(self.program(name, "main.qz")).arg("-o").arg(&to);
        quiet(&mut command)?;
        Some(to)
    }

    /// The shortest time of each.
    fn times(&self, name: &str) -> Option<Times> {
        let (c, native) = (self.compile_c(name)?, self.compile_quartz(name)?);
        let mut best = Times { c: f64::MAX, native: f64::MAX, run: f64::MAX };
        for _ in 0..ROUNDS {
            let (time, expected) = timed(&mut Command::new(&c))?;
            best.c = best.c.min(ms(time));
            let (time, found) = timed(&mut Command::new(&native))?;
            best.native = best.native.min(ms(time));
            let mut quartz = Command::new(&self.quartz);
            quartz.args(["run", "--timings"]).arg(self.program(name, "main.qz"));
            let run = quiet(&mut quartz)?;
            best.run = best.run.min(stage(&run, "run")?);
            if expected.stdout != run.stdout || expected.stdout != found.stdout {
                eprintln!("{name}: Quartz and C print different things");
                return None;
            }
        }
        Some(best)
    }

    /// Parsing to types on generated projects: time and peak memory by size.
    fn front_end(&self) -> bool {
        println!(
            "| lines | `quartz check`, ms | lines a second | peak bytes a line |\n|---:|---:|---:|---:|"
        );
        for size in [10_000, 50_000, 200_000, 400_000] {
            let folder = self.out.join(format!("lines_{size}"));
            let lines = match lines::write_project(&folder, size) {
                Ok(lines) => lines,
                Err(error) => {
                    eprintln!("{}: {error}", folder.display());
                    return false;
                }
            };
            let (mut best, mut peak) = (f64::MAX, f64::MAX);
            for _ in 0..ROUNDS {
                let mut check = Command::new(&self.quartz);
                check.args(["check", "--timings"]).arg(folder.join("main.qz"));
                let Some((time, output)) = timed(&mut check) else { return false };
                best = best.min(ms(time));
                peak = peak.min(stage(&output, "peak").unwrap_or(f64::NAN));
            }
            let (count, bytes) = (lines as f64, peak * 1_000_000.0 / lines as f64);
            println!("| {lines} | {best:.0} | {:.0} | {bytes:.0} |", count / best * 1000.0);
        }
        println!();
        true
    }
}

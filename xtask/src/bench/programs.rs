//! The programs: compiled in every language, run in turns, their outputs compared; times, memory and ratios.

use std::path::{Path, PathBuf};

use super::Bench;
use super::chart;
use super::languages::Language;
use super::measure::{Clock, Meter, Run, geometric_mean, median, stage};
use super::report::{Report, Table, number};

/// A program of one language.
pub(crate) struct Figures {
    pub(crate) language: Language,
    /// Medians.
    pub(crate) ms: f64,
    pub(crate) mb: f64,
}

/// A program in all languages that have it.
pub(crate) struct Comparison {
    pub(crate) name: String,
    pub(crate) figures: Vec<Figures>,
}

impl Comparison {
    fn of(&self, language: Language) -> Option<&Figures> {
        self.figures.iter().find(|it| it.language == language)
    }

    /// How many times C's time a language needs.
    pub(crate) fn time_ratio(&self, language: Language) -> Option<f64> {
        Some(self.of(language)?.ms / self.of(Language::C)?.ms)
    }

    fn memory_ratio(&self, language: Language) -> Option<f64> {
        Some(self.of(language)?.mb / self.of(Language::C)?.mb)
    }
}

/// What is run in turns: one language's program, and what was measured of it so far.
struct Contender {
    language: Language,
    program: PathBuf,
    times: Vec<f64>,
    memory: Vec<f64>,
}

impl Bench {
    /// Runs all programs that were asked for.
    pub(crate) fn programs(&self, report: &mut Report) -> bool {
        let names: Vec<String> =
            self.program_names().into_iter().filter(|it| self.options.wants(it)).collect();
        if names.is_empty() {
            return true;
        }
        let Some(meter) = Meter::new(self) else { return false };
        let mut all = Vec::new();
        let mut fine = true;
        for name in names {
            match self.compare(&meter, &name) {
                Some(comparison) => all.push(comparison),
                None => fine = false,
            }
        }
        let languages: Vec<Language> = self.languages.all().collect();
        report.add("programs", &time_table(&all, &languages, self.options.clock));
        report.add("memory", &memory_table(&all, &languages));
        report.chart = Some(chart::draw(&all, &languages));
        fine
    }

    fn program_names(&self) -> Vec<String> {
        let folders = std::fs::read_dir(self.top.join("bench/programs")).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            folders.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|it| it != "hello");
        names.sort();
        names
    }

    /// Compiles and runs one program in all languages. Says where an output differs.
    fn compare(&self, meter: &Meter, name: &str) -> Option<Comparison> {
        let mut contenders = self.contenders(name)?;
        let mut expected: Option<Vec<u8>> = None;
        for _ in 0..self.options.rounds {
            for contender in &mut contenders {
                let run = self.run_once(meter, contender)?;
                contender.times.push(run.ms);
                contender.memory.push(run.mb);
                let expected = expected.get_or_insert_with(|| run.stdout.clone());
                if *expected != run.stdout {
                    eprintln!("{name}: {} prints something else", contender.language.title());
                    return None;
                }
            }
        }
        let figures: Vec<Figures> = contenders
            .iter()
            .map(|it| Figures { language: it.language, ms: median(&it.times), mb: median(&it.memory) })
            .collect();
        let shown: Vec<String> =
            figures.iter().map(|it| format!("{} {:.0} ms", it.language.title(), it.ms)).collect();
        eprintln!("{name}: {}", shown.join(", "));
        Some(Comparison { name: name.to_owned(), figures })
    }

    fn contenders(&self, name: &str) -> Option<Vec<Contender>> {
        let mut contenders = Vec::new();
        for language in self.languages.all() {
            let from = self.source(name, language.file());
            if !from.is_file() {
                eprintln!("{name}: {} has no program", language.title());
                continue;
            }
            let to = self.out.join(format!("{name}.{language:?}"));
            if !newer(&to, &from) || language.is_quartz() {
                self.languages.compile(language, &from, &to)?;
            }
            let program = if language == Language::QuartzRun { from } else { to };
            contenders.push(Contender { language, program, times: Vec::new(), memory: Vec::new() });
        }
        Some(contenders)
    }

    fn run_once(&self, meter: &Meter, contender: &Contender) -> Option<Run> {
        if contender.language != Language::QuartzRun {
            return meter.run(&contender.program, &[]);
        }
        let source = contender.program.to_string_lossy();
        let mut run = meter.run(&self.quartz, &["run", "--timings", &source])?;
        run.ms = stage(&run.stderr, "run")?;
        Some(run)
    }
}

/// Whether a file was made after another one. Peers' compilers are slow.
fn newer(made: &Path, from: &Path) -> bool {
    let time = |path: &Path| path.metadata().and_then(|it| it.modified()).ok();
    time(made) > time(from)
}

/// C's seconds, and the others' ratios.
fn time_table(all: &[Comparison], languages: &[Language], clock: Clock) -> Table {
    let others: Vec<Language> =
        languages.iter().copied().filter(|it| it.is_timed() && *it != Language::C).collect();
    let first = if clock == Clock::Wall { "C, s" } else { "C, processor s" };
    let mut table = Table::new("program", std::iter::once(first).chain(others.iter().map(|it| it.title())));
    for comparison in all {
        let seconds = comparison.of(Language::C).map(|it| it.ms / 1000.0);
        let ratios = others.iter().map(|it| number(comparison.time_ratio(*it), 2));
        table.row(&comparison.name, std::iter::once(number(seconds, 3)).chain(ratios));
    }
    let means = others
        .iter()
        .map(|it| number(Some(geometric_mean(all.iter().filter_map(|one| one.time_ratio(*it)))), 2));
    table.row("**geometric mean**", std::iter::once(String::new()).chain(means));
    table
}

/// Peak memory in MB, and Quartz's ratio to C's.
fn memory_table(all: &[Comparison], languages: &[Language]) -> Table {
    let shown: Vec<Language> = languages.iter().copied().filter(|it| it.is_weighed()).collect();
    let titles = shown.iter().map(|it| it.title()).chain(std::iter::once("Quartz to C"));
    let mut table = Table::new("peak memory, MB", titles);
    for comparison in all {
        let numbers = shown.iter().map(|it| number(comparison.of(*it).map(|it| it.mb), 1));
        let ratio = number(comparison.memory_ratio(Language::Quartz), 2);
        table.row(&comparison.name, numbers.chain(std::iter::once(ratio)));
    }
    table
}

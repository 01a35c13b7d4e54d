//! The chart for the README: one row a program, one mark a language, placed by how many times C's time it needs.
//! The scale is logarithmic; colours stand on light and on dark pages.

use std::fmt::Write as _;

use super::languages::Language;
use super::measure::geometric_mean;
use super::programs::Comparison;

const WIDTH: f64 = 880.0;
/// Where the scale starts and ends.
const LEFT: f64 = 140.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 92.0;
const ROW: f64 = 22.0;

/// A language's colour and shape.
struct Mark {
    language: Language,
    name: &'static str,
    colour: &'static str,
    shape: Shape,
}

enum Shape {
    Circle,
    Square,
    Triangle,
    Cross,
    Diamond,
    HollowDiamond,
}

/// What comes later lies above.
const MARKS: [Mark; 6] = [
    Mark { language: Language::Go, name: "Go", colour: "#2ea3c7", shape: Shape::Triangle },
    Mark { language: Language::Crystal, name: "Crystal", colour: "#8b949e", shape: Shape::Square },
    Mark { language: Language::Zig, name: "Zig", colour: "#c9930a", shape: Shape::Cross },
    Mark { language: Language::Rust, name: "Rust", colour: "#d9623b", shape: Shape::Circle },
    Mark {
        language: Language::QuartzRun,
        name: "quartz run",
        colour: "#9a5cf0",
        shape: Shape::HollowDiamond,
    },
    Mark { language: Language::Quartz, name: "Quartz", colour: "#9a5cf0", shape: Shape::Diamond },
];

/// From ratios to places.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    /// Powers of two around all ratios.
    fn around(ratios: &[f64]) -> Scale {
        let least = ratios.iter().copied().fold(0.5, f64::min).log2().floor();
        let most = ratios.iter().copied().fold(2.0, f64::max).log2().ceil();
        Scale { least, most }
    }

    fn x(&self, ratio: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (ratio.log2() - self.least) / (self.most - self.least)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> + '_ {
        (self.least as i32..=self.most as i32).map(|power| f64::from(power).exp2())
    }
}

/// The chart as SVG.
pub(crate) fn draw(all: &[Comparison], languages: &[Language]) -> String {
    let marks: Vec<&Mark> = MARKS.iter().filter(|it| languages.contains(&it.language)).collect();
    let ratios: Vec<f64> =
        all.iter().flat_map(|one| marks.iter().filter_map(|it| one.time_ratio(it.language))).collect();
    let scale = Scale::around(&ratios);
    let bottom = TOP + ROW * (all.len() as f64 + 1.5);
    let mut svg = String::new();
    head(&mut svg, bottom + 34.0);
    legend(&mut svg, &marks);
    grid(&mut svg, &scale, bottom);
    for (n, one) in all.iter().enumerate() {
        let y = TOP + ROW * (n as f64 + 0.5);
        let values = marks.iter().filter_map(|it| Some((*it, one.time_ratio(it.language)?)));
        row(&mut svg, &scale, &one.name.replace('_', " "), y, values, "name");
    }
    let mean = |language| geometric_mean(all.iter().filter_map(|one| one.time_ratio(language)));
    let y = TOP + ROW * (all.len() as f64 + 1.0);
    let _ = writeln!(svg, r#"<line class="grid" x1="16" x2="{RIGHT}" y1="{0}" y2="{0}"/>"#, y - ROW / 2.0);
    row(
        &mut svg,
        &scale,
        "geometric mean",
        y,
        marks.iter().map(|it| (*it, mean(it.language))),
        "name strong",
    );
    svg += "</svg>\n";
    svg
}

fn head(svg: &mut String, height: f64) {
    let _ = write!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="Running times of programs as ratios to C's">
<style>
text {{ font: 13px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #1f2328; }}
.title {{ font-size: 16px; font-weight: 600; }}
.small {{ font-size: 12px; fill: #59636e; }}
.name {{ text-anchor: end; }}
.strong {{ font-weight: 600; }}
.tick {{ text-anchor: middle; }}
.grid {{ stroke: #8b949e; stroke-opacity: 0.28; }}
.one {{ stroke: #59636e; stroke-width: 1.5; }}
@media (prefers-color-scheme: dark) {{
  text {{ fill: #e6edf3; }}
  .small {{ fill: #9198a1; }}
  .one {{ stroke: #9198a1; }}
}}
</style>
<text class="title" x="16" y="26">Running time as a multiple of C's</text>
<text class="small" x="{RIGHT}" y="26" text-anchor="end">clang -O2 = 1; further left is faster; logarithmic</text>
"#
    );
}

fn legend(svg: &mut String, marks: &[&Mark]) {
    let mut x = 22.0;
    for mark in marks.iter().rev() {
        draw_mark(svg, mark, x, 50.0);
        let _ = writeln!(svg, r#"<text x="{}" y="54.5">{}</text>"#, x + 11.0, mark.name);
        x += 34.0 + 7.5 * mark.name.len() as f64;
    }
}

fn grid(svg: &mut String, scale: &Scale, bottom: f64) {
    for ratio in scale.ticks() {
        let x = scale.x(ratio);
        let class = if ratio == 1.0 { "one" } else { "grid" };
        let _ = writeln!(svg, r#"<line class="{class}" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{bottom}"/>"#);
        let label = if ratio < 1.0 { format!("1/{}", 1.0 / ratio) } else { ratio.to_string() };
        for y in [TOP - 8.0, bottom + 18.0] {
            let _ = writeln!(svg, r#"<text class="small tick" x="{x:.1}" y="{y}">{label}×</text>"#);
        }
    }
}

/// A name and its marks; a faint line leads from the one to the others.
fn row<'a>(
    svg: &mut String,
    scale: &Scale,
    name: &str,
    y: f64,
    values: impl Iterator<Item = (&'a Mark, f64)>,
    class: &str,
) {
    let _ = writeln!(svg, r#"<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>"#);
    let _ = writeln!(svg, r#"<text class="{class}" x="{}" y="{}">{name}</text>"#, LEFT - 12.0, y + 4.5);
    for (mark, ratio) in values {
        draw_mark(svg, mark, scale.x(ratio), y);
    }
}

fn draw_mark(svg: &mut String, mark: &Mark, x: f64, y: f64) {
    let colour = mark.colour;
    let at = format!(r#"transform="translate({x:.1} {y})""#);
    let _ = match mark.shape {
        Shape::Circle => writeln!(svg, r#"<circle {at} r="4.5" fill="{colour}"/>"#),
        Shape::Square => {
            writeln!(svg, r#"<rect {at} x="-4" y="-4" width="8" height="8" fill="{colour}"/>"#)
        }
        Shape::Triangle => writeln!(svg, r#"<path {at} d="M0 -5L5 4H-5Z" fill="{colour}"/>"#),
        Shape::Cross => writeln!(
            svg,
            r#"<path {at} d="M-4 -4L4 4M4 -4L-4 4" stroke="{colour}" stroke-width="2.5" fill="none"/>"#
        ),
        Shape::Diamond => writeln!(svg, r#"<path {at} d="M0 -7L7 0L0 7L-7 0Z" fill="{colour}"/>"#),
        Shape::HollowDiamond => writeln!(
            svg,
            r#"<path {at} d="M0 -5L5 0L0 5L-5 0Z" fill="none" stroke="{colour}" stroke-width="1.8"/>"#
        ),
    };
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn the_scale_holds_all_ratios_between_powers_of_two() {
        let scale = Scale::around(&[0.3, 1.0, 5.0]);
        assert_eq!(scale.ticks().collect::<Vec<_>>(), [0.25, 0.5, 1.0, 2.0, 4.0, 8.0]);
        assert!(scale.x(0.3) > scale.x(0.25) && scale.x(5.0) < scale.x(8.0));
    }
}

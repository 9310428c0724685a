//! Bars as an SVG file: groups one below the other, a bar for each series, its value behind it.

use std::fmt::Write as _;

const WIDTH: f64 = 820.0;
/// Where bars begin, and how long the longest is; behind it stands its value.
const LEFT: f64 = 210.0;
const LONGEST: f64 = 470.0;
const BAR: f64 = 20.0;
const BETWEEN: f64 = 14.0;
/// Above the bars: the title, what is measured, the series.
const HEAD: f64 = 96.0;

/// Apart from each other in grey too, and on a dark page, since the background is white.
const COLOURS: [&str; 4] = ["#9aa5b1", "#2b6cb0", "#dd8a2f", "#4a8f5c"];

/// What is drawn.
#[derive(Debug)]
pub(super) struct Bars {
    pub(super) title: &'static str,
    /// What a bar is, with its unit.
    pub(super) unit: &'static str,
    pub(super) series: &'static [&'static str],
    pub(super) groups: Vec<Group>,
}

/// Bars that stand together, one of each series; none for what is missing.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) label: String,
    /// A second, smaller line below the label.
    pub(super) note: String,
    pub(super) values: Vec<Option<f64>>,
}

impl Bars {
    /// The file's text.
    pub(super) fn svg(&self) -> String {
        let tall = |group: &Group| BAR * group.values.len().max(2) as f64 + BETWEEN;
        let height = HEAD + self.groups.iter().map(tall).sum::<f64>() + 6.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">\n\
             <title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
            escaped(self.title)
        );
        text(&mut svg, 20.0, 32.0, "start", 19, "#1f2933", self.title);
        text(&mut svg, 20.0, 54.0, "start", 13, "#52606d", self.unit);
        self.key(&mut svg);
        let most = self.values().fold(0.0, f64::max);
        let mut top = HEAD;
        for group in &self.groups {
            group.draw(&mut svg, top, LONGEST / most);
            top += tall(group);
        }
        rectangle(&mut svg, LEFT - 1.0, HEAD - 4.0, 1.0, top - HEAD, "#52606d");
        svg.push_str("</svg>\n");
        svg
    }

    /// The name of each series behind its colour.
    fn key(&self, svg: &mut String) {
        let mut left = LEFT;
        for (name, colour) in self.series.iter().zip(COLOURS) {
            rectangle(svg, left, 67.0, 13.0, 13.0, colour);
            text(svg, left + 19.0, 78.0, "start", 13, "#1f2933", name);
            left += 40.0 + 7.4 * name.chars().count() as f64;
        }
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let values = self.groups.iter().flat_map(|group| &group.values);
        values.copied().flatten()
    }
}

impl Group {
    fn draw(&self, svg: &mut String, top: f64, scale: f64) {
        let middle = top + BAR * self.values.len() as f64 / 2.0;
        let base = if self.note.is_empty() { 4.0 } else { -3.0 };
        let right = LEFT - 12.0;
        text(svg, right, middle + base, "end", 14, "#1f2933", &self.label);
        text(svg, right, middle + 13.0, "end", 12, "#52606d", &self.note);
        let mut top = top;
        for (value, colour) in self.values.iter().zip(COLOURS) {
            if let Some(value) = value {
                // A value beside nothing would look like a mistake.
                let long = (value * scale).max(1.0);
                rectangle(svg, LEFT, top, long, BAR - 3.0, colour);
                let said = short(*value);
                text(
                    svg,
                    LEFT + long + 7.0,
                    top + 13.5,
                    "start",
                    13,
                    "#1f2933",
                    &said,
                );
            }
            top += BAR;
        }
    }
}

fn rectangle(svg: &mut String, left: f64, top: f64, wide: f64, tall: f64, colour: &str) {
    let written = writeln!(
        svg,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{tall:.1}\" fill=\"{colour}\"/>"
    );
    written.expect("a string takes text");
}

fn text(svg: &mut String, left: f64, base: f64, anchor: &str, size: u32, colour: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let written = writeln!(
        svg,
        "<text x=\"{left:.1}\" y=\"{base:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\" \
         fill=\"{colour}\">{}</text>",
        escaped(text)
    );
    written.expect("a string takes text");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// With three digits that count, thousands apart.
pub(super) fn short(value: f64) -> String {
    if value < 1000.0 {
        let digits = match value {
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            size if size >= 0.1 => 2,
            _ => 3,
        };
        return format!("{value:.digits$}");
    }
    let unit = 10f64.powi(value.log10() as i32 - 2);
    let whole = ((value / unit).round() * unit).round().to_string();
    let mut said = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_three_digits_that_count() {
        let cases = [
            (0.0114, "0.011"),
            (0.853, "0.85"),
            (2.0, "2.00"),
            (91.44, "91.4"),
            (144.6, "145"),
            (5123.0, "5,120"),
            (408_311.0, "408,000"),
            (2_499_999.0, "2,500,000"),
        ];
        for (value, said) in cases {
            assert_eq!(short(value), said);
        }
    }

    #[test]
    fn the_longest_bar_is_as_long_as_may_be_and_what_is_missing_has_none() {
        let group = |label: &str, values: [Option<f64>; 2]| Group {
            label: label.to_owned(),
            note: String::new(),
            values: values.to_vec(),
        };
        let bars = Bars {
            title: "Fast & < slow",
            unit: "jobs a second",
            series: &["a", "b"],
            groups: vec![
                group("10", [Some(4.0), None]),
                group("100", [Some(2.0), Some(0.0)]),
            ],
        };
        let svg = bars.svg();
        assert!(svg.contains("Fast &amp; &lt; slow</text>"), "{svg}");
        for (wide, count) in [("470.0", 1), ("235.0", 1), ("1.0", 2)] {
            let found = svg.matches(&format!("width=\"{wide}\"")).count();
            assert_eq!(found, count, "{wide} in {svg}");
        }
    }
}

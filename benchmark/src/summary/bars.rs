//! Bars side by side: the median, whiskers to the least and the most, a dot for each round.

use crate::summary::{
    axis::{Axis, greatest_usual, short},
    folder::Scenario,
    svg::{Canvas, color},
};

const SIZE: (f64, f64) = (560.0, 330.0);
/// Room between the title and the plot.
const ABOVE: f64 = 16.0;
const STEPS: u32 = 5;
/// The share of its place that a bar fills.
const FILL: f64 = 0.72;

/// One plot: the figures named by keys, for each server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bars {
    pub(crate) title: &'static str,
    /// The name of the vertical axis, with the unit.
    pub(crate) vertical: &'static str,
    /// Key and short name of each group; one group needs no name.
    pub(crate) groups: &'static [(&'static str, &'static str)],
}

/// Draws the plot, or returns `None` if none of it was measured.
pub(crate) fn draw(bars: &Bars, scenario: &Scenario) -> Option<String> {
    let values = || bars.groups.iter().flat_map(|(key, _)| scenario.cases.iter().flat_map(|l| l.values(key)));
    values().next()?;
    let axis = Axis::up_to(greatest_usual(values()) * 1.08, STEPS);
    let mut canvas = Canvas::new(SIZE, ABOVE, bars.title, bars.vertical, &axis);
    let names: Vec<String> = scenario.cases.iter().map(|case| case.name.clone()).collect();
    let are_counts = names.iter().all(|name| name.starts_with(|c: char| c.is_ascii_digit()));
    let each = if are_counts { "numbers of shards" } else { "servers" };
    let (groups, cases) = (count(bars.groups.len()), count(names.len()));
    let group_width = (canvas.right - canvas.left) / groups;
    let gap = if bars.groups.len() > 1 { 0.12 } else { 0.04 };
    let place = group_width * (1.0 - 2.0 * gap) / cases;
    for (number, (key, name)) in bars.groups.iter().enumerate() {
        let start = canvas.left + group_width * (count(number) + gap);
        for (at, case) in scenario.cases.iter().enumerate() {
            let middle = start + place * (count(at) + 0.5);
            if bars.groups.len() == 1 {
                canvas.text(middle, canvas.bottom + 16.0, "tick mid", &case.name);
            }
            let Some(spread) = case.spread(key) else { continue };
            let (y, width) = (canvas.y(spread.median), place * FILL);
            let tip = format!("{} {name}: {}", case.name, short(spread.median));
            canvas.rect((middle - width / 2.0, y), (width, canvas.bottom - y), color(at), &tip);
            let (low, high) = (canvas.y(spread.least), canvas.y(spread.most));
            canvas.line((middle, low), (middle, high), "whisker", "");
            let rounds = case.values(key);
            for (round, value) in rounds.iter().enumerate().filter(|_| rounds.len() > 1) {
                // Beside each other, so that equal ones do not hide each other.
                let shift = (count(round) - (count(rounds.len()) - 1.0) / 2.0) * 4.0;
                canvas.dot(middle + shift, canvas.y(*value));
            }
            canvas.beyond(middle, spread.most);
            if bars.groups.len() == 1 {
                canvas.text(middle, canvas.bottom + 32.0, "value mid", &short(spread.median));
            }
        }
        canvas.text(start + place * cases / 2.0, canvas.bottom + 16.0, "tick mid", name);
    }
    if bars.groups.len() == 1 {
        canvas.horizontal(&format!("{each}, and below each the median"));
    } else {
        canvas.horizontal(&format!("percentile, for each of the {each}"));
        canvas.legend(&names);
    }
    Some(canvas.finish())
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::folder::{merge, tests::folder};

    const P99: Bars = Bars { title: "a < b", vertical: "ms", groups: &[("p99_ms", "")] };

    #[test]
    fn each_server_has_a_bar_and_each_round_a_dot() {
        let (_place, folder) = folder(&[(1.0, 2.0), (3.0, 4.0)]);
        let svg = draw(&P99, &merge(&[folder])[0]).unwrap();
        assert_eq!(svg.matches("<rect").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains("a &lt; b") && !svg.contains("a < b"));
        assert!(svg.contains(">numbers of shards, and below each the median</text>"));
    }

    #[test]
    fn a_bar_twice_as_great_is_twice_as_high() {
        let (_place, folder) = folder(&[(2.0, 4.0)]);
        let svg = draw(&P99, &merge(&[folder])[0]).unwrap();
        let height = |part: &str| part.split("height=\"").nth(1)?.split('"').next()?.parse::<f64>().ok();
        let heights: Vec<f64> = svg.split("<rect").skip(1).filter_map(height).collect();
        assert!((heights[1] / heights[0] - 2.0).abs() < 0.01, "{heights:?}");
    }

    #[test]
    fn an_outlier_stands_at_the_edge_with_its_value() {
        let rounds = [(1.0, 2.0), (1.0, 2.0), (1.0, 2.0), (1.0, 2.0), (1.0, 900.0)];
        let (_place, folder) = folder(&rounds);
        let svg = draw(&P99, &merge(&[folder])[0]).unwrap();
        assert!(svg.contains(">▲ 900</text>") && !svg.contains(">1000</text>"), "{svg}");
    }

    #[test]
    fn what_was_not_measured_is_not_drawn() {
        let (_place, folder) = folder(&[(1.0, 2.0)]);
        let other = Bars { groups: &[("other", "")], ..P99 };
        assert!(draw(&other, &merge(&[folder])[0]).is_none());
    }
}

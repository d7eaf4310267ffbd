//! Values over time, a line for each server, with the begin of each load marked.

use crate::summary::{
    axis::Axis,
    folder::order,
    samples::{Phase, Series},
    svg::{Canvas, color},
};

const SIZE: (f64, f64) = (1140.0, 340.0);
const STEPS: u32 = 5;
const TIME_STEPS: u32 = 12;

/// Draws the plot, or returns `None` if there is nothing to draw.
pub(crate) fn draw(
    title: &str,
    vertical: &str,
    series: &Series,
    phases: &[Phase],
    start: f64,
) -> Option<String> {
    let points = || series.values().flatten().flatten();
    points().next()?;
    let greatest = points().map(|(_, value)| *value).fold(0.0, f64::max);
    let last = points().map(|(time, _)| *time).fold(0.0, f64::max);
    let mut canvas = Canvas::new(SIZE, title, vertical, &Axis::up_to(greatest * 1.15, STEPS));
    let time = Axis::up_to(last, TIME_STEPS);
    // The axis may end between two ticks: no empty space behind the last sample.
    let end = last.max(1.0);
    let scale = (canvas.right - canvas.left) / end;
    let left = canvas.left;
    let x = |seconds: f64| left + scale * seconds.clamp(0.0, end);
    for (value, label) in time.ticks().into_iter().filter(|(value, _)| *value <= end) {
        canvas.text(x(value), canvas.bottom + 16.0, "tick mid", &label);
        canvas.line((x(value), canvas.bottom), (x(value), canvas.bottom + 4.0), "base", "");
    }
    canvas.horizontal("seconds since the first sample");
    for (at, phase) in phases.iter().enumerate() {
        let from = x(phase.unix_s - start);
        let until = phases.get(at + 1).map_or(canvas.right, |next| x(next.unix_s - start));
        canvas.line((from, canvas.top - 10.0), (from, canvas.bottom), "phase", "");
        // About what a letter is wide: a name that does not fit is left out, its line stays.
        if until - from > 6.2 * f64::from(u32::try_from(phase.name.chars().count()).unwrap_or(0)) {
            canvas.text(from + 3.0, canvas.top - 2.0, "mark", &phase.name);
        }
    }
    let mut names: Vec<String> = series.keys().cloned().collect();
    names.sort_by_key(|name| order(name));
    for (at, name) in names.iter().enumerate() {
        for piece in &series[name] {
            let points: Vec<(f64, f64)> =
                piece.iter().map(|(time, value)| (x(*time), canvas.y(*value))).collect();
            canvas.path(&points, color(at));
        }
    }
    let names: Vec<String> = names.into_iter().map(|name| format!("{name} shards")).collect();
    canvas.legend(&names);
    Some(canvas.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_of_a_server_has_a_line_of_its_own_in_the_server_s_color() {
        let pieces = vec![vec![(0.0, 1.0), (1.0, 2.0)], vec![(3.0, 1.0), (4.0, 1.0)]];
        let series = Series::from([("64".to_owned(), pieces), ("128".to_owned(), vec![vec![(0.0, 1.0)]])]);
        let phases = [Phase { unix_s: 101.0, name: "idle".to_owned() }];
        let svg = draw("t", "MiB", &series, &phases, 100.0).unwrap();
        assert_eq!(svg.matches("<polyline").count(), 3);
        assert_eq!(svg.matches(&format!("stroke=\"{}\"", color(0))).count(), 2);
        assert!(svg.contains(">idle</text>") && svg.contains(">64 shards</text>"));
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert!(draw("t", "MiB", &Series::new(), &[], 0.0).is_none());
    }
}

//! Values over time, a line for each server, with the begin of each load marked.

use crate::summary::{
    axis::{Axis, greatest_usual},
    folder::order,
    samples::{Phase, Series},
    svg::{Canvas, color},
};

const SIZE: (f64, f64) = (1140.0, 400.0);
/// Room between the title and the plot, for the names of the loads.
const ABOVE: f64 = 76.0;
/// What a name that is written upwards takes of the width.
const NAME_WIDTH: f64 = 12.0;
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
    let last = points().map(|(time, _)| *time).fold(0.0, f64::max);
    let axis = Axis::up_to(greatest_usual(points().map(|(_, value)| *value)) * 1.15, STEPS);
    let mut canvas = Canvas::new(SIZE, ABOVE, title, vertical, &axis);
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
    let mut free_from = f64::NEG_INFINITY;
    for phase in phases {
        let from = x(phase.unix_s - start);
        // Upwards, and never over the one before, so that a short load has its name too.
        let at = (from + 4.0).max(free_from);
        free_from = at + NAME_WIDTH;
        canvas.line((from, canvas.top - 4.0), (from, canvas.bottom), "phase", "");
        canvas.line((from, canvas.top - 4.0), (at - 4.0, canvas.top - 14.0), "phase", "");
        let upwards = format!(r#"transform="rotate(-90 {at:.1} {:.1})""#, canvas.top - 16.0);
        canvas.text_with(at, canvas.top - 16.0, "mark", &upwards, &phase.name);
    }
    let mut names: Vec<String> = series.keys().cloned().collect();
    names.sort_by_key(|name| order(name));
    for (at, name) in names.iter().enumerate() {
        for piece in &series[name] {
            let points: Vec<(f64, f64)> =
                piece.iter().map(|(time, value)| (x(*time), canvas.y(*value))).collect();
            canvas.path(&points, color(at));
        }
        if let Some((time, value)) = series[name].iter().flatten().max_by(|a, b| a.1.total_cmp(&b.1)) {
            canvas.beyond(x(*time), *value);
        }
    }
    let is_count = |name: &String| name.chars().all(|c| c.is_ascii_digit());
    let names: Vec<String> =
        names.into_iter().map(|name| if is_count(&name) { format!("{name} shards") } else { name }).collect();
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
        assert_eq!(svg.matches(&format!("class=\"path {}\"", color(0))).count(), 2);
        assert!(svg.contains(">idle</text>") && svg.contains(">64 shards</text>"));
    }

    #[test]
    fn every_load_has_its_name_however_short_it_is() {
        let series = Series::from([("64".to_owned(), vec![vec![(0.0, 1.0), (1000.0, 2.0)]])]);
        let phase = |at: u32| Phase { unix_s: 500.0 + f64::from(at), name: format!("load-{at}") };
        let svg = draw("t", "MiB", &series, &(0..20).map(phase).collect::<Vec<_>>(), 0.0).unwrap();
        assert!((0..20).all(|at| svg.contains(&format!(">load-{at}</text>"))), "{svg}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert!(draw("t", "MiB", &Series::new(), &[], 0.0).is_none());
    }
}

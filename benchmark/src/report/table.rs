//! All cases side by side, one row a figure.

use crate::report::figure::{self, Figure, Spread};

/// Every round of one case: a server, or a variant of the load on it.
#[derive(Debug)]
pub(crate) struct CaseRounds {
    pub(crate) name: String,
    pub(crate) rounds: Vec<Vec<Figure>>,
}

/// Lays cases out: the median of each figure with its spread, then the ratio of the first case to each other one
/// (the median of the rounds' ratios, with theirs).
pub(crate) fn render(cases: &[CaseRounds]) -> String {
    let Some((subject, others)) = cases.split_first() else { return String::new() };
    let mut header = vec![String::new()];
    header.extend(cases.iter().map(|case| case.name.clone()));
    header.extend(others.iter().map(|other| format!("{} / {}", subject.name, other.name)));
    let mut rows = vec![header];
    for (key, label) in keys(cases) {
        let mut row = vec![label.to_owned()];
        row.extend(cases.iter().map(|case| cell(figure::values(&case.rounds, key))));
        row.extend(others.iter().map(|other| cell(figure::ratios(&subject.rounds, &other.rounds, key))));
        rows.push(row);
    }
    align(&rows)
}

/// Returns key and label of each figure of the first rounds, in the order in which they were found.
pub(crate) fn keys(cases: &[CaseRounds]) -> Vec<(&'static str, &'static str)> {
    let mut keys: Vec<(&'static str, &'static str)> = Vec::new();
    for figure in cases.iter().filter_map(|case| case.rounds.first()).flatten() {
        if keys.iter().all(|(key, _)| *key != figure.key) {
            keys.push((figure.key, figure.label));
        }
    }
    keys
}

fn cell(values: Vec<f64>) -> String {
    let several = values.len() > 1;
    match Spread::of(values) {
        None => "-".to_owned(),
        Some(spread) if several && (spread.most - spread.least).abs() > f64::EPSILON => {
            format!("{} ({} - {})", short(spread.median), short(spread.least), short(spread.most))
        }
        Some(spread) => short(spread.median),
    }
}

/// Returns a number to three or more digits.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        size if size == 0.0 || size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, values: &[f64]) -> CaseRounds {
        let rounds = values.iter().map(|value| vec![Figure::new("cpu", "CPU, µs", *value)]).collect();
        CaseRounds { name: name.to_owned(), rounds }
    }

    #[test]
    fn a_table_shows_medians_spreads_and_ratios() {
        let table = render(&[case("mine", &[2.0, 4.0, 3.0]), case("baseline", &[1.0, 1.0, 1.0])]);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].contains("mine / baseline"), "{table}");
        assert!(lines[1].starts_with("CPU, µs  3.00 (2.00 - 4.00)"), "{table}");
        assert!(lines[1].ends_with("1.00  3.00 (2.00 - 4.00)"), "{table}");
    }

    #[test]
    fn numbers_keep_three_digits() {
        let shown: Vec<String> =
            [0.0, 0.01234, 0.1234, 12.34, 123.4, 12_345.6].iter().map(|v| short(*v)).collect();
        assert_eq!(shown, ["0", "0.0123", "0.12", "12.3", "123", "12346"]);
    }
}

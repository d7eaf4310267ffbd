//! The cells of the tables, and what a row says.

use crate::{
    report::figure::Spread,
    summary::{axis::short, folder::Scenario},
};

/// Fewer rounds say nothing about an order.
const MIN_ROUNDS: usize = 3;

/// One figure of all servers.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) cells: Vec<String>,
    pub(crate) verdict: String,
}

/// Returns the table of a scenario: a row a figure, a cell a server.
pub(crate) fn rows(scenario: &Scenario) -> Vec<Row> {
    let row = |(key, label): &(String, String)| {
        let spreads: Vec<Option<Spread>> = scenario.cases.iter().map(|case| case.spread(key)).collect();
        Row {
            label: label.clone(),
            cells: spreads.iter().map(|spread| spread.map_or_else(|| "-".to_owned(), cell)).collect(),
            verdict: verdict(scenario, key),
        }
    };
    scenario.figures.iter().map(row).collect()
}

fn cell(spread: Spread) -> String {
    if (spread.most - spread.least).abs() <= f64::EPSILON {
        return short(spread.median);
    }
    format!("{} ({} – {})", short(spread.median), short(spread.least), short(spread.most))
}

/// Says which servers were ahead or behind in every round; a server that is so only sometimes shows nothing.
///
/// With five servers and three rounds one of them is the lowest in all three by chance once in 25 figures.
fn verdict(scenario: &Scenario, key: &str) -> String {
    let cases: Vec<(&str, Vec<f64>)> =
        scenario.cases.iter().map(|case| (case.name.as_str(), case.values(key))).collect();
    if cases.len() < 2 {
        return String::new();
    }
    let all = || cases.iter().flat_map(|(_, values)| values);
    if all().all(|value| all().next().is_some_and(|first| (value - first).abs() <= f64::EPSILON)) {
        return "the same".to_owned();
    }
    let rounds = scenario.rounds();
    if rounds < MIN_ROUNDS || cases.iter().any(|(_, values)| values.len() != rounds) {
        return "too few rounds to tell".to_owned();
    }
    let ahead = |sign: f64| {
        let leads = |at: usize| {
            let beaten = |other: usize| (0..rounds).all(|n| sign * cases[at].1[n] < sign * cases[other].1[n]);
            (0..cases.len()).filter(|other| *other != at).all(beaten)
        };
        (0..cases.len()).find(|at| leads(*at)).map(|at| cases[at].0)
    };
    match (ahead(1.0), ahead(-1.0)) {
        (None, None) => "no order".to_owned(),
        (Some(low), None) => format!("{low} always lowest"),
        (None, Some(high)) => format!("{high} always highest"),
        (Some(low), Some(high)) => format!("{low} always lowest, {high} highest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::folder::{merge, tests::folder};

    fn first(rounds: &[(f64, f64)]) -> Row {
        let (_place, folder) = folder(rounds);
        rows(&merge(&[folder])[0]).remove(0)
    }

    #[test]
    fn a_cell_holds_the_median_and_the_ends() {
        let row = first(&[(1.0, 5.0), (3.0, 5.0), (2.0, 5.0)]);
        assert_eq!(row.cells, ["2.00 (1.00 – 3.00)", "5.00"]);
        assert_eq!(row.label, "delivery p99, ms");
    }

    #[test]
    fn only_what_is_ahead_in_every_round_counts() {
        let (lower, mixed) = ([(1.0, 5.0), (3.0, 4.0), (2.0, 9.0)], [(1.0, 5.0), (4.5, 4.0), (2.0, 9.0)]);
        assert_eq!(first(&lower).verdict, "64 always lowest, 128 highest");
        assert_eq!(first(&mixed).verdict, "no order");
        assert_eq!(first(&lower[..2]).verdict, "too few rounds to tell");
        assert_eq!(first(&[(2.0, 2.0), (2.0, 2.0)]).verdict, "the same");
    }

    #[test]
    fn an_equal_round_puts_nobody_ahead() {
        assert_eq!(first(&[(1.0, 5.0), (4.0, 4.0), (2.0, 9.0)]).verdict, "no order");
    }
}

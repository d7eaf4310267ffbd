//! The cells of the tables, and what a row says.

use crate::{
    report::figure::Spread,
    summary::{axis::short, folder::Scenario},
};

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
        let spreads: Vec<Option<Spread>> = scenario.lanes.iter().map(|lane| lane.spread(key)).collect();
        let known = scenario.lanes.iter().zip(&spreads);
        let known: Vec<(&str, Spread)> =
            known.filter_map(|(lane, spread)| Some((lane.name.as_str(), (*spread)?))).collect();
        Row {
            label: label.clone(),
            cells: spreads.iter().map(|spread| spread.map_or_else(|| "-".to_owned(), cell)).collect(),
            verdict: verdict(&known, scenario.rounds()),
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

/// Says whether the rounds of any two servers lie apart: what overlaps in all pairs shows no difference.
fn verdict(lanes: &[(&str, Spread)], rounds: usize) -> String {
    if lanes.len() < 2 {
        return String::new();
    }
    let equal = lanes.iter().all(|(_, spread)| {
        (spread.least - lanes[0].1.least).abs() <= f64::EPSILON
            && (spread.most - lanes[0].1.least).abs() <= f64::EPSILON
    });
    if equal {
        return "the same".to_owned();
    }
    if rounds < 2 {
        return "one round: no spread known".to_owned();
    }
    let least = lanes.iter().min_by(|a, b| a.1.most.total_cmp(&b.1.most));
    let most = lanes.iter().max_by(|a, b| a.1.least.total_cmp(&b.1.least));
    match (least, most) {
        (Some((low, below)), Some((high, above))) if below.most < above.least => {
            format!("{low} below {high} in all rounds")
        }
        _ => "within the spread".to_owned(),
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
    fn rounds_that_lie_apart_are_told_from_those_that_overlap() {
        assert_eq!(first(&[(1.0, 5.0), (3.0, 4.0)]).verdict, "64 below 128 in all rounds");
        assert_eq!(first(&[(1.0, 5.0), (4.5, 4.0)]).verdict, "within the spread");
        assert_eq!(first(&[(1.0, 5.0)]).verdict, "one round: no spread known");
        assert_eq!(first(&[(2.0, 2.0), (2.0, 2.0)]).verdict, "the same");
    }
}

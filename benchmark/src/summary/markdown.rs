//! The report as text.

use std::fmt::Write;

use crate::summary::{
    busy,
    folder::{Folder, Scenario},
    table,
};

/// Returns the report in Markdown.
pub(crate) fn text(folders: &[Folder], scenarios: &[Scenario]) -> String {
    let mut text = String::from("# Benchmark report\n");
    for folder in folders {
        push(&mut text, format_args!("\n## {}\n\n| what | value |\n|---|---|", folder.name));
        for (name, value) in &folder.environment {
            push(&mut text, format_args!("| {} | {} |", cell(name), cell(value)));
        }
        let warnings = busy::warnings(&folder.busy);
        if !warnings.is_empty() {
            push(&mut text, format_args!("\nWARNING: {}\n", busy::MEANING));
        }
        for warning in warnings {
            push(&mut text, format_args!("- {warning}"));
        }
    }
    for scenario in scenarios {
        push(&mut text, format_args!("\n## {}\n\nRounds: {}.\n", scenario.title, scenario.rounds()));
        let names = scenario.cases.iter().map(|case| cell(&case.name)).collect::<Vec<_>>().join(" | ");
        push(&mut text, format_args!("| figure | {names} | reading |"));
        push(&mut text, format_args!("|---|{}---|", "--:|".repeat(scenario.cases.len())));
        for row in table::rows(scenario) {
            let cells = row.cells.join(" | ");
            push(&mut text, format_args!("| {} | {cells} | {} |", cell(&row.label), cell(&row.verdict)));
        }
        for (what, lines) in [("FAULT", &scenario.faults), ("note", &scenario.notes)] {
            for line in lines {
                push(&mut text, format_args!("\n{what}: {line}"));
            }
        }
    }
    for folder in folders.iter().filter(|folder| !folder.commands.is_empty()) {
        push(&mut text, format_args!("\n## Commands of {}\n\n```sh\n{}```", folder.name, folder.commands));
    }
    text
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{line}");
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::folder::{merge, tests::folder};

    #[test]
    fn every_figure_of_every_server_is_in_the_table() {
        let (_place, folder) = folder(&[(1.0, 4.0), (3.0, 6.0)]);
        let folders = [folder];
        let text = text(&folders, &merge(&folders));
        assert!(text.contains("| figure | 64 | 128 | reading |\n|---|--:|--:|---|\n"), "{text}");
        let row = "| delivery p99, ms | 2.00 (1.00 – 3.00) | 5.00 (4.00 – 6.00) | too few rounds to tell |";
        assert!(text.contains(row), "{text}");
        assert!(text.contains("| machine | 2 cores & more |"), "{text}");
        assert!(text.contains("note: a <note>"), "{text}");
    }
}

//! The raw results as JSON.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::report::table::{self, CaseRounds};

/// Writes every figure of every round of every case, and what each figure is called, in the table's order.
pub(crate) fn write(
    path: &Path,
    title: &str,
    cases: &[CaseRounds],
    faults: &[String],
    notes: &[String],
) -> Result<()> {
    let figures: Vec<Value> =
        table::keys(cases).into_iter().map(|(key, label)| json!({ "key": key, "label": label })).collect();
    let cases: Vec<Value> = cases.iter().map(case).collect();
    let document = json!({
        "scenario": title, "figures": figures, "cases": cases, "faults": faults, "notes": notes
    });
    let mut text = serde_json::to_string_pretty(&document).context("failed to encode the results")?;
    text.push('\n');
    fs::write(path, text).with_context(|| format!("failed to write `{}`", path.display()))
}

fn case(case: &CaseRounds) -> Value {
    let rounds = case.rounds.iter().map(|round| {
        Value::Object(
            round.iter().map(|figure| (figure.key.to_owned(), json!(figure.value))).collect::<Map<_, _>>(),
        )
    });
    json!({ "name": case.name, "rounds": rounds.collect::<Vec<_>>() })
}

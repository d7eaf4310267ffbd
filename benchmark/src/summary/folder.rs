//! What a run left in its folder.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    report::figure::Spread,
    summary::{
        busy::{self, Busy},
        samples::{self, Phase, Sample},
    },
};

/// One result folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) name: String,
    /// What was noted about machine and run, name and value, in the file's order.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) commands: String,
    pub(crate) samples: Vec<Sample>,
    pub(crate) phases: Vec<Phase>,
    pub(crate) busy: Vec<Busy>,
    scenarios: Vec<Scenario>,
}

/// All rounds of one kind of load on all servers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scenario {
    /// The load tester's command, as `fanout`.
    pub(crate) kind: String,
    pub(crate) title: String,
    /// Key and label of each figure, in the order of the tables.
    pub(crate) figures: Vec<(String, String)>,
    pub(crate) cases: Vec<CaseResults>,
    pub(crate) faults: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// All rounds of one server.
#[derive(Debug, Clone, Default)]
pub(crate) struct CaseResults {
    pub(crate) name: String,
    rounds: Vec<BTreeMap<String, f64>>,
}

impl CaseResults {
    /// Returns a figure's value in each round that has it.
    pub(crate) fn values(&self, key: &str) -> Vec<f64> {
        self.rounds.iter().filter_map(|round| round.get(key).copied()).collect()
    }

    /// Returns the middle and the ends of a figure over the rounds, or `None` if it was not measured.
    pub(crate) fn spread(&self, key: &str) -> Option<Spread> {
        Spread::of(self.values(key))
    }
}

impl Scenario {
    /// Returns how many rounds the server with the most has.
    pub(crate) fn rounds(&self) -> usize {
        self.cases.iter().map(|case| case.rounds.len()).max().unwrap_or(0)
    }

    /// Adds the cases of another result of the same kind, each under the given name.
    fn absorb(&mut self, other: &Self, named: impl Fn(&str) -> String) {
        if self.title.is_empty() {
            (self.kind, self.title) = (other.kind.clone(), other.title.clone());
        }
        for figure in &other.figures {
            if !self.figures.contains(figure) {
                self.figures.push(figure.clone());
            }
        }
        for case in &other.cases {
            let name = named(&case.name);
            match self.cases.iter_mut().find(|known| known.name == name) {
                Some(known) => known.rounds.extend(case.rounds.iter().cloned()),
                None => self.cases.push(CaseResults { name, rounds: case.rounds.clone() }),
            }
        }
        self.faults.extend(other.faults.iter().cloned());
        self.notes.extend(other.notes.iter().cloned());
        self.cases.sort_by_key(|case| order(&case.name));
    }
}

/// Servers named by a number come in its order, others behind them.
pub(crate) fn order(name: &str) -> (u64, String) {
    let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
    (digits.parse().unwrap_or(u64::MAX), name.to_owned())
}

impl Folder {
    /// Reads a folder.
    ///
    /// # Errors
    /// When it holds no results, or a file in it is not what it should be.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let raw = path.join("raw");
        let entries = fs::read_dir(&raw).with_context(|| format!("failed to list `{}`", raw.display()))?;
        let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        ensure!(!files.is_empty(), "`{}` holds no results", raw.display());
        let mut scenarios: Vec<Scenario> = Vec::new();
        for file in files {
            let text = fs::read_to_string(&file);
            let text = text.with_context(|| format!("failed to read `{}`", file.display()))?;
            let result = scenario(&text).with_context(|| format!("`{}` is no result", file.display()))?;
            gather(&mut scenarios, &result, str::to_owned);
        }
        let optional = |name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
        let samples = samples::parse(&optional("samples.csv"))
            .with_context(|| format!("`{shown}/samples.csv` is not as expected"))?;
        let phases = samples::parse_phases(&optional("phases.csv"))
            .with_context(|| format!("`{shown}/phases.csv` is not as expected"))?;
        let busy = busy::parse(&optional("busy.csv"))
            .with_context(|| format!("`{shown}/busy.csv` is not as expected"))?;
        let environment = environment(&optional("environment.json"))
            .with_context(|| format!("`{shown}/environment.json` is not as expected"))?;
        let name = fs::canonicalize(path).ok().and_then(|full| Some(full.file_name()?.to_owned()));
        let name = name.map_or_else(|| shown.to_string(), |name| name.to_string_lossy().into_owned());
        Ok(Self { name, environment, commands: optional("commands.txt"), samples, phases, busy, scenarios })
    }
}

/// Reads several folders. With more than one, a letter before its name tells each from the others.
pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<Folder>> {
    let mut folders = paths.iter().map(|path| Folder::read(path)).collect::<Result<Vec<_>>>()?;
    if folders.len() > 1 {
        for (letter, folder) in ('A'..='Z').cycle().zip(&mut folders) {
            folder.name = format!("{letter}: {}", folder.name);
        }
    }
    Ok(folders)
}

/// Puts the same scenarios of several folders side by side; with more than one, cases carry
/// their folder's letter.
pub(crate) fn merge(folders: &[Folder]) -> Vec<Scenario> {
    let mut merged = Vec::new();
    for folder in folders {
        for result in &folder.scenarios {
            let named = |case: &str| match folders {
                [_] => case.to_owned(),
                _ => format!("{case} {}", folder.name.split(':').next().unwrap_or_default()),
            };
            gather(&mut merged, result, named);
        }
    }
    merged.sort_by_key(|scenario| {
        const ORDER: [&str; 12] = [
            "idle",
            "fanout",
            "burst",
            "publish",
            "churn",
            "scale",
            "k6-simple",
            "k6-ramp",
            "k6-scale",
            "k6-throughput",
            "k6-echo",
            "echo-cost",
        ];
        ORDER.iter().position(|kind| *kind == scenario.kind).unwrap_or(ORDER.len())
    });
    merged
}

fn gather(scenarios: &mut Vec<Scenario>, result: &Scenario, named: impl Fn(&str) -> String) {
    if let Some(known) = scenarios.iter_mut().find(|known| known.kind == result.kind) {
        return known.absorb(result, named);
    }
    let mut fresh = Scenario::default();
    fresh.absorb(result, named);
    scenarios.push(fresh);
}

fn scenario(text: &str) -> Result<Scenario> {
    let document: Value = serde_json::from_str(text)?;
    let title = document["scenario"].as_str().context("it has no `scenario`")?;
    let strings = |key: &str| -> Vec<String> {
        let list = document[key].as_array().into_iter().flatten();
        list.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let figures = document["figures"].as_array().context("it has no `figures`")?;
    let pair =
        |figure: &Value| Some((figure["key"].as_str()?.to_owned(), figure["label"].as_str()?.to_owned()));
    let cases = document["cases"].as_array().context("it has no `cases`")?;
    Ok(Scenario {
        kind: title.split(':').next().unwrap_or_default().to_owned(),
        // The number of rounds is counted, not quoted: a run may be spread over files.
        title: title.split("; rounds").next().unwrap_or_default().to_owned(),
        figures: figures.iter().filter_map(pair).collect(),
        cases: cases.iter().filter_map(case).collect(),
        faults: strings("faults"),
        notes: strings("notes"),
    })
}

fn case(value: &Value) -> Option<CaseResults> {
    let round = |round: &Value| {
        let figures = round.as_object().into_iter().flatten();
        figures.filter_map(|(key, value)| Some((key.clone(), value.as_f64()?))).collect()
    };
    let rounds = value["rounds"].as_array()?.iter().map(round).collect();
    Some(CaseResults { name: value["name"].as_str()?.to_owned(), rounds })
}

fn environment(text: &str) -> Result<Vec<(String, String)>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let pairs: Vec<(String, String)> = serde_json::from_str(text)?;
    Ok(pairs)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns a result of one round with two servers.
    pub(crate) fn result(first: f64, second: f64) -> String {
        format!(
            r#"{{"scenario":"fanout: 1 message; rounds: 1","faults":[],"notes":["a <note>"],
            "figures":[{{"key":"p99_ms","label":"delivery p99, ms"}},{{"key":"p50_ms","label":"delivery p50, ms"}}],
            "cases":[{{"name":"128","rounds":[{{"p99_ms":{second},"p50_ms":1}}]}},
            {{"name":"64","rounds":[{{"p99_ms":{first},"p50_ms":1}}]}}]}}"#
        )
    }

    /// Writes a folder of results with as many rounds as there are pairs.
    pub(crate) fn folder(rounds: &[(f64, f64)]) -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("raw")).unwrap();
        for (number, (first, second)) in rounds.iter().enumerate() {
            fs::write(place.path().join(format!("raw/fanout-{number}.json")), result(*first, *second))
                .unwrap();
        }
        let environment = r#"[["machine","2 cores & more"],["date","today"]]"#;
        fs::write(place.path().join("environment.json"), environment).unwrap();
        let folder = Folder::read(place.path()).unwrap();
        (place, folder)
    }

    #[test]
    fn rounds_in_several_files_are_one_scenario_with_servers_in_order() {
        let (_place, folder) = folder(&[(1.0, 4.0), (3.0, 6.0)]);
        let scenarios = merge(&[folder]);
        assert_eq!(scenarios.len(), 1);
        assert_eq!((scenarios[0].kind.as_str(), scenarios[0].rounds()), ("fanout", 2));
        assert_eq!(scenarios[0].title, "fanout: 1 message");
        let cases: Vec<_> =
            scenarios[0].cases.iter().map(|case| (case.name.as_str(), case.values("p99_ms"))).collect();
        assert_eq!(cases, [("64", vec![1.0, 3.0]), ("128", vec![4.0, 6.0])]);
        assert_eq!(scenarios[0].figures[0].0, "p99_ms");
    }

    #[test]
    fn cases_of_several_folders_carry_the_folder_s_letter() {
        let ((a, _), (b, _)) = (folder(&[(1.0, 2.0)]), folder(&[(3.0, 4.0)]));
        let folders = read_all(&[a.path().to_owned(), b.path().to_owned()]).unwrap();
        assert!(folders[1].name.starts_with("B: "));
        let scenarios = merge(&folders);
        let cases: Vec<_> = scenarios[0].cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(cases, ["64 A", "64 B", "128 A", "128 B"]);
        assert_eq!(scenarios[0].cases[1].values("p99_ms"), [3.0]);
    }

    #[test]
    fn a_folder_without_results_is_refused_with_its_name() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("raw")).unwrap();
        assert!(Folder::read(place.path()).unwrap_err().to_string().contains("holds no results"));
        fs::write(place.path().join("raw/a.json"), "{}").unwrap();
        assert!(format!("{:#}", Folder::read(place.path()).unwrap_err()).contains("a.json` is no result"));
    }

    #[test]
    fn what_is_known_of_the_machine_keeps_its_order() {
        let (_place, folder) = folder(&[(1.0, 2.0)]);
        assert_eq!(folder.environment[0].0, "machine");
        assert_eq!(folder.environment[1].1, "today");
    }
}

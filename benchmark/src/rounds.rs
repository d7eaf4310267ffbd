//! Running a scenario against all cases in turn, again and again.

use std::{path::PathBuf, thread, time::Duration};

use anyhow::{Context, Result, ensure};

use crate::{
    client::{account::Account, format::Format},
    peer::Peer,
    report::{
        json,
        table::{self, CaseRounds},
        terminal,
        threshold::Threshold,
    },
    scenario::{
        Scenario,
        case::{Bench, Case},
    },
};

/// Between two runs, for servers to put their house in order.
const PAUSE: Duration = Duration::from_secs(1);

/// How the results are taken and judged.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    /// Clients, and so tokens, that the streams have in turn.
    pub(crate) clients: u32,
    /// The formats that each server is measured with, in turn; the baseline has none.
    pub(crate) formats: Vec<Format>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) thresholds: Vec<Threshold>,
}

/// Measures, prints the table, and returns whether nothing was lost and all thresholds were met.
pub(crate) fn measure(scenario: &dyn Scenario, peers: &[Peer], bench: &Bench, plan: &Plan) -> Result<bool> {
    ensure!(!peers.is_empty(), "nothing to measure: give a server with `--against URL`, or `--baseline`");
    let accounts = accounts(scenario, peers, plan)?;
    let cases = cases(scenario, &accounts);
    let mut results: Vec<CaseRounds> =
        cases.iter().map(|case| CaseRounds { name: case.name.clone(), rounds: Vec::new() }).collect();
    let (mut faults, mut notes) = (Vec::new(), Vec::new());
    let mut sound = true;
    for round in 1..=plan.rounds {
        for (case, result) in cases.iter().zip(&mut results) {
            if round > 1 || !result.rounds.is_empty() {
                thread::sleep(PAUSE);
            }
            let outcome =
                scenario.run(case, bench).with_context(|| format!("round {round} on {}", case.name))?;
            // What happens to a peer is its own business; under its reference load the first server is judged too.
            sound &= outcome.faults.is_empty() || case.peer.address != peers[0].address;
            let named = |text: String| format!("{}, round {round}: {text}", case.name);
            faults.extend(outcome.faults.into_iter().map(named));
            notes.extend(outcome.notes.into_iter().map(named));
            result.rounds.push(outcome.figures);
        }
    }
    let title = format!("{}; rounds: {}", scenario.title(), plan.rounds);
    terminal::line(&title);
    terminal::line(&table::render(&results));
    for note in &notes {
        terminal::line(&format!("note: {note}"));
    }
    for fault in &faults {
        terminal::line(&format!("FAULT: {fault}"));
    }
    if let Some(path) = &plan.json {
        json::write(path, &title, &results, &faults, &notes)?;
    }
    Ok(judge(&plan.thresholds, &results) && sound)
}

fn judge(thresholds: &[Threshold], results: &[CaseRounds]) -> bool {
    let mut met = true;
    for threshold in thresholds {
        let verdict = threshold.judge(results);
        terminal::line(&format!("threshold: {}", verdict.text));
        met &= verdict.met;
    }
    met
}

/// Makes an account for each peer, and for each format where there are several.
fn accounts<'a>(
    scenario: &dyn Scenario,
    peers: &'a [Peer],
    plan: &Plan,
) -> Result<Vec<(String, &'a Peer, Account)>> {
    let mut accounts = Vec::new();
    for peer in peers {
        let formats = if peer.credentials.is_some() { &plan.formats[..] } else { &[Format::Json] };
        for &format in formats {
            let name = match formats {
                [_] => peer.name.clone(),
                _ => format!("{} {}", peer.name, format.name()),
            };
            accounts.push((name, peer, Account::open(peer, plan.clients, scenario.users(), format)?));
        }
    }
    Ok(accounts)
}

/// The subject comes first, then its reference load if the scenario has one, then the other peers.
fn cases<'a>(scenario: &dyn Scenario, accounts: &'a [(String, &'a Peer, Account)]) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for (name, peer, account) in accounts {
        cases.push(Case { name: name.clone(), peer, account, is_reference: false });
        if let Some(reference) = scenario.reference().filter(|_| cases.len() == 1) {
            cases.push(Case { name: reference, peer, account, is_reference: true });
        }
    }
    cases
}

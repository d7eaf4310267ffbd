//! Running a scenario against all lanes in turn, again and again.

use std::{path::PathBuf, thread, time::Duration};

use anyhow::{Context, Result, ensure};

use crate::{
    client::{account::Account, format::Format},
    report::{
        bar::Bar,
        json,
        table::{self, LaneRounds},
        terminal,
    },
    scenario::{
        Scenario,
        lane::{Bench, Lane},
    },
    target::Peer,
};

/// Between two runs, for servers to put their house in order.
const PAUSE: Duration = Duration::from_secs(1);

/// How the results are taken and judged.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    /// Clients, and so tokens, that the streams have in turn.
    pub(crate) clients: u32,
    /// The formats that each server is measured with, in turn; the floor has none.
    pub(crate) formats: Vec<Format>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) bars: Vec<Bar>,
}

/// Measures, prints the table, and returns whether nothing was lost and all bars were met.
pub(crate) fn measure(scenario: &dyn Scenario, peers: &[Peer], bench: &Bench, plan: &Plan) -> Result<bool> {
    ensure!(!peers.is_empty(), "nothing to measure: give a server with `--against URL`, or `--floor`");
    let accounts = accounts(scenario, peers, plan)?;
    let lanes = lanes(scenario, &accounts);
    let mut results: Vec<LaneRounds> =
        lanes.iter().map(|lane| LaneRounds { name: lane.name.clone(), rounds: Vec::new() }).collect();
    let (mut faults, mut notes) = (Vec::new(), Vec::new());
    let mut sound = true;
    for round in 1..=plan.rounds {
        for (lane, result) in lanes.iter().zip(&mut results) {
            if round > 1 || !result.rounds.is_empty() {
                thread::sleep(PAUSE);
            }
            let outcome =
                scenario.run(lane, bench).with_context(|| format!("round {round} on {}", lane.name))?;
            // What happens to a peer is its own business; under its baseline the first server is judged too.
            sound &= outcome.faults.is_empty() || lane.peer.address != peers[0].address;
            let named = |text: String| format!("{}, round {round}: {text}", lane.name);
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
    Ok(judge(&plan.bars, &results) && sound)
}

fn judge(bars: &[Bar], results: &[LaneRounds]) -> bool {
    let mut met = true;
    for bar in bars {
        let verdict = bar.judge(results);
        terminal::line(&format!("bar: {}", verdict.text));
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

/// The subject comes first, then its baseline if the scenario has one, then the other peers.
fn lanes<'a>(scenario: &dyn Scenario, accounts: &'a [(String, &'a Peer, Account)]) -> Vec<Lane<'a>> {
    let mut lanes = Vec::new();
    for (name, peer, account) in accounts {
        lanes.push(Lane { name: name.clone(), peer, account, is_baseline: false });
        if let Some(baseline) = scenario.baseline().filter(|_| lanes.len() == 1) {
            lanes.push(Lane { name: baseline, peer, account, is_baseline: true });
        }
    }
    lanes
}

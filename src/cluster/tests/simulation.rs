//! Random schedules of commits, faults, restarts and clients that come and go. Whatever happens, each client gets each
//! message of its user once, in order.
//!
//! A schedule follows from its seed. `SHARDCAST_SEEDS=FIRST..END` runs others than the usual ones.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::sleep;

use super::world::{SimulatedClient, SimulatedDatabase, SimulatedNode};
use crate::cluster::{MemoryBackplane, MemoryFaults};
use crate::model::UserId;

const NODES: usize = 3;
const USERS: u64 = 3;
const CLIENTS: u64 = 6;

/// Seeds of a usual run.
const SEEDS: std::ops::Range<u64> = 0..300;

/// Long enough to notice that nothing is heard, to connect, and to compare heads.
const SETTLED: Duration = Duration::from_secs(30);

/// The nodes, of which any may be replaced at any time.
type Nodes = Arc<Mutex<Vec<Arc<SimulatedNode>>>>;

struct Schedule {
    random: StdRng,
    database: SimulatedDatabase,
    backplane: MemoryBackplane,
    nodes: Nodes,
    clients: Vec<SimulatedClient>,
    next_node: u64,
    kind: Kind,
}

/// What a schedule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Anything happens, and heads are compared every two seconds.
    Lossy,
    /// No message is lost without a connection that is lost too, and heads are compared for no other reason.
    Rarely,
}

impl Kind {
    fn comparison_period(self) -> Duration {
        if self == Self::Lossy { Duration::from_secs(2) } else { Duration::from_hours(10) }
    }
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let database = SimulatedDatabase::new(USERS);
        let backplane = MemoryBackplane::new(MemoryFaults::default(), seed);
        let kind = if seed.is_multiple_of(2) { Kind::Lossy } else { Kind::Rarely };
        let node = |id| Arc::new(SimulatedNode::start(id, &database, &backplane, kind.comparison_period()));
        let nodes = Arc::new(Mutex::new((0..NODES as u64).map(node).collect()));
        let clients = (0..CLIENTS).map(|client| SimulatedClient::new(UserId(client % USERS + 1))).collect();
        let random = StdRng::seed_from_u64(seed);
        Self { random, database, backplane, nodes, clients, next_node: NODES as u64, kind }
    }

    fn pick(&mut self, count: usize) -> usize {
        self.random.random_range(0..count)
    }

    fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.random.random_range(0..=most))
    }

    async fn run(&mut self) -> Result<(), String> {
        for _ in 0..self.random.random_range(20..80) {
            match self.pick(20) {
                0..8 => self.store(),
                8..12 => self.come_or_go().await,
                12 if self.kind == Kind::Lossy => self.restart(),
                13 => {
                    let faults = MemoryFaults {
                        lost: if self.kind == Kind::Lossy { self.random.random_range(0.0..1.0) } else { 0.0 },
                        doubled: self.random.random_range(0.0..0.5),
                        delay: self.millis(3000),
                    };
                    self.backplane.set_faults(faults);
                }
                14 => {
                    let is_away = self.random.random_bool(0.5);
                    self.backplane.set_away(is_away);
                }
                15 => {
                    let is_deaf = self.kind == Kind::Lossy && self.random.random_bool(0.5);
                    self.backplane.set_deaf(is_deaf);
                }
                16 if self.kind == Kind::Lossy => {
                    let is_away = self.random.random_bool(0.5);
                    self.database.set_away(is_away);
                }
                17 => sleep(self.millis(10_000)).await,
                _ => sleep(self.millis(300)).await,
            }
        }
        self.backplane.set_away(false);
        self.backplane.set_deaf(false);
        self.database.set_away(false);
        // Streams of nodes that have just gone end.
        sleep(Duration::from_millis(1)).await;
        self.bring_back().await;
        sleep(SETTLED).await;
        self.verdict()?;
        // From here on nothing makes a node compare all heads, and messages still get lost.
        for _ in 0..20 {
            self.store();
            sleep(self.millis(500)).await;
        }
        sleep(SETTLED).await;
        self.verdict()
    }

    /// A node stores messages, and announces them a little later if it is still there.
    fn store(&mut self) {
        let user = UserId(self.random.random_range(1..=USERS));
        let (count, takes, pause) = (self.random.random_range(1..4), self.millis(500), self.millis(200));
        let place = self.pick(NODES);
        let database = self.database.clone();
        let node = Arc::downgrade(&self.nodes.lock()[place]);
        tokio::spawn(async move {
            let commit = database.store(user, count, takes).await;
            sleep(pause).await;
            if let Some(node) = node.upgrade() {
                node.announce(&commit);
            }
        });
    }

    async fn come_or_go(&mut self) {
        let (client, place) = (self.pick(self.clients.len()), self.pick(NODES));
        let node = Arc::clone(&self.nodes.lock()[place]);
        let client = &mut self.clients[client];
        if client.look() {
            client.leave();
        } else {
            client.connect(&node, &self.database).await;
        }
    }

    /// A node goes, with all its streams, and another comes.
    fn restart(&mut self) {
        let place = self.pick(NODES);
        let id = self.next_node;
        self.next_node += 1;
        self.nodes.lock()[place] = Arc::new(SimulatedNode::start(
            id,
            &self.database,
            &self.backplane,
            self.kind.comparison_period(),
        ));
    }

    async fn bring_back(&mut self) {
        for client in 0..self.clients.len() {
            let place = self.pick(NODES);
            let node = Arc::clone(&self.nodes.lock()[place]);
            if !self.clients[client].look() {
                self.clients[client].connect(&node, &self.database).await;
            }
        }
    }

    /// Says what a client has missed or seen wrongly.
    fn verdict(&self) -> Result<(), String> {
        for (number, client) in self.clients.iter().enumerate() {
            let all: Vec<_> = self.database.ids(client.user).iter().map(|id| id.0).collect();
            let seen = client.all_seen();
            let after = client.after.map_or(u64::MAX, |after| after.0);
            let owed = all.iter().filter(|&&id| id > after).count();
            if !all.ends_with(&seen) || seen.len() < owed {
                let user = client.user;
                let state = if client.is_open() { "open" } else { "closed" };
                return Err(format!(
                    "{state}: client {number} of user {user} has seen {seen:?} of {all:?}, owed after {after}"
                ));
            }
        }
        Ok(())
    }
}

/// Runs one schedule on a clock that jumps from one event to the next.
fn run(seed: u64) -> Result<usize, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut schedule = Schedule::new(seed);
        schedule.run().await.map_err(|wrong| format!("seed {seed}: {wrong}"))?;
        Ok(schedule.clients.iter().map(|client| client.all_seen().len()).sum())
    })
}

fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("SHARDCAST_SEEDS") else { return SEEDS };
    let (first, end) = text.split_once("..").expect("SHARDCAST_SEEDS is FIRST..END");
    first.parse().expect("the first seed is a number")..end.parse().expect("the end is a number")
}

#[test]
fn each_client_gets_each_message_once_and_in_order_whatever_happens() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for seed in seeds() {
        match run(seed) {
            Ok(count) => seen += count,
            Err(what) => wrong.push(what),
        }
    }
    assert!(wrong.is_empty(), "{} of {:?}: {}", wrong.len(), seeds(), wrong.join("\n"));
    assert!(seen > seeds().count() * 10, "the schedules bring messages: {seen}");
}

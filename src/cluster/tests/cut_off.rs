//! A node that reaches nobody.

use std::time::Duration;

use tokio::time::{advance, sleep};

use super::world::{SimulatedClient, SimulatedDatabase, SimulatedNode};
use crate::cluster::MemoryBackplane;
use crate::hub::EndReason;
use crate::model::UserId;

const USER: UserId = UserId(1);

/// A node with a client, and what it can lose.
struct Setting {
    database: SimulatedDatabase,
    backplane: MemoryBackplane,
    node: SimulatedNode,
    client: SimulatedClient,
}

impl Setting {
    async fn start() -> Self {
        let (database, backplane) = (SimulatedDatabase::new(USER.0), MemoryBackplane::default());
        let node = SimulatedNode::start(1, &database, &backplane, Duration::from_secs(2));
        let mut client = SimulatedClient::new(USER);
        client.connect(&node, &database).await;
        Self { database, backplane, node, client }
    }

    /// Takes away the database and the backplane, or brings them back, and waits.
    async fn lose(&self, database: bool, backplane: bool, wait: Duration) {
        self.database.set_away(database);
        self.backplane.set_away(backplane);
        sleep(wait).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_reaches_nobody_for_a_minute_sends_its_clients_elsewhere() {
    let mut setting = Setting::start().await;
    setting.lose(true, true, Duration::from_secs(55)).await;
    assert!(setting.client.is_open());
    setting.lose(true, true, Duration::from_secs(30)).await;
    assert!(!setting.client.look());
    assert_eq!(setting.node.hub.end_counts(), [(EndReason::CutOff, 1)]);
    assert_eq!(EndReason::CutOff.close_code(), Some(1013));
    // It takes streams again as soon as it can.
    setting.lose(false, true, Duration::ZERO).await;
    setting.client.connect(&setting.node, &setting.database).await;
    sleep(Duration::from_mins(5)).await;
    assert!(setting.client.is_open());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_reaches_the_database_or_the_backplane_keeps_its_streams() {
    let setting = Setting::start().await;
    for (database, backplane) in [(true, false), (false, true), (true, false)] {
        setting.lose(database, backplane, Duration::from_mins(5)).await;
        assert!(setting.client.is_open(), "database away: {database}, backplane away: {backplane}");
    }
    // The minute begins when the last of both is lost.
    setting.lose(true, true, Duration::from_secs(50)).await;
    setting.lose(false, true, Duration::from_secs(5)).await;
    setting.lose(true, true, Duration::from_secs(50)).await;
    assert!(setting.client.is_open());
}

#[tokio::test(start_paused = true)]
async fn time_in_which_the_process_stood_still_does_not_count() {
    let mut setting = Setting::start().await;
    setting.lose(true, true, Duration::from_secs(40)).await;
    advance(Duration::from_mins(10)).await;
    sleep(Duration::from_secs(45)).await;
    assert!(setting.client.is_open(), "it has tried for 45 s since");
    sleep(Duration::from_secs(40)).await;
    assert!(!setting.client.look());
}

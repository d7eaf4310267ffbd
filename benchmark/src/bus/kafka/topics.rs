//! Making topics.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    error::RDKafkaErrorCode,
};
use tokio::time::sleep;

use super::{Names, Quiet, Topic};
use crate::report::terminal;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(1);
/// How long messages are kept, in milliseconds: a day.
const RETENTION_MS: &str = "86400000";

/// Makes all topics that do not exist yet, each with one partition and the cluster's number of replicas.
pub(super) async fn create(config: &ClientConfig, names: &Names) -> Result<()> {
    let admin: AdminClient<Quiet> =
        config.create_with_context(Quiet).context("failed to make a client for topics")?;
    let topics = Topic::ALL.map(|topic| names.of(topic));
    let wanted: Vec<_> = topics
        .iter()
        // The broker's own default of replicas.
        .map(|topic| NewTopic::new(topic, 1, TopicReplication::Fixed(-1)).set("retention.ms", RETENTION_MS))
        .collect();
    let options = AdminOptions::new().request_timeout(Some(ATTEMPT)).operation_timeout(Some(ATTEMPT));
    let mut is_away = false;
    loop {
        match admin.create_topics(&wanted, &options).await {
            Ok(outcomes) => {
                for outcome in outcomes {
                    match outcome {
                        Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                        Err((topic, code)) => bail!("Kafka makes no topic `{topic}`: {code}"),
                    }
                }
                return Ok(());
            }
            Err(error) => {
                if !std::mem::replace(&mut is_away, true) {
                    terminal::warn(&format!("kafka: makes no topics, trying again: {error}"));
                }
                sleep(PAUSE).await;
            }
        }
    }
}

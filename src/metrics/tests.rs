//! What is written out, and that it is what happened.

use std::collections::BTreeMap;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::hub::{EndReason, Frame, HubConfig, HubParts, MessageId, UserId};
use crate::store::PublishOutcome;

fn hub(metrics: &Metrics) -> Hub {
    let config = HubConfig { shard_count: 4, ..HubConfig::default() };
    Hub::with_parts(config, HubParts { observer: metrics.parts().observer, ..HubParts::default() })
}

/// Reads the samples of a text as they are written, by name and labels.
fn samples(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' ')).collect()
}

/// A metric as the README or the text has it: type, labels, help.
type Described = (String, String, String);

/// Reads the README's table of metrics.
fn documented() -> BTreeMap<String, Described> {
    let readme = include_str!("../../README.md");
    let (_, table) =
        readme.split_once("| metric | type | labels | what it tells |\n").expect("the table is there");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().replace('`', "")));
    let metrics = cells.map(|mut cells| {
        let mut next = || cells.next().expect("four cells");
        (next(), (next(), next(), next()))
    });
    metrics.collect()
}

/// Reads the descriptions out of the text: labels as `name=value|value`, or `name` where that has one value alone.
fn described(text: &str) -> BTreeMap<String, Described> {
    let mut metrics: BTreeMap<String, Described> = BTreeMap::new();
    let mut labels: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            metrics.entry(name.to_owned()).or_default().2 = help.replace('`', "");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            metrics.entry(name.to_owned()).or_default().0 = kind.to_owned();
        } else if let Some((name, values)) = line.split_once('{') {
            for pair in values.rsplit_once('}').unwrap().0.split(',') {
                let (label, value) = pair.split_once('=').unwrap();
                if label != "le" {
                    let of_metric = labels.entry(name.to_owned()).or_default();
                    of_metric.entry(label.to_owned()).or_default().push(value.trim_matches('"').to_owned());
                }
            }
        }
    }
    for (name, labels) in labels {
        let all = labels.into_iter().map(|(label, mut values)| {
            values.sort_unstable();
            values.dedup();
            if values.len() == 1 { label } else { format!("{label}: {}", values.join(", ")) }
        });
        metrics.get_mut(&name).unwrap().1 = all.collect::<Vec<_>>().join("; ");
    }
    metrics
}

#[tokio::test]
async fn the_readme_names_every_metric_and_no_other() {
    let metrics = Metrics::new();
    let (documented, described) = (documented(), described(&metrics.render(&hub(&metrics))));
    for (name, described) in &described {
        assert_eq!(Some(described), documented.get(name), "{name}: what the server says, and the README");
    }
    let gone: Vec<_> = documented.keys().filter(|name| !described.contains_key(*name)).collect();
    assert!(gone.is_empty(), "only in the README: {gone:?}");
}

#[tokio::test]
async fn every_metric_is_there_from_the_start() {
    let metrics = Metrics::new();
    let text = metrics.render(&hub(&metrics));
    let samples = samples(&text);
    for name in [
        "websocket_messages_received_total",
        r#"shardcast_publishes_total{outcome="refused"}"#,
        r#"shardcast_streams_ended_total{reason="slow_consumer"}"#,
        r#"shardcast_http_requests_total{route="stream",status="1xx"}"#,
        r#"shardcast_queue_overflows_total{queue="ring"}"#,
        r#"websocket_server_response_time_seconds_bucket{le="0.0015"}"#,
        r#"websocket_server_response_time_seconds_bucket{le="10"}"#,
        "shardcast_commit_messages_count",
    ] {
        assert_eq!(samples.get(name), Some(&"0"), "{name}");
    }
    let bounds = samples.keys().filter_map(|name| name.split_once("_bucket{le=\"")?.1.strip_suffix("\"}"));
    let inexact: Vec<_> = bounds.filter(|bound| bound.len() > "0.000015".len()).collect();
    assert!(inexact.is_empty(), "bounds that nobody would write: {inexact:?}");
    assert_eq!(samples["shardcast_shards"], "4");
    let number = |name| samples[name].parse::<f64>().unwrap();
    assert!(number("process_resident_memory_bytes") > 1e6);
    assert!(number("process_start_time_seconds") > 1.7e9);
}

#[tokio::test]
async fn a_message_counts_once_for_each_stream_and_a_pass_once() {
    let metrics = Metrics::new();
    let hub = hub(&metrics);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut clients, mut streams) = (Vec::new(), Vec::new());
    for token in ["a", "b", "c"] {
        clients.push(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let socket = listener.accept().await.unwrap().0;
        streams.push(hub.register(UserId(1), token, None).unwrap().attach(socket));
    }
    let frame = Frame::new(MessageId(1), "hello").with_received_at(tokio::time::Instant::now());
    hub.notify(UserId(1), &[frame]);
    for client in &mut clients {
        client.read_exact(&mut [0; 5]).await.unwrap();
    }
    streams[0].on_message();
    // The pass is told after its last write.
    while samples(&metrics.render(&hub))["shardcast_pass_duration_seconds_count"] == "0" {
        tokio::task::yield_now().await;
    }

    let text = metrics.render(&hub);
    let now = samples(&text);
    assert_eq!(now["websocket_messages_sent_total"], "3");
    assert_eq!(now["websocket_messages_received_total"], "1");
    assert_eq!(now["websocket_active_connections"], "3");
    assert_eq!(now["websocket_server_response_time_seconds_count"], "1");
    assert_eq!(now["shardcast_pass_streams_sum"], "3");
    assert_eq!(now["shardcast_streams_opened_total"], "3");
    assert_eq!(now["shardcast_connected_users"], "1");
    assert_eq!(now[r#"shardcast_shard_connections{stat="mean"}"#], "0.75");
    // Four shards for three streams: one at least is empty, and one at least is not.
    assert_eq!(now[r#"shardcast_shard_connections{stat="min"}"#], "0");
    assert!(["1", "2", "3"].contains(&now[r#"shardcast_shard_connections{stat="max"}"#]));

    drop(streams);
    let text = metrics.render(&hub);
    let then = samples(&text);
    assert_eq!(then["websocket_active_connections"], "0");
    assert_eq!(then[r#"shardcast_shard_connections{stat="max"}"#], "0");
    assert_eq!(then[r#"shardcast_streams_ended_total{reason="dropped"}"#], "3");
    assert_eq!(then["websocket_connection_errors_total"], "0");
}

#[tokio::test]
async fn errors_are_told_from_normal_closes() {
    let metrics = Metrics::new();
    let observer = metrics.parts().observer.unwrap();
    let (normal, errors, of_messages) = (
        [
            EndReason::PeerClosed(Some(1000)),
            EndReason::Shutdown,
            EndReason::TokenDeleted,
            EndReason::UserDeleted,
        ],
        [EndReason::SlowConsumer, EndReason::NoPong, EndReason::PeerGone, EndReason::PeerClosed(Some(1011))],
        [EndReason::TooLarge, EndReason::TooManyFrames, EndReason::ProtocolError, EndReason::InvalidPayload],
    );
    let hub = hub(&metrics);
    let stream = hub.register(UserId(1), "token", None).unwrap();
    for reason in normal.into_iter().chain(errors).chain(of_messages) {
        observer.on_end(UserId(1), stream.id(), reason);
    }
    let text = metrics.render(&hub);
    let samples = samples(&text);
    assert_eq!(samples["websocket_connection_errors_total"], "8");
    assert_eq!(samples["websocket_message_errors_total"], "4");
    assert_eq!(samples[r#"shardcast_streams_ended_total{reason="closed_by_peer"}"#], "2");
}

#[tokio::test]
async fn what_was_refused_has_no_duration() {
    let metrics = Metrics::new();
    let observer = metrics.parts().publish_observer.unwrap();
    for outcome in [PublishOutcome::Stored, PublishOutcome::Failed, PublishOutcome::Refused] {
        observer.on_publish(outcome, std::time::Duration::from_micros(1600));
    }
    observer.on_queue_full();
    let text = metrics.render(&hub(&metrics));
    let samples = samples(&text);
    assert_eq!(samples["shardcast_publish_duration_seconds_count"], "2");
    assert_eq!(samples[r#"shardcast_publish_duration_seconds_bucket{le="0.0015"}"#], "0");
    assert_eq!(samples[r#"shardcast_publish_duration_seconds_bucket{le="0.0022"}"#], "2");
    assert_eq!(samples[r#"shardcast_publishes_total{outcome="refused"}"#], "1");
    assert_eq!(samples[r#"shardcast_queue_overflows_total{queue="writer"}"#], "1");
}

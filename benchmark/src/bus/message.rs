//! The messages: fields of the published specification, and our own beside them.
//!
//! All times and latencies are in milliseconds. A message of another program lacks our own fields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient;
pub(crate) use super::measured::{Counts, Deliveries, Latencies, Measured, Metrics, Streams};

/// The version of our own fields.
pub(crate) const SCHEMA: u32 = 1;

/// `register`: a driver introduces itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Register {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) node_id: String,
    #[serde(rename = "node_IP", default)]
    pub(crate) node_ip: String,
    #[serde(default)]
    pub(crate) message_type: String,
    /// Our own field: the version of our fields; a driver of another program has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<u32>,
    /// Our own field: a random name of the process, so that a driver that was restarted is noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) incarnation: Option<String>,
}

/// `test_config`: a test that drivers prepare.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TestConfig {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) test_id: String,
    pub(crate) test_type: TestType,
    /// Milliseconds between two requests of a driver.
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) test_message_delay: u64,
    #[serde(deserialize_with = "lenient::number")]
    pub(crate) message_count_per_driver: u64,
    /// Our own field: the version of our fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<u32>,
    /// Our own field, which one other program has too: where requests go.
    #[serde(default, alias = "test_server", skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    /// Our own field: at most that many requests per second and driver.
    #[serde(default, deserialize_with = "lenient::optional_number", skip_serializing_if = "Option::is_none")]
    pub(crate) throughput: Option<f64>,
    /// Our own field: requests of a driver that may be under way at once.
    #[serde(default, deserialize_with = "lenient::optional_number", skip_serializing_if = "Option::is_none")]
    pub(crate) concurrency: Option<u32>,
    /// Our own field: a whole plan; the fields above then describe it for other programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<Value>,
}

/// Headers whose values may be shown.
const SHOWN_HEADERS: [&str; 5] =
    ["accept", "accept-encoding", "accept-language", "content-type", "user-agent"];

impl TestConfig {
    /// Returns it without what only drivers may know: values of headers, bodies and queries, which may hold tokens.
    pub(crate) fn without_secrets(&self) -> Self {
        let mut config = self.clone();
        config.target = config.target.map(|target| without_query(&target));
        if let Some(target) = config.plan.as_mut().and_then(|plan| plan.get_mut("target")) {
            if let Some(Value::String(url)) = target.get_mut("url") {
                *url = without_query(url);
            }
            if let Some(body) = target.get_mut("body") {
                *body = Value::from("hidden");
            }
        }
        let headers = config.plan.as_mut().and_then(|plan| plan.pointer_mut("/target/headers"));
        for (name, value) in headers.and_then(Value::as_object_mut).into_iter().flatten() {
            if !SHOWN_HEADERS.contains(&&*name.to_ascii_lowercase()) {
                *value = Value::from("hidden");
            }
        }
        config
    }
}

fn without_query(url: &str) -> String {
    url.split_once('?').map_or_else(|| url.to_owned(), |(path, _)| format!("{path}?hidden"))
}

/// How a test of the specification sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum TestType {
    /// All requests as soon as they are ready.
    #[default]
    #[serde(alias = "Avalanche", alias = "avalanche")]
    Avalanche,
    /// A fixed delay between requests.
    #[serde(alias = "Tsunami", alias = "tsunami")]
    Tsunami,
}

/// `trigger`: the start of a test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the published names")]
pub(crate) struct Trigger {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) test_id: String,
    pub(crate) trigger: String,
    /// Our own field: the agreed moment, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) begin_unix_ms: Option<u64>,
    /// Our own field: who takes part; a driver's share is given by its place in this list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) drivers: Option<Vec<String>>,
}

/// `heartbeat`: the sign of life of a driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the published names")]
pub(crate) struct Heartbeat {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) node_id: String,
    #[serde(default)]
    pub(crate) heartbeat: String,
    /// As each program writes it; ours is in milliseconds since 1970.
    #[serde(default)]
    pub(crate) timestamp: Value,
    /// Our own fields; a driver of another program has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
}

/// What a driver of ours says of itself each second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) schema: u32,
    pub(crate) incarnation: String,
    /// Tests that can begin.
    pub(crate) ready: Vec<String>,
    /// Tests that this driver does not run, and why.
    pub(crate) refused: BTreeMap<String, String>,
    /// Tests that run.
    pub(crate) running: Vec<String>,
}

/// `control`: the orchestrator's state, repeated each second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Control {
    pub(crate) schema: u32,
    pub(crate) unix_ms: u64,
    /// Drivers whose registration is acknowledged, with their incarnations.
    pub(crate) drivers: BTreeMap<String, String>,
    /// Tests that were aborted a short time ago.
    pub(crate) aborted: Vec<String>,
    /// Shares of lost drivers that others send.
    pub(crate) takeovers: Vec<Takeover>,
}

/// The share of a lost driver, which others send.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Takeover {
    pub(crate) test_id: String,
    /// The driver that was lost. If it is there after all, it stops.
    pub(crate) lost: String,
    /// Its place among the drivers of the test, and how many these were.
    pub(crate) place: u64,
    pub(crate) of: u64,
    /// Who sends its share; the part of each is given by its place in this list.
    pub(crate) by: Vec<String>,
    /// From when on, in milliseconds since the test began.
    pub(crate) from_ms: u64,
    /// How many requests the lost driver had begun, as far as is known.
    pub(crate) started: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_specification_are_read() {
        let config: TestConfig = serde_json::from_str(
            r#"{"test_id":"t","test_type":"TSUNAMI","test_message_delay":"20","message_count_per_driver":"100"}"#,
        )
        .unwrap();
        assert_eq!((config.test_type, config.test_message_delay), (TestType::Tsunami, 20));
        assert_eq!(config.message_count_per_driver, 100);
        let metrics: Metrics = serde_json::from_str(
            r#"{"node_id":1,"test_id":"t","report_id":"r","metrics":{"mean_latency":"1.5","median_latency":"","min_latency":1,"max_latency":"2"}}"#,
        )
        .unwrap();
        assert_eq!((metrics.node_id.as_str(), metrics.metrics.mean_latency), ("1", Some(1.5)));
        assert_eq!((metrics.metrics.median_latency, metrics.measured), (None, None));
        serde_json::from_str::<Heartbeat>(r#"{"node_id":"n","heartbeat":"YES","timestamp":1.5}"#).unwrap();
        serde_json::from_str::<Trigger>(r#"{"test_id":"t","trigger":"YES"}"#).unwrap();
        serde_json::from_str::<Register>(
            r#"{"node_id":"n","node_IP":"10.0.0.1:1","message_type":"DRIVER_NODE_REGISTER"}"#,
        )
        .unwrap();
    }

    #[test]
    fn values_of_headers_are_hidden_unless_they_say_nothing() {
        let headers = serde_json::json!({"X-Gotify-Key": "secret", "Content-Type": "text/plain"});
        let target =
            serde_json::json!({"url": "http://a/?token=secret", "headers": headers, "body": "secret"});
        let plan = serde_json::json!({"target": target, "load": {}});
        let target = Some("http://b/c?token=secret".to_owned());
        let config = TestConfig { plan: Some(plan), target, ..TestConfig::default() };
        let text = serde_json::to_string(&config.without_secrets()).unwrap();
        assert!(
            !text.contains("secret") && text.contains("X-Gotify-Key") && text.contains("text/plain"),
            "{text}"
        );
    }

    #[test]
    fn a_plain_test_is_written_with_the_published_fields_alone() {
        let config =
            TestConfig { test_id: "t".to_owned(), message_count_per_driver: 5, ..TestConfig::default() };
        let json: Value = serde_json::to_value(config).unwrap();
        let published = serde_json::json!({
            "test_id": "t", "test_type": "AVALANCHE", "test_message_delay": 0, "message_count_per_driver": 5
        });
        assert_eq!(json, published);
    }
}

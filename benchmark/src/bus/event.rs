//! A message that came, as what it says; and what could not be read.

use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{
    Outgoing, Received, Topic,
    message::{Control, Heartbeat, Metrics, Register, TestConfig, Trigger},
};
use crate::report::terminal;

/// How many unreadable messages are named; later ones are only counted.
const NAMED_MAX: u64 = 20;
/// How much of an unreadable message is shown.
const SHOWN_CHARS: usize = 120;

/// What a message says.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Register(Register),
    TestConfig(Box<TestConfig>),
    Trigger(Trigger),
    Metrics(Box<Metrics>),
    Heartbeat(Heartbeat),
    Control(Control),
}

/// A message that is not what its topic holds.
#[derive(Debug, Error)]
#[error("a message on `{topic}` can't be read: {reason}: {shown}")]
pub(crate) struct Unreadable {
    topic: Topic,
    reason: serde_json::Error,
    shown: String,
}

impl Event {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub(crate) fn read(received: &Received) -> Result<Self, Unreadable> {
        fn json<T: DeserializeOwned>(received: &Received) -> Result<T, Unreadable> {
            serde_json::from_slice(&received.payload).map_err(|reason| {
                let text = String::from_utf8_lossy(&received.payload);
                let shown = text.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
                Unreadable { topic: received.topic, reason, shown }
            })
        }
        Ok(match received.topic {
            Topic::Register => Self::Register(json(received)?),
            Topic::TestConfig => Self::TestConfig(Box::new(json(received)?)),
            Topic::Trigger => Self::Trigger(json(received)?),
            Topic::Metrics => Self::Metrics(Box::new(json(received)?)),
            Topic::Heartbeat => Self::Heartbeat(json(received)?),
            Topic::Control => Self::Control(json(received)?),
        })
    }

    /// Returns the message that says it.
    pub(crate) fn to_message(&self) -> Outgoing {
        let (topic, key, replaces, json) = match self {
            Self::Register(register) => (
                Topic::Register,
                &*register.node_id,
                Some(register.node_id.clone()),
                serde_json::to_vec(register),
            ),
            Self::TestConfig(config) => {
                (Topic::TestConfig, &*config.test_id, None, serde_json::to_vec(config))
            }
            Self::Trigger(trigger) => (Topic::Trigger, &*trigger.test_id, None, serde_json::to_vec(trigger)),
            Self::Metrics(metrics) => (
                Topic::Metrics,
                &*metrics.test_id,
                Some(format!("{} {}", metrics.node_id, metrics.test_id)),
                serde_json::to_vec(metrics),
            ),
            Self::Heartbeat(heartbeat) => (
                Topic::Heartbeat,
                &*heartbeat.node_id,
                Some(heartbeat.node_id.clone()),
                serde_json::to_vec(heartbeat),
            ),
            Self::Control(control) => {
                (Topic::Control, "control", Some(String::new()), serde_json::to_vec(control))
            }
        };
        let payload = json.expect("maps with string keys, strings and numbers become JSON").into();
        Outgoing { topic, key: key.to_owned(), payload, replaces }
    }
}

/// Counts what can't be read, and names the first of it.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    unreadable: u64,
}

impl Reader {
    /// Reads a message; one that can't be read is counted, named and left out.
    pub(crate) fn read(&mut self, received: &Received) -> Option<Event> {
        match Event::read(received) {
            Ok(event) => Some(event),
            Err(error) => {
                self.unreadable += 1;
                if self.unreadable <= NAMED_MAX {
                    terminal::warn(&format!("{error}; left out, {} so far", self.unreadable));
                }
                None
            }
        }
    }

    /// Returns how many messages could not be read.
    pub(crate) fn unreadable(&self) -> u64 {
        self.unreadable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(topic: Topic, payload: &'static str) -> Received {
        Received { topic, payload: payload.into(), unix_ms: 0 }
    }

    #[test]
    fn a_message_that_cannot_be_read_is_counted_and_left_out() {
        let mut reader = Reader::default();
        for payload in ["", "{", "[]", "\u{0}", r#"{"test_id":"t","test_type":"FLOOD"}"#] {
            assert!(reader.read(&received(Topic::TestConfig, payload)).is_none(), "{payload}");
        }
        assert_eq!(reader.unreadable(), 5);
        assert!(reader.read(&received(Topic::Trigger, r#"{"test_id":"t","trigger":"YES"}"#)).is_some());
    }

    #[test]
    fn an_unreadable_message_is_named_with_its_topic_and_what_is_wrong() {
        let message = received(Topic::TestConfig, r#"{"test_id":"t","test_type":"FLOOD"}"#);
        let text = Event::read(&message).unwrap_err().to_string();
        for part in ["`test_config`", "FLOOD", "AVALANCHE", "TSUNAMI"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let trigger = Trigger {
            test_id: "t".to_owned(),
            trigger: "YES".to_owned(),
            begin_unix_ms: Some(7),
            drivers: None,
        };
        let message = Event::Trigger(trigger.clone()).to_message();
        let received = Received { topic: message.topic, payload: message.payload, unix_ms: 0 };
        assert!(matches!(Event::read(&received), Ok(Event::Trigger(read)) if read == trigger));
    }
}

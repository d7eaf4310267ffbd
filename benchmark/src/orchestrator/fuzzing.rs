//! An orchestrator that hears whatever is on the bus.

use std::time::Duration;

use crate::bus::Received;
use crate::bus::event::Event;
use crate::bus::message::TestConfig;

use super::report::Format;
use super::state::State;

/// The name of the test that the messages may be about.
const TEST: &str = "t";

/// Runs a test while these messages come; `None` is a second that goes by.
///
/// # Panics
///
/// If the orchestrator says what can't be read, or a report can't be written.
pub(crate) fn hear(messages: Vec<Option<Event>>) {
    let mut state = State::new(Vec::new(), Duration::from_secs(5));
    state.begin_after(Duration::ZERO);
    let config =
        TestConfig { test_id: TEST.to_owned(), message_count_per_driver: 100, ..TestConfig::default() };
    let mut said = state.create(config).expect("it is the first test").messages;
    for message in messages {
        match message {
            Some(event) => state.on_event(event),
            None => said.extend(state.on_tick().messages),
        }
        if let Ok(effects) = state.trigger(TEST) {
            said.extend(effects.messages);
        }
    }
    for message in said {
        let received = Received { topic: message.topic, payload: message.payload, unix_ms: 0 };
        if let Err(error) = Event::read(&received) {
            panic!("what the orchestrator says can't be read: {error}");
        }
    }
    let report = state.report(TEST).expect("the test is there");
    for format in [Format::Json, Format::Html, Format::Csv, Format::Markdown] {
        assert!(!report.written(format).is_empty(), "the report can't be written as {format:?}");
    }
    drop((state.shown(TEST), state.live(), state.drivers(), state.tests()));
}

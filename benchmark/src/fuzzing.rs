//! What the fuzz targets call, which know no types of this program.

use std::time::Duration;

use bytes::Bytes;

use crate::bus::event::Event;
use crate::bus::{Received, Topic};
use crate::client::schedule::Share;
use crate::orchestrator;
use crate::plan::Plan;

/// Reads a plan. What is read must be the same after it has traveled, and its requests due one after the other.
///
/// # Panics
///
/// If that is not so.
pub fn plan(text: &str) {
    let (json, plan) = match Plan::parse_to_json(text) {
        Ok(read) => read,
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains('\n'), "an error of several lines: {shown:?}");
            return;
        }
    };
    assert_eq!(Plan::from_json(&json).as_ref(), Ok(&plan));
    assert!(!plan.to_string().contains('\n'), "several lines: {plan}");
    due(&plan);
}

/// Checks that requests are due in their order, within the time of the load.
fn due(plan: &Plan) {
    let schedule = &plan.schedule;
    let Some(requests) = schedule.requests(Share::WHOLE) else { return };
    let length = schedule.duration();
    let mut before = Duration::ZERO;
    for number in [0, 1, requests / 2, requests - 1].into_iter().filter(|number| *number < requests) {
        let due = schedule.next(Share::WHOLE, number, 0, Duration::ZERO);
        let due = due.unwrap_or_else(|| panic!("request {number} of {requests} is never due"));
        assert!(length.is_none_or(|length| due <= length), "request {number} is due after the end");
        assert!(number < 2 || due >= before, "request {number} is due before the one before it");
        before = due;
    }
}

/// Reads messages of the bus, each a line with the number of its topic before it; any other line is a second that goes
/// by. What is read must be the same after it was written again, and an orchestrator must bear it.
///
/// # Panics
///
/// If that is not so.
pub fn bus(lines: &[u8]) {
    let lines = lines.split(|byte| *byte == b'\n').take(64);
    orchestrator::fuzzing::hear(lines.filter_map(message).collect());
}

fn message(line: &[u8]) -> Option<Option<Event>> {
    let Some((topic @ b'0'..=b'5', payload)) = line.split_first() else { return Some(None) };
    let topic = Topic::ALL[usize::from(topic - b'0')];
    let read = |payload| Event::read(&Received { topic, payload, unix_ms: 0 });
    let event = match read(Bytes::copy_from_slice(payload)) {
        Ok(event) => event,
        Err(error) => {
            let shown = error.to_string();
            assert!(!shown.contains('\n'), "an error of several lines: {shown:?}");
            return None;
        }
    };
    let again = read(event.to_message().payload);
    let again = again.unwrap_or_else(|error| panic!("what was written is not read: {error}"));
    assert_eq!(format!("{again:?}"), format!("{event:?}"));
    Some(Some(event))
}

//! The processes that hold the streams, seen from the one that publishes.

use std::{
    io::{BufRead, BufReader, Write},
    process::{ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, TryRecvError, sync_channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    client::{message::RunId, tally::Tally},
    process::child::OwnedChild,
    scenario::{
        case::{Bench, Case},
        scale::{
            message::{Counted, Opened, Order, Published, unpack},
            part::parse,
        },
        session::Session,
    },
};

const LOOK: Duration = Duration::from_millis(20);

/// Load processes that were started and ordered which streams to open; they end when dropped.
#[derive(Debug)]
pub(super) struct Parts(Vec<Part>);

#[derive(Debug)]
struct Part {
    child: OwnedChild,
    lines: Receiver<String>,
}

impl Parts {
    /// Starts as many processes as are needed for `wanted` streams with `each` in one.
    pub(super) fn start(
        case: &Case<'_>,
        bench: &Bench,
        run: RunId,
        wanted: usize,
        each: usize,
    ) -> Result<Self> {
        let processes = wanted.div_ceil(each.max(1));
        let rate = bench.connect_rate / u32::try_from(processes)?;
        let handshakes = case.account.handshakes().into_iter().map(String::from_utf8);
        let handshakes = handshakes.collect::<Result<Vec<_>, _>>().context("handshakes are text")?;
        let mut parts = Self(Vec::with_capacity(processes));
        for at in 0..processes {
            let before = at * each;
            let order = Order {
                address: case.peer.address,
                handshakes: handshakes.clone(),
                clock: bench.clock,
                run,
                judges_ids: case.account.orders_by_id(),
                format: case.account.format(),
                before: before as u64,
                count: each.min(wanted - before),
                rate: rate.max(1),
                patience_s: bench.patience.as_secs().max(1),
            };
            let mut part = Part::start()?;
            part.send(&order)?;
            parts.0.push(part);
        }
        Ok(parts)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Waits until no more streams can be opened; returns how many are open, and the first reason to stop.
    pub(super) fn opened(&self, session: &mut Session<'_>) -> Result<(usize, Option<String>)> {
        let (mut streams, mut stopped_by) = (0, None);
        for answer in self.answers::<Opened>(session)? {
            streams += answer.streams;
            let in_part = |limit| format!("in one of {} load processes {limit}", self.count());
            stopped_by = stopped_by.or(answer.stopped_by.map(in_part));
        }
        Ok((streams, stopped_by))
    }

    /// Says that all is published, waits for the deliveries and adds them to the session's; returns how many were
    /// lost, and the processor time of all parts.
    pub(super) fn count_deliveries(
        &mut self,
        session: &mut Session<'_>,
        messages: u32,
    ) -> Result<(u64, Duration)> {
        for part in &mut self.0 {
            part.send(&Published { messages })?;
        }
        let (mut lost, mut cpu) = (0, Duration::ZERO);
        for counted in self.answers::<Counted>(session)? {
            lost += counted.lost;
            cpu += Duration::from_micros(counted.cpu_us);
            add(&mut session.reactor.tally, counted)?;
        }
        Ok((lost, cpu))
    }

    fn answers<T: DeserializeOwned>(&self, session: &mut Session<'_>) -> Result<Vec<T>> {
        self.0.iter().map(|part| parse(&part.hear(session)?)).collect()
    }
}

impl Part {
    fn start() -> Result<Self> {
        let program = std::env::current_exe().context("failed to find this program's own file")?;
        let mut command = Command::new(program);
        command.arg("scale-part").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = OwnedChild::start(&mut command)?;
        let output = child.inner().stdout.take().context("a load process has no standard output")?;
        Ok(Self { child, lines: lines(output) })
    }

    fn send(&mut self, message: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(message).context("failed to encode a message")?;
        line.push(b'\n');
        let input = self.child.inner().stdin.as_mut().context("a load process has no standard input")?;
        input.write_all(&line).context("failed to send an order to a load process")
    }

    /// Waits for a line, serving this process' own connections meanwhile.
    fn hear(&self, session: &mut Session<'_>) -> Result<String> {
        loop {
            match self.lines.try_recv() {
                Ok(line) => return Ok(line),
                Err(TryRecvError::Empty) => session.rest(LOOK)?,
                Err(TryRecvError::Disconnected) => bail!("a load process ended early"),
            }
        }
    }
}

/// Reads a part's answers on a thread of its own, which ends with the part.
fn lines(output: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn add(tally: &mut Tally, counted: Counted) -> Result<()> {
    tally.received += counted.received;
    tally.bytes += counted.bytes;
    tally.duplicated += counted.duplicated;
    tally.out_of_order += counted.out_of_order;
    tally.foreign += counted.foreign;
    for (code, streams) in counted.closes {
        *tally.closes.entry(code).or_default() += streams;
    }
    tally.violation = tally.violation.take().or(counted.violation);
    tally.latency.add(unpack(&counted.latency)?).context("a histogram does not fit")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        client::{format::Format, tally},
        scenario::scale::message::pack,
    };

    #[test]
    fn what_the_parts_counted_is_added_up() {
        let mut latency = tally::histogram();
        latency.record(1_000_000).unwrap();
        let mut sum = Tally::new(RunId::nth(1), true, Format::Json);
        for (received, violation) in [(3, None), (4, Some("broken".to_owned()))] {
            let closes = [(1008, 2)].into();
            let latency = pack(&latency).unwrap();
            add(&mut sum, Counted { received, closes, violation, latency, ..Counted::default() }).unwrap();
        }
        assert_eq!((sum.received, sum.closed_streams(), sum.latency.len()), (7, 4, 2));
        assert_eq!(sum.violation.as_deref(), Some("broken"));
    }
}

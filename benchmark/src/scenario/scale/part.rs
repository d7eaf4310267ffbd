//! A process that holds a part of the streams. It reads its orders from the standard input, and ends with that.

use std::{
    io::{BufRead, Write, stdin, stdout},
    sync::mpsc::{Receiver, TryRecvError, sync_channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    client::{
        address::{Begun, Connector},
        opener::{self, Opening, nanos},
        reactor::{Manner, Reactor},
        tally::Tally,
    },
    process::{stop::Stop, usage::Process},
    scenario::scale::message::{Counted, Opened, Order, Published, pack},
};

/// How late a line on the standard input may be noticed.
const TURN: Duration = Duration::from_millis(20);

/// Holds streams as ordered until the standard input ends.
pub(crate) fn hold() -> Result<()> {
    let stop = Stop::on_signals()?;
    let lines = lines(stop.clone());
    let order: Order = parse(&lines.recv().context("nothing was ordered")?)?;
    let tally = Tally::new(order.run, order.judges_ids, order.format);
    let handshakes = order.handshakes.into_iter().map(String::into_bytes).collect();
    let mut reactor = Reactor::new(order.clock, handshakes, tally, stop.clone())?;
    let mut connector = Connector::new(order.address, Begun::after(order.before));
    let patience = Duration::from_secs(order.patience_s);
    let (count, rate) = (order.count, order.rate);
    let manner = Manner::default();
    let max_under_way = opener::MAX_UNDER_WAY;
    let opening =
        Opening { count, rate, manner, receive_bytes: None, max_under_way, patience, is_shown: true };
    let opened = opener::open(&mut reactor, &mut connector, opening);
    stop.check()?;
    let streams = reactor.open_streams();
    answer(&Opened { streams, stopped_by: opened.err().map(|limit| format!("{limit:#}")) })?;
    let before = Process::own().cpu()?;
    let Published { messages } = loop {
        match lines.try_recv() {
            Ok(line) => break parse(&line)?,
            Err(TryRecvError::Empty) => reactor.turn(TURN)?,
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
    };
    await_deliveries(&mut reactor, u64::from(messages) * streams as u64, patience)?;
    let tally = &reactor.tally;
    answer(&Counted {
        received: tally.received,
        bytes: tally.bytes,
        lost: reactor.lost(messages, false),
        duplicated: tally.duplicated,
        out_of_order: tally.out_of_order,
        foreign: tally.foreign,
        closes: tally.closes.clone(),
        violation: tally.violation.clone(),
        cpu_us: u64::try_from(Process::own().cpu()?.saturating_sub(before).as_micros()).unwrap_or(u64::MAX),
        latency: pack(&tally.latency)?,
    })?;
    while lines.try_recv() != Err(TryRecvError::Disconnected) {
        // Going away is how this ends: the other process is done or gone.
        if reactor.turn(TURN).is_err() {
            break;
        }
    }
    Ok(())
}

fn await_deliveries(reactor: &mut Reactor, expected: u64, patience: Duration) -> Result<()> {
    let mut last = (reactor.tally.received, reactor.clock.now());
    while reactor.tally.received < expected && reactor.clock.now() - last.1 <= nanos(patience) {
        reactor.turn(TURN)?;
        if reactor.tally.received != last.0 {
            last = (reactor.tally.received, reactor.clock.now());
        }
    }
    Ok(())
}

/// Reads the standard input on a thread of its own, which lives as long as the process; its end stops everything.
fn lines(stop: Stop) -> Receiver<String> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
        stop.ask();
    });
    receiver
}

/// Reads a line.
pub(super) fn parse<T: DeserializeOwned>(line: &str) -> Result<T> {
    serde_json::from_str(line).context("failed to read a message of another process of the load tester")
}

fn answer(message: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(message).context("failed to encode a message")?;
    line.push(b'\n');
    let mut output = stdout();
    output.write_all(&line).and_then(|()| output.flush()).context("failed to answer")
}

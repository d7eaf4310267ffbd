//! The part of the reactor that sends requests.

use std::time::Duration;

use mio::{Interest, Token};

use super::{Reactor, SENDER};
use crate::client::{
    Nanos,
    address::Connector,
    message::Template,
    opener::nanos,
    sender::{Failure, Seen, Sender, Step},
};

impl Reactor {
    /// Adds a sender, which connects with its first request.
    pub(crate) fn add_sender(&mut self, sender: Sender) {
        self.idle_senders.push(self.senders.len());
        self.senders.push(sender);
    }

    /// Lets all senders connect from other source addresses than those before.
    pub(crate) fn connect_with(&mut self, connector: Connector) {
        self.connector = Some(connector);
    }

    /// Publishes through any idle sender; does nothing when there is none.
    pub(crate) fn publish(&mut self, template: &Template, sequence: u32, due: Nanos) {
        self.send(sequence, due, |request| template.write(request, sequence, due));
    }

    /// Sends a request through any idle sender; does nothing when there is none. `write` puts it over an earlier one.
    pub(crate) fn send(&mut self, sequence: u32, due: Nanos, write: impl FnOnce(&mut Vec<u8>)) {
        let Some(at) = self.idle_senders.pop() else { return };
        self.most_under_way = self.most_under_way.max(self.under_way());
        let now = self.clock.now();
        self.senders[at].begin(sequence, due, now, write);
        self.advance(at, Seen::Nothing);
    }

    /// Gives up requests that have had no answer for so long.
    pub(crate) fn give_up(&mut self, patience: Duration) {
        let now = self.clock.now();
        for at in 0..self.senders.len() {
            let is_late = |sent: Nanos| now.saturating_sub(sent) > nanos(patience);
            if self.senders[at].sent().is_some_and(is_late) {
                let step = self.senders[at].fail(Failure::TimeOut, now);
                self.note_sender(at, step);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn is_connected(&self) -> bool {
        self.senders.iter().any(Sender::is_connected)
    }

    /// Returns how many connections and streams are open, or are being opened.
    pub(crate) fn open_sockets(&self) -> usize {
        let connected = self.senders.iter().filter(|sender| sender.is_connected()).count();
        connected + self.streams.len() - self.free.len()
    }

    /// Returns how many requests are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.senders.len() - self.idle_senders.len() - self.failed_senders.len()
    }

    pub(crate) fn has_idle_sender(&self) -> bool {
        !self.idle_senders.is_empty()
    }

    /// Lets a sender write, and read if there may be something.
    pub(super) fn advance(&mut self, at: usize, seen: Seen) {
        let sender = &mut self.senders[at];
        let has_request = !sender.is_idle();
        if has_request
            && !sender.is_connected()
            && let Err(failure) = self.connect(at)
        {
            let step = self.senders[at].fail(failure, self.clock.now());
            return self.note_sender(at, step);
        }
        let now = self.clock.now();
        let step = self.senders[at].serve(&mut self.scratch, seen, now);
        self.note_sender(at, step);
    }

    fn connect(&mut self, at: usize) -> Result<(), Failure> {
        let sender = &mut self.senders[at];
        let refused = |error: std::io::Error| Failure::Connect(error.kind().to_string());
        let socket = match &mut self.connector {
            Some(connector) => {
                connector.connect(None).map_err(|error| Failure::Connect(error.to_string()))?
            }
            None => mio::net::TcpStream::connect(sender.endpoint.address).map_err(refused)?,
        };
        let socket = sender.attach(socket).map_err(refused)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(socket, Token(SENDER | at), interest).map_err(refused)
    }

    fn note_sender(&mut self, at: usize, step: Step) {
        match step {
            Step::Same => {}
            Step::Left => self.reconnects += 1,
            Step::Again => {
                self.again += 1;
                self.advance(at, Seen::Nothing);
            }
            Step::Done(ack) => {
                let idle =
                    if ack.outcome.is_ok() { &mut self.idle_senders } else { &mut self.failed_senders };
                idle.push(at);
                self.acks.push(ack);
            }
        }
    }
}

//! What a scenario is given.

use std::{cell::Cell, time::Duration};

use crate::{
    client::{Clock, account::Account, address::Begun, message::RunId},
    peer::Peer,
    process::{stop::Stop, usage::Process},
};

/// One column of the table: a server, under the load itself or under its reference load.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(crate) name: String,
    pub(crate) peer: &'a Peer,
    pub(crate) account: &'a Account,
    pub(crate) is_reference: bool,
}

impl Case<'_> {
    /// Returns the server's process, when it is on this machine.
    pub(crate) fn process(&self) -> Option<Process> {
        self.peer.process
    }
}

/// What all scenarios of this process share.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) clock: Clock,
    pub(crate) stop: Stop,
    /// Streams opened per second.
    pub(crate) connect_rate: u32,
    /// How long nothing may arrive before what is missing counts as lost.
    pub(crate) patience: Duration,
    /// The connections all sessions have begun.
    pub(crate) begun: Begun,
    runs: Cell<u32>,
}

impl Bench {
    pub(crate) fn new(stop: Stop, connect_rate: u32, patience: Duration) -> Self {
        Self {
            clock: Clock::start(),
            stop,
            connect_rate,
            patience,
            begun: Begun::default(),
            runs: Cell::new(0),
        }
    }

    /// Returns an id that no run of this process had before.
    pub(crate) fn next_run(&self) -> RunId {
        self.runs.set(self.runs.get() + 1);
        RunId::nth(self.runs.get())
    }
}

//! Opening many streams at a rate.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::{
    client::{
        address::Connector,
        reactor::{Manner, Reactor},
    },
    report::progress::Progress,
};

/// Handshakes that are under way at once, at most, unless somebody asks for more: below the backlog of any listener.
pub(crate) const MAX_UNDER_WAY: usize = 512;
const TICK: Duration = Duration::from_millis(5);

/// Which streams to open, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    pub(crate) count: usize,
    /// Streams per second.
    pub(crate) rate: u32,
    pub(crate) manner: Manner,
    /// The size of their receive buffers, if not the kernel's own choice.
    pub(crate) receive_bytes: Option<usize>,
    /// Handshakes that are under way at once, at most.
    pub(crate) max_under_way: usize,
    /// How long no admission may come before the rest is given up.
    pub(crate) patience: Duration,
    /// Whether the terminal shows how far it is.
    pub(crate) is_shown: bool,
}

/// Opens streams until all of them are admitted.
///
/// # Errors
/// When not all were admitted: says how many were, and what stopped the rest.
pub(crate) fn open(reactor: &mut Reactor, connector: &mut Connector, opening: Opening) -> Result<()> {
    open_watched(reactor, connector, opening, &mut |_| Ok(()))
}

/// Does the same, and calls `tick` at every turn.
///
/// # Errors
/// As [`open`], and those of `tick`.
pub(crate) fn open_watched(
    reactor: &mut Reactor,
    connector: &mut Connector,
    opening: Opening,
    tick: &mut dyn FnMut(&mut Reactor) -> Result<()>,
) -> Result<()> {
    let started = reactor.clock.now();
    let (before, failed_before) = (reactor.admissions.opened, reactor.admissions.failed);
    let mut begun = 0;
    let mut last = (before, started);
    let progress = opening.is_shown.then(|| Progress::new("streams", opening.count as u64));
    loop {
        let now = reactor.clock.now();
        let opened = reactor.admissions.opened - before;
        let failed = reactor.admissions.failed - failed_before;
        if let Some(progress) = &progress {
            progress.show(opened);
        }
        if opened + failed >= opening.count as u64 {
            break;
        }
        if opened != last.0 {
            last = (opened, now);
        } else if now - last.1 > nanos(opening.patience) {
            break;
        }
        let due = u128::from(now - started) * u128::from(opening.rate) / 1_000_000_000 + 1;
        let due = usize::try_from(due).unwrap_or(usize::MAX).min(opening.count);
        while begun < due && reactor.admissions.under_way < opening.max_under_way {
            let socket = match connector.connect(opening.receive_bytes) {
                Ok(socket) => socket,
                Err(error) => bail!("{opened} of {} streams open: {error}", opening.count),
            };
            reactor.adopt(socket, opening.manner)?;
            begun += 1;
        }
        reactor.turn(TICK)?;
        tick(reactor)?;
    }
    let opened = reactor.admissions.opened - before;
    if opened < opening.count as u64 {
        let why = match reactor.admissions.last_error.take() {
            Some(error) => format!("{error:#}"),
            None => format!("the server admitted none for {:?}", opening.patience),
        };
        bail!("{opened} of {} streams open: {why}", opening.count);
    }
    Ok(())
}

/// Returns a duration in nanoseconds.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

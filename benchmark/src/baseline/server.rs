//! The baseline's loop.

use std::{io::ErrorKind, net::SocketAddr};

use anyhow::{Context, Result};
use mio::{Events, Interest, Poll, Registry, Token, net::TcpListener};

use super::{connection::Connection, frame};
use crate::report::terminal;

const LISTENER: Token = Token(usize::MAX);
const EVENTS: usize = 1024;
const SCRATCH_BYTES: usize = 64 << 10;

/// Serves until the process ends; the first line on standard output names the address.
pub(crate) fn serve(address: SocketAddr) -> Result<()> {
    let mut poll = Poll::new().context("failed to create an epoll")?;
    let mut listener = TcpListener::bind(address).with_context(|| format!("failed to bind {address}"))?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    terminal::line(&format!("listening on {}", listener.local_addr()?));
    let mut baseline =
        Baseline { connections: Vec::new(), free: Vec::new(), scratch: vec![0; SCRATCH_BYTES] };
    let mut events = Events::with_capacity(EVENTS);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.context("failed to poll")?,
        }
        for event in &events {
            if event.token() == LISTENER {
                baseline.accept(&listener, poll.registry())?;
            } else {
                baseline.serve(event.token().0, event.is_writable(), poll.registry())?;
            }
        }
    }
}

#[derive(Debug)]
struct Baseline {
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    scratch: Vec<u8>,
}

impl Baseline {
    fn accept(&mut self, listener: &TcpListener, registry: &Registry) -> Result<()> {
        while let Ok((mut socket, _)) = listener.accept() {
            // A peer that is gone again cannot be tuned.
            let _ = socket.set_nodelay(true);
            let at = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            registry.register(&mut socket, Token(at), Interest::READABLE)?;
            self.connections[at] = Some(Connection::new(socket));
        }
        Ok(())
    }

    fn serve(&mut self, at: usize, writable: bool, registry: &Registry) -> Result<()> {
        let Some(connection) = self.connections[at].as_mut() else { return Ok(()) };
        let mut published = Vec::new();
        let mut outcome = connection.read(&mut self.scratch, &mut published);
        if writable && outcome.is_ok() {
            outcome = match connection.flush() {
                Ok(true) => registry.reregister(connection.socket(), Token(at), Interest::READABLE),
                other => other.map(|_| ()),
            };
        }
        if outcome.is_err() {
            self.connections[at] = None;
            self.free.push(at);
        }
        published.iter().try_for_each(|body| self.publish(&frame(body), registry))
    }

    fn publish(&mut self, frame: &[u8], registry: &Registry) -> Result<()> {
        for (at, connection) in self.connections.iter_mut().enumerate() {
            let Some(connection) = connection.as_mut().filter(|connection| connection.is_stream()) else {
                continue;
            };
            if connection.send(frame) {
                let interest = Interest::READABLE | Interest::WRITABLE;
                registry.reregister(connection.socket(), Token(at), interest)?;
            }
        }
        Ok(())
    }
}

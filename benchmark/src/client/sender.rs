//! One publisher's keep-alive connection.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
};

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;

use crate::client::{
    Nanos,
    format::Format,
    http::{self, Response},
    message::Template,
};

/// The answer to one publish.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ack {
    pub(crate) sequence: u32,
    pub(crate) status: u16,
    /// The id the server gave the message.
    pub(crate) id: Option<u64>,
    pub(crate) due: Nanos,
    pub(crate) at: Nanos,
}

/// A connection that has at most one request under way.
#[derive(Debug)]
pub(crate) struct Sender {
    address: SocketAddr,
    socket: TcpStream,
    request: Vec<u8>,
    /// How much of the request the socket has taken.
    written: usize,
    inbox: Vec<u8>,
    under_way: Option<(u32, Nanos)>,
}

impl Sender {
    /// Connects, blocking.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let socket = std::net::TcpStream::connect(address)
            .with_context(|| format!("failed to connect a publisher to {address}"))?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let socket = TcpStream::from_std(socket);
        Ok(Self { address, socket, request: Vec::new(), written: 0, inbox: Vec::new(), under_way: None })
    }

    /// Returns a new connection to the same server.
    pub(crate) fn reconnect(&self) -> Result<Self> {
        Self::connect(self.address)
    }

    pub(crate) fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.is_none()
    }

    /// Publishes one message.
    ///
    /// # Panics
    /// When a request is under way.
    pub(crate) fn publish(&mut self, template: &Template, sequence: u32, due: Nanos) -> Result<()> {
        assert!(self.is_idle(), "a sender has one request at a time");
        template.write(&mut self.request, sequence, due);
        self.written = 0;
        self.under_way = Some((sequence, due));
        self.on_writable()
    }

    /// Writes what the socket takes.
    pub(crate) fn on_writable(&mut self) -> Result<()> {
        while self.under_way.is_some() && self.written < self.request.len() {
            match self.socket.write(&self.request[self.written..]) {
                Ok(taken) => self.written += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("failed to write a publish"),
            }
        }
        Ok(())
    }

    /// Reads what has come; returns the answer when it is complete.
    pub(crate) fn on_readable(&mut self, scratch: &mut [u8], now: Nanos) -> Result<Option<Ack>> {
        loop {
            let got = match self.socket.read(scratch) {
                Ok(0) => bail!("the server closed a publisher's connection"),
                Ok(got) => got,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("failed to read the answer to a publish"),
            };
            // Nearly every answer comes whole: then it is parsed where it lies.
            let answer = if self.inbox.is_empty() {
                &scratch[..got]
            } else {
                self.inbox.extend_from_slice(&scratch[..got]);
                &self.inbox
            };
            let ack = match http::response(answer)? {
                Some(response) => Some(acknowledge(&mut self.under_way, &response, answer.len(), now)?),
                None => None,
            };
            if ack.is_some() {
                self.inbox.clear();
            } else if self.inbox.is_empty() {
                self.inbox.extend_from_slice(&scratch[..got]);
            }
            if ack.is_some() || got < scratch.len() {
                return Ok(ack);
            }
        }
    }
}

fn acknowledge(
    under_way: &mut Option<(u32, Nanos)>,
    response: &Response<'_>,
    had: usize,
    at: Nanos,
) -> Result<Ack> {
    let Some((sequence, due)) = under_way.take() else { bail!("the server answered without a request") };
    if response.length != had {
        bail!("the server sent {} bytes behind an answer", had - response.length);
    }
    if response.closes {
        bail!("the server answered {} and closes a publisher's connection", response.status);
    }
    Ok(Ack { sequence, status: response.status, id: Format::Json.id(&response.body), due, at })
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread, time::Duration};

    use super::*;
    use crate::{
        client::{Clock, message::RunId, reactor::Reactor, tally::Tally},
        process::stop::Stop,
    };

    #[test]
    fn a_publisher_that_the_server_left_while_idle_comes_back() {
        const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"id\":9}";
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            drop(listener.accept().unwrap());
            let (mut socket, _) = listener.accept().unwrap();
            let got = socket.read(&mut [0; 4096]).unwrap();
            socket.write_all(ANSWER).unwrap();
            (got, socket)
        });
        let run = RunId::nth(1);
        let mut reactor =
            Reactor::new(Clock::start(), Vec::new(), Tally::new(run, true, Format::Json), Stop::default())
                .unwrap();
        reactor.add_sender(Sender::connect(address).unwrap()).unwrap();
        let template = Template::new("POST / HTTP/1.1\r\n", b"", run, 0, b"");
        // The end of the first connection is an event, and what is published afterwards takes the second.
        while reactor.reconnects == 0 {
            reactor.turn(Duration::from_secs(1)).unwrap();
        }
        reactor.publish(&template, 5, 0);
        while reactor.acks.is_empty() {
            assert!(reactor.faults.is_empty(), "{:?}", reactor.faults);
            reactor.turn(Duration::from_secs(1)).unwrap();
        }
        assert!(server.join().unwrap().0 > 0);
        let ack = reactor.acks[0];
        assert_eq!((ack.sequence, ack.status, ack.id), (5, 200, Some(9)));
    }
}

//! One connection that sends requests, each after the answer to the one before.

use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
};

use mio::net::TcpStream;

use crate::client::{
    Nanos,
    answer::{Answered, Reader},
    format::Format,
    transport::Transport,
};

pub(crate) use super::request::{Ack, Endpoint, Failure};

/// What the poll has seen on a socket, besides room to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Nothing,
    Bytes,
    /// The end of the connection, perhaps after bytes. It is not told again.
    End,
}

/// What one look at a connection led to.
#[derive(Debug)]
pub(crate) enum Step {
    Same,
    /// The server ended the connection while nothing was asked on it.
    Left,
    /// The server had left before it got the request, which may be sent once more.
    Again,
    Done(Ack),
}

#[derive(Debug, Clone, Copy)]
struct UnderWay {
    sequence: u32,
    due: Nanos,
    sent: Nanos,
    /// Whether the connection had served another request before.
    is_reused: bool,
}

/// A connection that has at most one request under way.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) endpoint: Arc<Endpoint>,
    /// None while it is not connected.
    transport: Option<Transport>,
    is_connecting: bool,
    is_used: bool,
    request: Vec<u8>,
    /// How much of the request the socket has taken.
    written: usize,
    reader: Reader,
    under_way: Option<UnderWay>,
}

impl Sender {
    /// Returns a sender that is not connected yet.
    pub(crate) fn new(endpoint: Arc<Endpoint>) -> Self {
        Self {
            endpoint,
            transport: None,
            is_connecting: false,
            is_used: false,
            request: Vec::new(),
            written: 0,
            reader: Reader::default(),
            under_way: None,
        }
    }

    /// Takes a socket over whose connection has begun.
    pub(crate) fn attach(&mut self, socket: TcpStream) -> io::Result<&mut TcpStream> {
        socket.set_nodelay(true)?;
        self.reader = Reader::default();
        (self.is_connecting, self.is_used, self.written) = (true, false, 0);
        let transport = Transport::new(socket, self.endpoint.tls.as_ref())?;
        Ok(self.transport.insert(transport).socket())
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.transport.is_some()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.is_none()
    }

    /// Returns when the request under way was sent.
    pub(crate) fn sent(&self) -> Option<Nanos> {
        self.under_way.map(|request| request.sent)
    }

    /// Begins a request, which `write` puts over an earlier one. It is sent at the next call of [`Self::serve`].
    ///
    /// # Panics
    /// When a request is under way.
    pub(crate) fn begin(&mut self, sequence: u32, due: Nanos, sent: Nanos, write: impl FnOnce(&mut Vec<u8>)) {
        assert!(self.is_idle(), "a sender has one request at a time");
        write(&mut self.request);
        self.written = 0;
        self.under_way = Some(UnderWay { sequence, due, sent, is_reused: self.is_used });
    }

    /// Writes and reads what the socket takes and has.
    pub(crate) fn serve(&mut self, scratch: &mut [u8], seen: Seen, now: Nanos) -> Step {
        let outcome = self
            .write()
            .and_then(|()| if seen == Seen::Nothing { Ok(None) } else { self.read(scratch, seen) });
        match outcome {
            Ok(None) => Step::Same,
            Ok(Some(answered)) => {
                self.is_used = true;
                if answered.closes || !self.endpoint.keep_alive || seen == Seen::End {
                    self.transport = None;
                }
                let id = self.endpoint.wants_id.then(|| Format::Json.id(self.reader.body())).flatten();
                match self.under_way.take() {
                    Some(UnderWay { sequence, due, sent, .. }) => {
                        Step::Done(Ack { sequence, outcome: Ok(answered.status), id, due, sent, at: now })
                    }
                    // An answer without a request, such as 408 before the server leaves.
                    None => self.drop_connection(),
                }
            }
            Err(failure) => self.fail(failure, now),
        }
    }

    /// Gives the request under way up.
    pub(crate) fn fail(&mut self, failure: Failure, now: Nanos) -> Step {
        let had_nothing = self.reader.is_empty();
        self.transport = None;
        let Some(request) = &mut self.under_way else { return Step::Left };
        let has_left = matches!(failure, Failure::Closed | Failure::Broken(_));
        if has_left && request.is_reused && had_nothing && self.endpoint.is_safe {
            request.is_reused = false;
            return Step::Again;
        }
        let UnderWay { sequence, due, sent, .. } = *request;
        self.under_way = None;
        Step::Done(Ack { sequence, outcome: Err(failure), id: None, due, sent, at: now })
    }

    fn drop_connection(&mut self) -> Step {
        self.transport = None;
        Step::Left
    }

    fn write(&mut self) -> Result<(), Failure> {
        let Some(transport) = &mut self.transport else { return Ok(()) };
        if self.is_connecting {
            let socket = transport.socket();
            let refused = |error: io::Error| Failure::Connect(error.kind().to_string());
            if let Some(error) = socket.take_error().map_err(refused)? {
                return Err(refused(error));
            }
            match socket.peer_addr() {
                Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(()),
                other => other.map_err(refused)?,
            };
            self.is_connecting = false;
        }
        while self.under_way.is_some() && self.written < self.request.len() {
            match transport.write(&self.request[self.written..]) {
                Ok(taken) => self.written += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(&error)),
            }
        }
        transport.flush().map_err(|error| broken(&error))
    }

    fn read(&mut self, scratch: &mut [u8], seen: Seen) -> Result<Option<Answered>, Failure> {
        let Some(transport) = self.transport.as_mut().filter(|_| !self.is_connecting) else {
            return Ok(None);
        };
        loop {
            let got = match transport.read(scratch) {
                Ok(0) if self.reader.is_empty() => return Err(Failure::Closed),
                Ok(0) => return self.reader.end().map(Some).ok_or(Failure::Cut),
                Ok(got) => got,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(&error)),
            };
            let Endpoint { to_head, wants_id, .. } = *self.endpoint;
            if let Some(mut answered) = self.reader.take(&scratch[..got], to_head, wants_id)? {
                // What follows an answer has no request.
                answered.closes |= answered.used < got;
                return Ok(Some(answered));
            }
            // A short read from a plain socket means that there was no more.
            if got < scratch.len() && transport.drains() && seen == Seen::Bytes {
                return Ok(None);
            }
        }
    }
}

fn broken(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => Failure::Closed,
        // Such as what rustls says of a certificate.
        ErrorKind::Other => Failure::Broken(error.to_string()),
        kind => Failure::Broken(kind.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{SocketAddr, TcpListener},
        thread,
        time::Duration,
    };

    use super::*;
    use crate::{
        client::{
            Clock,
            http::HttpError,
            message::{RunId, Template},
            reactor::Reactor,
            tally::Tally,
        },
        process::stop::Stop,
    };

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"id\":9}";

    fn reactor(endpoint: Endpoint) -> Reactor {
        let tally = Tally::new(RunId::nth(1), true, Format::Json);
        let mut reactor = Reactor::new(Clock::start(), Vec::new(), tally, Stop::default()).unwrap();
        reactor.add_sender(Sender::new(Arc::new(endpoint)));
        reactor
    }

    fn ack(reactor: &mut Reactor) -> Ack {
        while reactor.acks.is_empty() {
            reactor.turn(Duration::from_secs(1)).unwrap();
        }
        reactor.acks.remove(0)
    }

    /// Answers one request on each of some connections, and leaves.
    fn answer_once(connections: usize) -> (SocketAddr, thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            for _ in 0..connections {
                let (mut socket, _) = listener.accept().unwrap();
                assert!(socket.read(&mut [0; 4096]).unwrap() > 0);
                socket.write_all(ANSWER).unwrap();
            }
        });
        (address, server)
    }

    #[test]
    fn a_publisher_that_the_server_left_comes_back() {
        let (address, server) = answer_once(2);
        let mut reactor = reactor(Endpoint::clone(&Endpoint::publish(address)));
        let template = Template::new("POST / HTTP/1.1\r\n", b"", RunId::nth(1), 0, b"");
        reactor.publish(&template, 5, 0);
        let first = ack(&mut reactor);
        assert_eq!((first.sequence, first.outcome, first.id), (5, Ok(200), Some(9)));
        // Whether the end comes with the answer or after it.
        while reactor.is_connected() {
            reactor.turn(Duration::from_secs(1)).unwrap();
        }
        reactor.publish(&template, 6, 0);
        assert_eq!(ack(&mut reactor).outcome, Ok(200));
        server.join().unwrap();
    }

    /// Answers once on a first connection and leaves when the next request has come; answers on a second one.
    fn leave_with_a_request(is_safe: bool) -> Result<u16, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut first, _) = listener.accept().unwrap();
            assert!(first.read(&mut [0; 4096]).unwrap() > 0);
            first.write_all(ANSWER).unwrap();
            assert!(first.read(&mut [0; 4096]).unwrap() > 0);
            drop(first);
            let Ok((mut second, _)) = listener.accept() else { return };
            assert!(second.read(&mut [0; 4096]).unwrap() > 0);
            second.write_all(ANSWER).unwrap();
        });
        let mut reactor = reactor(Endpoint { is_safe, ..Endpoint::clone(&Endpoint::publish(address)) });
        let mut outcome = Ok(0);
        for _ in 0..2 {
            reactor.send(0, 0, |request| *request = b"GET / HTTP/1.1\r\n\r\n".to_vec());
            outcome = ack(&mut reactor).outcome;
        }
        outcome
    }

    #[test]
    fn only_a_safe_request_is_sent_again_when_the_server_has_left() {
        assert_eq!(leave_with_a_request(true), Ok(200));
        assert_eq!(leave_with_a_request(false), Err(Failure::Closed));
    }

    #[test]
    fn a_request_without_an_answer_is_given_up_and_its_connection_too() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint::publish(listener.local_addr().unwrap());
        let mut reactor = reactor(Endpoint::clone(&endpoint));
        reactor.send(7, 0, |request| request.extend_from_slice(b"GET / HTTP/1.1\r\n\r\n"));
        reactor.give_up(Duration::from_mins(1));
        assert!(reactor.acks.is_empty() && reactor.under_way() == 1);
        reactor.give_up(Duration::ZERO);
        assert_eq!((reactor.acks[0].sequence, &reactor.acks[0].outcome), (7, &Err(Failure::TimeOut)));
        assert!(!reactor.is_connected() && reactor.under_way() == 0);
        assert_eq!(reactor.most_under_way, 1);
    }

    #[test]
    fn each_failure_has_its_kind_and_the_next_request_a_new_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut reactor = reactor(Endpoint::clone(&Endpoint::publish(address)));
        let server = thread::spawn(move || {
            for answer in [&b""[..], b"SSH-2.0-x\r\n\r\n", &ANSWER[..20], ANSWER] {
                let (mut socket, _) = listener.accept().unwrap();
                assert!(socket.read(&mut [0; 4096]).unwrap() > 0);
                socket.write_all(answer).unwrap();
            }
        });
        let mut send = || {
            // One that has failed is idle from the next turn on.
            reactor.turn(Duration::ZERO).unwrap();
            reactor.send(0, 0, |request| *request = b"GET / HTTP/1.1\r\n\r\n".to_vec());
            ack(&mut reactor).outcome
        };
        assert_eq!(send(), Err(Failure::Closed));
        assert_eq!(send(), Err(Failure::Http(HttpError::NotHttp)));
        assert_eq!(send(), Err(Failure::Cut));
        assert_eq!(send(), Ok(200));
        server.join().unwrap();
        assert_eq!(send(), Err(Failure::Connect("connection refused".to_owned())));
    }
}

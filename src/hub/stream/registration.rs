//! A stream before it has its socket.

use std::{future::Future, sync::Arc};

use bytes::Bytes;

use super::{Guard, Stream};
use crate::hub::{
    ConnectionId, EndReason, Framing, KernelSocket, MessageId, connection::Connection, filter::Filter,
    reactor::Record, shared::Shared, socket::Socket,
};

/// A place in the hub, taken before there is a socket: from here on no message is missed. Dropping it gives the
/// place up.
#[derive(Debug)]
pub struct Registration {
    guard: Guard,
    needs_head: bool,
}

impl Registration {
    pub(in crate::hub) fn new(shared: Arc<Shared>, connection: Arc<Connection>, needs_head: bool) -> Self {
        Self { guard: Guard { shared, connection }, needs_head }
    }

    /// The id of this registration.
    pub fn id(&self) -> ConnectionId {
        self.guard.connection.id
    }

    /// Answers whether the store is to be asked for the user's newest message before the stream is given its socket,
    /// see [`Registration::start_after`]. Only where the hub does not know enough: for a user's first stream, and for
    /// one that has seen more than the hub knows of.
    pub fn needs_head(&self) -> bool {
        self.needs_head
    }

    /// Says that `head` is the user's newest message in the store (0 if there is none), asked for after the
    /// registration. The stream brings everything that is stored after it. A stream that was registered with a later
    /// `since` begins at `head` too: its peer has seen messages that the store no longer has.
    ///
    /// Without this call the hub takes it that the store had nothing that it has not been given.
    pub fn start_after(&mut self, head: MessageId) {
        self.guard.connection.start_after(head);
        self.needs_head = false;
    }

    /// Returns by how many ids the user's newest message is above the one after which the stream begins. The stream has
    /// at most so many messages to catch up on; fewer where ids in between are those of other users, or were deleted.
    pub fn ids_behind(&self) -> u64 {
        self.guard.connection.ids_behind()
    }

    /// Ends the stream before it has a socket: the one that it is given carries nothing but the end.
    pub fn close(&self, reason: EndReason) {
        self.guard.close(reason);
    }

    /// Lets the stream bring only the messages that a filter asks for.
    pub fn ask_for(&mut self, filter: Filter) {
        self.guard.connection.ask_for(filter);
    }

    /// Lets the stream bring events that are no messages too, see [`Hub::notify_event`](crate::hub::Hub::notify_event).
    ///
    /// An event comes after the messages that came before it. One that was brought just before the registration may
    /// come too. Events are not kept: a stream that was behind when they
    /// came, one that was registered with `since`, and one whose user had too many at once, miss them. When such a
    /// stream has all messages again, it brings `missed` once instead, so that its peer can ask for what has changed.
    /// `missed` is what goes to the socket, header included, in the format of this stream. A [`Filter`] does not
    /// choose among events.
    pub fn ask_for_events(&mut self, missed: impl Into<Bytes>) {
        self.guard.connection.ask_for_events(missed.into());
    }

    /// Lets each ping carry the id of the last message that was written before it, so that the peer's pong tells what
    /// has reached it, see [`Stream::on_pong_with`]. Costs this stream a small allocation.
    pub fn ask_for_ids_in_pings(&mut self) {
        self.guard.connection.ask_for_ids_in_pings();
    }

    /// Returns the message after which the stream begins; 0 where it begins with the user's first one, or none is known.
    pub fn begins_after(&self) -> MessageId {
        self.guard.connection.cursor()
    }

    /// Gives the stream its socket, and speaks WebSocket on it ([`Framing::WEBSOCKET`]). What was published
    /// since the registration goes out once the stream is polled.
    pub fn attach(self, socket: impl Socket) -> Stream {
        self.attach_boxed(Box::new(socket))
    }

    /// As [`Registration::attach`], for a socket that is in a box already.
    pub fn attach_boxed(self, socket: Box<dyn Socket>) -> Stream {
        self.attach_framed(socket, &Framing::WEBSOCKET)
    }

    /// As [`Registration::attach_boxed`], for a peer that is spoken to in another way than by WebSocket.
    pub fn attach_framed(self, socket: Box<dyn Socket>, framing: &'static Framing) -> Stream {
        self.attach_shared(socket.into(), framing)
    }

    /// Gives the stream a socket of the kernel, and lets one of the hub's own threads run what `make` makes of it. That
    /// is polled when the socket is ready for something, and when it is woken; a panic ends this stream alone. It is
    /// dropped with the hub at the latest.
    ///
    /// What `make` makes must poll the stream with the waker that it is polled with: not in another task, nor in a set of
    /// futures with wakers of their own.
    ///
    /// A stream costs less than half as much memory as with a task. Whatever needs tokio may run there, but what takes
    /// long keeps other streams waiting. If there can be no thread, it runs as a task.
    ///
    /// # Panics
    /// Outside a tokio runtime, if there can be no thread.
    pub fn run<F>(self, socket: impl Into<KernelSocket>, make: impl FnOnce(Stream) -> F)
    where
        F: Future<Output = EndReason> + Send + 'static,
    {
        let socket = socket.into();
        match self.guard.shared.reactors.next() {
            Ok(reactor) => match Record::new(socket, Arc::clone(&reactor)).map(Arc::new) {
                Ok(record) => {
                    let stream = self.attach_shared(Arc::clone(&record) as _, &Framing::WEBSOCKET);
                    reactor.add(&record, Box::pin(make(stream)));
                }
                Err(error) => tracing::error!(%error, "failed to take the socket of a stream"),
            },
            Err(error) => {
                tracing::warn!(%error, "failed to start a thread for streams, a task runs this one");
                tokio::spawn(make(self.attach_boxed(socket.boxed())));
            }
        }
    }

    fn attach_shared(self, socket: Arc<dyn Socket>, framing: &'static Framing) -> Stream {
        let Self { guard, .. } = self;
        guard.shared.attach(&guard.connection, socket, framing);
        Stream { guard, load: None, chunk: None }
    }
}

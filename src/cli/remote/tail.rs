//! `shardcast tail`: every message once, also across lost connections.
//!
//! A server that understands `since` says so in its answer to the handshake, and sends first what was stored after the
//! message that came last. Gotify does not: what its stream lacks is read from `GET /message`, once before the stream is
//! opened, when it may be much, and once more when it is open, so that nothing is missed between the two. What comes
//! both ways is shown once.
//!
//! A server that understands `since` also lists messages oldest first. So they are read where a stream does not bring all
//! that was missed, because it is too much.

use crate::causes::with_sources;
use std::io;
use std::path::PathBuf;

use tokio::time::sleep;

use super::api::Page;
use super::back_off::BackOff;
use super::seen::Seen;
use super::stream::{Filter, Received, StreamError};
use super::{Account, Api, MessageStream, RemoteError, RequestError, output};
use crate::auth::TokenKind;
use crate::cli::arguments::TailArguments;
use crate::cli::{print_line, print_problem};
use crate::config::on_one_line;
use crate::model::Message;

/// A tail that is under way.
struct Tail {
    api: Api,
    filter: Filter,
    is_json: bool,
    /// How many messages may still be printed.
    left: Option<u64>,
    /// Whether the server's streams do not begin where they are asked to.
    is_plain_gotify: bool,
    /// Whether the server has answered as it should. A server that has not is probably not the one that was meant.
    was_reached: bool,
}

/// Why a tail does not go on.
#[derive(Debug, thiserror::Error)]
enum End {
    /// As many messages were printed as were asked for, or nobody reads them any more.
    #[error("done")]
    Done,
    #[error(transparent)]
    Output(io::Error),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Stream(#[from] StreamError),
}

pub(super) async fn run(arguments: TailArguments, file: Option<PathBuf>) -> Result<(), RemoteError> {
    let TailArguments { url, token, since, applications, min_priority, limit, no_follow, json } = arguments;
    let account = Account::find(url, token, TokenKind::Client, file)?;
    let mut tail = Tail {
        api: Api::new(account),
        filter: Filter { applications, min_priority },
        is_json: json,
        left: limit.map(u64::from),
        is_plain_gotify: false,
        was_reached: false,
    };
    let outcome = if no_follow {
        tail.catch_up(&mut Seen::up_to(since.unwrap_or(0))).await
    } else {
        tail.follow(since).await
    };
    match outcome {
        Ok(()) | Err(End::Done) => Ok(()),
        Err(End::Output(error)) => Err(RemoteError::Output(error)),
        Err(End::Request(error)) => Err(error.into()),
        Err(End::Stream(error)) => unreachable!("a stream that has ended is opened again: {error}"),
    }
}

impl Tail {
    /// Prints messages until something ends it for good.
    async fn follow(&mut self, since: Option<u64>) -> Result<(), End> {
        // Nothing that is stored from here on is missed, even if the first stream is lost at once.
        let mut seen = if let Some(id) = since {
            Seen::up_to(id)
        } else {
            let newest = self.api.newest_message().await?;
            self.was_reached = true;
            Seen::up_to(newest.0)
        };
        let mut back_off = BackOff::default();
        loop {
            let Err(end) = self.listen(&mut seen, &mut back_off).await else { continue };
            let wait = match &end {
                End::Done | End::Output(_) => return Err(end),
                End::Request(error) if error.is_about_token() || !self.was_reached => return Err(end),
                End::Request(error) => back_off.next(error.retry_after()),
                End::Stream(_) => back_off.next(None),
            };
            print_problem(&format!("{}; trying again", with_sources(&end)));
            sleep(wait).await;
        }
    }

    /// Opens a stream and prints what it brings. Returns if another one must be opened at once.
    async fn listen(&mut self, seen: &mut Seen, back_off: &mut BackOff) -> Result<(), End> {
        if self.is_plain_gotify {
            self.catch_up(seen).await?;
        }
        let mut stream = MessageStream::open(self.api.account(), seen.newest(), &self.filter).await?;
        self.was_reached = true;
        if !stream.resumes && !self.is_plain_gotify {
            // What it has missed may take long to read, and Gotify lets senders wait for a stream that nobody reads.
            self.is_plain_gotify = true;
            return Ok(());
        }
        self.is_plain_gotify = !stream.resumes;
        if self.is_plain_gotify {
            self.catch_up(seen).await?;
        }
        loop {
            match stream.next().await {
                Ok(Received::Message(message)) => self.receive(seen, &message)?,
                Ok(Received::Unknown(error)) => {
                    print_problem(&on_one_line(&format!("the server sent what is no message: {error}")));
                }
                Err(StreamError::TooFarBehind) => {
                    let newest = seen.newest();
                    self.catch_up(seen).await?;
                    // A server whose list does not have what its stream lacks is not asked again at once.
                    let is_further = seen.newest() > newest;
                    return if is_further { Ok(()) } else { Err(StreamError::TooFarBehind.into()) };
                }
                Err(error) => return Err(error.into()),
            }
            back_off.reset();
        }
    }

    /// Prints the stored messages that have not come yet, the oldest first.
    async fn catch_up(&mut self, seen: &mut Seen) -> Result<(), End> {
        let mut page = self.api.messages_after(seen.floor()).await?;
        if !page.is_oldest_first() {
            return self.catch_up_backwards(seen, page).await;
        }
        loop {
            for message in &page.messages {
                if seen.lacks(message.id.0) {
                    self.receive(seen, message)?;
                }
            }
            let Some(last) = page.last_before_more() else { return Ok(()) };
            page = self.api.messages_after(last).await?;
        }
    }

    /// As [`Self::catch_up`], from a server that lists the newest first: `page` has the newest.
    ///
    /// The bounds of the pages are found first, and then the pages are read again from the other end: memory holds one
    /// page, however many there are.
    async fn catch_up_backwards(&mut self, seen: &mut Seen, mut page: Page) -> Result<(), End> {
        let newest = page.messages.first().map_or(0, |message| message.id.0);
        seen.note_newest(newest);
        // Each page is what is below its bound.
        let mut bounds = vec![newest + 1];
        while let Some(oldest) = page.messages.last().map(|message| message.id.0)
            && oldest > seen.floor()
            && page.has_more()
        {
            bounds.push(oldest);
            page = self.api.messages(Some(oldest)).await?;
        }
        loop {
            for message in page.messages.iter().rev().filter(|message| message.id.0 <= newest) {
                if seen.lacks(message.id.0) {
                    self.receive(seen, message)?;
                }
            }
            bounds.pop();
            let Some(&below) = bounds.last() else { return Ok(()) };
            page = self.api.messages(Some(below)).await?;
        }
    }

    /// Prints a message, unless it has come before or is not wanted.
    fn receive(&mut self, seen: &mut Seen, message: &Message) -> Result<(), End> {
        if !seen.add(message.id.0) || !self.filter.takes(message) {
            return Ok(());
        }
        let line = if self.is_json { output::json(message) } else { output::text(message) };
        print_line(&line).map_err(|error| match error.kind() {
            // The reader has seen enough, as `head` has.
            io::ErrorKind::BrokenPipe => End::Done,
            _ => End::Output(error),
        })?;
        if let Some(left) = &mut self.left {
            *left -= 1;
            if *left == 0 {
                return Err(End::Done);
            }
        }
        Ok(())
    }
}

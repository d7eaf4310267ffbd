//! The hub in a plain tokio program: no HTTP, no database, a protocol of its own over TCP.
//!
//! A listener connects and says which user it is, in eight bytes. From then on it gets that user's messages as
//! WebSocket frames, since the hub's own words, pings and closes, are those. Whatever it sends shows that it lives.
//!
//! `cargo run --example hub_only --no-default-features`

#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::{error::Error, io, net::SocketAddr, time::Duration};

use shardcast::hub::{EndReason, Frame, Hub, HubConfig, MessageId, UserId};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for line in run().await? {
        println!("{line}");
    }
    Ok(())
}

/// Serves two listeners of one user, brings them two messages, and tells what they got.
pub(crate) async fn run() -> Result<Vec<String>, Box<dyn Error>> {
    let hub = Hub::new(HubConfig::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(accept(listener, hub.clone()));

    let ann = UserId(1);
    let mut phone = Client::connect(address, ann).await?;
    let mut laptop = Client::connect(address, ann).await?;

    hub.notify(ann, &[Frame::text(MessageId(1), b"hello"), Frame::text(MessageId(2), b"and again")]);
    let mut told = Vec::new();
    for (name, client) in [("phone", &mut phone), ("laptop", &mut laptop)] {
        for _ in 0..2 {
            told.push(format!("{name}: {}", client.next().await?.unwrap_or_default()));
        }
    }

    // Everybody is told that it is over, within a second.
    let left = hub.close_all(Duration::ZERO, Duration::from_secs(1));
    let (left, last) = tokio::join!(left, async { tokio::try_join!(phone.next(), laptop.next()) });
    told.push(format!("{left} left, {:?} after the end", last?));
    server.abort();
    Ok(told)
}

async fn accept(listener: TcpListener, hub: Hub) -> io::Result<()> {
    loop {
        let (socket, _) = listener.accept().await?;
        let hub = hub.clone();
        // Ends with its stream, and the stream at the latest with the hub.
        tokio::spawn(async move { serve(socket, hub).await.map(EndReason::name) });
    }
}

/// Registers one listener, and looks after its stream until it ends.
async fn serve(mut socket: TcpStream, hub: Hub) -> io::Result<EndReason> {
    let user = UserId(socket.read_u64().await?);
    let registration = hub.register(user, "no tokens here", None).map_err(io::Error::other)?;
    // From here on no message is missed: the client may know.
    socket.write_u8(b'+').await?;
    Ok(registration.attach(socket).serve(|stream, _| stream.on_pong()).await)
}

/// The other side.
struct Client(TcpStream);

impl Client {
    async fn connect(address: SocketAddr, user: UserId) -> io::Result<Self> {
        let mut socket = TcpStream::connect(address).await?;
        socket.write_u64(user.0).await?;
        socket.read_u8().await?;
        Ok(Self(socket))
    }

    /// Returns the next message; `None` at the end.
    async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            let (kind, length) = (self.0.read_u8().await?, self.0.read_u8().await?);
            let mut payload = vec![0; length.into()];
            self.0.read_exact(&mut payload).await?;
            match kind {
                0x81 => return Ok(Some(String::from_utf8_lossy(&payload).into_owned())),
                // A ping: any byte will do.
                0x89 => self.0.write_u8(b'.').await?,
                // A close frame. Going away answers it.
                _ => {
                    self.0.shutdown().await?;
                    return Ok(None);
                }
            }
        }
    }
}

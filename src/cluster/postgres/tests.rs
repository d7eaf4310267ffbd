//! PostgreSQL's notifications are a backplane like any other, and a lost connection is noticed.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::*;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

fn backplane(prefix: &str) -> PostgresBackplane {
    let url =
        std::env::var("SHARDCAST_TEST_POSTGRES").expect("`.ci/servers.py` starts a server and sets this");
    PostgresBackplane::new(&url, prefix).unwrap()
}

mod conforms {
    use super::backplane;
    use crate::cluster::conformance;

    conformance::suite!(backplane, #[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]);
}

/// Between a backplane and the server. It closes its first connection when it is asked to, and lets each one after the
/// second wait until it is.
struct Proxy {
    port: u16,
    close_first: Arc<Semaphore>,
    /// Has a permit for each connection after the second.
    came: Arc<Semaphore>,
    let_in: Arc<Semaphore>,
    _task: AbortOnDropHandle<()>,
}

impl Proxy {
    async fn before(server: &PgConnectOptions) -> Self {
        let server = (server.get_host().to_owned(), server.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let [close_first, came, let_in] = std::array::from_fn(|_| Arc::new(Semaphore::new(0)));
        let (close, comes, enters) = (Arc::clone(&close_first), Arc::clone(&came), Arc::clone(&let_in));
        let task = crate::task::spawn(async move {
            for number in 0.. {
                let (mut client, _) = listener.accept().await.unwrap();
                let (server, close, enters) = (server.clone(), Arc::clone(&close), Arc::clone(&enters));
                if number >= 2 {
                    comes.add_permits(1);
                }
                crate::task::spawn(async move {
                    if number >= 2 {
                        drop(enters.acquire().await.unwrap());
                    }
                    let mut upstream = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut upstream) => {}
                        _ = close.acquire(), if number == 0 => {}
                    }
                });
            }
        });
        Self { port, close_first, came, let_in, _task: AbortOnDropHandle::new(task) }
    }
}

#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn a_lost_connection_is_not_made_again_unsaid_while_a_channel_is_added() {
    let mut backplane = backplane(&format!("test_{:016x}", rand::random::<u64>()));
    let proxy = Proxy::before(&backplane.options).await;
    backplane.options = backplane.options.clone().host("127.0.0.1").port(proxy.port);
    let channel = |number| Channel::from_number(number).unwrap();
    let inbox = Inbox::new();
    let mut link = backplane.connect(inbox.clone()).await.unwrap();
    link.subscribe(&[channel(1)]).await.unwrap();

    proxy.close_first.add_permits(1);
    let connects_again = async {
        drop(proxy.came.acquire().await);
        let channels = [channel(2)];
        tokio::join!(link.subscribe(&channels), async { proxy.let_in.add_permits(99) })
    };
    let lost = async {
        tokio::select! {
            biased;
            why = inbox.until_lost() => return why,
            _ = connects_again => {}
        }
        inbox.until_lost().await
    };
    timeout(PATIENCE, lost).await.expect("the loss is noticed");
}

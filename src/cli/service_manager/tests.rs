//! What a service manager reads.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tempfile::TempDir;
use tokio::time::advance;

use super::*;

/// The socket of a service manager.
struct FakeManager {
    socket: UnixDatagram,
    path: PathBuf,
    _folder: TempDir,
}

impl FakeManager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, path, _folder: folder }
    }

    fn manager(&self, variables: &[(&str, &str)]) -> ServiceManager {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        ServiceManager::from_variables(|name| match name {
            "NOTIFY_SOCKET" => Some(self.path.clone().into()),
            _ => find(name).map(|(_, value)| (*value).into()),
        })
    }

    /// Takes what was sent so far.
    fn take(&self) -> Vec<String> {
        let mut bytes = [0; 1000];
        let mut taken = Vec::new();
        loop {
            match self.socket.recv(&mut bytes) {
                Ok(length) => taken.push(String::from_utf8(bytes[..length].to_vec()).unwrap()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return taken,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Lets so many periods pass, and all tasks do in each of them what they have to.
async fn pass(count: usize, period: Duration) {
    for _ in 0..count {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        advance(period).await;
    }
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_is_pinged_twice_per_limit_until_the_server_is_dead() {
    let fake = FakeManager::new();
    let manager = fake.manager(&[("WATCHDOG_USEC", "4000000")]);
    let alive = Arc::new(AtomicBool::new(true));
    let is_alive = Arc::clone(&alive);
    let _sending = manager.serving(|| "idle".to_owned(), move || is_alive.load(Ordering::SeqCst));
    pass(2, Duration::from_secs(2)).await;
    assert_eq!(fake.take(), ["WATCHDOG=1\nSTATUS=idle", "WATCHDOG=1", "WATCHDOG=1"]);

    alive.store(false, Ordering::SeqCst);
    pass(5, Duration::from_secs(2)).await;
    assert!(fake.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_a_watchdog_only_a_changed_status_is_sent() {
    let fake = FakeManager::new();
    let streams = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&streams);
    let status = move || serving_status(&["http://localhost:80"], count.load(Ordering::SeqCst));
    let manager = fake.manager(&[]);
    let sending = manager.serving(status, || true);
    pass(3, STATUS_PERIOD).await;
    assert_eq!(fake.take(), ["STATUS=listening on http://localhost:80; streams: 0"]);
    streams.store(7, Ordering::SeqCst);
    pass(1, STATUS_PERIOD).await;
    assert_eq!(fake.take(), ["STATUS=listening on http://localhost:80; streams: 7"]);

    drop(sending);
    streams.store(8, Ordering::SeqCst);
    pass(2, STATUS_PERIOD).await;
    assert!(fake.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_start_and_an_end_ask_for_more_time_before_it_is_over() {
    let fake = FakeManager::new();
    let manager = fake.manager(&[]);
    assert!(EXTENSION_PERIOD * 2 < EXTENSION);
    let more = "EXTEND_TIMEOUT_USEC=30000000";
    let starting = manager.starting().await;
    pass(2, EXTENSION_PERIOD).await;
    assert_eq!(fake.take(), ["STATUS=starting: the database is opened", more, more, more]);
    drop(starting);
    let _stopping = manager.stopping("stopping").await;
    pass(1, EXTENSION_PERIOD).await;
    let status = "STOPPING=1\nSTATUS=stopping";
    assert_eq!(fake.take(), [status, more, more]);
}

#[test]
fn a_watchdog_is_for_the_process_that_it_names() {
    let limit = |usec: &'static str, process: Option<String>| {
        watchdog(|name| match name {
            "WATCHDOG_USEC" => Some(usec.into()),
            _ => process.clone().map(Into::into),
        })
    };
    let own = std::process::id().to_string();
    assert_eq!(limit("1500000", None), Some(Duration::from_millis(1500)));
    assert_eq!(limit("1500000", Some(own)), Some(Duration::from_millis(1500)));
    assert_eq!(limit("1500000", Some("1".to_owned())), None);
    for bad in ["0", "soon", "-5", ""] {
        assert_eq!(limit(bad, None), None, "{bad}");
    }
    assert_eq!(watchdog(|_| None), None);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_manager_may_listen_on_a_name_without_a_file() {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;

    let name = format!("shardcast-test-{}", std::process::id());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let manager = ServiceManager::from_variables(|variable| {
        (variable == "NOTIFY_SOCKET").then(|| format!("@{name}").into())
    });
    manager.ready("idle").await;
    let mut bytes = [0; 100];
    let length = socket.recv(&mut bytes).unwrap();
    assert_eq!(&bytes[..length], b"READY=1\nSTATUS=idle");
}

#[tokio::test]
async fn without_a_manager_or_with_one_that_is_gone_the_server_goes_on() {
    for address in ["", "relative", "vsock:2:1234", "/nowhere/notify"] {
        let manager =
            ServiceManager::from_variables(|name| (name == "NOTIFY_SOCKET").then(|| address.into()));
        manager.ready("idle").await;
        assert_eq!(manager.starting().await.is_some(), address.starts_with('/'), "{address}");
    }
}

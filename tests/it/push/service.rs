//! A push service, and browsers that subscribe at it: the receiving side of RFC 8030, RFC 8291 and RFC 8292.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::prelude::*;
use parking_lot::Mutex;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::harness::{Answer, TestServer};
use crate::listener::PATIENCE;

/// What was sent to the push service.
#[derive(Debug)]
pub(super) struct Pushed {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Pushed {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// A push service.
pub(super) struct Service {
    pub(super) origin: String,
    received: mpsc::Receiver<Pushed>,
    shared: Arc<Shared>,
}

struct Shared {
    sender: mpsc::Sender<Pushed>,
    /// What it answers next; 201 when there is nothing.
    answers: Mutex<VecDeque<ScriptedAnswer>>,
}

/// A status and a header.
type ScriptedAnswer = (StatusCode, [(&'static str, String); 1]);

async fn receive(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert_eq!(method, Method::POST);
    shared.sender.send(Pushed { path: uri.path().to_owned(), headers, body }).await.unwrap();
    let answer = shared.answers.lock().pop_front();
    answer.map_or_else(|| StatusCode::CREATED.into_response(), IntoResponse::into_response)
}

impl Service {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (sender, received) = mpsc::channel(100);
        let shared = Arc::new(Shared { sender, answers: Mutex::default() });
        let router = axum::Router::new().fallback(receive).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { origin, received, shared }
    }

    /// Answers so once, after what it was to answer before.
    pub(super) fn answer(&self, status: u16, header: (&'static str, &str)) {
        let header = [(header.0, header.1.to_owned())];
        self.shared.answers.lock().push_back((StatusCode::from_u16(status).unwrap(), header));
    }

    /// Waits for what is pushed next.
    pub(super) async fn pushed(&mut self) -> Pushed {
        tokio::time::timeout(PATIENCE, self.received.recv()).await.expect("something is pushed").unwrap()
    }

    /// Waits for what is pushed with this urgency, and counts what is pushed before it, by its urgency.
    #[cfg(all(feature = "cluster", feature = "postgres"))]
    pub(super) async fn until(&mut self, urgency: &str) -> HashMap<String, u32> {
        let mut counts = HashMap::new();
        loop {
            let pushed = self.pushed().await.header("urgency").to_owned();
            if pushed == urgency {
                return counts;
            }
            *counts.entry(pushed).or_default() += 1;
        }
    }

    /// Answers whether nothing else was pushed by now.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.received.try_recv().is_err()
    }
}

/// A browser with a subscription.
pub(super) struct Browser {
    pub(super) endpoint: String,
    private: EphemeralPrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

impl Browser {
    pub(super) fn new(endpoint: String) -> Self {
        let random = SystemRandom::new();
        let private = EphemeralPrivateKey::generate(&ECDH_P256, &random).unwrap();
        let public = private.compute_public_key().unwrap().as_ref().to_vec();
        let mut auth = [0; 16];
        random.fill(&mut auth).unwrap();
        Self { endpoint, private, public, auth }
    }

    /// What `PushSubscription.toJSON()` returns, and the priority that the page adds.
    pub(super) fn subscription(&self, min_priority: i64) -> Value {
        let keys = json!({
            "p256dh": BASE64_URL_SAFE_NO_PAD.encode(&self.public),
            "auth": BASE64_URL_SAFE_NO_PAD.encode(self.auth),
        });
        json!({ "endpoint": self.endpoint, "expirationTime": null, "keys": keys, "minPriority": min_priority })
    }

    pub(super) async fn subscribe(&self, server: &TestServer, token: &str, min_priority: i64) -> Answer {
        let headers = [("X-Gotify-Key", token), ("Content-Type", "application/json")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let body = self.subscription(min_priority).to_string();
        server.send("PUT", "/shardcast/push", &headers, &body).await
    }

    /// Decrypts what came for it (RFC 8188, section 2, and RFC 8291, section 3). Its key is used up with that.
    pub(super) fn read(self, body: &[u8]) -> Value {
        let (salt, rest) = body.split_at(16);
        let (record_bytes, rest) = rest.split_at(4);
        assert_eq!(u32::from_be_bytes(record_bytes.try_into().unwrap()), 4096);
        let (id_bytes, rest) = rest.split_first().unwrap();
        let (as_public, record) = rest.split_at(usize::from(*id_bytes));
        let peer = UnparsedPublicKey::new(&ECDH_P256, as_public);
        let secret = agree_ephemeral(self.private, &peer, <[u8]>::to_vec).unwrap();
        let info = [b"WebPush: info\0", &self.public[..], as_public].concat();
        let ikm = derived(32, &self.auth, &secret, &info);
        let key = derived(16, salt, &ikm, b"Content-Encoding: aes128gcm\0");
        let nonce = derived(12, salt, &ikm, b"Content-Encoding: nonce\0");
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let mut record = record.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
        let text =
            key.open_in_place(nonce, Aad::empty(), &mut record).expect("it is encrypted for this browser");
        let (delimiter, text) = text.split_last().unwrap();
        assert_eq!(*delimiter, 2, "it is the last record");
        serde_json::from_slice(text).unwrap()
    }
}

fn derived(bytes: usize, salt: &[u8], secret: &[u8], info: &[u8]) -> Vec<u8> {
    struct Length(usize);

    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }

    let mut derived = vec![0; bytes];
    let key = Salt::new(HKDF_SHA256, salt).extract(secret);
    key.expand(&[info], Length(bytes)).unwrap().fill(&mut derived).unwrap();
    derived
}

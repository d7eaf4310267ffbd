//! Tokens and passwords wherever a request may carry them: a header per line, `name: value`; a line that begins with `?`
//! is the query.
//!
//! A request is let in only if it has a token or a password that is right.

use std::cell::OnceCell;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, Uri};
use shardcast::auth::{NewToken, TokenKind};
use shardcast::model::{Compatibility, UserId};
use shardcast::store::NewClient;

use super::world::{self, CHANGED_CLIENT, CLIENT, World};

/// `admin:admin` in base64.
const PASSWORD: &str = "YWRtaW46YWRtaW4";

thread_local! {
    /// A token of Gotify 3, as it is sent and as it is stored.
    static SECRET: OnceCell<(String, String)> = const { OnceCell::new() };
}

/// See the documentation of this file.
pub(crate) fn run(data: &[u8]) {
    world::with(Compatibility::V3, |world| {
        let (secret, stored) = SECRET.with(|secret| secret.get_or_init(|| make(world)).clone());
        // The fuzzer can't know it.
        let text = String::from_utf8_lossy(data).replace("{secret}", &secret).replace("{stored}", &stored);
        let mut request = Request::builder().uri("/current/user");
        let mut query = "";
        for line in text.split('\n') {
            if let Some(rest) = line.strip_prefix('?') {
                query = rest;
            } else if let Some((name, value)) = line.split_once(": ")
                && let Ok(name) = name.parse::<HeaderName>()
                && let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
            {
                request = request.header(name, value);
            }
        }
        let Ok(uri) = format!("/current/user?{query}").parse::<Uri>() else { return };
        let Ok(request) = request.uri(uri).body(Body::empty()) else { return };
        let answer = world.ask(request).expect("no stream was asked for");
        if answer.status == StatusCode::OK {
            let decoded = percent_encoding::percent_decode_str(&text).decode_utf8_lossy();
            let seed = secret.split_once('.').map_or("", |(_, seed)| seed);
            // The last character of base64 has bits that may be anything.
            let seed = &seed[..seed.len() - 1];
            let is_right =
                [CLIENT, CHANGED_CLIENT, PASSWORD, seed].iter().any(|right| decoded.contains(right));
            assert!(is_right, "let in without a token: {text:?}");
            assert_eq!(answer.json()["name"], "admin");
        }
    });
}

/// Makes a client with a token of Gotify 3.
fn make(world: &World) -> (String, String) {
    let token = NewToken::make(TokenKind::Client, Compatibility::V3, &mut rand::rng());
    let created_at = chrono::Local::now().fixed_offset();
    let client = NewClient::new(UserId(1), token.stored.clone(), "phone", created_at);
    world.runtime.block_on(world.database.create_client(client)).expect("a client can be made");
    (token.secret, token.stored)
}

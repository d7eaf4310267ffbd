//! Queries: the first byte chooses what is asked for, the rest is the query.
//!
//! A page has as many messages as it says, at most as many as were asked for, in their order; and the next page goes on
//! behind it.

use axum::body::Body;
use axum::http::{Request, Uri};
use serde_json::Value;
use shardcast::model::{ApplicationId, Compatibility, UserId};

use super::world::{self, CLIENT, World};

const PATHS: [&str; 8] = [
    "/message",
    "/application/1/message",
    "/shardcast/search",
    "/message",
    "/stream",
    "/shardcast/live",
    "/shardcast/overview",
    "/image/x.png",
];

/// Enough for several pages of few messages.
const MESSAGES: usize = 40;

/// The most that a page may have.
const LIMIT_MAX: u64 = 200;

/// See the documentation of this file.
pub(crate) fn run(data: &[u8]) {
    let Some((&path, query)) = data.split_first() else { return };
    let path = PATHS[usize::from(path) % PATHS.len()];
    let Ok(query) = std::str::from_utf8(query) else { return };
    let Ok(uri) = format!("{path}?{query}").parse::<Uri>() else { return };
    world::with(Compatibility::V3, |world| {
        let newest = world.runtime.block_on(world.database.newest_message(UserId(1)));
        if newest.expect("the database answers").is_none() {
            for number in 0..MESSAGES {
                world.publish(ApplicationId(1 + number as u64 % 2), &format!("message {number}"));
            }
        }
        let Some(page) = get(world, uri, "text/event-stream") else { return };
        if page.get("paging").is_some() && path != "/shardcast/search" {
            check(world, &page);
        }
    });
}

/// Returns what is answered with success.
fn get(world: &World, uri: Uri, accept: &str) -> Option<Value> {
    let request = Request::builder().uri(uri).header("X-Gotify-Key", CLIENT).header("Accept", accept);
    let answer = world.ask(request.body(Body::empty()).ok()?)?;
    (answer.status.is_success() && answer.body.first() == Some(&b'{')).then(|| answer.json())
}

fn check(world: &World, page: &Value) {
    let ids = ids(page);
    let paging = &page["paging"];
    assert_eq!(paging["size"], ids.len(), "{paging}");
    let limit = paging["limit"].as_u64().expect("a page says its limit");
    assert!((1..=LIMIT_MAX).contains(&limit) && ids.len() as u64 <= limit, "{paging} of {}", ids.len());
    let is_ascending = paging.get("after").is_some();
    let in_order = |before: u64, after: u64| if is_ascending { before < after } else { before > after };
    assert!(ids.windows(2).all(|pair| in_order(pair[0], pair[1])), "not in order: {ids:?}");
    let Some(next) = paging["next"].as_str() else { return };
    assert_eq!(ids.len() as u64, limit, "a page before the last is not full: {paging}");
    let next = next.parse().unwrap_or_else(|error| panic!("the next page is at {next:?}: {error}"));
    let next = self::ids(&get(world, next, "*/*").expect("the next page is there"));
    let (last, first) = (ids.last().expect("it is full"), next.first().expect("the next page has messages"));
    assert!(in_order(*last, *first), "the next page begins at {first}, after {last}");
}

fn ids(page: &Value) -> Vec<u64> {
    let messages = page["messages"].as_array().expect("a page has messages");
    messages.iter().map(|message| message["id"].as_u64().expect("a message has an id")).collect()
}

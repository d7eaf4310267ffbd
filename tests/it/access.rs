//! Who may do what: every route, with everything that a request can carry.
//!
//! `access/requests.txt` holds a request for each route, `access/v2.txt` and `access/v3.txt` what each is answered by
//! what it carries. A request that is refused must have changed nothing, and whoever it is that asks, nothing of Ann's
//! may be in an answer to somebody else.

mod requests;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use shardcast::model::Compatibility;

pub(crate) use requests::{Request, requests};
pub(crate) use world::{SentCredentials, World};

use crate::harness::TestServer;
use crate::watch::Watch;

/// The status of each cell: by route, then by what the request carries.
type Table = BTreeMap<String, Vec<(SentCredentials, u16)>>;

/// Reads a table: a line with what requests carry, then a line for each route.
fn table(text: &str) -> Table {
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let columns: Vec<SentCredentials> =
        lines.next().unwrap().split_whitespace().map(SentCredentials::named).collect();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let statuses = cells[2..].iter().map(|cell| cell.parse().unwrap());
        let row: Vec<_> = columns.iter().copied().zip(statuses).collect();
        assert_eq!(row.len(), columns.len(), "{line}");
        (format!("{} {}", cells[0], cells[1]), row)
    };
    let table: Table = lines.clone().map(row).collect();
    assert_eq!(table.len(), lines.count(), "a route is listed twice");
    table
}

async fn check(compatibility: Compatibility, expected: &str) {
    let expected = table(expected);
    let routes: BTreeSet<_> = requests().iter().map(Request::route).collect();
    assert_eq!(
        routes,
        expected.keys().cloned().collect(),
        "the routes of the requests and of the table differ"
    );

    let server = TestServer::start_with(|config| config.api.compatibility = compatibility).await;
    let mut watch = Watch::new(&server.database).await;
    let mut world = World::new(&server).await;
    let mut wrong = Vec::new();
    for request in requests() {
        for &(carries, status) in &expected[&request.route()] {
            watch.changed().await;
            let answer = world.ask(&server, &request, carries).await;
            let what = format!("{} by {carries:?}", request.route());
            if answer.status != status {
                wrong.push(format!("{what}: {} instead of {status}: {}", answer.status, answer.body));
            }
            if answer.status >= 400 {
                if request.path != "/stream" {
                    assert_eq!(answer.json()["errorCode"], answer.status, "{what}: {answer:?}");
                }
                let change = watch.changed().await;
                assert_eq!(change, None, "{what} was refused and changed something");
            }
            if carries == SentCredentials::Other {
                for secret in world.secrets() {
                    assert!(!answer.body.contains(&secret), "{what}: {answer:?}");
                }
                assert!(world.is_untouched(&server).await, "{what} changed something of Ann's");
            }
            if answer.status < 300 && !matches!(request.method.as_str(), "GET" | "HEAD") {
                world = World::new(&server).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of the table's cells:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn everybody_may_do_what_gotify_2_lets_them_and_no_more() {
    check(Compatibility::V2, include_str!("access/v2.txt")).await;
}

#[tokio::test]
async fn everybody_may_do_what_gotify_3_lets_them_and_no_more() {
    check(Compatibility::V3, include_str!("access/v3.txt")).await;
}

/// Writes a route without the names of what stands in braces.
fn nameless(route: &str) -> String {
    let mut parts = route.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |done, part| done + "{}" + part.split_once('}').unwrap().1)
}

#[tokio::test]
async fn no_route_is_missing_from_the_tables() {
    let server = TestServer::start().await;
    let document = server.send("GET", "/swagger", &[], "").await.json();
    let documented: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| nameless(&format!("{} {path}", method.to_uppercase())))
        })
        .collect();
    assert!(documented.len() >= 20, "{documented:?}");
    let listed: BTreeSet<String> = requests().iter().map(|request| nameless(&request.route())).collect();
    let missing: Vec<_> = documented.difference(&listed).collect();
    assert!(missing.is_empty(), "not in `access/requests.txt`: {missing:?}");
}

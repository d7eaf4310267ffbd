//! The web page as the server hands it out, and what the page asks for first.

use std::io::Read;
use std::time::Instant;

use axum::Router;
use flate2::read::GzDecoder;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Answer, TestServer, http};
use crate::listener::PATIENCE;
use crate::program::Program;
use crate::service_manager::local;

async fn get(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = http().get(format!("http://{}{path}", server.address));
    for &(name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    (answer.status(), answer.headers().clone(), answer.bytes().await.unwrap().to_vec())
}

/// The script that the page asks for.
fn asset(page: &str) -> String {
    let (_, after) = page.split_once("src=\"./").unwrap();
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_page_comes_with_a_policy_that_forbids_foreign_hosts_and_inline_scripts() {
    let server = TestServer::start().await;
    for path in ["/", "/index.html"] {
        let (status, headers, page) = get(&server, path, &[]).await;
        assert_eq!(status, 200);
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(headers["cache-control"], "no-cache");
        let policy = headers["content-security-policy"].to_str().unwrap();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.split("; ").any(|found| found == rule), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(String::from_utf8(page).unwrap().contains("<title>Shardcast</title>"));
    }
}

#[tokio::test]
async fn what_has_a_hash_in_its_name_is_kept_for_good_and_the_rest_is_asked_for_again() {
    let server = TestServer::start().await;
    let (_, headers, page) = get(&server, "/", &[]).await;
    let tag = headers["etag"].to_str().unwrap().to_owned();
    let strong = tag.strip_prefix("W/").unwrap().to_owned();
    for known in [tag.clone(), strong, format!("\"other\", {tag}"), "*".to_owned()] {
        let (status, headers, body) = get(&server, "/", &[("if-none-match", &known)]).await;
        assert_eq!((status.as_u16(), body.len()), (304, 0), "{known}");
        assert_eq!(headers["etag"].to_str().unwrap(), tag);
    }
    assert_eq!(get(&server, "/", &[("if-none-match", "\"other\"")]).await.0, 200);

    let asset = asset(std::str::from_utf8(&page).unwrap());
    let (status, headers, _) = get(&server, &format!("/{asset}"), &[]).await;
    assert_eq!(status, 200);
    assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(get(&server, "/assets/nothing.js", &[]).await.0, 404);
}

#[tokio::test]
async fn files_are_compressed_for_those_who_accept_it_and_whole_for_others() {
    let server = TestServer::start().await;
    let (_, _, page) = get(&server, "/", &[]).await;
    let asset = format!("/{}", asset(std::str::from_utf8(&page).unwrap()));
    let (_, headers, plain) = get(&server, &asset, &[]).await;
    assert!(!headers.contains_key("content-encoding"));
    let (_, headers, packed) = get(&server, &asset, &[("accept-encoding", "gzip, deflate, br")]).await;
    assert_eq!(headers["content-encoding"], "gzip");
    assert_eq!(headers["vary"], "accept-encoding");
    assert!(packed.len() < plain.len());
    let mut unpacked = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
}

#[tokio::test]
async fn below_a_path_the_page_finds_its_files() {
    let server = TestServer::start().await;
    let nested = Router::new().nest("/push/v2", server.router.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, nested).await });
    let answer = http().get(format!("http://{address}/push/v2")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let url = answer.url().clone();
    assert_eq!(url.path(), "/push/v2/index.html");
    let asset = url.join(&asset(&answer.text().await.unwrap())).unwrap();
    assert_eq!(http().get(asset).send().await.unwrap().status(), 200);
    serving.abort();
}

async fn overview(server: &TestServer, headers: &[(String, String)]) -> Value {
    let answer = server.send("GET", "/shardcast/overview", headers, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn the_overview_says_what_the_server_offers_and_who_is_asking() {
    let server = TestServer::start_with(|config| config.api.registration = true).await;
    let ann = server.person("ann").await;
    let nobody = overview(&server, &[]).await;
    assert_eq!(nobody["user"], Value::Null);
    assert_eq!((&nobody["register"], &nobody["oidc"]), (&json!(true), &json!(false)));
    assert_eq!(
        (&nobody["compatibility"], &nobody["version"]),
        (&json!("v2"), &json!(env!("CARGO_PKG_VERSION")))
    );

    let by_token = |token: &str| vec![("X-Gotify-Key".to_owned(), token.to_owned())];
    let known = overview(&server, &by_token(&ann.client.token)).await;
    assert_eq!(known["user"]["name"], "ann");
    assert_eq!(known["user"]["clientId"], ann.client.id.0);
    assert_eq!(overview(&server, &by_token("Cwrong")).await, nobody);
}

#[tokio::test]
async fn a_long_list_is_compressed_for_clients_that_accept_it() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for _ in 0..20 {
        let token = [("X-Gotify-Key".to_owned(), ann.application.token.clone())];
        let Answer { status, .. } = server.send("POST", "/message?message=the+same+again", &token, "").await;
        assert_eq!(status, 200);
    }
    let headers = [("x-gotify-key", ann.client.token.as_str())];
    let (_, _, plain) = get(&server, "/message", &headers).await;
    let accepting = [headers[0], ("accept-encoding", "gzip")];
    let (_, headers, packed) = get(&server, "/message", &accepting).await;
    assert_eq!(headers["content-encoding"], "gzip");
    let mut unpacked = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
}

#[tokio::test]
async fn the_link_of_a_first_start_holds_the_password_that_logs_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("output");
    let output = std::fs::File::create(&path).unwrap();
    let server = local(Program::new(&[])).start(|| output.try_clone().unwrap().into());
    let deadline = Instant::now() + PATIENCE;
    let link = loop {
        let text = std::fs::read_to_string(&path).unwrap();
        if let Some(link) = text.split_whitespace().find(|word| word.contains("/#/setup/")) {
            break link.to_owned();
        }
        assert!(Instant::now() < deadline, "there is no link: {text}");
        std::thread::yield_now();
    };
    let (address, secret) = link.split_once("/#/setup/").unwrap();
    let (name, password) = secret.split_once('/').unwrap();
    assert_eq!(name, "admin");
    let url = format!("{address}/auth/local/login");
    let login =
        http().post(url).basic_auth(name, Some(password)).form(&[("name", "page")]).send().await.unwrap();
    assert_eq!(login.status(), 200);
    server.signal(Signal::TERM);
    assert_eq!(server.wait(), Some(0));
}

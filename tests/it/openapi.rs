//! The API's document and the page that shows it, against what the server does.

use std::collections::BTreeSet;

use base64::prelude::*;
use serde_json::Value;

use crate::harness::TestServer;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"];

async fn document(server: &TestServer) -> Value {
    let answer = server.send("GET", "/swagger", &[], "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    answer.json()
}

/// Every operation: its method, its path, and what the document says about it.
fn operations(document: &Value) -> Vec<(String, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap();
            methods.iter().map(|(method, operation)| (method.to_uppercase(), path.as_str(), operation))
        })
        .collect()
}

#[tokio::test]
async fn what_is_documented_is_served_and_nothing_else() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    let documented: BTreeSet<(String, &str)> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    assert!(documented.len() >= 20, "{documented:?}");
    for path in documented.iter().map(|(_, path)| *path).collect::<BTreeSet<_>>() {
        for method in METHODS {
            let answer = server.send(method, &path.replace("{id}", "1"), &[], "").await;
            let is_served = answer.status != 404;
            let expected = documented.contains(&(method.to_owned(), path));
            assert_eq!(is_served, expected, "{method} {path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn the_document_is_complete_in_itself() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);

    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 50, "only {} references: is the search broken?", references.len());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }

    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} names two operations");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}");
        assert!(
            operation["tags"].as_array().unwrap().iter().all(|tag| tags.contains(&tag)),
            "{method} {path}"
        );
        for (status, response) in operation["responses"].as_object().unwrap() {
            let description = response["description"].as_str().unwrap();
            assert!(!description.is_empty(), "{method} {path}: {status}");
        }
        if let Some(body) = operation.get("requestBody") {
            let content = body["content"].as_object().unwrap();
            assert!(content.contains_key("multipart/form-data"), "{method} {path}");
        }
        for scheme in operation["security"].as_array().unwrap_or(document["security"].as_array().unwrap()) {
            for name in scheme.as_object().unwrap().keys() {
                assert!(document["components"]["securitySchemes"].get(name).is_some(), "{name}");
            }
        }
    }
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(reference) if name == "$ref" => found.push(reference.clone()),
                    value => collect_references(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_query_says_where_the_document_says_the_server_is() {
    let server = TestServer::start().await;
    let proxied = [("X-Forwarded-Proto".to_owned(), "https".to_owned())];
    for (query, headers, expected) in [
        ("", &[][..], "."),
        ("?base=", &[], "."),
        ("?base=push.example:8080", &[], "http://push.example:8080"),
        ("?base=push.example/gotify", &proxied, "https://push.example/gotify"),
        ("?base=https%3A%2F%2Fpush.example", &[], "https://push.example"),
    ] {
        let answer = server.send("GET", &format!("/swagger{query}"), headers, "").await;
        assert_eq!(answer.json()["servers"][0]["url"], expected, "{query}");
    }
    for query in ["?base=javascript%3A%2F%2Fx", "?base=a%20b", "?base=user@push.example", "?base=%2F"] {
        let answer = server.send("GET", &format!("/swagger{query}"), &[], "").await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.json()["errorDescription"].as_str().unwrap().contains("'base'"), "{query}");
    }
}

#[tokio::test]
async fn the_page_asks_for_nothing_but_this_server() {
    let server = TestServer::start().await;
    let page = server.send("GET", "/docs", &[], "").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let icon = page.body.split("rel=\"icon\" href=\"").nth(1).unwrap();
    assert!(
        icon.starts_with("data:") && policy.contains("img-src data:;"),
        "the icon may be shown: {policy}"
    );
    let nonce = policy.split("script-src 'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    assert!(page.body.contains(&format!("<script nonce=\"{nonce}\">")));
    // A nonce may begin with two slashes.
    let body = page.body.replace(nonce, "");
    for foreign in ["http:", "https:", "\"//", "url(", "@import"] {
        assert!(!body.contains(foreign), "{foreign}");
    }
    let again = server.send("GET", "/docs", &[], "").await;
    assert_ne!(again.header("content-security-policy"), Some(policy), "each answer has a nonce of its own");
}

/// The description of each error says what causes it, and repeats the text that the server answers.
#[tokio::test]
async fn every_error_is_documented_with_its_cause_and_its_text() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    let admin = ("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode("admin:admin")));
    let mut compared = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let responses = &operation["responses"];
        for (status, response) in responses.as_object().unwrap() {
            let status = reqwest::StatusCode::from_bytes(status.as_bytes()).unwrap();
            let is_error = status.as_u16() >= 400;
            let phrase = is_error.then(|| status.canonical_reason().unwrap());
            assert_ne!(response["description"].as_str(), phrase, "{method} {path}: {status} says nothing");
        }
        for (id, headers) in
            [("1", &[][..]), ("x", std::slice::from_ref(&admin)), ("99", std::slice::from_ref(&admin))]
        {
            let answer = server.send(&method, &path.replace("{id}", id), headers, "").await;
            let is_json = answer.header("content-type") == Some("application/json");
            if answer.status < 400 || !is_json {
                continue;
            }
            let documented = responses[answer.status.to_string()]["description"].as_str();
            let documented = documented.unwrap_or_else(|| panic!("{method} {path}: {answer:?}"));
            let text = answer.json()["errorDescription"].as_str().unwrap().to_owned();
            // What is wrong with a body depends on the body.
            if answer.status != 400 || id == "x" && path.contains("{id}") {
                let documented = documented.replace("{id}", id);
                assert!(documented.contains(&format!("`{text}`")), "{method} {path}: `{text}`: {documented}");
                compared.insert((answer.status, text));
            }
        }
    }
    assert!(compared.len() >= 8, "only {compared:?}: is the search broken?");
}

/// `null` is JSON: in place of a body that requires nothing it is as good as none, but a form can't say it.
#[tokio::test]
async fn null_stands_for_a_body_only_as_json_and_where_nothing_is_required() {
    let server = TestServer::start().await;
    let document = document(&server).await;
    let types = |path: &str, method: &str, media_type: &str| {
        let schema = &document["paths"][path][method]["requestBody"]["content"][media_type]["schema"];
        let named = schema["$ref"].as_str().map(|place| &document.pointer(&place[1..]).unwrap()["type"]);
        named.unwrap_or(&schema["type"]).clone()
    };
    let security = |media_type| types("/application/{id}/security", "put", media_type);
    assert_eq!(security("application/json"), serde_json::json!(["object", "null"]));
    assert_eq!(security("application/x-www-form-urlencoded"), "object");
    assert_eq!(security("multipart/form-data"), "object");
    assert_eq!(types("/application", "post", "application/json"), "object");
}

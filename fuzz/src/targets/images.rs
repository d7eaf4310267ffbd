//! Pictures: the first byte chooses the name of the file, the rest is its content.
//!
//! What is taken is read back as it was sent.

use axum::body::Body;
use axum::http::{Request, header};
use shardcast::model::Compatibility;

use super::world::{self, CLIENT};

const NAMES: [&str; 8] = ["a.png", "a.jpg", "a.gif", ".webp", "a/b.jpeg", "a", "a.svg", "a.png.PNG"];

const BOUNDARY: &str = "a boundary that no picture holds by chance";

/// See the documentation of this file.
pub(crate) fn run(data: &[u8]) {
    let Some((&name, content)) = data.split_first() else { return };
    let name = NAMES[usize::from(name) % NAMES.len()];
    let head =
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
    let body = [head.as_bytes(), content, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
    world::with(Compatibility::V2, |world| {
        let request = Request::builder()
            .method("POST")
            .uri("/application/1/image")
            .header("X-Gotify-Key", CLIENT)
            .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary=\"{BOUNDARY}\""))
            .body(Body::from(body))
            .expect("the request is well-formed");
        let answer = world.ask(request).expect("no stream was asked for");
        if !answer.status.is_success() {
            return;
        }
        let application = answer.json();
        let image = application["image"].as_str().expect("an application has a picture");
        let request = Request::builder().uri(format!("/{image}")).header("X-Gotify-Key", CLIENT);
        let request = request.body(Body::empty()).expect("the request is well-formed");
        let answer = world.ask(request).expect("no stream was asked for");
        assert!(answer.status.is_success(), "{image}: {answer:?}");
        assert_eq!(answer.body, content, "{image} is not read back as it was sent");
        let kind = answer.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default();
        assert!(!kind.starts_with("text/html") && !kind.contains("svg"), "{image} may hold scripts: {kind}");
    });
}

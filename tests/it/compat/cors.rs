//! Pages of other origins, and headers on every response, by configuration.

use shardcast::external::axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use shardcast::model::Compatibility;
use shardcast::server::NodeConfig;

use super::scenario;

fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
    let header = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    list.iter().map(header).collect()
}

fn allow_two_origins(config: &mut NodeConfig) {
    config.cors.allow_origins =
        vec![r"https?://app\.example\.com".to_owned(), r".+\.example\.org".to_owned()];
    config.cors.allow_methods = vec![Method::GET, Method::from_bytes(b"post").unwrap()];
    config.cors.allow_headers =
        vec![HeaderName::from_static("x-gotify-key"), HeaderName::from_static("content-type")];
}

async fn each_profile(scenario: &str, change: impl Fn(&mut NodeConfig)) {
    for compatibility in Compatibility::ALL {
        scenario::run_with(scenario, compatibility, &change).await;
    }
}

#[tokio::test]
async fn no_foreign_page_may_by_default() {
    each_profile(include_str!("cors_default.http"), |_| {}).await;
}

#[tokio::test]
async fn pages_of_allowed_origins_may() {
    let change = |config: &mut NodeConfig| {
        allow_two_origins(config);
        config.response_headers =
            headers(&[("x-frame-options", "DENY"), ("access-control-allow-origin", "https://overridden")]);
    };
    each_profile(include_str!("cors_origins.http"), change).await;
}

#[tokio::test]
async fn any_page_may_where_the_response_headers_say_so() {
    let change = |config: &mut NodeConfig| {
        config.response_headers = headers(&[("access-control-allow-origin", "*"), ("x-custom", "1")]);
    };
    each_profile(include_str!("cors_any.http"), change).await;
}

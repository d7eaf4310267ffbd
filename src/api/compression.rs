//! Answers in fewer bytes, for clients that accept gzip.
//!
//! Only routes whose answers can be long are compressed: lists, documents about the API, and metrics. So sending a message
//! pays nothing for it, and a stream is never touched.

use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt};

/// Answers of fewer bytes stay as they are: they fit into one packet.
const MIN_BYTES: u16 = 1024;

/// Compresses long answers of these routes with gzip, if the client accepts that (RFC 9110, section 12.5.3). A list that
/// is sent in parts stays one: the compressor asks for the next part when the client has taken what came before.
pub(super) fn compressed<S>(routes: UtoipaMethodRouter<S>) -> UtoipaMethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes.map(|methods| methods.layer(compression()))
}

/// Returns the layer that compresses long answers.
pub(crate) fn compression() -> CompressionLayer<SizeAbove> {
    // The fastest level: JSON shrinks to a fifth all the same, and the server has other things to do.
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(MIN_BYTES))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::response::Response;
    use flate2::read::GzDecoder;
    use tower::ServiceExt;
    use utoipa_axum::{router::OpenApiRouter, routes};

    use super::*;

    #[utoipa::path(get, path = "/long", responses((status = 200)))]
    async fn long() -> String {
        "a long answer; ".repeat(100)
    }

    #[utoipa::path(get, path = "/short", responses((status = 200)))]
    async fn short() -> &'static str {
        "a short answer"
    }

    async fn answer(path: &str, accepted: &str) -> Response {
        let (router, _): (Router, _) = OpenApiRouter::new()
            .routes(compressed(routes!(long)))
            .routes(compressed(routes!(short)))
            .split_for_parts();
        let request = Request::builder().uri(path).header("accept-encoding", accepted);
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_long_answer_is_compressed_for_a_client_that_accepts_it() {
        let answer = answer("/long", "gzip, br").await;
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        assert_eq!(answer.headers()["vary"], "accept-encoding");
        let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
        assert!(body.len() < 200, "{}", body.len());
        let mut text = String::new();
        GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "a long answer; ".repeat(100));
    }

    #[tokio::test]
    async fn other_answers_stay_as_they_are() {
        for (path, accepted) in
            [("/short", "gzip"), ("/long", "identity"), ("/long", "gzip;q=0"), ("/long", "")]
        {
            let answer = answer(path, accepted).await;
            assert!(!answer.headers().contains_key("content-encoding"), "{path} {accepted}");
        }
    }
}

//! Requests to push services: bounded in time and size, without redirects, to the addresses that are allowed.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use ring::rand::SystemRandom;
use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;

use super::encryption::Recipient;
use super::endpoint::EndpointPolicy;
use super::notice::Notice;
use super::vapid::Vapid;
use crate::store::PushSubscription;
use crate::trusted_authorities;

/// How long a push service may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// So much of an answer is read, so that its connection can be used again.
const MAX_ANSWER_BYTES: usize = 4096;

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The push service has taken it.
    Taken,
    /// The subscription is there no more.
    Gone,
    /// It may be taken later, after this time if the push service says so.
    Later(Option<Duration>),
    /// It will not be taken.
    Refused(String),
}

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("failed to set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("failed to make an HTTP client")]
    Http(#[from] reqwest::Error),
}

pub(super) struct PushServices {
    http: reqwest::Client,
    policy: EndpointPolicy,
    vapid: Vapid,
    random: SystemRandom,
}

impl PushServices {
    pub(super) fn new(policy: EndpointPolicy, vapid: Vapid) -> Result<Self, ClientError> {
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted_authorities::load_with_log())
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            // A proxy would connect to whatever it is asked for.
            .no_proxy()
            .dns_resolver(policy.clone())
            .build()?;
        Ok(Self { http, policy, vapid, random: SystemRandom::new() })
    }

    pub(super) fn policy(&self) -> &EndpointPolicy {
        &self.policy
    }

    pub(super) fn vapid(&self) -> &Vapid {
        &self.vapid
    }

    /// Encrypts a notice for a subscription, and sends it.
    pub(super) async fn send(
        &self,
        subscription: &PushSubscription,
        notice: &Notice,
        payload: &[u8],
    ) -> Outcome {
        let PushSubscription { endpoint, p256dh, auth, .. } = subscription;
        // The configuration may have changed since the client subscribed.
        let url = match self.policy.check(endpoint) {
            Ok(url) => url,
            Err(error) => return Outcome::Refused(format!("its endpoint {error}")),
        };
        let Ok(body) = (Recipient { p256dh, auth }).encrypt(payload, &self.random) else {
            return Outcome::Refused("its key is none".to_owned());
        };
        let now = chrono::Utc::now().timestamp();
        let Ok(authorization) = self.vapid.header(&url.origin().ascii_serialization(), now) else {
            return Outcome::Refused("nothing can be signed".to_owned());
        };
        let mut request = self
            .http
            .post(url)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("TTL", notice.time_to_live())
            .header("Urgency", notice.urgency());
        if let Some(topic) = notice.topic(auth) {
            request = request.header("Topic", topic);
        }
        match request.body(body).send().await {
            Ok(mut response) => {
                let outcome = outcome(response.status(), response.headers());
                let mut bytes = 0;
                while let Ok(Some(chunk)) = response.chunk().await
                    && bytes <= MAX_ANSWER_BYTES
                {
                    bytes += chunk.len();
                }
                outcome
            }
            Err(error) => {
                // Its text would have the endpoint.
                let error = error.without_url();
                tracing::debug!(error = &error as &dyn std::error::Error, "a push service was not reached");
                Outcome::Later(None)
            }
        }
    }
}

fn outcome(status: StatusCode, headers: &HeaderMap) -> Outcome {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Outcome::Gone,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Outcome::Later(retry_after(headers)),
        status if status.is_server_error() => Outcome::Later(retry_after(headers)),
        status if status.is_success() => Outcome::Taken,
        status => Outcome::Refused(format!("the push service answers {}", status.as_u16())),
    }
}

/// Reads `Retry-After` in seconds; a date counts as if it were not there.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_whether_to_try_again_or_to_give_up() {
        let none = HeaderMap::new();
        let of = |status| outcome(StatusCode::from_u16(status).unwrap(), &none);
        assert_eq!([of(200), of(201), of(202)], [Outcome::Taken, Outcome::Taken, Outcome::Taken]);
        assert_eq!([of(404), of(410)], [Outcome::Gone, Outcome::Gone]);
        for later in [408, 429, 500, 502, 503] {
            assert_eq!(of(later), Outcome::Later(None), "{later}");
        }
        for refused in [301, 307, 400, 401, 403, 413] {
            assert!(matches!(of(refused), Outcome::Refused(_)), "{refused}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        let busy = outcome(StatusCode::TOO_MANY_REQUESTS, &headers);
        assert_eq!(busy, Outcome::Later(Some(Duration::from_secs(7))));
        headers.insert(RETRY_AFTER, "Wed, 21 Oct 2026 07:28:00 GMT".parse().unwrap());
        assert_eq!(outcome(StatusCode::SERVICE_UNAVAILABLE, &headers), Outcome::Later(None));
    }
}

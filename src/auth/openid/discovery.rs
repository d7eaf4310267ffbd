//! Finding a provider's endpoints and keys.

use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::CoreProviderMetadata;
use openidconnect::{ClaimsVerificationError, DiscoveryError, IssuerUrl, SignatureVerificationError};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::http::{HttpError, ProviderClient};

/// A provider's endpoints and keys.
pub(super) type Metadata = CoreProviderMetadata;

/// How long a failure is the answer to everybody, so that many logins don't become many requests.
const PATIENCE: Duration = Duration::from_secs(2);

/// The pauses of the search grow from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// Why a provider was not found.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum DiscoverError {
    #[error("failed to discover the identity provider")]
    Failed(#[source] Arc<DiscoveryError<HttpError>>),
    #[error("discovering the identity provider has failed just now")]
    JustFailed,
}

/// What is known of a provider.
pub(super) struct Discovery {
    issuer: IssuerUrl,
    http: ProviderClient,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    found: Option<Arc<Metadata>>,
    asked_at: Option<Instant>,
}

impl Discovery {
    pub(super) fn new(issuer: IssuerUrl, http: ProviderClient) -> Self {
        Self { issuer, http, state: Mutex::default() }
    }

    /// Returns what is known, and asks the provider if that is nothing.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, DiscoverError> {
        let known = self.state.lock().found.clone();
        match known {
            Some(metadata) => Ok(metadata),
            None => self.refresh().await,
        }
    }

    /// Asks the provider, unless it was asked just now: then what is known has to do.
    pub(super) async fn refresh(&self) -> Result<Arc<Metadata>, DiscoverError> {
        {
            let mut state = self.state.lock();
            if state.asked_at.is_some_and(|at| at.elapsed() < PATIENCE) {
                return state.found.clone().ok_or(DiscoverError::JustFailed);
            }
            state.asked_at = Some(Instant::now());
        }
        let discovered = Metadata::discover_async(self.issuer.clone(), &self.http).await;
        let metadata = Arc::new(discovered.map_err(|error| DiscoverError::Failed(Arc::new(error)))?);
        self.state.lock().found = Some(Arc::clone(&metadata));
        Ok(metadata)
    }
}

/// Looks for a provider until it is found.
pub(super) async fn search(discovery: Arc<Discovery>) {
    let (mut pause, longest) = PAUSES;
    loop {
        match discovery.metadata().await {
            Ok(_) => {
                tracing::info!(issuer = discovery.issuer.as_str(), "found the identity provider");
                return;
            }
            Err(error) => {
                tracing::warn!(
                    issuer = discovery.issuer.as_str(),
                    error = &error as &dyn std::error::Error,
                    "the identity provider was not found, logins through it fail"
                );
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// Answers whether a signature is of a key that was not among those which the provider had.
pub(super) fn is_of_unknown_key(error: &ClaimsVerificationError) -> bool {
    matches!(error, ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey))
}

//! Requests to a provider, and answers of a bounded size.

use std::pin::Pin;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use crate::http_client::{ClientBuildError, HttpClient, RequestError};

/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("failed to send a request")]
    Request(#[from] RequestError),
    #[error("the answer is larger than {MAX_ANSWER_BYTES} bytes")]
    TooLarge,
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        Self::Request(error.into())
    }
}

/// Asks a provider. Cloning shares the connections.
#[derive(Clone, Debug)]
pub(super) struct ProviderClient(HttpClient);

impl ProviderClient {
    pub(super) fn new() -> Result<Self, ClientBuildError> {
        HttpClient::new(|builder| builder).map(Self)
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut response = self.0.send(request.try_into()?).await?;
        let mut answer = HttpResponse::new(Vec::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        while let Some(chunk) = response.chunk().await? {
            if answer.body().len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(HttpError::TooLarge);
            }
            answer.body_mut().extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for ProviderClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.answer(request))
    }
}

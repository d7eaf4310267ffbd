//! Asking other servers over HTTP: within a time, and without redirects, which could lead anywhere.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Request, Response, redirect};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};

use crate::trusted_authorities;

/// How long another server may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no way to ask other servers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientBuildError {
    #[error("failed to set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("failed to make an HTTP client")]
    Http(#[from] reqwest::Error),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("{}", trusted_authorities::NONE)]
    NobodyIsTrusted(#[source] reqwest::Error),
    #[error(transparent)]
    Other(#[from] reqwest::Error),
}

impl RequestError {
    /// Returns it without the URL, which may be a secret.
    #[cfg(feature = "push")]
    pub(crate) fn without_url(self) -> Self {
        match self {
            Self::NobodyIsTrusted(error) => Self::NobodyIsTrusted(error.without_url()),
            Self::Other(error) => Self::Other(error.without_url()),
        }
    }
}

/// Asks over HTTP. Cloning shares the connections.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    client: Client,
    /// Without authorities, only plain HTTP is spoken.
    trusts_somebody: bool,
}

impl HttpClient {
    /// Makes one that trusts the authorities that this system trusts. `adjust` sets what else its user needs.
    pub(crate) fn new(adjust: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Self, ClientBuildError> {
        Self::trusting(trusted_authorities::load_with_log(), adjust)
    }

    fn trusting(
        authorities: RootCertStore,
        adjust: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, ClientBuildError> {
        let trusts_somebody = !authorities.is_empty();
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authorities)
            .with_no_client_auth();
        let builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT);
        Ok(Self { client: adjust(builder).build()?, trusts_somebody })
    }

    /// Sends a request, and waits for the head of the answer.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, RequestError> {
        self.client.execute(request).await.map_err(|error| {
            if !self.trusts_somebody && is_of_tls(&error) {
                RequestError::NobodyIsTrusted(error)
            } else {
                RequestError::Other(error)
            }
        })
    }
}

/// Whether TLS has failed. An I/O error does not name what is in it as its cause.
fn is_of_tls(error: &reqwest::Error) -> bool {
    let mut causes = successors(error.source(), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    });
    causes.any(<dyn Error>::is::<rustls::Error>)
}

#[cfg(test)]
#[cfg(all(feature = "push", feature = "tls"))]
mod tests {
    use rustls::ServerConfig;
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::causes::with_sources;

    /// Asks a server whose certificate nobody has signed.
    async fn ask(authorities: RootCertStore) -> String {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(signed.key_pair.serialize_der());
        let tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let server = async {
            let (socket, _) = listener.accept().await.unwrap();
            TlsAcceptor::from(Arc::new(tls)).accept(socket).await.is_ok()
        };
        let client = HttpClient::trusting(authorities, ClientBuilder::no_proxy).unwrap();
        let request = Request::new(reqwest::Method::GET, url.parse().unwrap());
        let (answer, is_accepted) = tokio::join!(client.send(request), server);
        assert!(!is_accepted);
        with_sources(&answer.unwrap_err())
    }

    #[tokio::test]
    async fn a_system_that_trusts_no_authority_is_told_what_to_install() {
        let nobody = ask(RootCertStore::empty()).await;
        assert!(nobody.starts_with(trusted_authorities::NONE), "{nobody}");
        let mut somebody = RootCertStore::empty();
        let other = rcgen::generate_simple_self_signed(["other".to_owned()]).unwrap();
        somebody.add(other.cert.der().clone()).unwrap();
        let unknown = ask(somebody).await;
        assert!(unknown.contains("invalid peer certificate"), "{unknown}");
        assert!(!unknown.contains(trusted_authorities::NONE), "{unknown}");
    }
}

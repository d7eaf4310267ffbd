//! TLS to a server, whose certificate an authority that this system trusts must have signed.

use std::io;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, Error};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::connection::Transport;
use crate::{certificate_fault, trusted_authorities};

/// Secures a connection to the server of that name.
pub(super) async fn secure(socket: TcpStream, host: &str) -> io::Result<Box<dyn Transport>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let (authorities, _) = trusted_authorities::load();
    if authorities.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, trusted_authorities::NONE));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(authorities)
        .with_no_client_auth();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await;
    Ok(Box::new(stream.map_err(explained)?))
}

/// Says in plain words what is wrong with the server, where that is known.
fn explained(error: io::Error) -> io::Error {
    let text = match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(fault)) => certificate_fault::text(fault)
            .map(|text| format!("the certificate of the server can't be trusted: {text}")),
        Some(Error::InvalidMessage(_)) => {
            let text = "the server does not speak TLS on this port; is it `http://`, or another port?";
            Some(text.to_owned())
        }
        _ => None,
    };
    text.map_or(error, |text| io::Error::new(io::ErrorKind::InvalidData, text))
}

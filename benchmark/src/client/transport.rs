//! A connection, plain or with TLS, that never waits.

use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
};

use mio::net::TcpStream;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

/// How a server proves who it is.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    /// Trusts the system's certificates, or only those of `authorities`, in PEM.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the name or the certificates.
    pub(crate) fn new(host: &str, authorities: Option<&str>) -> Result<Self, String> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| format!("`{host}` is no name that a certificate can have"))?;
        let mut roots = RootCertStore::empty();
        if let Some(pem) = authorities {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate =
                    certificate.map_err(|error| format!("a certificate can't be read: {error}"))?;
                roots.add(certificate).map_err(|error| format!("a certificate can't be used: {error}"))?;
            }
        } else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        if roots.is_empty() {
            return Err("there are no certificates to trust".to_owned());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), name })
    }
}

/// A connection, plain or with TLS.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<(TcpStream, ClientConnection)>),
}

impl Transport {
    /// Takes a socket over.
    pub(crate) fn new(socket: TcpStream, tls: Option<&Tls>) -> io::Result<Self> {
        let Some(Tls { config, name }) = tls else { return Ok(Self::Plain(socket)) };
        let session = ClientConnection::new(Arc::clone(config), name.clone()).map_err(io::Error::other)?;
        Ok(Self::Tls(Box::new((socket, session))))
    }

    pub(crate) fn socket(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(both) => &mut both.0,
        }
    }

    /// Returns whether a read that did not fill its buffer took all that there was.
    pub(crate) fn drains(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Sends what the session wants to send, such as its part of the handshake.
    fn push(both: &mut (TcpStream, ClientConnection)) -> io::Result<()> {
        let (socket, session) = both;
        while session.wants_write() {
            match session.write_tls(socket) {
                Ok(_) => {}
                Err(error) if is_later(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Read for Transport {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let both = match self {
            Self::Plain(socket) => return socket.read(buf),
            Self::Tls(both) => both,
        };
        loop {
            match both.1.reader().read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Many servers end a connection without a word.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                other => return other,
            }
            let (socket, session) = &mut **both;
            let got = session.read_tls(socket)?;
            session.process_new_packets().map_err(io::Error::other)?;
            Self::push(both)?;
            if got == 0 {
                return Ok(0);
            }
        }
    }
}

impl Write for Transport {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(buf),
            Self::Tls(both) => {
                Self::push(both)?;
                let taken = both.1.writer().write(buf)?;
                Self::push(both)?;
                if taken == 0 && !buf.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { Ok(taken) }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(both) => Self::push(both),
        }
    }
}

fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::NotConnected)
}

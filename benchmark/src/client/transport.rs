//! A connection, plain or with TLS, that never waits.

use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
};

use mio::net::TcpStream;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
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
        let mut own = Vec::new();
        if let Some(pem) = authorities {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate =
                    certificate.map_err(|error| format!("a certificate can't be read: {error}"))?;
                own.push(certificate.clone());
                roots.add(certificate).map_err(|error| format!("a certificate can't be used: {error}"))?;
            }
        } else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        if roots.is_empty() {
            let right = "a PEM file with `-----BEGIN CERTIFICATE-----`";
            return Err(format!("there are no certificates to trust, such as those of {right}"));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| format!("the certificates can't be used: {error}"))?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { own, verifier }))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), name })
    }
}

/// Trusts what is signed by an authority, and a certificate that the plan has itself: that of a server which signs for
/// itself is often one of an authority too, which webpki accepts from no server.
#[derive(Debug)]
struct Verifier {
    own: Vec<CertificateDer<'static>>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.own.iter().any(|own| own == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        self.verifier.verify_server_cert(end_entity, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
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

#[cfg(test)]
mod tests {
    use std::{io::BufRead as _, net::TcpListener, thread};

    use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

    use super::*;
    use crate::{
        client::{
            Clock,
            format::Format,
            message::RunId,
            reactor::Reactor,
            sender::{Ack, Endpoint, Failure, Sender},
            tally::Tally,
        },
        process::stop::Stop,
    };

    /// Serves so many requests on one connection after the other; returns its port and its certificate.
    fn server(connections: usize, requests: usize) -> (u16, String) {
        // As `openssl req -x509` makes it: its own authority.
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key_pair = rcgen::KeyPair::generate().unwrap();
        let cert = parameters.self_signed(&key_pair).unwrap();
        let key = PrivateKeyDer::try_from(key_pair.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for _ in 0..connections {
                let (socket, _) = listener.accept().unwrap();
                let session = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = std::io::BufReader::new(StreamOwned::new(session, socket));
                for _ in 0..requests {
                    let mut line = String::new();
                    // Ends with a handshake that the client breaks off.
                    while stream.read_line(&mut line).is_ok_and(|got| got > 2) {
                        line.clear();
                    }
                    // More than one record, and more than the reader's buffer.
                    let body = "x".repeat(300_000);
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                    let _ = stream.get_mut().write_all(answer.as_bytes());
                }
            }
        });
        (port, cert.pem())
    }

    fn ask(port: u16, tls: Tls, times: usize) -> Vec<Ack> {
        let tally = Tally::new(RunId::nth(1), true, Format::Json);
        let mut reactor = Reactor::new(Clock::start(), Vec::new(), tally, Stop::default()).unwrap();
        let endpoint =
            Endpoint { tls: Some(tls), ..Endpoint::clone(&Endpoint::publish(([127, 0, 0, 1], port).into())) };
        reactor.add_sender(Sender::new(Arc::new(endpoint)));
        let mut acks = Vec::new();
        for sequence in 0..times {
            let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec();
            reactor.send(u32::try_from(sequence).unwrap(), 0, |place| *place = request);
            while reactor.acks.is_empty() {
                reactor.turn(std::time::Duration::from_secs(1)).unwrap();
            }
            acks.append(&mut reactor.acks);
        }
        acks
    }

    #[test]
    fn requests_go_over_one_connection_with_tls() {
        let (port, pem) = server(1, 3);
        let acks = ask(port, Tls::new("localhost", Some(&pem)).unwrap(), 3);
        assert!(acks.iter().all(|ack| ack.outcome == Ok(200)), "{acks:?}");
    }

    #[test]
    fn a_certificate_of_somebody_else_is_refused() {
        let (port, _) = server(1, 1);
        let (_, other) = server(1, 1);
        let acks = ask(port, Tls::new("localhost", Some(&other)).unwrap(), 1);
        let Err(Failure::Broken(reason)) = &acks[0].outcome else { panic!("{acks:?}") };
        assert!(reason.contains("certificate"), "{reason}");
    }

    #[test]
    fn what_is_no_certificate_is_named() {
        assert!(Tls::new("localhost", Some("")).unwrap_err().contains("no certificates"));
        assert!(Tls::new("a b", None).unwrap_err().contains("`a b`"));
    }
}

//! A certificate in files, taken over when they change.

use std::fs::{self, Metadata};
use std::future::Future;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::{MissedTickBehavior, interval};

use crate::certificate_fault;
use crate::server::tls_config::{CertificateFiles, TlsError};

/// The certificate of new connections.
#[derive(Debug)]
pub(super) struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

/// Reads a certificate with its key.
pub(super) fn load(files: &CertificateFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let unreadable = |source| TlsError::Chain { path: files.chain.clone(), source };
    let unusable = |source| TlsError::Key { path: files.key.clone(), source };
    let chain = read_chain(&files.chain).map_err(unreadable)?;
    let key = read_key(&files.key).map_err(unusable)?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => unusable(invalid("it does not belong to the certificate")),
        rustls::Error::InvalidCertificate(error) => match certificate_fault::text(&error) {
            Some(text) => unreadable(invalid(text)),
            None => unreadable(io::Error::other(rustls::Error::InvalidCertificate(error))),
        },
        rustls::Error::General(_) => unusable(invalid(
            "it is of a kind that is not supported; it must be RSA with at least 2048 bits, ECDSA on P-256, P-384 or \
             P-521, or Ed25519",
        )),
        error => unusable(io::Error::other(error)),
    })
}

/// Reads a certificate, and returns what looks after it from then on: a change is taken over when it has lasted from
/// one look to the next, since the two files are not written at once. What can't be used is logged, and the
/// certificate before it stays.
pub(super) fn watch(
    files: CertificateFiles,
    provider: Arc<CryptoProvider>,
) -> Result<(Arc<CurrentCertificate>, impl Future<Output = ()> + Send), TlsError> {
    let mut loaded = Stamps::of(&files);
    let current = Arc::new(CurrentCertificate(RwLock::new(Arc::new(load(&files, &provider)?))));
    let shared = Arc::clone(&current);
    let upkeep = async move {
        let mut looks = interval(files.check_interval);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = loaded;
        loop {
            looks.tick().await;
            let before = std::mem::replace(&mut seen, Stamps::of(&files));
            if seen == loaded || seen != before {
                continue;
            }
            loaded = seen;
            // A file that makes the parser panic is one more that can't be used.
            let load = AssertUnwindSafe(|| load(&files, &provider));
            let Ok(outcome) = catch_unwind(load) else {
                tracing::error!("reading the changed certificate panicked, the one before it stays");
                continue;
            };
            match outcome {
                Ok(key) => {
                    *current.0.write() = Arc::new(key);
                    tracing::info!(path = %files.chain.display(), "the certificate has changed and was taken over");
                }
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(tracing::field::display);
                    tracing::error!(%error, cause, "the changed certificate can't be used, the one before it stays");
                }
            }
        }
    };
    Ok((shared, upkeep))
}

fn read_chain(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let pem = fs::read(path)?;
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(io::Error::other)?;
    if chain.is_empty() { Err(invalid("it holds no certificate in PEM form")) } else { Ok(chain) }
}

fn read_key(path: &Path) -> io::Result<PrivateKeyDer<'static>> {
    let pem = fs::read(path)?;
    let is_encrypted = |line: &[u8]| {
        line.starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY") || line.starts_with(b"Proc-Type: 4,ENCRYPTED")
    };
    if pem.split(|&byte| byte == b'\n').any(is_encrypted) {
        return Err(invalid(
            "it is encrypted with a passphrase, which nobody is there to type; decrypt it, as in `openssl pkey -in \
             key.pem -out decrypted.pem`, and keep others from reading the file",
        ));
    }
    // The parser's own error could quote the file.
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| invalid("it holds no key in PEM form"))
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// What tells both files from what they were before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamps([Option<Stamp>; 2]);

/// Also another file under the same name is a change, as when links are turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
}

impl Stamps {
    fn of(files: &CertificateFiles) -> Self {
        let stamp = |found: Metadata| Stamp {
            file: (found.dev(), found.ino()),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
        };
        Self([&files.chain, &files.key].map(|path| fs::metadata(path).ok().map(stamp)))
    }
}

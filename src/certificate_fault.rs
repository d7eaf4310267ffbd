//! What is wrong with a certificate, in words that say what would be right.

use rustls::CertificateError;

/// Says what is wrong, if there are better words for it than the library's. They follow "the certificate" and a colon.
pub(crate) fn text(error: &CertificateError) -> Option<&'static str> {
    // The library passes on some errors of its parser, whose type it does not name.
    let inner = match error {
        CertificateError::Other(inner) => format!("{inner:?}"),
        _ => String::new(),
    };
    Some(match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "no authority that this system trusts has signed it; add the authority's certificate to the system's, or \
             name its file with the variable SSL_CERT_FILE"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired; renew it",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; wait, or set the clock right"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name than that of the URL; use a name that it has as its subjectAltName"
        }
        CertificateError::BadEncoding => "it is no well-formed X.509 certificate",
        _ if inner.contains("CaUsedAsEndEntity") => {
            "it is that of an authority (CA:TRUE), which no server may have as its own; make one for the server without \
             CA:TRUE, and trust the authority that has signed it"
        }
        _ if inner.contains("UnsupportedCertVersion") => {
            "it is in version 1 of X.509, and version 3 is needed; make one with a subjectAltName, as in `openssl req \
             -x509 -addext subjectAltName=DNS:push.example.com`"
        }
        _ => return None,
    })
}

//! Whether there can be HTTPS as it is configured: found out before anything is bound.

use std::error::Error;

use super::features;
use super::load::Loaded;
use super::problem::{Problem, quoted};
use crate::server::{TlsError, host_of_certificate};

/// Lists what stands in the way of HTTPS.
pub(super) fn problems(loaded: &Loaded) -> Vec<Problem> {
    let section = &loaded.config.server.ssl;
    if !section.enabled {
        return Vec::new();
    }
    let problem = |key: &str, reason: &str| loaded.problem(key, "server.ssl.enabled", reason);
    let checked = loaded.server().tls.map_or(Ok(()), |tls| tls.check());
    if let Err(error @ TlsError::NotBuilt { feature }) = &checked {
        return vec![problem(key_of(error), &features::not_built(feature))];
    }
    let mut found = Vec::new();
    if section.letsencrypt.enabled {
        if !section.letsencrypt.accepttos {
            let reason = "must be true to get certificates: it says that you accept the authority's terms";
            found.push(problem("server.ssl.letsencrypt.accepttos", reason));
        }
        for host in &section.letsencrypt.hosts {
            if let Err(reason) = host_of_certificate(host) {
                let reason = format!("{} {reason}", quoted(host));
                found.push(problem("server.ssl.letsencrypt.hosts", &reason));
            }
        }
        if section.letsencrypt.hosts.is_empty() {
            found.push(problem(
                "server.ssl.letsencrypt.hosts",
                "must name at least one host to get a certificate for",
            ));
        }
    } else {
        let needed = [("server.ssl.certfile", &section.certfile), ("server.ssl.certkey", &section.certkey)];
        for (key, _) in needed.iter().filter(|(_, path)| path.is_empty()) {
            found.push(problem(key, "must name a file while server.ssl.enabled is true, unless server.ssl.letsencrypt.enabled is too"));
        }
    }
    if found.is_empty()
        && let Err(error) = checked
    {
        found.push(problem(key_of(&error), &with_source(&error)));
    }
    found
}

/// Lists settings of HTTPS that do nothing, because it is off.
pub(super) fn warnings(loaded: &Loaded) -> Vec<Problem> {
    let section = &loaded.config.server.ssl;
    if section.enabled {
        return Vec::new();
    }
    let set = [
        ("server.ssl.letsencrypt.enabled", section.letsencrypt.enabled),
        ("server.ssl.certfile", !section.certfile.is_empty()),
        ("server.ssl.certkey", !section.certkey.is_empty()),
    ];
    let reason =
        "does nothing while server.ssl.enabled is false: this server has HTTP alone, without encryption";
    set.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| loaded.problem(key, key, reason)).collect()
}

/// Says which key is at fault.
fn key_of(error: &TlsError) -> &'static str {
    match error {
        TlsError::NotBuilt { feature: "acme" } | TlsError::Authority(_) => "server.ssl.letsencrypt.enabled",
        TlsError::NotBuilt { .. } => "server.ssl.enabled",
        TlsError::Chain { .. } => "server.ssl.certfile",
        TlsError::Key { .. } => "server.ssl.certkey",
    }
}

fn with_source(error: &TlsError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Files, Loaded, load};

    fn with(variables: &[(&str, &str)]) -> Result<Loaded, String> {
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        load(&Files::Search { yaml: Vec::new(), variables: Vec::new() }, variables)
            .map_err(|error| error.to_string())
    }

    #[cfg(feature = "acme")]
    #[test]
    fn every_host_that_no_certificate_is_given_for_is_named() {
        let hosts = "[push.example.com, \"*.example.com\", 192.0.2.1, \"a b\", \"https://a.example\", \"\"]";
        let error = with(&[
            ("GOTIFY_SERVER_SSL_ENABLED", "true"),
            ("GOTIFY_SERVER_SSL_LETSENCRYPT_ENABLED", "true"),
            ("GOTIFY_SERVER_SSL_LETSENCRYPT_ACCEPTTOS", "true"),
            ("GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS", hosts),
        ])
        .unwrap_err();
        let place = "GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS: server.ssl.letsencrypt.hosts: ";
        let named: Vec<&str> = error.lines().map(|line| line.strip_prefix(place).unwrap()).collect();
        let expected =
            ["`*.example.com` is", "`192.0.2.1` is", "`a b` is", "`https://a.example` is", "`` is"];
        assert_eq!(named.len(), expected.len(), "{error}");
        assert!(named.iter().zip(expected).all(|(line, expected)| line.starts_with(expected)), "{error}");
    }

    #[test]
    fn what_does_nothing_without_https_is_worth_a_warning() {
        for (name, key) in [
            ("GOTIFY_SERVER_SSL_LETSENCRYPT_ENABLED", "server.ssl.letsencrypt.enabled"),
            ("GOTIFY_SERVER_SSL_CERTFILE", "server.ssl.certfile"),
            ("GOTIFY_SERVER_SSL_CERTKEY", "server.ssl.certkey"),
        ] {
            let loaded = with(&[(name, "true")]).unwrap();
            let keys: Vec<&str> = loaded.warnings.iter().map(|warning| warning.key.as_str()).collect();
            assert_eq!(keys, [key]);
        }
    }
}

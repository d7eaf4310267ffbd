//! Whether there can be HTTPS as it is configured: found out before anything is bound.

use std::error::Error;

use super::features;
use super::load::Loaded;
use super::problem::Problem;
use crate::server::TlsError;

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

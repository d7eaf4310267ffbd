//! The identity provider that the configuration names.

use std::sync::Arc;

use crate::api::{Oidc, OidcSettings};
use crate::auth::{OpenId, OpenIdConfig};
use crate::config::OidcSection;

pub(super) use crate::auth::OpenIdError as OidcError;

/// Begins to look for the provider, if there is to be one.
pub(super) fn provider(section: &OidcSection) -> Result<Option<Oidc>, OidcError> {
    if !section.enabled {
        return Ok(None);
    }
    let config = OpenIdConfig {
        issuer: section.issuer.clone(),
        client_id: section.clientid.clone(),
        client_secret: section.clientsecret.clone(),
        redirect_url: section.redirecturl.clone(),
        username_claim: section.usernameclaim.clone(),
        scopes: section.scopes.clone(),
    };
    let settings =
        OidcSettings { auto_register: section.autoregister, link_by_username: section.link_by_username };
    Ok(Some(Oidc::new(Arc::new(OpenId::new(config)?), settings)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_of_the_file_are_the_defaults_of_the_library() {
        let (section, config) = (OidcSection::default(), OpenIdConfig::default());
        assert_eq!((&section.usernameclaim, &section.scopes), (&config.username_claim, &config.scopes));
        let settings = OidcSettings::default();
        assert_eq!(
            (section.autoregister, section.link_by_username),
            (settings.auto_register, settings.link_by_username)
        );
        assert!(provider(&section).unwrap().is_none());
    }
}

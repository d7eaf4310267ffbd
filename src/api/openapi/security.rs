//! Where credentials stand in a request.

use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, OpenApi};

use super::super::cookie;

/// What admits a client; any one of them does.
const CLIENT: [&str; 5] =
    ["clientTokenHeader", "clientTokenAuthorizationHeader", "clientTokenQuery", "sessionCookie", "basicAuth"];

/// Names the places, as Gotify does, and lets clients use every operation that says nothing else.
pub(super) fn describe(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Components::new);
    for (name, who) in [("appToken", "An application's token"), ("clientToken", "A client's token")] {
        let key = |name: &str| ApiKeyValue::with_description(name.to_owned(), format!("{who}."));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(format!("{who}.")));
        components.add_security_scheme(
            format!("{name}Header"),
            SecurityScheme::ApiKey(ApiKey::Header(key("X-Gotify-Key"))),
        );
        components
            .add_security_scheme(format!("{name}Query"), SecurityScheme::ApiKey(ApiKey::Query(key("token"))));
        components
            .add_security_scheme(format!("{name}AuthorizationHeader"), SecurityScheme::Http(bearer.build()));
    }
    let cookie = ApiKeyValue::with_description(cookie::NAME, "A client's token, as a login sets it.");
    components.add_security_scheme("sessionCookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let basic =
        HttpBuilder::new().scheme(HttpAuthScheme::Basic).description(Some("A user's name and password."));
    components.add_security_scheme("basicAuth", SecurityScheme::Http(basic.build()));
    let alternatives = CLIENT.map(|name| SecurityRequirement::new::<_, [&str; 0], &str>(name, []));
    document.security = Some(alternatives.to_vec());
}

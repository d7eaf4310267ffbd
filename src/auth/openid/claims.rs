//! What a provider tells about somebody.

use std::collections::HashMap;

use openidconnect::core::CoreGenderClaim;
use openidconnect::{AdditionalClaims, UserInfoClaims};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Claims that the standard does not name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Claims(HashMap<String, Value>);

impl AdditionalClaims for Claims {}

/// The answer of a provider's endpoint for users.
pub(super) type UserInfo = UserInfoClaims<Claims, CoreGenderClaim>;

/// Returns a claim as a name: a text or a number, and not empty.
pub(super) fn username(claims: &impl Serialize, claim: &str) -> Option<String> {
    let name = match serde_json::to_value(claims).ok()?.get_mut(claim)?.take() {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_and_numbers_are_names() {
        let claims =
            json!({"name": "ann", "uid": 7, "empty": "", "admin": true, "groups": ["a"], "none": null});
        assert_eq!(username(&claims, "name").as_deref(), Some("ann"));
        assert_eq!(username(&claims, "uid").as_deref(), Some("7"));
        for claim in ["empty", "admin", "groups", "none", "missing"] {
            assert_eq!(username(&claims, claim), None, "{claim}");
        }
    }
}

//! Values in a URL's query.

use std::borrow::Cow;

use super::ApiError;

/// Returns the first value of that name. What can't be decoded stays as it is, or becomes U+FFFD.
pub(super) fn first<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    all(query, name).next()
}

/// Returns every value of that name, decoded as by [`first`].
pub(super) fn all<'q>(query: &'q str, name: &str) -> impl Iterator<Item = Cow<'q, str>> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.filter(move |(found, _)| found == name).map(|(_, value)| value)
}

/// Refuses a number that is empty: elsewhere that counts as 0, and a client that leaves it empty means no filter.
pub(super) fn present<'v>(field: &str, value: &'v str) -> Result<&'v str, ApiError> {
    let value = value.trim();
    if value.is_empty() {
        let text = format!("Field '{field}' must be a whole number or left out, not \"\"");
        return Err(ApiError::BadRequest(text));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_of_a_name_counts() {
        assert_eq!(first("x=%&token=a+%C3%A9&token=b", "token").as_deref(), Some("a é"));
        assert_eq!(first("Token=a", "token"), None);
        assert_eq!(first("token", "token").as_deref(), Some(""));
    }
}

//! Values in a URL's query.

use std::borrow::Cow;

/// Returns the first value of that name. What can't be decoded stays as it is, or becomes U+FFFD.
pub(super) fn first<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    all(query, name).next()
}

/// Returns every value of that name, decoded as by [`first`].
pub(super) fn all<'q>(query: &'q str, name: &str) -> impl Iterator<Item = Cow<'q, str>> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.filter(move |(found, _)| found == name).map(|(_, value)| value)
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

//! Tokens of applications and clients together.

use super::{Dialect, Session, query};

/// Answers whether any token begins with this text, which has none of `%`, `_` and `\`.
pub(crate) async fn any_begins_with<D: Dialect>(
    session: &mut Session<'_, D>,
    beginning: &str,
) -> Result<bool, sqlx::Error> {
    let pattern = format!("{beginning}%");
    let found = query(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM clients WHERE token LIKE ?1) \
         OR EXISTS (SELECT 1 FROM applications WHERE token LIKE ?1)",
    );
    Ok(session.first(found.bind(pattern.as_str())).await?.is_some())
}

//! Whether a Gotify 3 has used the database.

use super::Node;
use crate::auth::FORM_OF_GOTIFY_3;
use crate::store::StoreError;

impl Node {
    /// Answers whether there is a token of the form that Gotify 3 makes, and this program too with
    /// [`Compatibility::V3`](crate::model::Compatibility::V3).
    pub async fn holds_tokens_of_gotify_3(&self) -> Result<bool, StoreError> {
        self.store().database().any_token_begins_with(FORM_OF_GOTIFY_3).await
    }
}

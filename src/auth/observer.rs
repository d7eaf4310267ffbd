//! What a program may watch of logins.

/// Observes logins. Every method does nothing by default.
///
/// Calls come from the tasks of requests. They must be quick and must not block.
pub trait LoginObserver: Send + Sync + 'static {
    /// A name and password were checked, and were right or not. Not called for a check that failed because of the database.
    fn on_login(&self, succeeded: bool) {
        let _ = succeeded;
    }
}

/// Watches nothing.
impl LoginObserver for () {}

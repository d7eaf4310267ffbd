//! What a program may watch of logins.

/// Told who logs in. Does nothing by default.
///
/// Calls come from the tasks of requests. They must be quick and must not block.
pub trait LoginObserver: Send + Sync + 'static {
    /// A name and password were checked, and were right or not. Not told of a check that the database failed.
    fn on_login(&self, succeeded: bool) {
        let _ = succeeded;
    }
}

/// Watches nothing.
impl LoginObserver for () {}

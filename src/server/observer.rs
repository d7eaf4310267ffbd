//! What a program may watch of connections.

/// Observes connections. Every method does nothing by default.
///
/// Calls come from the task that accepts: they must be quick and must not block.
pub trait ConnectionObserver: Send + Sync + 'static {
    /// A connection was turned away because there were too many.
    fn on_refuse(&self) {}

    /// A part of the server panicked and goes on. The part is named in a word or two, as for a log.
    fn on_panic(&self, part: &'static str) {
        let _ = part;
    }
}

/// Watches nothing.
impl ConnectionObserver for () {}

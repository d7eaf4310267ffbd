//! Which foreign web pages may use the API.

use super::declare::section;
use super::shape::Shape::{HeaderNames, Methods, Patterns};

section! {
    /// Web pages of other hosts that may use the API (CORS).
    pub struct CorsSection at "server.cors." {
        /// Regular expressions. A web page may use the API if its whole origin or its whole host matches one of them.
        alloworigins: Vec<String> = [], Patterns;
        /// The methods that such a page may use.
        allowmethods: Vec<String> = [], Methods;
        /// The headers that such a page may send.
        allowheaders: Vec<String> = [], HeaderNames;
    }
}

//! Requests that another site's page makes in the name of whoever looks at it.
//!
//! A browser adds the session's cookie by itself, so a request that carries it says nothing of who wanted it. This is
//! the check of Go's `http.CrossOriginProtection`, which Gotify 3 makes: by what browsers say of where the request
//! comes from (Fetch Metadata, section 2.3; RFC 6454).

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};

const FETCH_SITE: &str = "sec-fetch-site";

/// Answers why a request can't be taken as wanted by the user; `None` if it can.
pub(super) fn refusal(parts: &Parts) -> Option<&'static str> {
    // These change nothing.
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return None;
    }
    match text(&parts.headers, FETCH_SITE) {
        "" => {}
        "same-origin" | "none" => return None,
        _ => return Some("cross-origin request detected from Sec-Fetch-Site header"),
    }
    let origin = text(&parts.headers, ORIGIN.as_str());
    if origin.is_empty() || names_host(origin, text(&parts.headers, HOST.as_str())) {
        return None;
    }
    Some(
        "cross-origin request detected, and/or browser is out of date: \
         Sec-Fetch-Site is missing, and Origin does not match Host",
    )
}

/// A header's value, empty if there is none; one that is no text matches nothing.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"))
}

fn names_host(origin: &str, host: &str) -> bool {
    let parsed = origin.parse::<Uri>().ok();
    parsed
        .and_then(|origin| origin.into_parts().authority)
        .is_some_and(|authority| authority.as_str() == host)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn refused(method: &str, headers: &[(&str, &str)]) -> Option<&'static str> {
        let mut request = Request::builder().method(method).header("host", "push.example:8443");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        refusal(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn what_a_page_of_this_server_or_the_user_asks_for_passes() {
        for site in ["same-origin", "none", ""] {
            assert_eq!(refused("POST", &[("sec-fetch-site", site)]), None, "{site}");
        }
        assert_eq!(refused("POST", &[]), None);
        assert_eq!(refused("DELETE", &[("origin", "https://push.example:8443")]), None);
        // What the browser says of the site counts, whatever the origin.
        assert_eq!(refused("POST", &[("sec-fetch-site", "none"), ("origin", "https://a.example")]), None);
    }

    #[test]
    fn what_changes_nothing_passes() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(refused(method, &[("sec-fetch-site", "cross-site")]), None, "{method}");
        }
    }

    #[test]
    fn what_another_page_asks_for_is_refused() {
        for site in ["cross-site", "same-site", "anything", "é"] {
            let text = refused("POST", &[("sec-fetch-site", site)]).unwrap();
            assert!(text.ends_with("detected from Sec-Fetch-Site header"), "{text}");
        }
        for origin in ["https://evil.example", "https://push.example", "null", "https://", "é"] {
            let text = refused("PUT", &[("origin", origin)]).unwrap();
            assert!(text.ends_with("Origin does not match Host"), "{text}");
        }
    }
}

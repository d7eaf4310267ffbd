//! Bodies that are of another type than their `Content-Type` says: the most common mistake of senders, because curl's
//! `-d` calls everything a form.

use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::request::Parts;

use super::{Kind, content_type, media_type, shortened};

/// Says which type came and which is right, if a body that can't be used looks like another type than it should be.
pub(super) fn of(kind: Kind, content: &[u8], parts: &Parts) -> Option<String> {
    let named = || format!("{:?}", shortened(media_type(content_type(parts))));
    match kind {
        Kind::Form | Kind::Multipart if is_json(content) => Some(format!(
            "the body looks like JSON, but its Content-Type is {}: send JSON as application/json",
            named()
        )),
        Kind::Json if is_form(content) => Some(format!(
            "the body looks like a form, but its Content-Type is {}: send a form as application/x-www-form-urlencoded",
            named()
        )),
        Kind::Other if has_body(parts) => {
            let cause = match media_type(content_type(parts)) {
                "" => "it has no Content-Type".to_owned(),
                _ => format!("its Content-Type is {}", named()),
            };
            Some(format!(
                "the body was not read, because {cause}: send application/json, application/x-www-form-urlencoded or \
                 multipart/form-data"
            ))
        }
        _ => None,
    }
}

fn is_json(content: &[u8]) -> bool {
    let content = content.trim_ascii();
    content.starts_with(b"{") && content.ends_with(b"}")
}

/// Whether it begins with a name and `=`, as no JSON does.
fn is_form(content: &[u8]) -> bool {
    let content = content.trim_ascii();
    let name = content.split(|&byte| byte == b'=').next().unwrap_or_default();
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.%+".contains(byte);
    let is_pair = name.len() < content.len();
    is_pair && name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(is_of_name)
}

/// Whether the header announces a body.
fn has_body(parts: &Parts) -> bool {
    let length = parts.headers.get(CONTENT_LENGTH);
    length.is_some_and(|length| length.as_bytes() != b"0") || parts.headers.contains_key(TRANSFER_ENCODING)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use axum::http::header::CONTENT_TYPE;

    use super::*;

    fn said(media_type: &str, body: &str) -> Option<String> {
        let mut request = Request::builder().header(CONTENT_LENGTH, body.len());
        if !media_type.is_empty() {
            request = request.header(CONTENT_TYPE, media_type);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        of(Kind::of(super::media_type(media_type)), body.as_bytes(), &parts)
    }

    #[test]
    fn a_body_of_another_type_is_named_with_its_type_and_the_right_one() {
        let form = "application/x-www-form-urlencoded";
        let not_read = "the body was not read, because";
        for (media_type, body, expected) in [
            (
                form,
                " {\"message\":\"hello\"}\n",
                "but its Content-Type is \"application/x-www-form-urlencoded\"",
            ),
            ("multipart/form-data; boundary=X", "{}", "but its Content-Type is \"multipart/form-data\""),
            (
                "application/json; charset=utf-8",
                "message=hello",
                "but its Content-Type is \"application/json\"",
            ),
            ("text/plain", "hello", not_read),
            ("", "hello", "because it has no Content-Type"),
            ("a\"b", "hello", "its Content-Type is \"a\\\"b\""),
        ] {
            let said = said(media_type, body).unwrap();
            assert!(said.contains(expected), "{media_type:?} {body}: {said}");
        }
    }

    #[test]
    fn a_body_that_is_what_its_type_says_is_not_blamed() {
        for (media_type, body) in [
            ("application/x-www-form-urlencoded", "title=a"),
            ("application/x-www-form-urlencoded", ""),
            ("application/json", "{\"title\":\"a=b\"}"),
            ("application/json", "true"),
            ("application/json", "\"a=b\""),
            ("multipart/form-data; boundary=X", "--X--"),
            ("text/plain", ""),
            ("", ""),
        ] {
            assert_eq!(said(media_type, body), None, "{media_type:?} {body}");
        }
    }
}

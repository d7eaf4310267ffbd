//! `shardcast send`.

use std::io::Read;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Account, Api, RemoteError, output};
use crate::auth::TokenKind;
use crate::cli::arguments::SendArguments;
use crate::cli::print_line;
use crate::model::Extras;

/// The largest text that is read from standard input.
const MAX_TEXT_BYTES: u64 = 64 << 20;

/// A message as `POST /message` takes it.
#[derive(Serialize)]
struct OutgoingMessage {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
    #[serde(skip_serializing_if = "Extras::is_empty")]
    extras: Extras,
    #[serde(rename = "appid", skip_serializing_if = "Option::is_none")]
    application_id: Option<u64>,
}

pub(super) async fn run(arguments: SendArguments, file: Option<PathBuf>) -> Result<(), RemoteError> {
    let SendArguments { url, token, title, priority, markdown, click, extras, application, json, text } =
        arguments;
    let account = Account::find(url, token, TokenKind::Application, file)?;
    let message = OutgoingMessage {
        message: if text.is_empty() { read(std::io::stdin())? } else { text.join(" ") },
        title,
        priority: priority.or(account.default_priority),
        extras: with_hints(extras.unwrap_or_default(), markdown, click),
        application_id: application,
    };
    if message.message.is_empty() {
        return Err(RemoteError::NoText);
    }
    let body = serde_json::to_vec(&message).expect("a message is made of texts and numbers");
    let stored = Api::new(account).publish(body).await?;
    if json { print_line(&output::json(&stored)).map_err(RemoteError::Output) } else { Ok(()) }
}

/// Reads a text, without the line feeds at its end.
fn read(input: impl Read) -> Result<String, RemoteError> {
    let mut text = Vec::new();
    input.take(MAX_TEXT_BYTES + 1).read_to_end(&mut text).map_err(RemoteError::Input)?;
    if text.len() as u64 > MAX_TEXT_BYTES {
        return Err(RemoteError::TooLong { limit_bytes: MAX_TEXT_BYTES });
    }
    let text = String::from_utf8(text).map_err(|_| RemoteError::NotUtf8)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Adds what Gotify's clients look for (<https://gotify.net/docs/msgextras>). A flag replaces the same part of the
/// extras.
fn with_hints(mut extras: Extras, markdown: bool, click: Option<String>) -> Extras {
    if markdown {
        set(&mut extras, "client::display", "contentType", json!("text/markdown"));
    }
    if let Some(url) = click {
        set(&mut extras, "client::notification", "click", json!({ "url": url }));
    }
    extras
}

fn set(extras: &mut Extras, namespace: &str, key: &str, value: Value) {
    let place = extras.entry(namespace).or_insert(Value::Null);
    match place {
        Value::Object(entries) => {
            entries.insert(key.to_owned(), value);
        }
        other => *other = json!({ key: value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_laid_over_the_extras() {
        let Value::Object(extras) = json!({
            "client::display": { "contentType": "text/plain" },
            "client::notification": { "bigImageUrl": "https://a" },
            "own::key": 1,
        }) else {
            panic!("an object")
        };
        let expected = json!({
            "client::display": { "contentType": "text/markdown" },
            "client::notification": { "bigImageUrl": "https://a", "click": { "url": "https://b" } },
            "own::key": 1,
        });
        assert_eq!(Value::Object(with_hints(extras, true, Some("https://b".to_owned()))), expected);
        assert!(with_hints(Extras::new(), false, None).is_empty());
    }

    #[test]
    fn a_text_from_standard_input_is_taken_without_its_last_line_feed() {
        assert_eq!(read(&b"a\nb\r\n\n"[..]).unwrap(), "a\nb");
        assert!(matches!(read(&b"\xff"[..]), Err(RemoteError::NotUtf8)));
        assert!(matches!(read(std::io::repeat(b'x')), Err(RemoteError::TooLong { .. })));
    }
}

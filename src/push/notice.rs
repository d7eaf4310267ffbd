//! What is pushed of a message.

use reqwest::header::HeaderValue;
use ring::digest::SHA256_OUTPUT_LEN;
use ring::hmac;
use serde::Serialize;

use crate::model::{ApplicationId, Extras, Message, MessageId, UserId};

/// The most bytes of a payload. Push services must take 4096 bytes (RFC 8030, section 7.2), encryption included.
pub(super) const MAX_PAYLOAD_BYTES: usize = 3000;

const TITLE_CHARACTERS: usize = 200;
const TEXT_CHARACTERS: usize = 1000;
const URL_BYTES: usize = 1000;

/// How long a topic is (RFC 8030, section 5.4: at most 32 characters of base64url).
const TOPIC_BYTES: usize = 24;

const HOUR: u32 = 3600;

/// What is pushed of a message. It is small, whatever the message has, because many may wait.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) user_id: UserId,
    pub(super) priority: i64,
    id: MessageId,
    application_id: ApplicationId,
    title: String,
    text: String,
    url: Option<String>,
    replace_key: Option<String>,
}

/// As the page's service worker reads it.
#[derive(Serialize)]
struct Payload<'n> {
    id: MessageId,
    appid: ApplicationId,
    title: &'n str,
    message: &'n str,
    priority: i64,
    url: Option<&'n str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<u64>,
}

impl Notice {
    pub(super) fn of(user_id: UserId, message: &Message) -> Self {
        let text_of = |path: &[&str]| text_at(message.extras.as_ref(), path);
        Self {
            user_id,
            priority: message.priority,
            id: message.id,
            application_id: message.application_id,
            title: beginning(&message.title, TITLE_CHARACTERS).to_owned(),
            text: beginning(&message.message, TEXT_CHARACTERS).to_owned(),
            url: text_of(&["client::notification", "click", "url"]).filter(|url| is_plain(url)),
            replace_key: text_of(&["shardcast::replace", "key"]),
        }
    }

    /// Returns it as JSON, of at most [`MAX_PAYLOAD_BYTES`]. `unread` is how many messages the user has not read.
    pub(super) fn payload(&self, unread: Option<u64>) -> Vec<u8> {
        let mut text = self.text.as_str();
        loop {
            let payload = Payload {
                id: self.id,
                appid: self.application_id,
                title: &self.title,
                message: text,
                priority: self.priority,
                url: self.url.as_deref(),
                unread,
            };
            let json = serde_json::to_vec(&payload).expect("the payload is a plain struct");
            if json.len() <= MAX_PAYLOAD_BYTES || text.is_empty() {
                return json;
            }
            // Characters have one to six bytes as JSON, so that a few rounds are enough.
            text = beginning(text, text.chars().count() * 7 / 8);
        }
    }

    /// Returns how urgent it is to the device (RFC 8030, section 5.3): phones that save power wait with what is not urgent.
    pub(super) fn urgency(&self) -> &'static str {
        match self.priority {
            ..=3 => "low",
            4..=7 => "normal",
            8.. => "high",
        }
    }

    /// Returns for how many seconds the push service keeps it for a device that is away (RFC 8030, section 5.2).
    pub(super) fn time_to_live(&self) -> u32 {
        match self.priority {
            ..=3 => 12 * HOUR,
            4..=7 => 24 * HOUR,
            8.. => 7 * 24 * HOUR,
        }
    }

    /// Returns the topic, if the message has a key by which it replaces others: a push service keeps the newest of a
    /// topic (RFC 8030, section 5.4). It is made with the subscription's secret, so that it says nothing about the key.
    pub(super) fn topic(&self, auth: &[u8]) -> Option<HeaderValue> {
        use base64::prelude::*;

        let key = self.replace_key.as_deref()?;
        let secret = hmac::Key::new(hmac::HMAC_SHA256, auth);
        let tag = hmac::sign(&secret, format!("{} {key}", self.application_id).as_bytes());
        const { assert!(TOPIC_BYTES <= SHA256_OUTPUT_LEN) };
        HeaderValue::try_from(BASE64_URL_SAFE_NO_PAD.encode(&tag.as_ref()[..TOPIC_BYTES])).ok()
    }
}

/// Returns the first characters.
fn beginning(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}

/// Answers whether JSON has a URL as it is.
fn is_plain(url: &str) -> bool {
    url.len() <= URL_BYTES && !url.chars().any(|c| c.is_control() || c == '"' || c == '\\')
}

/// Returns the text at a place in extras.
fn text_at(extras: Option<&Extras>, path: &[&str]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let value = rest.iter().try_fold(extras?.get(*first)?, |value, name| value.get(name))?;
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::{Value, json};

    use super::*;

    fn message(title: &str, text: &str, extras: &Value) -> Message {
        Message {
            id: MessageId(7),
            application_id: ApplicationId(1),
            message: text.to_owned(),
            title: title.to_owned(),
            priority: 5,
            extras: extras.as_object().cloned(),
            date: DateTime::UNIX_EPOCH.fixed_offset(),
        }
    }

    fn payload(message: &Message) -> (usize, Value) {
        let json = Notice::of(UserId(1), message).payload(Some(3));
        (json.len(), serde_json::from_slice(&json).unwrap())
    }

    #[test]
    fn a_payload_has_what_a_notification_shows() {
        let extras = json!({ "client::notification": { "click": { "url": "https://ci.example/7" } } });
        let expected = json!({
            "id": 7, "appid": 1, "title": "Build", "message": "failed 🦀", "priority": 5,
            "url": "https://ci.example/7", "unread": 3,
        });
        assert_eq!(payload(&message("Build", "failed 🦀", &extras)).1, expected);
        let bare = payload(&message("", "m", &json!({ "client::notification": 5 }))).1;
        assert_eq!((&bare["url"], &bare["title"]), (&Value::Null, &json!("")));
    }

    #[test]
    fn no_payload_is_larger_than_push_services_take() {
        let url = format!("https://a.example/{}", "x".repeat(URL_BYTES - 18));
        let extras = json!({ "client::notification": { "click": { "url": url } } });
        for part in ["a", "é", "🦀", "\u{1}", "\"", "\n"] {
            let long = part.repeat(20_000);
            let (bytes, payload) = payload(&message(&long, &long, &extras));
            assert!(bytes <= MAX_PAYLOAD_BYTES, "{part:?}: {bytes}");
            assert_eq!(payload["title"], part.repeat(TITLE_CHARACTERS));
            assert!(long.starts_with(payload["message"].as_str().unwrap()));
            assert_eq!(payload["url"], url);
        }
        let (_, plain) = payload(&message("t", &"a".repeat(20_000), &json!(null)));
        assert_eq!(plain["message"], "a".repeat(TEXT_CHARACTERS));
        let longer = json!({ "client::notification": { "click": { "url": format!("{url}x") } } });
        assert_eq!(payload(&message("t", "m", &longer)).1["url"], Value::Null);
    }

    #[test]
    fn priority_makes_a_push_urgent_and_lets_it_wait_longer() {
        let of = |priority| {
            let notice = Notice::of(UserId(1), &Message { priority, ..message("t", "m", &json!(null)) });
            (notice.urgency(), notice.time_to_live() / HOUR)
        };
        assert_eq!([of(i64::MIN), of(3)], [("low", 12); 2]);
        assert_eq!([of(4), of(7)], [("normal", 24); 2]);
        assert_eq!([of(8), of(i64::MAX)], [("high", 168); 2]);
    }

    #[test]
    fn messages_that_replace_each_other_have_a_topic_of_their_subscription() {
        let with_key = |key: &str| {
            let extras = json!({ "shardcast::replace": { "key": key } });
            Notice::of(UserId(1), &message("t", "m", &extras))
        };
        let topic = with_key("backup").topic(b"secret").unwrap();
        assert_eq!(topic.len(), 32);
        assert_eq!(with_key("backup").topic(b"secret"), Some(topic.clone()));
        assert_ne!(with_key("backup").topic(b"other"), Some(topic.clone()));
        assert_ne!(with_key("other").topic(b"secret"), Some(topic));
        assert_eq!(Notice::of(UserId(1), &message("t", "m", &json!(null))).topic(b"secret"), None);
    }
}

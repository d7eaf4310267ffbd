//! Messages as text or as JSON.

use std::fmt::Write;

use chrono::Local;

use crate::model::Message;

/// Writes a message as one line of JSON, without the line feed.
pub(super) fn json(message: &Message) -> String {
    serde_json::to_string(message).expect("a message is made of texts and numbers")
}

/// Writes a message for people. Further lines of its text are indented. Control characters are escaped: a terminal would
/// obey them.
pub(super) fn text(message: &Message) -> String {
    let Message { id, application_id, title, priority, date, .. } = message;
    let date = date.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S");
    let mut shown = format!("{date} #{id} application {application_id} priority {priority} ");
    if !title.is_empty() {
        escape(&mut shown, title);
        shown.push_str(": ");
    }
    for (index, line) in message.message.trim_end().lines().enumerate() {
        if index > 0 {
            shown.push_str("\n    ");
        }
        escape(&mut shown, line);
    }
    shown
}

fn escape(shown: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_control() && c != '\t' {
            write!(shown, "{}", c.escape_default()).expect("a text takes everything");
        } else {
            shown.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ApplicationId, MessageId};

    fn message(title: &str, text: &str) -> Message {
        Message {
            id: MessageId(12),
            application_id: ApplicationId(3),
            message: text.to_owned(),
            title: title.to_owned(),
            priority: 5,
            extras: None,
            date: "2026-11-29T21:19:40+01:00".parse().unwrap(),
        }
    }

    #[test]
    fn text_is_indented_and_holds_nothing_that_a_terminal_obeys() {
        let shown = text(&message("Back\u{1b}]up", "done\r\n\tat\u{9b} 5\n"));
        let (date, rest) = shown.split_at("2026-11-29 21:19:40".len());
        assert!(date.starts_with("2026-11-"), "{date}");
        assert_eq!(rest, " #12 application 3 priority 5 Back\\u{1b}]up: done\n    \tat\\u{9b} 5");
    }

    #[test]
    fn json_is_one_line_in_the_form_of_the_api() {
        let shown = json(&message("", "a\nb"));
        let expected = r#"{"id":12,"appid":3,"message":"a\nb","title":"","priority":5,"date":"2026-11-29T21:19:40+01:00"}"#;
        assert_eq!(shown, expected);
    }
}

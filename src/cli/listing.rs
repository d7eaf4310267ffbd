//! Lists: columns of text for people, or lines of JSON for programs.

use chrono::Local;
use serde::Serialize;
use serde_json::{Value, json};

use crate::config::on_one_line;
use crate::model::Timestamp;

/// A list that is being made.
pub(super) struct Listing<const COLUMNS: usize> {
    head: [&'static str; COLUMNS],
    is_json: bool,
    rows: Vec<[String; COLUMNS]>,
    /// The lines of JSON.
    lines: String,
}

impl<const COLUMNS: usize> Listing<COLUMNS> {
    /// Begins a list with these names of columns.
    pub(super) fn new(head: [&'static str; COLUMNS], is_json: bool) -> Self {
        Self { head, is_json, rows: Vec::new(), lines: String::new() }
    }

    /// Adds something: as a row, or as JSON with the name of its owner, if it has one.
    pub(super) fn add(&mut self, thing: &impl Serialize, owner: Option<&str>, row: [String; COLUMNS]) {
        if !self.is_json {
            self.rows.push(row);
            return;
        }
        let mut value = serde_json::to_value(thing).expect("a row is made of texts and numbers");
        if let (Value::Object(object), Some(owner)) = (&mut value, owner) {
            object.insert("user".to_owned(), json!(owner));
        }
        self.lines += &value.to_string();
        self.lines.push('\n');
    }

    /// Returns the whole list. Columns are as wide as their longest cell. Control characters are escaped, since a terminal
    /// would obey them.
    pub(super) fn finish(self) -> String {
        if self.is_json {
            return self.lines;
        }
        let rows: Vec<[String; COLUMNS]> = std::iter::once(self.head.map(str::to_owned))
            .chain(self.rows.into_iter().map(|row| row.map(|cell| on_one_line(&cell))))
            .collect();
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
        let mut text = String::new();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            text += cells.collect::<Vec<_>>().join("  ").trim_end();
            text.push('\n');
        }
        text
    }
}

/// Writes a time for people.
pub(super) fn date(time: Timestamp) -> String {
    time.with_timezone(&Local).format("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(is_json: bool) -> String {
        let mut listing = Listing::new(["id", "name"], is_json);
        for (id, name) in [(1, "änn"), (10, "b\u{1b}\n")] {
            listing.add(&json!({ "id": id, "name": name }), Some("root"), [id.to_string(), name.to_owned()]);
        }
        listing.finish()
    }

    #[test]
    fn columns_are_as_wide_as_their_longest_cell_and_control_characters_are_escaped() {
        assert_eq!(listed(false), "id  name\n1   änn\n10  b\\u{1b}\\n\n");
    }

    #[test]
    fn each_line_of_json_is_an_object_with_its_owner() {
        let expected = "{\"id\":1,\"name\":\"änn\",\"user\":\"root\"}\n\
                        {\"id\":10,\"name\":\"b\\u001b\\n\",\"user\":\"root\"}\n";
        assert_eq!(listed(true), expected);
    }
}

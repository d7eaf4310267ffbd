//! One line of comma-separated values, the form of lists in Gotify 3's environment.

/// Splits a line. A field in double quotes may hold commas, and `""` for a quote. Spaces before a field are not part
/// of it, as in Gotify. Returns `None` if a quote is left open or stands where none may.
pub(super) fn split(line: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        let (field, after) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_field(quoted)?
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (field, after) = rest.split_at(end);
            if field.contains('"') {
                return None;
            }
            (field.to_owned(), after)
        };
        fields.push(field);
        if after.is_empty() {
            return Some(fields);
        }
        rest = after.strip_prefix(',')?;
    }
}

/// Reads up to the closing quote; returns the field and what follows it.
fn quoted_field(mut rest: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    loop {
        let (text, after) = rest.split_once('"')?;
        field.push_str(text);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Some((field, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn fields_are_split_at_commas_outside_quotes() {
        assert_eq!(split("a,b c,").unwrap(), ["a", "b c", ""]);
        assert_eq!(split(r#"a,  b, "c,d""#).unwrap(), ["a", "b", "c,d"]);
        assert_eq!(split(r#"x,"a,b","say ""hi""""#).unwrap(), ["x", "a,b", "say \"hi\""]);
    }

    #[test]
    fn misplaced_quotes_are_refused() {
        for line in ["\"open", "a\"b", "\"a\"b"] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}

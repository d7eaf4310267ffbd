//! Form fields, from a URL-encoded or a multipart body and the URL's query.

use std::convert::Infallible;
use std::future::ready;

use bytes::Bytes;
use futures_util::stream;
use multer::Multipart;

use super::number::{flag, whole_number, whole_number_of};
use super::{AnyForm, Field, FieldTarget};
use crate::model::Extras;

/// The most fields that a form may have, those included that nobody reads.
const MAX_FIELDS: usize = 1000;

/// Fills in a form that is as by default from URL-encoded pairs; the first value of a name counts, across all sources.
/// The error is the text for the client.
pub(super) fn decode(sources: &[&[u8]], form: &mut dyn AnyForm) -> Result<(), String> {
    let mut values = Values::new(form.fields());
    let mut count = FieldCount::default();
    for (name, value) in sources.iter().flat_map(|source| form_urlencoded::parse(source)) {
        count.next()?;
        values.offer(&name, || value.into_owned());
    }
    values.fill(form)
}

/// Fills in a form that is as by default from a multipart body. The error is the text for the client.
pub(super) async fn decode_multipart(
    content_type: &str,
    body: Bytes,
    form: &mut dyn AnyForm,
) -> Result<(), String> {
    let mut multipart = multipart(content_type, body)?;
    let mut values = Values::new(form.fields());
    let mut count = FieldCount::default();
    while let Some(part) = multipart.next_field().await.map_err(|error| multipart_text(&error))? {
        count.next()?;
        let Some(name) = part.name().map(str::to_owned) else {
            continue;
        };
        let is_file = part.file_name().is_some();
        let content = part.bytes().await.map_err(|error| multipart_text(&error))?;
        if !is_file {
            values.offer(&name, || String::from_utf8_lossy(&content).into_owned());
        } else if form.fields().iter().any(|field| field.name == name) {
            return Err(format!("Field '{name}' must be a text, not a file"));
        }
    }
    values.fill(form)
}

/// Takes a multipart body apart.
pub(super) fn multipart(content_type: &str, body: Bytes) -> Result<Multipart<'static>, String> {
    let boundary = multer::parse_boundary(content_type)
        .map_err(|_| "the Content-Type must name the boundary of the multipart body".to_owned())?;
    Ok(Multipart::new(stream::once(ready(Ok::<_, Infallible>(body))), boundary))
}

/// How many fields there were.
#[derive(Default)]
pub(super) struct FieldCount(usize);

impl FieldCount {
    /// Counts another one, or refuses it in the words for the client.
    pub(super) fn next(&mut self) -> Result<(), String> {
        self.0 += 1;
        if self.0 > MAX_FIELDS { Err(format!("a form may have at most {MAX_FIELDS} fields")) } else { Ok(()) }
    }
}

pub(super) fn multipart_text(error: &multer::Error) -> String {
    match error {
        multer::Error::IncompleteStream
        | multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders => "the multipart body ends too early".to_owned(),
        other => format!("invalid multipart body: {other}"),
    }
}

/// The first value of each field. Others are not kept, so a body costs no more memory than its own size.
struct Values {
    fields: &'static [Field],
    values: Vec<Option<String>>,
}

impl Values {
    fn new(fields: &'static [Field]) -> Self {
        Self { fields, values: vec![None; fields.len()] }
    }

    fn offer(&mut self, name: &str, value: impl FnOnce() -> String) {
        if let Some(index) = self.fields.iter().position(|field| field.name == name) {
            self.values[index].get_or_insert_with(value);
        }
    }

    fn fill(self, form: &mut dyn AnyForm) -> Result<(), String> {
        for ((index, value), field) in self.values.into_iter().enumerate().zip(self.fields) {
            let Some(value) = value else { continue };
            match form.field_target(index) {
                FieldTarget::Text(text) => *text = value,
                FieldTarget::Integer(number) => *number = Some(whole_number(field.name, &value)?),
                FieldTarget::Unsigned(number) => {
                    let range = (0, field.maximum.unwrap_or(u64::MAX));
                    *number = Some(whole_number_of(range, field.name, &value)?);
                }
                FieldTarget::Flag(target) => *target = flag(field.name, &value)?,
                FieldTarget::Choice(target) => *target = Some(flag(field.name, &value)?),
                FieldTarget::Extras(_) => {}
                FieldTarget::Object(target) => *target = Some(object(field.name, &value)?),
            }
        }
        Ok(())
    }
}

/// Reads an object that is sent as text. The error does not repeat it: it may hold keys.
fn object(name: &str, text: &str) -> Result<Extras, String> {
    serde_json::from_str(text).map_err(|_| format!("Field '{name}' must be an object in JSON"))
}

#[cfg(test)]
mod tests {
    use super::super::fields::tests::Sample;
    use super::*;

    fn form(body: &str, query: &str) -> Result<Sample, String> {
        let mut form = Sample::default();
        decode(&[body.as_bytes(), query.as_bytes()], &mut form).map(|()| form)
    }

    async fn multipart(body: &str) -> Result<Sample, String> {
        let (mut form, body) = (Sample::default(), Bytes::from(body.to_owned()));
        decode_multipart("multipart/form-data; boundary=X", body, &mut form).await.map(|()| form)
    }

    #[test]
    fn the_body_comes_before_the_query() {
        let read = form("name=body&name=later", "name=query&maxCount=5").unwrap();
        assert_eq!((read.name.as_str(), read.count), ("body", Some(5)));
    }

    #[test]
    fn names_match_in_their_own_case_only_and_extras_are_no_form_field() {
        assert_eq!(form("NAME=a&extras={}", "").unwrap(), Sample::default());
    }

    #[test]
    fn numbers_and_flags_may_have_spaces_around_them() {
        let read = form("name=+a+&maxCount=+%2B5&seconds=7%20&urgent=%09True", "").unwrap();
        assert_eq!((read.count, read.seconds, read.urgent), (Some(5), Some(7), true));
        assert_eq!(read.name, " a ", "a text keeps its spaces");
    }

    #[test]
    fn a_value_that_is_no_number_is_named_with_its_field() {
        let error = form("maxCount=high", "").unwrap_err();
        assert!(error.starts_with("Field 'maxCount' must be a whole number from "), "{error}");
        assert!(error.ends_with(", not \"high\""), "{error}");
        assert_eq!(
            form("seconds=-1", ""),
            Err("Field 'seconds' must be a whole number from 0 to 18446744073709551614, not \"-1\""
                .to_owned())
        );
        assert_eq!(
            form("urgent=yes", ""),
            Err("Field 'urgent' must be true or false, not \"yes\"".to_owned())
        );
    }

    #[test]
    fn what_can_not_be_decoded_stays_as_it_is() {
        assert_eq!(form("name=100%", "").unwrap().name, "100%");
        assert_eq!(form("name=%zz;%FF", "").unwrap().name, "%zz;\u{fffd}");
    }

    #[tokio::test]
    async fn a_form_has_so_many_fields_and_no_more() {
        let too_many = Err("a form may have at most 1000 fields".to_owned());
        let fields = "x=1&".repeat(999);
        assert_eq!(form(&fields, "name=a").unwrap().name, "a");
        assert_eq!(form(&fields, "name=a&x=2"), too_many);
        let parts = |count| {
            "--X\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na\r\n".repeat(count) + "--X--\r\n"
        };
        assert_eq!(multipart(&parts(1000)).await.unwrap().name, "a");
        assert_eq!(multipart(&parts(1001)).await, too_many);
    }

    #[tokio::test]
    async fn multipart_fields_are_read() {
        let body = "--X\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na\r\nb\r\n\
                    --X\r\nContent-Disposition: form-data; name=\"maxCount\"\r\n\r\n7\r\n--X--\r\n";
        let read = multipart(body).await.unwrap();
        assert_eq!((read.name.as_str(), read.count), ("a\r\nb", Some(7)));
    }

    #[tokio::test]
    async fn a_broken_multipart_body_is_refused_with_what_is_wrong() {
        let none = decode_multipart("multipart/form-data", Bytes::new(), &mut Sample::default()).await;
        assert_eq!(none, Err("the Content-Type must name the boundary of the multipart body".to_owned()));
        let cut = "--X\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na";
        for body in ["", "x", cut] {
            assert_eq!(multipart(body).await, Err("the multipart body ends too early".to_owned()), "{body}");
        }
        let file =
            "--X\r\nContent-Disposition: form-data; name=\"name\"; filename=\"f\"\r\n\r\na\r\n--X--\r\n";
        assert_eq!(multipart(file).await, Err("Field 'name' must be a text, not a file".to_owned()));
    }
}

//! Form fields, from a URL-encoded or a multipart body and the URL's query.

use std::convert::Infallible;
use std::future::ready;
use std::num::IntErrorKind;

use bytes::Bytes;
use futures_util::stream;
use multer::Multipart;

use super::super::query::{PairError, pairs};
use super::{Form, Slot};

/// The most fields that a form may have, those included that nobody reads.
const MAX_FIELDS: usize = 1000;

/// Decodes URL-encoded pairs; the first value of a name counts, across all sources. The error is the text for
/// the client.
pub(super) fn decode<F: Form>(sources: &[&[u8]]) -> Result<F, String> {
    let mut values = Values::<F>::new();
    let mut count = Count::default();
    for source in sources {
        for pair in pairs(source) {
            count.next()?;
            let (name, value) = pair.map_err(|error: PairError| error.to_string())?;
            values.offer(&name, || value.into_owned());
        }
    }
    values.fill()
}

/// Decodes a multipart body. The error is the text for the client.
pub(super) async fn decode_multipart<F: Form>(content_type: &str, body: Bytes) -> Result<F, String> {
    let boundary = multer::parse_boundary(content_type)
        .map_err(|_| "no multipart boundary param in Content-Type".to_owned())?;
    let mut multipart = Multipart::new(stream::once(ready(Ok::<_, Infallible>(body))), boundary);
    let mut values = Values::<F>::new();
    let mut has_file = false;
    let mut count = Count::default();
    while let Some(part) = multipart.next_field().await.map_err(|error| multipart_text(&error))? {
        count.next()?;
        let Some(name) = part.name().map(str::to_owned) else {
            continue;
        };
        let is_file = part.file_name().is_some();
        let content = part.bytes().await.map_err(|error| multipart_text(&error))?;
        if is_file {
            has_file |= F::FIELDS.iter().any(|field| field.name == name);
        } else {
            values.offer(&name, || String::from_utf8_lossy(&content).into_owned());
        }
    }
    if has_file {
        return Err("unsupported field type for multipart.FileHeader".to_owned());
    }
    values.fill()
}

/// How many fields there were.
#[derive(Default)]
pub(super) struct Count(usize);

impl Count {
    /// Counts another one, or refuses it in the words for the client.
    pub(super) fn next(&mut self) -> Result<(), String> {
        self.0 += 1;
        if self.0 > MAX_FIELDS { Err(format!("a form may have at most {MAX_FIELDS} fields")) } else { Ok(()) }
    }
}

pub(super) fn multipart_text(error: &multer::Error) -> String {
    match error {
        multer::Error::IncompleteStream => "multipart: NextPart: EOF".to_owned(),
        multer::Error::IncompleteFieldData { .. } | multer::Error::IncompleteHeaders => {
            "unexpected EOF".to_owned()
        }
        other => format!("invalid multipart body: {other}"),
    }
}

/// The first value of each field. Others are not kept, so a body costs no more memory than its own size.
struct Values<F> {
    values: Vec<Option<String>>,
    form: std::marker::PhantomData<F>,
}

impl<F: Form> Values<F> {
    fn new() -> Self {
        Self { values: vec![None; F::FIELDS.len()], form: std::marker::PhantomData }
    }

    fn offer(&mut self, name: &str, value: impl FnOnce() -> String) {
        if let Some(index) = F::FIELDS.iter().position(|field| field.name == name) {
            self.values[index].get_or_insert_with(value);
        }
    }

    fn fill(self) -> Result<F, String> {
        let mut form = F::default();
        for (index, value) in self.values.into_iter().enumerate() {
            let Some(value) = value else { continue };
            match form.slot(index) {
                Slot::Text(text) => *text = value,
                Slot::Integer(number) => *number = Some(integer(&value, "ParseInt")?),
                Slot::Unsigned(number) => *number = Some(integer(&value, "ParseUint")?),
                Slot::Flag(flag) => *flag = boolean(&value)?,
                Slot::Extras(_) => {}
            }
        }
        Ok(form)
    }
}

/// Parses a number as Go does for a form: nothing is 0. `function` is the one that Go's text names.
pub(in crate::api) fn integer<N>(value: &str, function: &str) -> Result<N, String>
where
    N: std::str::FromStr<Err = std::num::ParseIntError> + From<u8>,
{
    if value.is_empty() {
        return Ok(N::from(0));
    }
    // Unlike Rust, Go takes no plus sign for an unsigned number.
    let signed_unsigned = function == "ParseUint" && value.starts_with('+');
    let why = match value.parse() {
        Ok(number) if !signed_unsigned => return Ok(number),
        Err(error) if matches!(error.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow) => {
            "value out of range"
        }
        _ => "invalid syntax",
    };
    Err(format!("strconv.{function}: parsing {value:?}: {why}"))
}

/// Parses a flag as Go does for a form: nothing is false.
fn boolean(value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {value:?}: invalid syntax")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fields::tests::Sample;
    use super::*;

    fn form(body: &str, query: &str) -> Result<Sample, String> {
        decode(&[body.as_bytes(), query.as_bytes()])
    }

    async fn multipart(body: &str) -> Result<Sample, String> {
        decode_multipart("multipart/form-data; boundary=X", Bytes::from(body.to_owned())).await
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
    fn numbers_are_gos() {
        assert_eq!(form("maxCount=", "").unwrap().count, Some(0));
        assert_eq!(form("maxCount=%2B5", "").unwrap().count, Some(5));
        assert_eq!(form("maxCount=-5", "").unwrap().count, Some(-5));
        for value in ["x", "5x", "5.0"] {
            let expected = format!("strconv.ParseInt: parsing \"{value}\": invalid syntax");
            assert_eq!(form(&format!("maxCount={value}"), ""), Err(expected));
        }
        assert_eq!(
            form("maxCount=9999999999999999999999", ""),
            Err(r#"strconv.ParseInt: parsing "9999999999999999999999": value out of range"#.to_owned())
        );
        assert!(form("maxCount=+5", "").is_err(), "a plus sign is a space");
        assert_eq!(
            integer::<u64>("+5", "ParseUint").unwrap_err(),
            r#"strconv.ParseUint: parsing "+5": invalid syntax"#
        );
        assert_eq!(
            integer::<u64>("-1", "ParseUint").unwrap_err(),
            r#"strconv.ParseUint: parsing "-1": invalid syntax"#
        );
    }

    #[test]
    fn unsigned_numbers_are_gos() {
        assert_eq!(form("seconds=7", "").unwrap().seconds, Some(7));
        assert_eq!(form("seconds=", "").unwrap().seconds, Some(0));
        assert_eq!(
            form("seconds=-1", ""),
            Err(r#"strconv.ParseUint: parsing "-1": invalid syntax"#.to_owned())
        );
    }

    #[test]
    fn flags_are_gos() {
        for (value, expected) in [("1", true), ("True", true), ("t", true), ("", false), ("F", false)] {
            assert_eq!(form(&format!("urgent={value}"), "").unwrap().urgent, expected, "{value}");
        }
        for value in ["yes", "tRUE", "2"] {
            let expected = format!("strconv.ParseBool: parsing \"{value}\": invalid syntax");
            assert_eq!(form(&format!("urgent={value}"), ""), Err(expected));
        }
    }

    #[test]
    fn a_pair_that_can_not_be_decoded_is_an_error() {
        assert_eq!(form("name=%zz", ""), Err(r#"invalid URL escape "%zz""#.to_owned()));
        assert_eq!(form("name=a", "x=1;2"), Err("invalid semicolon separator in query".to_owned()));
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
    async fn multipart_errors_have_gotifys_texts() {
        let none = decode_multipart::<Sample>("multipart/form-data", Bytes::new()).await;
        assert_eq!(none, Err("no multipart boundary param in Content-Type".to_owned()));
        assert_eq!(multipart("").await, Err("multipart: NextPart: EOF".to_owned()));
        assert_eq!(multipart("x").await, Err("multipart: NextPart: EOF".to_owned()));
        let cut = "--X\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na";
        assert_eq!(multipart(cut).await, Err("unexpected EOF".to_owned()));
        let file =
            "--X\r\nContent-Disposition: form-data; name=\"name\"; filename=\"f\"\r\n\r\na\r\n--X--\r\n";
        assert_eq!(multipart(file).await, Err("unsupported field type for multipart.FileHeader".to_owned()));
    }
}

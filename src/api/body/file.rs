//! A file in a multipart body.

use bytes::Bytes;

use super::super::ApiError;
use super::form::{FieldCount, multipart, multipart_text};
use super::{LazyBody, content_type};

/// A file that was sent.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::api) struct UploadedFile {
    /// What the sender calls it.
    pub(in crate::api) name: String,
    /// What is in it.
    pub(in crate::api) content: Bytes,
}

impl LazyBody {
    /// Reads the body, and returns the first file of that name.
    pub(in crate::api) async fn read_file(&mut self, name: &str) -> Result<UploadedFile, ApiError> {
        let media_type = content_type(&self.parts).split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("multipart/form-data") {
            let text = format!("the body must be multipart/form-data, with a file named '{name}'");
            return Err(ApiError::BadRequest(text));
        }
        let content = self.bytes().await?;
        find(content_type(&self.parts), content, name).await.map_err(ApiError::BadRequest)
    }
}

/// The error is the text for the client.
async fn find(content_type: &str, body: Bytes, name: &str) -> Result<UploadedFile, String> {
    let mut multipart = multipart(content_type, body)?;
    let (mut found, mut count) = (None, FieldCount::default());
    // To the end, although the file may come first: a body that was cut off is no upload.
    while let Some(part) = multipart.next_field().await.map_err(|error| multipart_text(&error))? {
        count.next()?;
        let file_name = part.file_name().filter(|file| !file.is_empty()).map(str::to_owned);
        let is_wanted = part.name() == Some(name) && found.is_none();
        let content = part.bytes().await.map_err(|error| multipart_text(&error))?;
        if let Some(name) = file_name.filter(|_| is_wanted) {
            found = Some(UploadedFile { name, content });
        }
    }
    found.ok_or_else(|| format!("file with key '{name}' must be present"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn found_in(body: &str) -> Result<UploadedFile, String> {
        find("multipart/form-data; boundary=X", Bytes::from(body.to_owned()), "file").await
    }

    fn part(disposition: &str, content: &str) -> String {
        format!("--X\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    }

    #[tokio::test]
    async fn the_first_file_of_the_name_is_found() {
        let body = [
            part("name=\"file\"", "a field"),
            part("name=\"other\"; filename=\"x.png\"", "x"),
            part("name=\"file\"; filename=\"a b.png\"", "first\r\nfile"),
            part("name=\"file\"; filename=\"c.png\"", "second"),
        ];
        let expected =
            UploadedFile { name: "a b.png".to_owned(), content: Bytes::from_static(b"first\r\nfile") };
        assert_eq!(found_in(&format!("{}--X--\r\n", body.concat())).await, Ok(expected));
    }

    #[tokio::test]
    async fn a_body_without_it_is_refused() {
        let missing = Err("file with key 'file' must be present".to_owned());
        for body in [
            part("name=\"file\"", "a field"),
            part("name=\"File\"; filename=\"x.png\"", "x"),
            part("name=\"file\"; filename=\"\"", "x"),
        ] {
            assert_eq!(found_in(&format!("{body}--X--\r\n")).await, missing, "{body}");
        }
        let cut = part("name=\"file\"; filename=\"x.png\"", "x");
        let early = Err("the multipart body ends too early".to_owned());
        assert_eq!(found_in(&cut).await, early);
        assert_eq!(found_in("").await, early);
    }
}

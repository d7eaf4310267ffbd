//! Answers with a picture that is no file: with conditions and ranges (RFC 9110, sections 13 and 14), and within the memory
//! for answers.
//!
//! What is saved under a name is never changed. So the name is the entity tag.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::try_unfold;

use super::super::listing::{AnswerMemory, KeptPart, NoMemory, PATIENCE, PATIENCE_ONCE_BEGUN, PIECE_BYTES};
use crate::store::{ImageName, Images};

/// How many bytes are reserved for a byte of a picture: as it comes from the database, and as it is kept.
const RESERVED_PER_BYTE: usize = 2;

/// Why a picture is not answered with, or not to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum ContentError {
    #[error("waited too long for memory")]
    NoMemory(#[from] NoMemory),
    #[error("failed to read a picture")]
    Read(#[from] io::Error),
    #[error("the picture is not there any more")]
    Gone,
}

/// A picture of so many bytes.
pub(super) struct Content {
    pub(super) images: Arc<dyn Images>,
    pub(super) memory: AnswerMemory,
    pub(super) name: ImageName,
    pub(super) bytes: usize,
}

impl Content {
    /// Answers a request of this method, with these headers.
    pub(super) async fn answer(self, method: &Method, headers: &HeaderMap) -> Result<Response, ContentError> {
        let tag = format!("\"{}\"", self.name.as_str());
        if is_known(headers, &tag) {
            return Ok((StatusCode::NOT_MODIFIED, [header(ETAG, tag)]).into_response());
        }
        let size = self.bytes;
        let Some(requested) = requested(headers, &tag, size) else {
            let range = header(CONTENT_RANGE, format!("bytes */{size}"));
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [range]).into_response());
        };
        let (status, part) = match requested {
            None => (StatusCode::OK, 0..size),
            Some(part) => (StatusCode::PARTIAL_CONTENT, part),
        };
        let length = part.len();
        let range = format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1));
        let body = if method == Method::HEAD { Body::empty() } else { self.body(part).await? };
        let mut response = (status, body).into_response();
        let described = response.headers_mut();
        described.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        described.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        described.insert(CONTENT_LENGTH, length.into());
        described.extend([header(ETAG, tag)]);
        if status == StatusCode::PARTIAL_CONTENT {
            described.extend([header(CONTENT_RANGE, range)]);
        }
        Ok(response)
    }

    /// Reads the picture before the answer begins, so that one that can't be read is an error for the client.
    async fn body(self, part: Range<usize>) -> Result<Body, ContentError> {
        let kept = self.read(PATIENCE).await?;
        if part.len() <= PIECE_BYTES
            && let Some(piece) = kept.take(part.start, part.len())
        {
            // Not a part of the whole, which would stay in memory.
            return Ok(Bytes::copy_from_slice(&piece).into());
        }
        let pieces = Pieces { content: self, kept: Some(kept), left: part };
        Ok(Body::from_stream(try_unfold(pieces, async |mut pieces| {
            let piece = pieces.next().await.inspect_err(|error| {
                tracing::warn!(error = error as &dyn std::error::Error, "ended a picture before its end");
            })?;
            Ok::<_, ContentError>(piece.map(|piece| (piece, pieces)))
        })))
    }

    async fn read(&self, patience: Duration) -> Result<KeptPart, ContentError> {
        let reserved = RESERVED_PER_BYTE.saturating_mul(self.bytes);
        let reservation = self.memory.reserve(reserved, patience).await?;
        let content = self.images.read(&self.name).await?.ok_or(ContentError::Gone)?;
        if content.len() != self.bytes {
            return Err(io::Error::other("its size has changed").into());
        }
        Ok(reservation.keep(content))
    }
}

/// A picture on its way to a client.
struct Pieces {
    content: Content,
    /// Its content, unless it was given up while the client took nothing.
    kept: Option<KeptPart>,
    /// What the client does not have yet.
    left: Range<usize>,
}

impl Pieces {
    /// Returns what the client gets next; nothing at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, ContentError> {
        loop {
            if self.left.is_empty() {
                return Ok(None);
            }
            let length = self.left.len().min(PIECE_BYTES);
            if let Some(piece) = self.kept.as_ref().and_then(|kept| kept.take(self.left.start, length)) {
                self.left.start += piece.len();
                return Ok(Some(piece));
            }
            self.kept = None;
            self.kept = Some(self.content.read(PATIENCE_ONCE_BEGUN).await?);
        }
    }
}

/// Pairs a header with its value, which has only characters that a name of a picture or a number may have.
fn header(name: HeaderName, value: String) -> (HeaderName, HeaderValue) {
    (name, HeaderValue::try_from(value).expect("names of pictures and numbers are ASCII"))
}

/// Answers whether the client has a picture with this tag.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = tags.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// Returns which part is asked for, if it is not the whole; `None` if there is no such part, or if several are asked for.
#[expect(clippy::option_option, reason = "the outer one is an answer of its own, as a file has it")]
fn requested(headers: &HeaderMap, tag: &str, size: usize) -> Option<Option<Range<usize>>> {
    let Some(range) = headers.get(RANGE) else { return Some(None) };
    // A part of another picture is of no use.
    if headers.get(IF_RANGE).is_some_and(|condition| condition != tag) {
        return Some(None);
    }
    let ranges = http_range_header::parse_range_header(range.to_str().ok()?).ok()?;
    let [part] = ranges.validate(size as u64).ok()?.try_into().ok()?;
    let (start, end) = (usize::try_from(*part.start()).ok()?, usize::try_from(*part.end()).ok()?);
    Some(Some(start..end + 1))
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use parking_lot::Mutex;

    use super::*;
    use crate::store::Image;

    /// One picture, which is counted when it is read.
    #[derive(Debug)]
    struct OnePicture(Bytes, Mutex<usize>);

    #[async_trait::async_trait]
    impl Images for OnePicture {
        async fn save(&self, _: &ImageName, _: Bytes) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }

        async fn find(&self, _: &ImageName) -> io::Result<Option<Image>> {
            Ok(Some(Image::Stored { bytes: self.0.len() }))
        }

        async fn read(&self, _: &ImageName) -> io::Result<Option<Bytes>> {
            *self.1.lock() += 1;
            Ok(Some(self.0.clone()))
        }

        async fn remove(&self, _: &ImageName) -> io::Result<bool> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }

    fn picture(bytes: usize) -> Arc<OnePicture> {
        let content: Vec<u8> = (0..bytes).map(|at| u8::try_from(at % 251).unwrap()).collect();
        Arc::new(OnePicture(content.into(), Mutex::default()))
    }

    fn content(picture: &Arc<OnePicture>, memory: &AnswerMemory) -> Content {
        Content {
            images: Arc::clone(picture) as Arc<dyn Images>,
            memory: memory.clone(),
            name: ImageName::parse("x.png").unwrap(),
            bytes: picture.0.len(),
        }
    }

    async fn ask(bytes: usize, method: Method, headers: &[(HeaderName, &'static str)]) -> (Response, usize) {
        let picture = picture(bytes);
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        let content = content(&picture, &AnswerMemory::new(1_000_000));
        let response = content.answer(&method, &headers.collect()).await.unwrap();
        let read = *picture.1.lock();
        (response, read)
    }

    #[tokio::test]
    async fn a_range_is_that_part_of_the_picture() {
        for (range, status, expected) in [
            ("bytes=0-9", 206, Some((0..10, "bytes 0-9/100000"))),
            ("bytes=99990-", 206, Some((99_990..100_000, "bytes 99990-99999/100000"))),
            ("bytes=-40000", 206, Some((60_000..100_000, "bytes 60000-99999/100000"))),
            ("bytes=0-99999999", 206, Some((0..100_000, "bytes 0-99999/100000"))),
            ("bytes=100000-", 416, None),
            ("bytes=1-2,5-6", 416, None),
            ("lines=1-2", 416, None),
        ] {
            let (response, read) = ask(100_000, Method::GET, &[(RANGE, range)]).await;
            assert_eq!(response.status(), status, "{range}");
            let Some((part, described)) = expected else {
                assert_eq!(response.headers()[CONTENT_RANGE], "bytes */100000", "{range}");
                assert_eq!(read, 0, "{range}");
                continue;
            };
            assert_eq!(response.headers()[CONTENT_RANGE], described, "{range}");
            assert_eq!(response.headers()[CONTENT_LENGTH], part.len().to_string(), "{range}");
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert_eq!(body, picture(100_000).0.slice(part), "{range}");
        }
    }

    #[tokio::test]
    async fn what_the_client_has_or_only_asks_about_is_not_read() {
        for known in ["\"x.png\"", "W/\"x.png\"", "\"a\", \"x.png\"", "*"] {
            let (response, read) = ask(100, Method::GET, &[(IF_NONE_MATCH, known)]).await;
            assert_eq!((response.status().as_u16(), read), (304, 0), "{known}");
            assert_eq!(response.headers()[ETAG], "\"x.png\"");
        }
        let (response, read) = ask(100, Method::HEAD, &[]).await;
        assert_eq!((response.status().as_u16(), read), (200, 0));
        assert_eq!(response.headers()[CONTENT_LENGTH], "100");
        let (response, read) = ask(100, Method::GET, &[(IF_NONE_MATCH, "\"y.png\"")]).await;
        assert_eq!((response.status().as_u16(), read), (200, 1));
    }

    #[tokio::test]
    async fn a_range_of_another_picture_is_not_answered_with_a_part() {
        let range = (RANGE, "bytes=0-9");
        for (condition, status) in
            [("\"x.png\"", 206), ("\"y.png\"", 200), ("Mon, 30 Nov 2026 06:00:00 GMT", 200)]
        {
            let (response, _) = ask(100, Method::GET, &[range.clone(), (IF_RANGE, condition)]).await;
            assert_eq!(response.status(), status, "{condition}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_picture_that_a_client_does_not_take_is_read_again_when_it_goes_on() {
        let (picture, memory) = (picture(100_000), AnswerMemory::new(300_000));
        let answer = async || content(&picture, &memory).answer(&Method::GET, &HeaderMap::new()).await;
        let stalled = answer().await.unwrap();
        // There is no memory for another one beside it.
        let taken = answer().await.unwrap();
        assert_eq!(to_bytes(taken.into_body(), usize::MAX).await.unwrap(), picture.0);
        assert_eq!(*picture.1.lock(), 2);
        assert_eq!(to_bytes(stalled.into_body(), usize::MAX).await.unwrap(), picture.0);
        assert_eq!(*picture.1.lock(), 3);
    }
}

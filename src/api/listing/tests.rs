//! Lists from a source that changes while clients take them.

use std::sync::Arc;

use axum::body::to_bytes;
use http_body_util::BodyExt;
use parking_lot::Mutex;

use super::*;

/// Texts by their numbers.
#[derive(Clone, Default)]
struct Texts(Arc<Mutex<Vec<Option<String>>>>);

#[derive(Serialize)]
struct Text {
    id: usize,
    text: String,
}

impl Rows for Texts {
    type Id = usize;
    type Row = Text;

    fn id(row: &Text) -> usize {
        row.id
    }

    async fn read(&self, ids: &[usize]) -> Result<Vec<Text>, StoreError> {
        let texts = self.0.lock();
        Ok(ids.iter().filter_map(|&id| Some(Text { id, text: texts[id].clone()? })).collect())
    }
}

impl Texts {
    fn of(sizes: &[usize]) -> Self {
        let texts =
            sizes.iter().enumerate().map(|(number, &size)| Some("<x".repeat(size / 2) + &number.to_string()));
        Self(Arc::new(Mutex::new(texts.collect())))
    }

    /// The first part and what is left out, as a database finds them.
    async fn slice(&self, rows: usize) -> Slice<Text, usize> {
        let texts = self.0.lock().clone();
        let left_out = texts.iter().enumerate().skip(rows);
        let left_out = left_out.map(|(id, text)| LeftOut { id, bytes: text.as_ref().map_or(0, String::len) });
        let ids: Vec<_> = (0..rows).collect();
        Slice { rows: self.read(&ids).await.unwrap(), left_out: left_out.collect() }
    }

    fn json(&self) -> String {
        let texts = self.0.lock().clone();
        let rows = texts.into_iter().enumerate().filter_map(|(id, text)| Some(Text { id, text: text? }));
        let mut json = Vec::new();
        write_json(&mut json, &rows.collect::<Vec<_>>());
        String::from_utf8(json).unwrap()
    }
}

async fn answer(memory: &AnswerMemory, texts: &Texts, rows: usize) -> Response {
    let part = FirstPart::reserve(memory).await.unwrap();
    part.answer((b"[".to_vec(), "]"), texts.clone(), texts.slice(rows).await)
}

fn memory() -> AnswerMemory {
    AnswerMemory::new(RESERVED_PER_BYTE * PART_BYTES)
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().into()).unwrap()
}

#[tokio::test]
async fn parts_join_to_the_list() {
    for (sizes, rows) in [
        (&[][..], 0),
        (&[10, 20, 30], 3),
        (&[30_000, 30_000], 2),
        (&[10, 20, 300_000, 30, 3_000_000, 100_000, 100_000, 100_000, 100_000, 7], 2),
        (&[2_000_000, 1], 0),
    ] {
        let texts = Texts::of(sizes);
        let response = answer(&memory(), &texts, rows).await;
        let length = response.headers().get(CONTENT_LENGTH).cloned();
        let joined = text(response).await;
        assert!(joined == texts.json(), "{sizes:?}");
        assert_eq!(length.is_some(), rows == sizes.len(), "{sizes:?}");
    }
}

#[tokio::test]
async fn rows_that_are_gone_are_missing() {
    let texts = Texts::of(&[10, 300_000, 300_000, 10]);
    let response = answer(&memory(), &texts, 1).await;
    texts.0.lock()[1] = None;
    texts.0.lock()[3] = None;
    assert!(text(response).await == texts.json());
    let response = answer(&memory(), &texts, 0).await;
    texts.0.lock().fill(None);
    assert_eq!(text(response).await, "[]");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_keeps_no_memory_from_others_and_can_go_on() {
    let memory = memory();
    let texts = Texts::of(&[100_000, 300_000, 100_000]);
    let mut body = answer(&memory, &texts, 1).await.into_body();
    let mut taken = body.frame().await.unwrap().unwrap().into_data().unwrap().to_vec();
    assert_eq!(taken.len(), PIECE_BYTES);
    // All the memory there is, twice: the second client waits for what the first one leaves.
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        drop(FirstPart::reserve(&memory).await.unwrap());
    }
    while let Some(frame) = body.frame().await {
        taken.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    assert!(String::from_utf8(taken).unwrap() == texts.json());
}

#[tokio::test(start_paused = true)]
async fn a_part_that_can_not_be_made_as_it_was_ends_the_answer() {
    let memory = memory();
    let texts = Texts::of(&[100_000, 10]);
    let mut body = answer(&memory, &texts, 2).await.into_body();
    body.frame().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    drop(FirstPart::reserve(&memory).await.unwrap());
    texts.0.lock()[1] = None;
    assert!(body.frame().await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_finds_no_memory_is_refused_with_when_to_try_again() {
    let memory = memory();
    let _first = FirstPart::reserve(&memory).await.unwrap();
    let refused = FirstPart::reserve(&memory).await.err().unwrap().into_response();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
}

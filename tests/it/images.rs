//! Pictures' files: what is left of them when something goes wrong, and pictures that are really that.

use std::sync::Arc;
use std::{fs, io};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use shardcast::external::async_trait::async_trait;
use shardcast::external::bytes::Bytes;
use shardcast::server::{NodeConfig, NodeParts};
use shardcast::store::{Database, Image, ImageName, ImageStorage, Images, Sqlite};

use crate::harness::{Answer, Person, TestServer, http};

/// A PNG of one pixel.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn url(server: &TestServer, path: &str) -> String {
    format!("http://{}{path}", server.address)
}

/// Uploads with a real client; returns the status and the path of the picture.
async fn upload(server: &TestServer, person: &Person, file: &str, content: Vec<u8>) -> (u16, String) {
    let part = reqwest::multipart::Part::bytes(content).file_name(file.to_owned());
    let answer = http()
        .post(url(server, &format!("/application/{}/image", person.application.id)))
        .header("X-Gotify-Key", &person.client.token)
        .multipart(reqwest::multipart::Form::new().part("file", part))
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    let answer: serde_json::Value = answer.json().await.unwrap();
    let text = answer["image"].as_str().or(answer["errorDescription"].as_str());
    (status, text.unwrap().to_owned())
}

async fn delete(server: &TestServer, person: &Person, path: &str) -> Answer {
    server.send("DELETE", path, &[("X-Gotify-Key".to_owned(), person.client.token.clone())], "").await
}

fn files(server: &TestServer) -> usize {
    fs::read_dir(&server.images).map_or(0, Iterator::count)
}

#[tokio::test]
async fn a_picture_comes_back_byte_for_byte() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let pixel = BASE64_STANDARD.decode(PIXEL).unwrap();
    let (status, path) = upload(&server, &ann, "pixel.png", pixel.clone()).await;
    assert_eq!(status, 200, "{path}");
    let answer = http().get(url(&server, &format!("/{path}"))).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert!(answer.headers().contains_key("last-modified"));
    assert_eq!(answer.bytes().await.unwrap(), pixel);
    // Of the PNG, this much is enough.
    assert_eq!(upload(&server, &ann, "bare.PNG", b"\x89PNG".to_vec()).await.0, 200);
    assert_eq!(files(&server), 1, "the first one is gone");
}

#[tokio::test]
async fn the_default_picture_is_a_png() {
    let server = TestServer::start().await;
    let picture = http().get(url(&server, "/static/defaultapp.png")).send().await.unwrap();
    assert_eq!(picture.status(), 200);
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert!(picture.bytes().await.unwrap().starts_with(b"\x89PNG\r\n\x1a\n"));
}

#[tokio::test]
async fn the_picture_goes_with_its_application_and_with_its_user() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    upload(&server, &ann, "a.png", b"\x89PNG".to_vec()).await;
    upload(&server, &bob, "b.png", b"\x89PNG".to_vec()).await;
    assert_eq!(files(&server), 2);
    let deleted = delete(&server, &ann, &format!("/application/{}", ann.application.id)).await;
    assert_eq!((deleted.status, files(&server)), (200, 1));

    let admin = [("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode("admin:admin")))];
    let deleted = server.send("DELETE", &format!("/user/{}", bob.user.id), &admin, "").await;
    assert_eq!((deleted.status, files(&server)), (200, 0));
}

#[tokio::test]
async fn what_is_refused_leaves_no_file() {
    let server = TestServer::start_with(|config| {
        config.api.image_limits.max_bytes = 100;
        config.api.image_limits.max_pixels = 1000;
    })
    .await;
    let ann = server.person("ann").await;
    let mut large = BASE64_STANDARD.decode(PIXEL).unwrap();
    // Its width, which follows the signature, a length and the chunk's name.
    large[16..20].copy_from_slice(&1001_u32.to_be_bytes());
    assert_eq!(
        upload(&server, &ann, "large.png", large).await,
        (400, "image has 1001 x 1 pixels, at most 1000 are allowed".to_owned())
    );
    let long = [b"\x89PNG".to_vec(), vec![0; 97]].concat();
    assert_eq!(
        upload(&server, &ann, "long.png", long).await,
        (413, "image must be at most 100 bytes long".to_owned())
    );
    assert_eq!(files(&server), 0);
}

#[tokio::test]
async fn a_folder_that_can_not_be_made_is_a_503_and_changes_nothing() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    fs::write(&server.images, "a file").unwrap();
    let (status, text) = upload(&server, &ann, "a.png", b"\x89PNG".to_vec()).await;
    assert_eq!((status, text.as_str()), (503, "pictures are unavailable, try again later"));
    let application = server.store.database().application(ann.application.id).await.unwrap().unwrap();
    assert_eq!(application.row.image_file(), None);
}

/// A database may come from elsewhere.
#[tokio::test]
async fn a_name_in_the_database_that_leads_out_of_the_folder_removes_nothing() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    server.store.database().set_application_image(ann.application.id, "../gotify.db").await.unwrap();
    let reset = delete(&server, &ann, &format!("/application/{}/image", ann.application.id)).await;
    assert_eq!(reset.status, 200, "{reset:?}");
    assert!(server.database.exists());
}

#[tokio::test]
async fn of_uploads_at_once_one_file_is_left() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let uploads = (0..8).map(|_| upload(&server, &ann, "a.png", b"\x89PNG".to_vec()));
    for (status, path) in futures_util::future::join_all(uploads).await {
        assert_eq!(status, 200, "{path}");
    }
    let application = server.store.database().application(ann.application.id).await.unwrap().unwrap();
    assert!(server.images.join(application.row.image_file().unwrap()).exists());
    assert_eq!(files(&server), 1);
}

/// A database of a Gotify has names of its own, and early ones had other extensions.
#[tokio::test]
async fn a_picture_that_has_a_name_of_somebody_elses_is_shown_and_goes_when_it_is_replaced() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    fs::create_dir_all(&server.images).unwrap();
    for (name, status) in [("x.png", 200), ("old.svg", 404)] {
        fs::write(server.images.join(name), "a picture").unwrap();
        server.store.database().set_application_image(ann.application.id, name).await.unwrap();
        assert_eq!(server.send("GET", &format!("/image/{name}"), &[], "").await.status, status);
        assert_eq!(upload(&server, &ann, "new.png", b"\x89PNG".to_vec()).await.0, 200);
        assert!(!server.images.join(name).exists(), "{name} stays");
    }
}

/// Pictures in memory, as another place for them might have them.
#[derive(Debug, Default)]
struct InMemory(parking_lot::Mutex<std::collections::HashMap<ImageName, Bytes>>);

#[async_trait]
impl Images for InMemory {
    async fn save(&self, name: &ImageName, content: Bytes) -> io::Result<()> {
        self.0.lock().insert(name.clone(), content);
        Ok(())
    }

    async fn find(&self, name: &ImageName) -> io::Result<Option<Image>> {
        Ok(self.0.lock().get(name).map(|content| Image::Stored { bytes: content.len() }))
    }

    async fn read(&self, name: &ImageName) -> io::Result<Option<Bytes>> {
        Ok(self.0.lock().get(name).cloned())
    }

    async fn remove(&self, name: &ImageName) -> io::Result<bool> {
        Ok(self.0.lock().remove(name).is_some())
    }
}

#[tokio::test]
async fn pictures_can_be_kept_elsewhere_than_in_a_folder() {
    let mut parts = NodeParts::default();
    parts.images = Some(Arc::new(InMemory::default()));
    let server = TestServer::start_of(parts, |_| {}, |_| {}).await;
    let ann = server.person("ann").await;
    let (_, path) = upload(&server, &ann, "pixel.png", BASE64_STANDARD.decode(PIXEL).unwrap()).await;
    let shown = http().get(url(&server, &format!("/{path}"))).send().await.unwrap();
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert_eq!(shown.headers()["x-content-type-options"], "nosniff");
    assert_eq!(shown.bytes().await.unwrap(), BASE64_STANDARD.decode(PIXEL).unwrap());
    assert_eq!(files(&server), 0);
    let reset = delete(&server, &ann, &format!("/application/{}/image", ann.application.id)).await;
    assert_eq!(reset.status, 200, "{reset:?}");
    assert_eq!(server.send("GET", &format!("/{path}"), &[], "").await.status, 404);
}

#[tokio::test]
async fn a_picture_that_one_node_was_sent_is_shown_by_another_one_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gotify.db");
    let database: Arc<dyn Database> = Arc::new(Sqlite::open(file.to_str().unwrap()).await.unwrap());
    let node = async || {
        let in_database = |config: &mut NodeConfig| config.images = ImageStorage::Database;
        TestServer::start_on(Arc::clone(&database), NodeParts::default(), in_database).await
    };
    let (a, b) = (node().await, node().await);
    let ann = a.person("ann").await;
    let content: Vec<u8> =
        BASE64_STANDARD.decode(PIXEL).unwrap().into_iter().chain(vec![7; 200_000]).collect();
    let (status, path) = upload(&a, &ann, "pixel.png", content.clone()).await;
    assert_eq!(status, 200, "{path}");
    assert_eq!((files(&a), files(&b)), (0, 0));
    let shown = http().get(url(&b, &format!("/{path}"))).send().await.unwrap();
    assert_eq!(shown.status(), 200);
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert_eq!(shown.headers()["content-length"], content.len().to_string());
    let tag = shown.headers()["etag"].clone();
    assert_eq!(shown.bytes().await.unwrap(), content);
    let again = http().get(url(&b, &format!("/{path}"))).header("If-None-Match", tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    let reset = delete(&b, &ann, &format!("/application/{}/image", ann.application.id)).await;
    assert_eq!(reset.status, 200, "{reset:?}");
    assert_eq!(a.send("GET", &format!("/{path}"), &[], "").await.status, 404);
}

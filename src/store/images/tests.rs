//! What every place for pictures does, held to by a folder, by a database and by memory; and what each of them alone does.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use parking_lot::Mutex;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;

/// Pictures in memory, as a database would have them.
#[derive(Debug, Default)]
struct InMemory(Mutex<HashMap<ImageName, Bytes>>);

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

fn name(seed: u64) -> ImageName {
    ImageName::random("png", &mut StdRng::seed_from_u64(seed)).unwrap()
}

async fn content(images: &dyn Images, name: &ImageName) -> Option<Bytes> {
    match images.find(name).await.unwrap()? {
        Image::File(path) => Some(fs::read(path).unwrap().into()),
        Image::Stored { bytes } => {
            let content = images.read(name).await.unwrap()?;
            assert_eq!(content.len(), bytes);
            Some(content)
        }
    }
}

async fn a_picture_is_found_until_it_is_removed(images: &dyn Images) {
    let (first, second) = (name(1), name(2));
    assert_eq!(content(images, &first).await, None);
    assert!(!images.remove(&first).await.unwrap());
    images.save(&first, Bytes::from_static(b"\x89PNG 1")).await.unwrap();
    images.save(&second, Bytes::from_static(b"\x89PNG 2")).await.unwrap();
    assert_eq!(content(images, &first).await.unwrap(), &b"\x89PNG 1"[..]);
    assert!(images.remove(&first).await.unwrap());
    assert!(!images.remove(&first).await.unwrap());
    assert_eq!(content(images, &first).await, None);
    assert!(content(images, &second).await.is_some());
}

#[tokio::test]
async fn memory_keeps_pictures() {
    a_picture_is_found_until_it_is_removed(&InMemory::default()).await;
}

#[tokio::test]
async fn a_folder_keeps_pictures() {
    let parent = tempfile::tempdir().unwrap();
    let images = ImageFolder::open(parent.path().join("data/images")).await;
    a_picture_is_found_until_it_is_removed(&images).await;
    assert_eq!(
        names_in(&parent.path().join("data/images")),
        [name(2).as_str()],
        "nothing unfinished is left"
    );
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_can_not_be_written_leaves_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let images = ImageFolder::open(parent.path()).await;
    let name = name(3);
    // A folder stands where the picture is to go.
    let path = parent.path().join(name.as_str());
    fs::create_dir(&path).unwrap();
    images.save(&name, Bytes::from_static(b"\x89PNG")).await.unwrap_err();
    assert_eq!(names_in(parent.path()), [name.as_str()]);
    assert!(path.is_dir());
    assert_eq!(images.find(&name).await.unwrap(), None);

    let in_a_file = ImageFolder::open(parent.path().join("file/images")).await;
    fs::write(parent.path().join("file"), "").unwrap();
    in_a_file.save(&name, Bytes::from_static(b"\x89PNG")).await.unwrap_err();
}

#[tokio::test]
async fn a_picture_that_a_killed_process_has_not_finished_is_removed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    for name in [".Ab12.part", ".0123456789012345678901234.png.part", "kept.part", ".kept", "kept.png"] {
        fs::write(folder.path().join(name), "half").unwrap();
    }
    ImageFolder::open(folder.path()).await;
    assert_eq!(names_in(folder.path()), [".kept", "kept.part", "kept.png"]);
}

#[tokio::test]
async fn others_may_read_a_picture_as_any_new_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode();
    fs::write(folder.path().join("any"), "").unwrap();
    let images = ImageFolder::open(folder.path()).await;
    images.save(&name(4), Bytes::from_static(b"\x89PNG")).await.unwrap();
    assert_eq!(mode(&folder.path().join(name(4).as_str())), mode(&folder.path().join("any")));
}

#[cfg(feature = "sqlite")]
mod in_a_database {
    use std::sync::Arc;

    use super::*;
    use crate::store::conformance::{application, user};
    use crate::store::{Database, Sqlite};

    async fn database(folder: &Path) -> Arc<dyn Database> {
        Arc::new(Sqlite::open(folder.join("gotify.db").to_str().unwrap()).await.unwrap())
    }

    #[tokio::test]
    async fn a_database_keeps_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let images = StoredImages::new(database(folder.path()).await);
        a_picture_is_found_until_it_is_removed(&images).await;
    }

    #[tokio::test]
    async fn pictures_of_a_folder_are_saved_in_the_database_once_and_the_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(folder.path()).await;
        let alice = user(&*database, "alice").await;
        let files = folder.path().join("images");
        fs::create_dir(&files).unwrap();
        let names = ["a.png", "b.png", "useless.png"];
        for name in names {
            fs::write(files.join(name), name).unwrap();
        }
        let mut applications = Vec::new();
        for (token, image) in [("A1", "a.png"), ("A2", "b.png"), ("A3", "gone.png"), ("A4", "../gotify.db")] {
            let application = application(&*database, &alice, token).await;
            database.set_application_image(application.id, image).await.unwrap();
            applications.push(application.id);
        }
        let kept = async |images: &StoredImages| {
            let mut kept = Vec::new();
            for name in names {
                kept.extend(content(images, &ImageName::parse(name).unwrap()).await);
            }
            kept
        };
        // As if an earlier start had been cut off after the first one.
        database.save_picture(&ImageName::parse("a.png").unwrap(), b"a.png").await.unwrap();
        let images = StoredImages::open(Arc::clone(&database), &files).await.unwrap();
        assert_eq!(kept(&images).await, ["a.png", "b.png"]);
        assert_eq!(names_in(&files), names);
        // What was deleted meanwhile does not come back.
        database.delete_application(applications[1]).await.unwrap();
        let images = StoredImages::open(Arc::clone(&database), &files).await.unwrap();
        assert_eq!(kept(&images).await, ["a.png"]);
        database.close().await;
    }
}

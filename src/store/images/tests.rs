//! What every place for pictures does, held to by a folder and by memory; and what a folder alone does.

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
        Ok(self.0.lock().get(name).cloned().map(Image::Content))
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
        Image::Content(content) => Some(content),
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

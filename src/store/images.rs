//! The files of the applications' pictures.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rand::CryptoRng;
use rand::distr::{Alphanumeric, SampleString};

/// Characters before the extension: 148 bits where they are ours. A name is all that it takes to see a picture.
const RANDOM_CHARACTERS: usize = 25;

/// The kinds of files, by the last part of their name, as browsers are told.
const KINDS: [(&str, &str); 4] =
    [("gif", "image/gif"), ("png", "image/png"), ("jpg", "image/jpeg"), ("jpeg", "image/jpeg")];

/// The name of a picture's file: 25 characters and an extension. There is no other way to a file, so that nothing
/// which comes from outside can lead out of the folder.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageName {
    name: String,
    media_type: &'static str,
}

impl ImageName {
    /// Takes a name that is of this form; Gotify's names have `.`, `-` and `_` as well.
    pub fn parse(name: &str) -> Option<Self> {
        let (stem, extension) = name.split_at_checked(RANDOM_CHARACTERS)?;
        let media_type = media_type(extension.strip_prefix('.')?)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        stem.bytes().all(is_plain).then(|| Self { name: name.to_owned(), media_type })
    }

    /// Makes a name that nobody can guess. The extension is that of the file that was uploaded, in its own case;
    /// `None` if it is not that of a picture.
    pub fn random(extension: &str, random: &mut impl CryptoRng) -> Option<Self> {
        let media_type = media_type(extension)?;
        let stem = Alphanumeric.sample_string(random, RANDOM_CHARACTERS);
        Some(Self { name: format!("{stem}.{extension}"), media_type })
    }

    /// Returns what browsers are told that the file is: its extension decides.
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

fn media_type(extension: &str) -> Option<&'static str> {
    KINDS.iter().find(|(kind, _)| extension.eq_ignore_ascii_case(kind)).map(|&(_, media_type)| media_type)
}

/// The folder of the pictures. Clones share it.
#[derive(Clone, Debug)]
pub struct Images(Arc<Path>);

impl Images {
    /// Keeps pictures in this folder, which is made with the first one.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into().into())
    }

    /// Returns where a picture is, whether or not it is there.
    pub fn path(&self, name: &ImageName) -> PathBuf {
        self.0.join(name.as_str())
    }

    /// Writes a picture. When this returns, the file is whole and synced; on an error there is none.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves the file either written or not.
    pub async fn save(&self, name: &ImageName, content: Bytes) -> io::Result<()> {
        let (folder, name) = (Arc::clone(&self.0), name.clone());
        on_blocking_thread(move || save(&folder, &name, &content)).await
    }

    /// Removes a picture; false if there was none.
    pub async fn remove(&self, name: &ImageName) -> io::Result<bool> {
        let path = self.path(name);
        let removed = on_blocking_thread(move || fs::remove_file(path)).await;
        match removed {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Under another name until it is whole: whoever reads it sees all of it, and a crash leaves nothing that is served.
fn save(folder: &Path, name: &ImageName, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let unfinished = folder.join(format!(".{}.part", name.as_str()));
    let written = write_synced(&unfinished, content)
        .and_then(|()| fs::rename(&unfinished, folder.join(name.as_str())))
        .and_then(|()| File::open(folder)?.sync_all());
    if written.is_err() {
        // Whatever of it is there; the error that matters is the first one.
        let _ = fs::remove_file(&unfinished);
        let _ = fs::remove_file(folder.join(name.as_str()));
    }
    written
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_name_is_its_random_part_and_an_extension_in_its_own_case() {
        let mut random = StdRng::seed_from_u64(1);
        for (extension, media_type) in [("png", "image/png"), ("GIF", "image/gif"), ("Jpeg", "image/jpeg")] {
            let name = ImageName::random(extension, &mut random).unwrap();
            assert!(name.as_str().ends_with(&format!(".{extension}")), "{name:?}");
            assert_eq!(name.as_str().len(), 26 + extension.len());
            assert_eq!(name.media_type(), media_type);
            assert_eq!(ImageName::parse(name.as_str()), Some(name));
        }
        for extension in ["svg", "webp", "", "png/", "html"] {
            assert_eq!(ImageName::random(extension, &mut random), None, "{extension}");
        }
    }

    #[test]
    fn only_names_of_pictures_are_names() {
        let stem = "a.B-c_0123456789012345678";
        assert_eq!(stem.len(), 25);
        assert!(ImageName::parse(&format!("{stem}.jpg")).is_some(), "as Gotify makes them");
        for name in [
            "",
            "x.png",
            stem,
            &format!("{stem}.svg"),
            &format!("{stem}png"),
            &format!("{stem}.png/"),
            &format!("{stem}.png\0"),
            &format!("x{stem}.png"),
            "../../../../../../../etc/x.png",
            "/etc/34567890123456789012.png",
            "..\\..\\34567890123456789.png",
            "äääääääääääää.png",
        ] {
            assert_eq!(ImageName::parse(name), None, "{name}");
        }
    }

    #[tokio::test]
    async fn a_picture_is_written_into_a_folder_that_is_made_and_removed_once() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data/images");
        let images = Images::new(&folder);
        let name = ImageName::random("png", &mut StdRng::seed_from_u64(2)).unwrap();
        images.save(&name, Bytes::from_static(b"\x89PNG")).await.unwrap();
        assert_eq!(fs::read(images.path(&name)).unwrap(), b"\x89PNG");
        assert_eq!(names_in(&folder), [name.as_str()], "nothing unfinished is left");
        assert!(images.remove(&name).await.unwrap());
        assert!(!images.remove(&name).await.unwrap());
        assert_eq!(names_in(&folder), Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_can_not_be_written_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let images = Images::new(parent.path());
        let name = ImageName::random("png", &mut StdRng::seed_from_u64(3)).unwrap();
        // A folder stands where the picture is to go.
        fs::create_dir(images.path(&name)).unwrap();
        images.save(&name, Bytes::from_static(b"\x89PNG")).await.unwrap_err();
        assert_eq!(names_in(parent.path()), [name.as_str()]);
        assert!(images.path(&name).is_dir());

        let in_a_file = Images::new(parent.path().join("file/images"));
        fs::write(parent.path().join("file"), "").unwrap();
        in_a_file.save(&name, Bytes::from_static(b"\x89PNG")).await.unwrap_err();
    }
}

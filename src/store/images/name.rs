//! The names of pictures.

use std::fmt;

use rand::CryptoRng;
use rand::distr::{Alphanumeric, SampleString};

/// Characters before the extension of the names that are made here, as in Gotify's: 148 bits. A name is all that it
/// takes to see a picture.
const RANDOM_CHARACTERS: usize = 25;

/// The longest name that a file can have, in bytes.
const LONGEST: usize = 255;

/// The media types of the pictures that are shown, by the extensions of their names.
const KINDS: [(&str, &str); 4] =
    [("gif", "image/gif"), ("png", "image/png"), ("jpg", "image/jpeg"), ("jpeg", "image/jpeg")];

/// The name of a picture: letters, digits, `.`, `-` and `_`. There is no other way to a file, so that nothing which
/// comes from outside can lead out of the folder.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ImageName(Box<str>);

impl ImageName {
    /// Takes a name of this form, whoever has made it: a database may come from a Gotify, or from elsewhere.
    pub fn parse(name: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let is_name = !name.is_empty() && name.len() <= LONGEST && name.bytes().all(is_plain);
        (is_name && (!name.starts_with('.') || is_picture_of_gotify_2(name))).then(|| Self(name.into()))
    }

    /// Makes a name that nobody can guess. The extension is that of the file that was uploaded, in its own case;
    /// `None` if it is not that of a picture that is shown.
    pub fn random(extension: &str, random: &mut impl CryptoRng) -> Option<Self> {
        media_type(extension)?;
        let stem = Alphanumeric.sample_string(random, RANDOM_CHARACTERS);
        Some(Self(format!("{stem}.{extension}").into()))
    }

    /// Returns the media type that browsers get, by the extension; `None` for a file that is not shown.
    pub fn media_type(&self) -> Option<&'static str> {
        let (_, extension) = self.0.rsplit_once('.')?;
        media_type(extension)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Answers whether a name that begins with a dot can be one that Gotify 2 has made: its random characters may be dots, so
/// that one picture in 65 has such a name. Others are unfinished, or lead to another folder.
fn is_picture_of_gotify_2(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, extension)| {
        stem.bytes().any(|byte| byte != b'.') && media_type(extension).is_some()
    })
}

fn media_type(extension: &str) -> Option<&'static str> {
    KINDS.iter().find(|(kind, _)| extension.eq_ignore_ascii_case(kind)).map(|&(_, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_name_is_its_random_part_and_an_extension_in_its_own_case() {
        let mut random = StdRng::seed_from_u64(1);
        for (extension, media_type) in [("png", "image/png"), ("GIF", "image/gif"), ("Jpeg", "image/jpeg")] {
            let name = ImageName::random(extension, &mut random).unwrap();
            assert!(name.as_str().ends_with(&format!(".{extension}")), "{name:?}");
            assert_eq!(name.as_str().len(), 26 + extension.len());
            assert_eq!(name.media_type(), Some(media_type));
            assert_eq!(ImageName::parse(name.as_str()), Some(name));
        }
        for extension in ["svg", "webp", "", "png/", "html"] {
            assert_eq!(ImageName::random(extension, &mut random), None, "{extension}");
        }
    }

    #[test]
    fn names_that_others_have_made_are_names_and_only_pictures_are_shown() {
        for (name, media_type) in [
            ("a.B-c_0123456789012345678.jpg", Some("image/jpeg")),
            ("x.png", Some("image/png")),
            ("x.tar.GIF", Some("image/gif")),
            (".b.c-d_0123456789012345678.png", Some("image/png")),
            ("..b_0123456789012345678901.JPG", Some("image/jpeg")),
            ("old.svg", None),
            ("png", None),
            ("x.png.html", None),
            ("x.", None),
        ] {
            assert_eq!(ImageName::parse(name).expect(name).media_type(), media_type, "{name}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_no_name() {
        for name in [
            "",
            ".",
            "..",
            ".png",
            ".x.png.part",
            "...png",
            ".x",
            ".x.svg",
            "..x.html",
            "x.png/",
            "x.png\0",
            "../x.png",
            "a/x.png",
            "/etc/x.png",
            "..\\x.png",
            "a b.png",
            "ä.png",
            &format!("{}.png", "x".repeat(252)),
        ] {
            assert_eq!(ImageName::parse(name), None, "{name}");
        }
    }
}

//! What may be a picture.

use super::super::ApiError;
use crate::store::ImageName;

/// How many of the first bytes of a file identify its kind, as in Gotify.
const HEAD_BYTES: usize = 261;

/// How large a picture may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageLimits {
    /// The size of the file. Default 2 MiB.
    pub max_bytes: usize,
    /// Width times height: what a browser needs memory for, however small the file is. Default 16 777 216, that
    /// is 4096 by 4096. A file that does not tell its dimensions where they belong is not shown either.
    pub max_pixels: u64,
}

with_methods!(ImageLimits {
    with_max_bytes(max_bytes: usize),
    with_max_pixels(max_pixels: u64),
});

impl Default for ImageLimits {
    fn default() -> Self {
        Self { max_bytes: 2 * 1024 * 1024, max_pixels: 4096 * 4096 }
    }
}

/// Checks an uploaded file and names the one to be stored. The content comes before the extension, as in Gotify.
pub(super) fn check(file_name: &str, content: &[u8], limits: ImageLimits) -> Result<ImageName, ApiError> {
    if content.len() > limits.max_bytes {
        return Err(ApiError::ImageTooLarge { limit_bytes: limits.max_bytes });
    }
    let refused = |text: &str| ApiError::BadRequest(text.to_owned());
    if !infer::is_image(&content[..content.len().min(HEAD_BYTES)]) {
        return Err(refused("file must be an image"));
    }
    let name = ImageName::random(extension(file_name), &mut rand::rng())
        .ok_or_else(|| refused("invalid file extension"))?;
    // Gotify takes files without dimensions, down to the first four bytes of a PNG.
    if let Ok(size) = imagesize::blob_size(content)
        && (size.width as u64).saturating_mul(size.height as u64) > limits.max_pixels
    {
        let (width, height, most) = (size.width, size.height, limits.max_pixels);
        return Err(refused(&format!("image has {width} x {height} pixels, at most {most} are allowed")));
    }
    Ok(name)
}

/// Returns what follows the last dot of the name after the last slash, as Go does: all of `.png` is one.
fn extension(file_name: &str) -> &str {
    let base = file_name.rsplit('/').next().unwrap_or_default();
    base.rsplit_once('.').map_or("", |(_, extension)| extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG";

    /// The beginning of a PNG of these dimensions.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        head.extend(width.to_be_bytes());
        head.extend(height.to_be_bytes());
        head.extend(b"\x08\x06\0\0\0");
        head
    }

    fn refusal(file_name: &str, content: &[u8]) -> String {
        check(file_name, content, ImageLimits::default()).unwrap_err().to_string()
    }

    #[test]
    fn four_bytes_suffice_and_the_extension_is_kept() {
        for file_name in ["a.png", "a.PNG", "a.b.jpeg", ".hidden.gif", ".png", "dir/x.jpg"] {
            let name = check(file_name, PNG, ImageLimits::default()).unwrap();
            let extension = file_name.rsplit('.').next().unwrap();
            assert!(name.as_str().ends_with(extension), "{file_name} became {name:?}");
        }
    }

    #[test]
    fn other_kinds_of_pictures_pass_by_another_name() {
        for content in [&b"RIFF\0\0\0\0WEBPVP8 "[..], b"GIF89a", b"\xff\xd8\xff\xe0", b"BM"] {
            check("a.png", content, ImageLimits::default()).unwrap();
        }
    }

    #[test]
    fn what_is_no_picture_is_refused_before_its_name_is_looked_at() {
        for content in
            [&b""[..], b"\x89PN", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", b"<html>", b"MZ", b"%PDF-"]
        {
            assert_eq!(refusal("a.png", content), "file must be an image");
            assert_eq!(refusal("a.svg", content), "file must be an image");
        }
        for file_name in ["a.svg", "a.webp", "a", "png", "a.png.html", "a.", "", "a.png/.."] {
            assert_eq!(refusal(file_name, PNG), "invalid file extension", "{file_name}");
        }
    }

    #[test]
    fn size_and_dimensions_are_limited() {
        let limits = ImageLimits { max_bytes: 33, max_pixels: 100 };
        check("a.png", &png(10, 10), limits).unwrap();
        let error = check("a.png", &png(101, 1), limits).unwrap_err();
        assert_eq!(error.to_string(), "image has 101 x 1 pixels, at most 100 are allowed");
        check("a.png", &png(u32::MAX, u32::MAX), limits).unwrap_err();
        let mut long = png(1, 1);
        long.resize(34, 0);
        let error = check("a.png", &long, limits).unwrap_err();
        assert_eq!(
            (error.status().as_u16(), error.to_string().as_str()),
            (413, "image must be at most 33 bytes long")
        );
    }

    proptest::proptest! {
        #[test]
        fn no_content_makes_it_panic(start in 0..6_usize, rest: Vec<u8>) {
            let starts =
                [&b"\x89PNG\r\n\x1a\n"[..], b"GIF89a", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"BM", b"II*\0"];
            let content = [starts[start], &rest].concat();
            let _ = check("a.png", &content, ImageLimits::default());
        }
    }
}

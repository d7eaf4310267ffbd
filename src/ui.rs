//! The files of the web page, which the program carries.
//!
//! Their source is in `ui`, and what Vite makes of it in `ui/dist`. The build script compresses them.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::read::GzDecoder;

/// A file of the page.
#[derive(Debug)]
pub(crate) struct File {
    /// Its path below the page, without a slash at its beginning.
    pub(crate) path: &'static str,
    /// Its media type.
    pub(crate) content_type: &'static str,
    /// What changes when its content does, as an entity tag. It is a weak one: compressed or not, the content is the
    /// same (RFC 9110, section 8.8.1).
    pub(crate) tag: &'static str,
    /// Whether `bytes` are compressed with gzip.
    pub(crate) is_gzip: bool,
    /// The content.
    pub(crate) bytes: &'static [u8],
}

/// All files, in the order of their paths.
pub(crate) static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page_files.rs"));

impl File {
    /// Whether the name has a hash of the content in it, so that what it names never changes.
    pub(crate) fn never_changes(&self) -> bool {
        self.path.starts_with("assets/")
    }

    /// Returns the content as it was before it was compressed. Fails only if the program was damaged.
    pub(crate) fn plain(&self) -> io::Result<Cow<'static, [u8]>> {
        if !self.is_gzip {
            return Ok(Cow::Borrowed(self.bytes));
        }
        let mut plain = Vec::new();
        GzDecoder::new(self.bytes).read_to_end(&mut plain)?;
        Ok(Cow::Owned(plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(path: &str) -> String {
        let file = FILES.iter().find(|file| file.path == path).unwrap();
        String::from_utf8(file.plain().unwrap().into_owned()).unwrap()
    }

    #[test]
    fn the_page_needs_no_other_host_and_has_no_script_in_itself() {
        let page = plain("index.html");
        let elsewhere = ["src=\"http", "href=\"http", "src=\"/", "href=\"/"];
        assert!(!elsewhere.iter().any(|start| page.contains(start)), "{page}");
        assert!(!page.contains("<style") && !page.contains("style=\""), "{page}");
        let scripts = page.split("<script").skip(1);
        assert!(scripts.clone().count() > 0, "{page}");
        for script in scripts {
            assert!(script.split('>').next().unwrap().contains("src="), "{page}");
        }
    }

    #[test]
    fn what_the_page_asks_for_is_there() {
        let page = plain("index.html");
        for asked in page.split(['"', '\'']).filter_map(|word| word.strip_prefix("./")) {
            assert!(FILES.iter().any(|file| file.path == asked), "{asked}");
        }
    }
}

//! The files of the web page, compressed, and a table of them.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

/// Where the built page is, in the package.
pub(crate) const BUILT: &str = "ui/dist";

/// Smaller files fit into one packet as they are.
const MIN_COMPRESSED_BYTES: usize = 1024;

/// Writes each file of a folder, compressed where that helps, into another one, and `page_files.rs`: an expression that is
/// a table of them, in the order of their paths.
pub(crate) fn embed(built: &Path, output: &Path) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", built.display());
    if !built.join("index.html").is_file() {
        let text = format!("`{}` has no index.html: run `npm ci && npm run build` in `ui`", built.display());
        return Err(io::Error::other(text));
    }
    let mut paths = Vec::new();
    list(built, &mut paths)?;
    paths.sort();
    let mut table = String::from("&[\n");
    for (number, path) in paths.iter().enumerate() {
        let name = path.strip_prefix(built).map_err(io::Error::other)?.display().to_string();
        let Some((content_type, is_text)) = content_type(&name) else {
            return Err(io::Error::other(format!("`{name}` is no kind of file that the page has")));
        };
        let content = fs::read(path)?;
        let mut checksum = Crc::new();
        checksum.update(&content);
        let tag = format!("{:x}-{:08x}", content.len(), checksum.sum());
        let is_compressed = is_text && content.len() >= MIN_COMPRESSED_BYTES;
        let kept = format!("page-{number}");
        fs::write(output.join(&kept), if is_compressed { compressed(&content)? } else { content })?;
        writeln!(
            table,
            "    File {{ path: {name:?}, content_type: {content_type:?}, tag: \"W/\\\"{tag}\\\"\", \
             is_gzip: {is_compressed}, \
             bytes: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{kept}\")) }},"
        )
        .map_err(io::Error::other)?;
    }
    table.push(']');
    fs::write(output.join("page_files.rs"), table)
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), paths)?;
        } else {
            paths.push(entry.path());
        }
    }
    Ok(())
}

/// Returns the type of a file, and whether it is a text, which can be compressed.
fn content_type(name: &str) -> Option<(&'static str, bool)> {
    if name == "manifest.json" {
        return Some(("application/manifest+json", true));
    }
    Some(match name.rsplit_once('.')?.1 {
        "css" => ("text/css; charset=utf-8", true),
        "html" => ("text/html; charset=utf-8", true),
        "js" => ("text/javascript; charset=utf-8", true),
        "json" => ("application/json", true),
        "png" => ("image/png", false),
        "svg" => ("image/svg+xml", true),
        "txt" => ("text/plain; charset=utf-8", true),
        "woff2" => ("font/woff2", false),
        _ => return None,
    })
}

fn compressed(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}

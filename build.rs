//! Finds out which commit the program is built from, and when.
//!
//! `SHARDCAST_COMMIT` and `SOURCE_DATE_EPOCH` (seconds since 1970, as for reproducible builds) are taken as they are.
//! Without them, release builds ask git, or read what `cargo package` has noted, and take the time of the build. Other
//! builds say nothing: their answer would change with every commit, and the crate be compiled again for it.
//!
//! With the feature `ui` it also compresses the files of the web page, which `src/ui.rs` takes into the program.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(feature = "ui")]
#[path = "build/page.rs"]
pub(crate) mod page;

/// Where git notes every change of the commit that is checked out.
const REFLOG: &str = ".git/logs/HEAD";

fn main() {
    for line in instructions(&|name| std::env::var(name).ok(), Path::new(".")) {
        println!("{line}");
    }
    #[cfg(feature = "ui")]
    if let Err(error) = page::embed(Path::new(page::BUILT), Path::new(&output_folder())) {
        println!("cargo::error={error}");
    }
}

#[cfg(feature = "ui")]
fn output_folder() -> String {
    std::env::var("OUT_DIR").expect("Cargo sets it for build scripts")
}

/// Returns what Cargo is to do, for these variables and the package in this folder.
pub(crate) fn instructions(variable: &dyn Fn(&str) -> Option<String>, package: &Path) -> Vec<String> {
    let given = |name: &str| variable(name).filter(|value| !value.is_empty());
    let is_release = variable("PROFILE").as_deref() == Some("release");

    let mut lines = vec!["cargo::rerun-if-changed=build.rs".to_owned()];
    for name in ["SHARDCAST_COMMIT", "SOURCE_DATE_EPOCH"] {
        lines.push(format!("cargo::rerun-if-env-changed={name}"));
    }
    if is_release && package.join(REFLOG).exists() {
        lines.push(format!("cargo::rerun-if-changed={REFLOG}"));
    }
    // Tests that need a server are left out, and shown as such, where there is none: `.ci/servers.py` starts them.
    for (variable, name) in [
        ("SHARDCAST_TEST_POSTGRES", "test_postgres"),
        ("SHARDCAST_TEST_MYSQL", "test_mysql"),
        ("SHARDCAST_TEST_REDIS", "test_redis"),
        ("SHARDCAST_TEST_SENTINEL", "test_sentinel"),
        ("SHARDCAST_TEST_REDIS_CLUSTER", "test_redis_cluster"),
        ("SHARDCAST_TEST_NATS", "test_nats"),
    ] {
        lines.push(format!("cargo::rerun-if-env-changed={variable}"));
        lines.push(format!("cargo::rustc-check-cfg=cfg({name})"));
        if given(variable).is_some() {
            lines.push(format!("cargo::rustc-cfg={name}"));
        }
    }
    let found = || is_release.then(|| checked_out(package).or_else(|| packaged(package))).flatten();
    if let Some(commit) = given("SHARDCAST_COMMIT").or_else(found) {
        lines.push(format!("cargo::rustc-env=SHARDCAST_BUILD_COMMIT={commit}"));
    }
    if let Some(seconds) = given("SOURCE_DATE_EPOCH").or_else(|| is_release.then(now).flatten()) {
        lines.push(format!("cargo::rustc-env=SHARDCAST_BUILD_SECONDS={seconds}"));
    }
    lines
}

/// Asks git, unless the package only lies within somebody else's repository.
fn checked_out(package: &Path) -> Option<String> {
    if !package.join(".git").exists() {
        return None;
    }
    let output = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(package).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !commit.is_empty()).then_some(commit)
}

/// Reads what `cargo package` has noted: `{"git": {"sha1": "…"}}`.
fn packaged(package: &Path) -> Option<String> {
    let text = std::fs::read_to_string(package.join(".cargo_vcs_info.json")).ok()?;
    let (_, after) = text.split_once("\"sha1\"")?;
    Some(after.split('"').nth(1)?.to_owned())
}

fn now() -> Option<String> {
    Some(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs().to_string())
}

//! What the build script tells of the build.

use std::path::Path;

#[expect(dead_code, clippy::print_stdout, reason = "its `main` is for Cargo, which reads its output")]
#[path = "../../build.rs"]
mod script;

/// The variables that the program is compiled with.
fn told(variables: &[(&str, &str)], package: &Path) -> Vec<String> {
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let lines = script::instructions(&variable, package);
    lines.iter().filter_map(|line| line.strip_prefix("cargo::rustc-env=").map(str::to_owned)).collect()
}

#[test]
fn what_the_builder_names_is_taken_in_every_profile() {
    let folder = tempfile::tempdir().unwrap();
    for profile in ["debug", "release"] {
        let named = [("PROFILE", profile), ("SHARDCAST_COMMIT", "abc"), ("SOURCE_DATE_EPOCH", "1700000000")];
        assert_eq!(
            told(&named, folder.path()),
            ["SHARDCAST_BUILD_COMMIT=abc", "SHARDCAST_BUILD_SECONDS=1700000000"]
        );
    }
}

#[test]
fn a_build_that_is_no_release_does_not_depend_on_commit_and_time() {
    assert!(told(&[("PROFILE", "debug")], Path::new(env!("CARGO_MANIFEST_DIR"))).is_empty());
}

#[test]
fn a_crate_package_without_git_knows_its_commit() {
    let folder = tempfile::tempdir().unwrap();
    let release = [("PROFILE", "release"), ("SOURCE_DATE_EPOCH", "0")];
    assert_eq!(told(&release, folder.path()), ["SHARDCAST_BUILD_SECONDS=0"]);
    let noted = "{\n  \"git\": {\n    \"sha1\": \"0123abc\"\n  },\n  \"path_in_vcs\": \"\"\n}";
    std::fs::write(folder.path().join(".cargo_vcs_info.json"), noted).unwrap();
    assert_eq!(
        told(&release, folder.path()),
        ["SHARDCAST_BUILD_COMMIT=0123abc", "SHARDCAST_BUILD_SECONDS=0"]
    );
}

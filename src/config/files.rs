//! Where configuration files are looked for.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::problem::Problem;

/// The configuration files to read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Files {
    /// The first that exists of each list, if any does.
    Search {
        /// Places of Gotify 2's file, which is YAML.
        yaml: Vec<PathBuf>,
        /// Places of Gotify 3's file, which holds variables.
        variables: Vec<PathBuf>,
    },
    /// This file of YAML, which must exist.
    Yaml(PathBuf),
    /// This file of variables, which must exist.
    Variables(PathBuf),
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Files {
    /// Returns the places where Gotify looks, and the one of packages of this program, for this environment.
    ///
    /// Gotify 2 reads `./config.yml` or `/etc/gotify/config.yml`. A package has its file in `/etc/shardcast/config.yml`,
    /// which is read instead of the latter. Gotify 3 reads `./gotify-server.env`,
    /// `$XDG_CONFIG_HOME/gotify/gotify-server.env` (by default in `~/.config`) or `/etc/gotify/server.env`. If
    /// `GOTIFY_CONFIG_FILE` is set, that file is the only one. It holds variables, as in Gotify 3, unless its
    /// name ends in `.yml` or `.yaml`.
    pub fn standard(variables: &BTreeMap<String, String>) -> Self {
        let set = |name: &str| variables.get(name).filter(|value| !value.is_empty());
        if let Some(path) = set(Self::VARIABLE) {
            let path = PathBuf::from(path);
            let yaml = path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml");
            return if yaml { Self::Yaml(path) } else { Self::Variables(path) };
        }
        let folder = set("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| set("HOME").map(|home| Path::new(home).join(".config")));
        let own = folder.map(|folder| folder.join("gotify/gotify-server.env"));
        let variables = [Some("gotify-server.env".into()), own, Some("/etc/gotify/server.env".into())];
        Self::Search {
            yaml: ["config.yml", "/etc/shardcast/config.yml", "/etc/gotify/config.yml"]
                .map(Into::into)
                .into(),
            variables: variables.into_iter().flatten().collect(),
        }
    }

    /// Returns this file alone: a file of variables if its name ends in `.env`, else YAML.
    pub fn named(path: PathBuf) -> Self {
        if path.extension() == Some(OsStr::new("env")) { Self::Variables(path) } else { Self::Yaml(path) }
    }

    /// The variable that names the only file to read.
    pub(super) const VARIABLE: &str = "GOTIFY_CONFIG_FILE";

    /// Reads the file of YAML, if there is one.
    pub(super) fn read_yaml(&self) -> Result<Option<Text>, Problem> {
        match self {
            Self::Search { yaml, .. } => first_of(yaml),
            Self::Yaml(path) => read(path).map(Some).map_err(|error| unreadable(path, &error)),
            Self::Variables(_) => Ok(None),
        }
    }

    /// Reads the file of variables, if there is one.
    pub(super) fn read_variables(&self) -> Result<Option<Text>, Problem> {
        match self {
            Self::Search { variables, .. } => first_of(variables),
            Self::Variables(path) => read(path).map(Some).map_err(|error| unreadable(path, &error)),
            Self::Yaml(_) => Ok(None),
        }
    }
}

fn first_of(paths: &[PathBuf]) -> Result<Option<Text>, Problem> {
    for path in paths {
        match read(path) {
            Ok(text) => return Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(path, &error)),
        }
    }
    Ok(None)
}

fn read(path: &Path) -> io::Result<Text> {
    Ok(Text { path: path.to_owned(), text: std::fs::read_to_string(path)? })
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::of_source(&path.display().to_string(), format!("failed to read the file: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(variables: &[(&str, &str)]) -> Vec<String> {
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        match Files::standard(&variables.collect()) {
            Files::Search { yaml, variables } => {
                yaml.iter().chain(&variables).map(|path| path.display().to_string()).collect()
            }
            files => panic!("one file alone: {files:?}"),
        }
    }

    #[test]
    fn files_are_looked_for_where_both_gotify_versions_and_a_package_have_them() {
        let yaml = ["config.yml", "/etc/shardcast/config.yml", "/etc/gotify/config.yml"];
        let (here, system) = ("gotify-server.env", "/etc/gotify/server.env");
        let all = |variables: &[&'static str]| [&yaml, variables].concat();
        assert_eq!(places(&[]), all(&[here, system]));
        let own = "/home/ann/.config/gotify/gotify-server.env";
        assert_eq!(places(&[("HOME", "/home/ann")]), all(&[here, own, system]));
        let set = [("HOME", "/home/ann"), ("XDG_CONFIG_HOME", "/ann")];
        assert_eq!(places(&set), all(&[here, "/ann/gotify/gotify-server.env", system]));
    }

    #[test]
    fn a_file_that_is_named_is_the_only_one() {
        let by_variable =
            |path: &str| Files::standard(&[("GOTIFY_CONFIG_FILE".to_owned(), path.to_owned())].into());
        assert!(matches!(by_variable("/a/b"), Files::Variables(path) if path == Path::new("/a/b")));
        assert!(
            matches!(by_variable("a/config.yml"), Files::Yaml(path) if path == Path::new("a/config.yml"))
        );
        assert!(matches!(by_variable("a/config.yaml"), Files::Yaml(_)));
        assert!(matches!(Files::named("a/config.yml".into()), Files::Yaml(_)));
        assert!(matches!(Files::named("a/server.env".into()), Files::Variables(_)));
    }
}

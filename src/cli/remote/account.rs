//! Which server is meant, and with which token.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use hyper::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::server_url::{ServerUrl, UrlError};
use crate::auth::TokenKind;

/// A server and a token that it knows.
pub(super) struct Account {
    pub(super) url: ServerUrl,
    /// The value of `X-Gotify-Key`, which `Debug` does not show.
    pub(super) token: HeaderValue,
    /// The priority of messages that carry none, if the token came from a file that has one.
    pub(super) default_priority: Option<i64>,
}

/// What is missing or wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum AccountError {
    #[error("no server is set: use --url, the variable GOTIFY_URL, or `url` in {file}")]
    NoServer { file: String },
    #[error("no token of {holder} is set: use the variable {variable}, `{key}` in {file}, or --token")]
    NoToken { holder: &'static str, variable: &'static str, key: &'static str, file: String },
    #[error("the token has characters that no token has, such as a line feed")]
    Token,
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("failed to read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is not the JSON object that gotify/cli writes", .path.display())]
    Json { path: PathBuf, source: serde_json::Error },
}

/// The file of gotify/cli, with the token of a client added.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AccountFile {
    url: String,
    token: String,
    #[serde(rename = "clientToken")]
    client_token: String,
    #[serde(rename = "defaultPriority")]
    default_priority: Option<i64>,
}

impl Account {
    /// Takes what flags and variables say, and the rest from a file: the one that is named, or else the first of the
    /// usual ones that exists. The file is not read if nothing is missing.
    pub(super) fn find(
        url: Option<String>,
        token: Option<SecretString>,
        kind: TokenKind,
        file: Option<PathBuf>,
    ) -> Result<Self, AccountError> {
        // An empty variable counts as none.
        let url = url.filter(|url| !url.is_empty());
        let token = token.filter(|token| !token.expose_secret().is_empty());
        match file {
            Some(file) => Self::of(url, token, kind, &[file], true),
            None => Self::of(url, token, kind, &usual_places(&|name| std::env::var_os(name)), false),
        }
    }

    fn of(
        url: Option<String>,
        token: Option<SecretString>,
        kind: TokenKind,
        places: &[PathBuf],
        must_exist: bool,
    ) -> Result<Self, AccountError> {
        let is_complete = url.is_some() && token.is_some();
        let file = if is_complete { AccountFile::default() } else { read_first(places, must_exist)? };
        let name = places.first().map_or_else(|| "a file".to_owned(), |path| path.display().to_string());
        let (holder, variable, key, in_file) = match kind {
            TokenKind::Application => ("an application", "GOTIFY_TOKEN", "token", file.token),
            TokenKind::Client => ("a client", "GOTIFY_CLIENT_TOKEN", "clientToken", file.client_token),
        };
        let url = url.or(Some(file.url).filter(|url| !url.is_empty()));
        let url = url.ok_or_else(|| AccountError::NoServer { file: name.clone() })?;
        let default_priority = if token.is_none() { file.default_priority } else { None };
        let token = token.or(Some(in_file).filter(|token| !token.is_empty()).map(SecretString::from));
        let token = token.ok_or(AccountError::NoToken { holder, variable, key, file: name })?;
        let mut token =
            HeaderValue::try_from(token.expose_secret().trim()).map_err(|_| AccountError::Token)?;
        token.set_sensitive(true);
        Ok(Self { url: ServerUrl::parse(&url)?, token, default_priority })
    }
}

/// Lists where gotify/cli keeps its file, without the working directory: a file that somebody else has put there could
/// send a token from the environment to a server of theirs.
fn usual_places(variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = set("HOME");
    let configuration = set("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
    let places = [
        configuration.map(|folder| folder.join("gotify/cli.json")),
        home.map(|home| home.join(".gotify/cli.json")),
        Some("/etc/gotify/cli.json".into()),
    ];
    places.into_iter().flatten().collect()
}

/// Reads the first file that exists.
fn read_first(places: &[PathBuf], must_exist: bool) -> Result<AccountFile, AccountError> {
    for path in places {
        match std::fs::read(path) {
            Ok(text) => {
                let read = serde_json::from_slice(&text);
                return read.map_err(|source| AccountError::Json { path: path.clone(), source });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => {}
            Err(source) => return Err(AccountError::Read { path: Path::to_owned(path), source }),
        }
    }
    Ok(AccountFile::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str) -> (tempfile::TempDir, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cli.json");
        std::fs::write(&file, text).unwrap();
        (folder, vec!["/nowhere/cli.json".into(), file])
    }

    fn of(
        url: Option<&str>,
        token: Option<&str>,
        kind: TokenKind,
        places: &[PathBuf],
    ) -> Result<(String, String, Option<i64>), String> {
        let must_exist = places.len() == 1;
        let token = token.map(SecretString::from);
        let account = Account::of(url.map(str::to_owned), token, kind, places, must_exist);
        let account = account.map_err(|error| error.to_string())?;
        Ok((account.url.to_string(), account.token.to_str().unwrap().to_owned(), account.default_priority))
    }

    #[test]
    fn flags_are_used_before_the_file_and_each_kind_of_token_has_its_own_key() {
        let text = r#"{"url":"http://file","token":"A1","clientToken":"C1","defaultPriority":5,"more":[]}"#;
        let (_folder, places) = with_file(text);
        let account = |url: &str, token: &str, priority| Ok((url.to_owned(), token.to_owned(), priority));
        let (application, client) = (TokenKind::Application, TokenKind::Client);
        assert_eq!(of(None, None, application, &places), account("http://file", "A1", Some(5)));
        assert_eq!(of(None, None, client, &places), account("http://file", "C1", Some(5)));
        assert_eq!(
            of(Some("http://flag"), None, application, &places),
            account("http://flag", "A1", Some(5))
        );
        assert_eq!(of(None, Some("A2"), application, &places), account("http://file", "A2", None));
    }

    #[test]
    fn what_is_missing_is_named_with_all_the_ways_to_set_it() {
        let (_folder, places) = with_file(r#"{"token":"A1"}"#);
        let no_server = of(None, None, TokenKind::Application, &places).unwrap_err();
        assert!(no_server.contains("--url") && no_server.contains("GOTIFY_URL"), "{no_server}");
        let no_token = of(Some("http://a"), None, TokenKind::Client, &places).unwrap_err();
        for way in ["GOTIFY_CLIENT_TOKEN", "`clientToken` in /nowhere/cli.json", "--token"] {
            assert!(no_token.contains(way), "{no_token}");
        }
    }

    #[test]
    fn a_wrong_file_is_named_and_one_that_is_not_needed_is_not_read() {
        let (_folder, places) = with_file("token = A1");
        let wrong = of(None, Some("A2"), TokenKind::Application, &places).unwrap_err();
        assert!(wrong.ends_with("cli.json is not the JSON object that gotify/cli writes"), "{wrong}");
        of(Some("http://a"), Some("A2"), TokenKind::Application, &places).unwrap();
        let missing = of(None, None, TokenKind::Application, &places[..1]).unwrap_err();
        assert_eq!(missing, "failed to read /nowhere/cli.json");
    }

    #[test]
    fn files_are_looked_for_where_gotify_cli_keeps_them_except_in_the_working_directory() {
        let places = |variables: &[(&str, &str)]| {
            let find = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            };
            usual_places(&find).iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(places(&[]), ["/etc/gotify/cli.json"]);
        assert_eq!(
            places(&[("HOME", "/ann")]),
            ["/ann/.config/gotify/cli.json", "/ann/.gotify/cli.json", "/etc/gotify/cli.json"]
        );
        assert_eq!(places(&[("XDG_CONFIG_HOME", "/x")]), ["/x/gotify/cli.json", "/etc/gotify/cli.json"]);
    }
}

//! The settings after `?` in a connection.
//!
//! Source: <https://www.sqlite.org/uri.html>, and the drivers that Gotify has used:
//! <https://github.com/mattn/go-sqlite3#connection-string> and <https://pkg.go.dev/modernc.org/sqlite#Driver.Open>.

use crate::store::setting::{self, Faults};

/// Settings that tune a driver, and protect nothing: how this server opens the file is fixed.
const WITHOUT_EFFECT: [&str; 26] = [
    "_auto_vacuum",
    "_vacuum",
    "_busy_timeout",
    "_timeout",
    "_cache_size",
    "_case_sensitive_like",
    "_cslike",
    "_defer_foreign_keys",
    "_defer_fk",
    "_foreign_keys",
    "_fk",
    "_inttotime",
    "_journal_mode",
    "_journal",
    "_loc",
    "_locking_mode",
    "_locking",
    "_mutex",
    "_recursive_triggers",
    "_rt",
    "_synchronous",
    "_sync",
    "_time_format",
    "_txlock",
    "cache",
    "psow",
];

/// What `_pragma` may set without effect.
const PRAGMAS: [&str; 6] =
    ["auto_vacuum", "busy_timeout", "cache_size", "foreign_keys", "journal_mode", "synchronous"];

/// Why a setting can't be honored. No text has a value in it: it may be a password at the wrong place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidSetting {
    #[error("its {0} is not supported: leave it out")]
    Unsupported(String),
    #[error("its setting `{name}` must be {expected}")]
    Value { name: &'static str, expected: &'static str },
}

/// Names all settings that can't be honored.
pub(super) fn check(settings: &str) -> Result<(), Faults<InvalidSetting>> {
    let settings = settings.split_once('#').map_or(settings, |(before, _)| before);
    // A log-in to a database server, or what follows a password in Gotify's driver.
    let mut may_be_secret = settings.contains('@');
    let mut faults = Vec::new();
    for setting in settings.split('&').filter(|setting| !setting.is_empty()) {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        match name {
            "mode" if value == "rwc" => {}
            "mode" => faults.push(InvalidSetting::Value {
                name: "mode",
                expected: "rwc, or be left out: the server writes, and makes the file where there is none",
            }),
            "immutable" | "nolock" if value == "0" => {}
            "_pragma" if PRAGMAS.contains(&pragma(value)) => {}
            _ if WITHOUT_EFFECT.contains(&name) => {}
            _ => {
                faults.push(InvalidSetting::Unsupported(setting::named(name, may_be_secret)));
                may_be_secret = true;
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Faults(faults)) }
}

/// The name in `busy_timeout(5000)` or `busy_timeout=5000`.
fn pragma(value: &str) -> &str {
    value.split(['(', '=', '%']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_tunes_a_driver_is_taken() {
        for settings in [
            "",
            "cache=shared&mode=rwc",
            "_busy_timeout=100&_fk=1&_journal_mode=WAL",
            "_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)",
            "mode=rwc#top",
        ] {
            assert_eq!(check(settings), Ok(()), "{settings}");
        }
    }

    #[test]
    fn what_can_not_be_honored_is_named_without_its_value() {
        for (settings, expected) in [
            (
                "mode=ro&nosuch=1",
                "its setting `mode` must be rwc, or be left out: the server writes, and makes the file \
                                  where there is none; its setting `nosuch` is not supported: leave it out",
            ),
            ("mode=rw", "its setting `mode` must be rwc"),
            ("immutable=1", "its setting `immutable` is not supported"),
            ("vfs=unix-none", "its setting `vfs` is not supported"),
            ("_query_only=1", "its setting `_query_only` is not supported"),
            ("_pragma=query_only(1)", "its setting `_pragma` is not supported"),
            (
                "_auth_pass=correct&hunter2=1",
                "its setting `_auth_pass` is not supported: leave it out; its setting, whose",
            ),
            ("x&a:hunter2@b=1", "its setting, whose name is not shown"),
        ] {
            let error = check(settings).unwrap_err().to_string();
            assert!(error.contains(expected), "{settings}: {error}");
            assert!(!error.contains("hunter"), "{error}");
        }
    }
}

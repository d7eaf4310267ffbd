//! Whether the connection to the database can be read: found out by what the start reads it with.

use super::load::Loaded;
use super::problem::Problem;
use crate::causes::with_sources;
use crate::store::check_connection;

/// Lists what is wrong with the connection. It has no value in it, which may be a password at the wrong place.
pub(super) fn problems(loaded: &Loaded) -> Option<Problem> {
    let dialect = loaded.config.database.dialect.as_str();
    let is_built = (dialect != "postgres" || cfg!(feature = "postgres"))
        && (dialect != "mysql" || cfg!(feature = "mysql"));
    // Another problem says that it is not built.
    let error = is_built.then(|| check_connection(&loaded.database()).err()).flatten()?;
    Some(loaded.problem("database.connection", "database.dialect", with_sources(&error)))
}

#[cfg(all(test, feature = "postgres", feature = "mysql"))]
mod tests {
    use crate::config::{Files, load};

    #[test]
    fn a_connection_that_the_start_would_refuse_is_a_problem_without_its_password() {
        for (dialect, connection, expected) in [
            ("postgres", "host=localhost foo=hunter2", Some("its setting `foo` is not supported")),
            ("postgres", "postgres://u:hunter2@h:notaport/db", Some("its port is no number")),
            ("postgres", "host=localhost user=gotify password=hunter2", None),
            ("mysql", "gotify:hunter2@localhost/gotify", Some("its address is neither `tcp(…)` nor")),
            ("mysql", "gotify:hunter2@tcp(h)/gotify?loc=Mars&foo=bar", Some("`foo` is not supported")),
            ("mysql", "gotify:hunter2@tcp(h)/gotify", None),
            ("sqlite3", ":memory:", Some("a database in memory would lose")),
            ("sqlite3", "file:data/gotify.db?mode=ro&nosuch=hunter2", Some("`nosuch` is not supported")),
            ("sqlite3", "data/gotify.db", None),
            ("oracle", "oracle://u:hunter2@h", Some("`oracle` is not one of")),
        ] {
            let variables =
                [("GOTIFY_DATABASE_DIALECT", dialect), ("GOTIFY_DATABASE_CONNECTION", connection)];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let loaded = load(&Files::Search { yaml: Vec::new(), variables: Vec::new() }, variables);
            let text = loaded.err().map(|error| error.to_string());
            match (text, expected) {
                (None, None) => {}
                (Some(text), Some(expected)) => {
                    assert!(text.contains(expected) && !text.contains("hunter2"), "{connection}: {text}");
                    assert_eq!(text.lines().count(), 1, "{text}");
                }
                (text, _) => panic!("{connection}: {text:?}"),
            }
        }
    }
}

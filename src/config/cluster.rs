//! Several nodes.

use secrecy::{ExposeSecret as _, SecretString};

use super::declare::section;
use super::load::Loaded;
use super::problem::Problem;
use super::shape::Shape::{Integer, NonEmpty, OneOf};
use super::{backplane, features};

section! {
    /// Several nodes over one database, which must be PostgreSQL, MariaDB or MySQL.
    pub struct ClusterSection at "cluster." {
        /// What carries messages between nodes: `redis`, `nats` or `postgres`, each in builds with the feature of its
        /// name; `none` if there is one node.
        backplane: String = "none", OneOf(&["none", "redis", "nats", "postgres"]);
        /// Where it is. For redis `redis://[user:password@]host[:6379][/database]`,
        /// `redis+sentinel://host[:26379],host/service` or `redis+cluster://host[:6379],host`; for nats
        /// `nats://[user:password@]host[:4222]`, or several with commas between them; for postgres a connection as
        /// `database.connection` has it. Default for postgres: the database's.
        #[serde(with = "super::secret")]
        url: SecretString = "";
        /// The name of this node, which `X-Shardcast-Node`, `/version` and metrics show. The variable `APP_ID` sets it
        /// too. Default: the name of the machine, if there is a backplane.
        node: String = "";
        /// What the names of all channels begin with. Nodes that are to hear each other have the same one.
        prefix: String = "shardcast", NonEmpty;
        section resume: ResumeSection;
    }
}

section! {
    /// Streams that begin with what their client has missed, also where there is one node.
    pub struct ResumeSection at "cluster.resume." {
        /// How many missed messages a stream may bring. A client that has missed more must page through
        /// `GET /message?after=ID` first: its stream is closed with 4001.
        maxmessages: usize = 100_000, Integer(1..=1_000_000_000);
    }
}

/// The longest name of a node, and of a prefix: PostgreSQL cuts names of channels after 63 bytes.
const LONGEST_NAME: usize = 64;
const LONGEST_PREFIX: usize = 40;

/// Lists what stands in the way of several nodes.
pub(super) fn problems(loaded: &Loaded) -> Vec<Problem> {
    let section = &loaded.config.cluster;
    let problem = |key: &str, reason: &str| loaded.problem(key, "cluster.backplane", reason);
    let mut found = Vec::new();
    if section.node.len() > LONGEST_NAME || !section.node.bytes().all(|byte| byte.is_ascii_graphic()) {
        found.push(problem("cluster.node", "must be at most 64 letters, digits and signs, without spaces"));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if section.prefix.len() > LONGEST_PREFIX || !section.prefix.bytes().all(is_plain) {
        found.push(problem("cluster.prefix", "must be at most 40 letters, digits, `-` and `_`"));
    }
    let is_built = match section.backplane.as_str() {
        "redis" => cfg!(feature = "redis"),
        "nats" => cfg!(feature = "nats"),
        "postgres" => cfg!(feature = "postgres"),
        _ => return found,
    };
    if !is_built {
        found.push(problem("cluster.backplane", &features::not_built(&section.backplane)));
        return found;
    }
    let dialect = loaded.config.database.dialect.as_str();
    if dialect == "sqlite3" {
        let reason = "needs a database that several nodes can share: set `database.dialect` to postgres or mysql; a \
            file of SQLite belongs to one node";
        found.push(problem("cluster.backplane", reason));
        return found;
    }
    if section.url.expose_secret().is_empty()
        && (section.backplane.as_str(), dialect) != ("postgres", "postgres")
    {
        let example = match section.backplane.as_str() {
            "redis" => "redis://localhost:6379",
            "nats" => "nats://localhost:4222",
            _ => "host=localhost user=gotify password=secret dbname=gotify",
        };
        let reason = format!("must say where {} is, as in `{example}`", section.backplane);
        found.push(problem("cluster.url", &reason));
        return found;
    }
    // The database's connection, which is checked with it.
    if section.url.expose_secret().is_empty() && cfg!(feature = "sqlite") {
        return found;
    }
    if let Err(reason) = backplane::of(loaded) {
        found.push(problem("cluster.url", &reason));
    }
    found
}

#[cfg(all(test, feature = "nats", feature = "postgres", feature = "redis"))]
mod tests {
    use crate::config::{Files, load};

    /// What is wrong with these variables, as `KEY: REASON`.
    fn problems(variables: &[(&str, &str)]) -> Vec<String> {
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        match load(&Files::Search { yaml: Vec::new(), variables: Vec::new() }, variables) {
            Ok(_) => Vec::new(),
            Err(error) => {
                error.problems.iter().map(|problem| format!("{}: {}", problem.key, problem.reason)).collect()
            }
        }
    }

    #[test]
    fn what_several_nodes_need_is_said_at_the_start() {
        let postgres = ("GOTIFY_DATABASE_DIALECT", "postgres");
        let connection = ("GOTIFY_DATABASE_CONNECTION", "host=db user=gotify dbname=gotify");
        let with = |more: &[(&str, &str)]| problems(&[&[postgres, connection], more].concat());
        let backplane = |kind| ("GOTIFY_CLUSTER_BACKPLANE", kind);
        let url = |url| ("GOTIFY_CLUSTER_URL", url);
        for fine in [
            with(&[]),
            with(&[backplane("postgres")]),
            with(&[backplane("redis"), url("redis://localhost")]),
            with(&[backplane("nats"), url("nats://localhost"), ("APP_ID", "1111")]),
        ] {
            assert_eq!(fine, [""; 0]);
        }
        for (found, expected) in [
            (
                problems(&[backplane("redis")]),
                "cluster.backplane: needs a database that several nodes can share",
            ),
            (
                with(&[backplane("redis")]),
                "cluster.url: must say where redis is, as in `redis://localhost:6379`",
            ),
            (
                with(&[backplane("redis"), url("http://:hunter2@x")]),
                "cluster.url: its scheme `http` is unknown",
            ),
            (with(&[backplane("nats"), url("localhost")]), "cluster.url: it must be `nats://"),
            (with(&[backplane("postgres"), url("sslmode=never")]), "cluster.url: "),
            (
                with(&[backplane("postgres"), url("host=a foo=hunter2")]),
                "cluster.url: its setting `foo` is not",
            ),
            (
                with(&[backplane("redis"), url("redis://:hunter2@x?foo=1")]),
                "cluster.url: it has settings after `?`",
            ),
            (with(&[backplane("nats"), url("nats://a:hunter2@x?tls=1")]), "cluster.url: it must be `nats://"),
            (with(&[backplane("kafka")]), "cluster.backplane: `kafka` is not one of"),
            (with(&[("APP_ID", "a b")]), "cluster.node: must be at most 64 letters"),
            (with(&[("GOTIFY_CLUSTER_PREFIX", "a:b")]), "cluster.prefix: must be at most 40 letters"),
        ] {
            assert!(found.len() == 1 && found[0].starts_with(expected), "{found:?} is not `{expected}`");
            assert!(!found[0].contains("hunter2"));
        }
    }
}

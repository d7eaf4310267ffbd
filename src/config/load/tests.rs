//! Every source, the order among them, and the exact line of every kind of problem.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::ExposeSecret;

use super::*;

const SHIPPED: &str = include_str!("../../../configs/default.yml");

struct Setting {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Setting {
    fn file(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.yml"), text).unwrap();
        Self { folder, variables: Vec::new() }
    }

    fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn load(self) -> Result<Loaded, ConfigError> {
        load(&Files::FirstOf(vec![self.folder.path().join("config.yml")]), self.variables)
    }

    /// Loads and returns what was printed, without the folder's name.
    fn lines(self) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        let text = self.load().expect_err("problems are expected").to_string();
        text.replace(&folder, "").lines().map(str::to_owned).collect()
    }
}

fn warnings(loaded: &Loaded) -> Vec<String> {
    loaded.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn the_shipped_file_names_every_key_with_its_default() {
    let mut problems = Vec::new();
    let leaves = file::read(SHIPPED, "default.yml", &mut problems);
    assert_eq!(problems, []);
    let named: BTreeSet<&str> = leaves.iter().map(|leaf| leaf.path).collect();
    let keys: BTreeSet<&str> = super::super::schema::KEYS.iter().map(|key| key.path).collect();
    assert_eq!(named, keys);

    let (config, _) = merge(leaves).unwrap();
    assert_eq!(serde_json::to_value(config).unwrap(), serde_json::to_value(Config::default()).unwrap());
}

#[test]
fn every_key_of_the_shipped_file_has_a_comment() {
    let lines: Vec<&str> = SHIPPED.lines().map(str::trim).collect();
    for pair in lines.windows(2) {
        let is_section = pair[1].ends_with(':');
        if !pair[1].is_empty() && !pair[1].starts_with('#') && !is_section {
            assert!(pair[0].starts_with('#'), "`{}` has no comment", pair[1]);
        }
    }
}

#[test]
fn nothing_at_all_gives_the_defaults() {
    let loaded = Setting::empty().load().unwrap();
    assert_eq!(
        serde_json::to_value(&loaded.config).unwrap(),
        serde_json::to_value(Config::default()).unwrap()
    );
    assert!(loaded.warnings.is_empty());
    assert_eq!(loaded.source("server.port"), None);
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let loaded = Setting::file("server:\n  port: 1000\n  stream:\n    maxlag: 7\npassstrength: 12\n")
        .variable("GOTIFY_SERVER_PORT", "2000")
        .load()
        .unwrap();
    assert_eq!(loaded.config.server.port, 2000);
    assert_eq!(loaded.config.server.stream.maxlag, 7);
    assert_eq!(loaded.config.server.stream.shardcount, 256);
    assert_eq!(loaded.config.passstrength, 12);
    assert_eq!(loaded.source("server.port"), Some("GOTIFY_SERVER_PORT"));
    assert!(loaded.source("passstrength").unwrap().ends_with("config.yml"));
}

#[test]
fn the_first_file_that_exists_is_read() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let paths = vec![first.path().join("config.yml"), second.path().join("config.yml")];
    std::fs::write(&paths[1], "passstrength: 8").unwrap();
    let strength = || load(&Files::FirstOf(paths.clone()), []).unwrap().config.passstrength;
    assert_eq!(strength(), 8);
    std::fs::write(&paths[0], "passstrength: 7").unwrap();
    assert_eq!(strength(), 7);
}

#[test]
fn a_file_that_was_asked_for_must_exist() {
    let path = tempfile::tempdir().unwrap().path().join("none.yml");
    let error = load(&Files::Only(path.clone()), []).unwrap_err().to_string();
    let expected = "failed to read the file: No such file or directory (os error 2)";
    assert_eq!(error, format!("{}: {expected}", path.display()));
}

#[test]
fn empty_values_and_comments_leave_the_defaults() {
    let text = "# nothing\nserver:\n  port:\n  ssl:\n  cors:\n    alloworigins: # none\npluginsdir:\n";
    let loaded = Setting::file(text).load().unwrap();
    assert_eq!(loaded.config.server.port, 80);
    assert_eq!(loaded.config.pluginsdir, "data/plugins");
    for text in ["", "# only this\n", "---\n"] {
        assert!(Setting::file(text).load().is_ok(), "{text:?}");
    }
}

#[test]
fn lists_and_maps_come_in_the_forms_of_both_gotify_versions() {
    let origins = |text| {
        let loaded = Setting::empty().variable("GOTIFY_SERVER_STREAM_ALLOWEDORIGINS", text).load().unwrap();
        loaded.config.server.stream.allowedorigins
    };
    assert_eq!(origins("a,b"), ["a", "b"]);
    assert_eq!(origins("[a, \"b,c\"]"), ["a", "b,c"]);
    assert_eq!(origins("one"), ["one"]);

    let headers = |text| {
        let loaded = Setting::empty().variable("GOTIFY_SERVER_RESPONSEHEADERS", text).load().unwrap();
        loaded.config.server.responseheaders
    };
    let expected: BTreeMap<String, String> =
        [("X-A.b", "1; x"), ("Y", "2")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    assert_eq!(headers(r#"{"X-A.b":"1; x","Y":"2"}"#), expected);
    assert_eq!(headers("{X-A.b: 1; x, Y: 2}"), expected);
}

#[test]
fn booleans_of_the_environment_are_those_of_go() {
    for (text, expected) in [("1", true), ("T", true), ("True", true), ("f", false), ("FALSE", false)] {
        let loaded = Setting::empty().variable("GOTIFY_REGISTRATION", text).load().unwrap();
        assert_eq!(loaded.config.registration, expected, "{text}");
    }
    assert_eq!(
        Setting::empty().variable("GOTIFY_REGISTRATION", "yes").lines(),
        ["GOTIFY_REGISTRATION: registration: `yes` is not true or false"]
    );
}

#[test]
fn a_variable_may_name_a_file_and_loses_against_the_plain_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pass");
    std::fs::write(&path, "secret\n\n").unwrap();
    let setting = || Setting::empty().variable("GOTIFY_DEFAULTUSER_PASS_FILE", path.to_str().unwrap());

    let loaded = setting().load().unwrap();
    assert_eq!(loaded.config.defaultuser.pass.expose_secret(), "secret");
    assert!(loaded.warnings.is_empty());

    let loaded = setting().variable("GOTIFY_DEFAULTUSER_PASS", "plain").load().unwrap();
    assert_eq!(loaded.config.defaultuser.pass.expose_secret(), "plain");
}

#[test]
fn a_named_file_that_is_missing_is_a_problem() {
    assert_eq!(
        Setting::empty().variable("GOTIFY_DEFAULTUSER_PASS_FILE", "/nowhere/pass").lines(),
        ["GOTIFY_DEFAULTUSER_PASS_FILE: defaultuser.pass: failed to read `/nowhere/pass`: \
          No such file or directory (os error 2)"]
    );
}

#[test]
fn an_empty_variable_counts_as_none() {
    let loaded = Setting::empty().variable("GOTIFY_SERVER_PORT", "").load().unwrap();
    assert_eq!(loaded.config.server.port, 80);
    assert_eq!(loaded.source("server.port"), None);
}

#[test]
fn all_problems_are_reported_at_once_with_source_key_and_value() {
    let text = "
loglevel: loud
server:
  port: 70000
  prot: 80
  stream:
    shardcount: 100
    allowedorigins: ['(']
  cors: 5
database:
  dialect: oracle
hub: { x: 1 }
";
    let setting = Setting::file(text)
        .variable("GOTIFY_PASSSTRENGTH", "strong")
        .variable("GOTIFY_SERVER_SSL_ENABLED", "on")
        .variable("GOTIFY_SERVER_RESPONSEHEADERS", "[1]")
        .variable("GOTIFY_SERVER_TRUSTEDPROXIES", "\"open");
    assert_eq!(
        setting.lines(),
        [
            "config.yml: database.dialect: `oracle` is not one of sqlite3, mysql, postgres",
            "config.yml: hub: unknown key",
            "config.yml: loglevel: `loud` is not one of trace, debug, info, warn, error, fatal, panic",
            "config.yml: server.cors: holds other keys, not a value",
            "config.yml: server.port: `70000` is not a whole number from 0 to 65535",
            "config.yml: server.prot: unknown key",
            "config.yml: server.stream.allowedorigins: `[(]` is not a list of regular expressions",
            "config.yml: server.stream.shardcount: `100` is not a power of two from 1 to 4096",
            "GOTIFY_SERVER_RESPONSEHEADERS: server.responseheaders: `[1]` is not a map of header names to values, none of them connection, content-length, \
             keep-alive, trailer, transfer-encoding, upgrade",
            "GOTIFY_SERVER_TRUSTEDPROXIES: server.trustedproxies: `\\\"open` is not a list of IP addresses and networks such as 10.0.0.0/8",
            "GOTIFY_SERVER_SSL_ENABLED: server.ssl.enabled: `on` is not true or false",
            "GOTIFY_PASSSTRENGTH: passstrength: `strong` is not a whole number from 4 to 31",
        ]
    );
}

#[test]
fn a_secret_stays_out_of_its_problem() {
    assert_eq!(
        Setting::file("defaultuser: { pass: 12345, password: hunter2 }").lines(),
        [
            "config.yml: defaultuser.pass: the value is not text (a number needs quotes)",
            "config.yml: defaultuser.password: unknown key",
        ]
    );
}

#[test]
fn text_that_is_no_yaml_is_one_problem() {
    let lines = Setting::file("server: [").lines();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("config.yml: not valid YAML: "), "{lines:?}");
    let lines = Setting::file("just words").lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn unknown_variables_are_warnings() {
    let loaded = Setting::empty()
        .variable("GOTIFY_PORT", "tcp://10.0.0.1:80")
        .variable("GOTIFY_SERVICE_HOST", "10.0.0.1")
        .variable("PATH", "/bin")
        .load()
        .unwrap();
    assert_eq!(
        warnings(&loaded),
        ["GOTIFY_PORT: unknown variable, ignored", "GOTIFY_SERVICE_HOST: unknown variable, ignored"]
    );
}

#[test]
fn what_this_version_cannot_do_stops_the_start_where_it_matters() {
    let setting = Setting::file("registration: true").variable("GOTIFY_DATABASE_DIALECT", "postgres");
    assert_eq!(
        setting.lines(),
        ["GOTIFY_DATABASE_DIALECT: database.dialect: no database but sqlite3 is supported yet",]
    );
}

#[cfg(not(feature = "tls"))]
#[test]
fn https_takes_a_feature() {
    assert_eq!(
        Setting::file("server: { ssl: { enabled: true } }").lines(),
        ["config.yml: server.ssl.enabled: this build can't: it takes the feature `tls`"]
    );
}

#[cfg(feature = "tls")]
#[test]
fn https_takes_a_certificate_and_an_authority_its_terms_and_names() {
    let reason = "HTTPS needs a certificate and its key, or server.ssl.letsencrypt";
    assert_eq!(
        Setting::file("server: { ssl: { enabled: true, certkey: key.pem } }").lines(),
        [format!("default: server.ssl.certfile: {reason}")]
    );
    if cfg!(feature = "acme") {
        assert_eq!(
            Setting::file("server: { ssl: { enabled: true, letsencrypt: { enabled: true } } }").lines(),
            [
                "default: server.ssl.letsencrypt.accepttos: \
                 the authority's terms must be accepted to get certificates from it",
                "default: server.ssl.letsencrypt.hosts: a certificate needs names to be for",
            ]
        );
    }
}

#[test]
fn what_this_version_can_do_without_is_a_warning() {
    let loaded = Setting::empty().variable("GOTIFY_PLUGINSDIR", "plugins").load().unwrap();
    assert_eq!(warnings(&loaded), ["GOTIFY_PLUGINSDIR: pluginsdir: plugins are not supported, ignored"]);
}

#[test]
fn the_effective_configuration_masks_secrets() {
    let loaded = Setting::empty().variable("GOTIFY_DEFAULTUSER_PASS", "hunter2").load().unwrap();
    let effective: BTreeMap<_, _> = loaded.effective().into_iter().collect();
    assert_eq!(effective["defaultuser.pass"], "[masked]");
    assert_eq!(effective["server.port"], 80);
    assert!(!format!("{loaded:?}").contains("hunter2"));
}

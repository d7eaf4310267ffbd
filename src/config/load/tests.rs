//! Every source, the order among them, and the exact line of every kind of problem.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use super::*;

mod unknown_variables;

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

    /// A folder with Gotify 3's file.
    fn variables_file(text: &str) -> Self {
        let setting = Self::empty();
        std::fs::write(setting.folder.path().join("gotify-server.env"), text).unwrap();
        setting
    }

    fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn load(self) -> Result<Loaded, ConfigError> {
        let place = |name: &str| vec![self.folder.path().join(name)];
        let files = Files::Search { yaml: place("config.yml"), variables: place("gotify-server.env") };
        load(&files, self.variables)
    }

    /// Loads and returns what was printed, without the folder's name.
    fn lines(self) -> Vec<String> {
        let folder = self.folder();
        let text = self.load().expect_err("problems are expected").to_string();
        text.replace(&folder, "").lines().map(str::to_owned).collect()
    }

    /// Loads and returns the warnings, without the folder's name.
    fn warnings(self) -> Vec<String> {
        let folder = self.folder();
        let loaded = self.load().unwrap();
        loaded.warnings.iter().map(|warning| warning.to_string().replace(&folder, "")).collect()
    }

    fn folder(&self) -> String {
        format!("{}/", self.folder.path().display())
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
    assert!(loaded.source("passstrength").unwrap().ends_with("config.yml:5"));
}

#[test]
fn the_first_file_that_exists_is_read() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let paths = vec![first.path().join("config.yml"), second.path().join("config.yml")];
    std::fs::write(&paths[1], "passstrength: 8").unwrap();
    let files = Files::Search { yaml: paths.clone(), variables: Vec::new() };
    let strength = || load(&files, []).unwrap().config.passstrength;
    assert_eq!(strength(), 8);
    std::fs::write(&paths[0], "passstrength: 7").unwrap();
    assert_eq!(strength(), 7);
}

#[test]
fn a_file_that_was_asked_for_must_exist() {
    let path = tempfile::tempdir().unwrap().path().join("none.yml");
    let error = load(&Files::Yaml(path.clone()), []).unwrap_err().to_string();
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
  listenaddr: 127.0.0.1:8101
  port: 70000
  prot: 80
  responseheaders: {X Frame: DENY}
  stream:
    shardcount: 100
    allowedorigins: ['*.example.com']
  cors: 5
database:
  dialect: oracle
hub: { x: 1 }
";
    let setting = Setting::file(text)
        .variable("GOTIFY_PASSSTRENGTH", "strong")
        .variable("GOTIFY_SERVER_SSL_ENABLED", "on")
        .variable("GOTIFY_SERVER_CORS_ALLOWMETHODS", "[GET")
        .variable("GOTIFY_SERVER_TRUSTEDPROXIES", "\"open")
        .variable("GOTIFY_OIDC_ENABLED", "true")
        .variable("GOTIFY_OIDC_ISSUER", "https://id.example")
        .variable("GOTIFY_OIDC_REDIRECTURL", "https://push.example/auth/oidc/callback");
    let mut lines = setting.lines();
    lines.retain(|line| !line.contains("the feature `oidc`"));
    assert_eq!(
        lines,
        [
            "config.yml:2: loglevel: `loud` is not one of trace, debug, info, warn, error, fatal, panic",
            "config.yml:4: server.listenaddr: `127.0.0.1:8101` is not an IP address, a host name, or unix: and \
             a path: write 127.0.0.1 here, and 8101 as the value of `port`",
            "config.yml:5: server.port: `70000` is not a whole number from 0 to 65535",
            "config.yml:6: server.prot: unknown key, did you mean `port`?",
            "config.yml:7: server.responseheaders: `X Frame` is not a name of a header such as X-Frame-Options",
            "config.yml:9: server.stream.shardcount: `100` is not a power of two from 1 to 4096",
            "config.yml:10: server.stream.allowedorigins: `*.example.com` is not a regular expression: \
             for every host below example.com write `.+\\.example\\.com`",
            "config.yml:11: server.cors: `5` is a value, but keys must stand here, one per line: `key: value`",
            "config.yml:13: database.dialect: `oracle` is not one of sqlite3, mysql, postgres",
            "config.yml:14: hub: unknown key",
            "GOTIFY_PASSSTRENGTH: passstrength: `strong` is not a whole number from 4 to 31",
            "GOTIFY_SERVER_TRUSTEDPROXIES: server.trustedproxies: `\\\"open` is not a list of IP addresses and \
             networks such as 10.0.0.0/8",
            "GOTIFY_SERVER_CORS_ALLOWMETHODS: server.cors.allowmethods: `[GET` is not a list of HTTP methods",
            "GOTIFY_SERVER_SSL_ENABLED: server.ssl.enabled: `on` is not true or false",
            "GOTIFY_OIDC_ENABLED: oidc.clientid: must not be empty while oidc.enabled is true",
        ]
    );
}

#[test]
fn a_key_in_the_wrong_place_or_without_its_colon_is_explained() {
    let elsewhere = "did you mean one of `server.port`, `server.ssl.port`? Indent it below its section";
    let colon = "a key is followed by a colon and a space: write `port: 8101`";
    for (text, expected) in [
        ("server:\nport: 8101\n", format!("config.yml:2: port: unknown key, {elsewhere}")),
        ("server:\n  port 8101\n", format!("config.yml:2: server: {colon}")),
        ("server:\n  port:8101\n", format!("config.yml:2: server: {colon}")),
        ("server:\n  port 8101\n  accesslog: true\n", format!("config.yml:3: {colon}")),
        ("port 8101\n", format!("config.yml:1: {colon}")),
        (
            "defaultuser:\n  pass hunter2\n",
            "config.yml:2: defaultuser: a key is followed by a colon and a space: write `pass: value`"
                .to_owned(),
        ),
        (
            "server:\n\tport: 80\n",
            "config.yml:2: the line is indented by a tab, but YAML takes spaces only".to_owned(),
        ),
        (
            "server:\n  - port: 80\n",
            "config.yml:2: server: keys must stand here, one per line: `key: value` without a `-`".to_owned(),
        ),
        (
            "server:\n  accesslog: true\n    port: 80\n",
            "config.yml:3: a value that holds a colon and a space must be in quotes, \
             and a key must stand on a line of its own"
                .to_owned(),
        ),
        (
            "server:\n  listenaddr: \"\"\n port: 80\n",
            "config.yml:3: the line is not indented like the other keys of its section".to_owned(),
        ),
        (
            "server:\n  stream:\n    allowedorigins:\n      - *.example.com\n",
            "config.yml:4: a value that begins with a sign such as `*` or `&` must be in quotes".to_owned(),
        ),
    ] {
        assert_eq!(Setting::file(text).lines(), [expected], "{text}");
    }
}

#[test]
fn every_item_at_fault_is_named_with_its_line() {
    let text = "server:\n  responseheaders:\n    X Frame: DENY\n    Content-Length: 3\n  trustedproxies:\n    \
                - 127.0.0.1\n    - proxy\n";
    assert_eq!(
        Setting::file(text).lines(),
        [
            "config.yml:3: server.responseheaders: `X Frame` is not a name of a header such as X-Frame-Options",
            "config.yml:4: server.responseheaders: `Content-Length` is not a header that can be set: \
             the server writes it itself",
            "config.yml:7: server.trustedproxies: `proxy` is not an IP address or a network such as 10.0.0.0/8",
        ]
    );
}

#[test]
fn a_secret_stays_out_of_its_problem() {
    let lines = Setting::file("defaultuser: { pass: [hunter2], password: hunter2 }").lines();
    assert_eq!(
        lines,
        [
            "config.yml:1: defaultuser.pass: the value is not text",
            "config.yml:1: defaultuser.password: unknown key, did you mean `pass`?",
        ]
    );
}

#[test]
fn text_stays_as_it_was_written() {
    let loaded = Setting::file("defaultuser: { name: yes, pass: 0123 }").load().unwrap();
    assert_eq!(loaded.config.defaultuser.name, "yes");
    assert_eq!(loaded.config.defaultuser.pass.expose_secret(), "0123");
}

#[test]
fn text_that_is_no_yaml_is_one_problem() {
    let lines = Setting::file("server: [").lines();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        lines[0],
        "config.yml:1: not valid YAML: while parsing a node, did not find expected node content"
    );
}

#[test]
fn the_file_of_gotify_3_is_read_between_config_yml_and_the_environment() {
    let text = "GOTIFY_SERVER_PORT=2000\nGOTIFY_PASSSTRENGTH=7\nGOTIFY_DATABASE_CONNECTION=\"gotify 3.db\"\n\
                GOTIFY_SERVER_CORS_ALLOWORIGINS=https://a, https://b\n\
                GOTIFY_SERVER_RESPONSEHEADERS={\"X-A\":\"b, c\"}\n";
    let setting = Setting::variables_file(text).variable("GOTIFY_SERVER_PORT", "3000");
    std::fs::write(setting.folder.path().join("config.yml"), "passstrength: 8\nregistration: true\n")
        .unwrap();
    let loaded = setting.load().unwrap();
    assert_eq!(loaded.config.server.port, 3000);
    assert_eq!(loaded.config.passstrength, 7);
    assert!(loaded.config.registration);
    assert_eq!(loaded.config.database.connection.expose(), "gotify 3.db");
    assert_eq!(loaded.config.server.cors.alloworigins, ["https://a", "https://b"]);
    assert_eq!(loaded.config.server.responseheaders["X-A"], "b, c");
    assert!(loaded.source("passstrength").unwrap().ends_with("gotify-server.env:2: GOTIFY_PASSSTRENGTH"));
    assert_eq!(loaded.files.len(), 2);
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].reason.starts_with("both are read; "), "{:?}", loaded.warnings);
}

#[test]
fn a_value_in_the_file_of_gotify_3_is_refused_with_its_line() {
    let text = "# Gotify\nGOTIFY_SERVER_PORT=http\nGOTIFY_SERVER_PROT=80\n";
    assert_eq!(
        Setting::variables_file(text).lines(),
        [
            "gotify-server.env:2: GOTIFY_SERVER_PORT: server.port: `http` is not a whole number from 0 to 65535",
            "gotify-server.env:3: GOTIFY_SERVER_PROT: unknown variable, did you mean GOTIFY_SERVER_PORT?",
        ]
    );
}

#[test]
fn what_has_no_meaning_in_the_file_of_gotify_3_is_a_warning_each() {
    let text = "GOTIFY_PLUGINSDIR=plugins\nTZ=Europe/Berlin\nGOTIFY_TOKEN=abc\n";
    assert_eq!(
        Setting::variables_file(text).warnings(),
        [
            "gotify-server.env:2: TZ: only GOTIFY_* variables are read from the file: \
             set this one in the environment",
            "gotify-server.env:3: GOTIFY_TOKEN: unknown variable, ignored",
            "gotify-server.env:1: GOTIFY_PLUGINSDIR: pluginsdir: Gotify's plugins are not supported, ignored",
        ]
    );
}

#[cfg(not(feature = "postgres"))]
#[test]
fn a_database_server_takes_a_feature() {
    let setting = Setting::file("registration: true").variable("GOTIFY_DATABASE_DIALECT", "postgres");
    let lines = setting.lines();
    assert!(lines[0].starts_with("GOTIFY_DATABASE_DIALECT: database.dialect: "), "{lines:?}");
    assert!(lines[0].contains("--features postgres"), "{lines:?}");
}

#[cfg(not(feature = "tls"))]
#[test]
fn https_takes_a_feature() {
    assert_eq!(
        Setting::file("server: { ssl: { enabled: true } }").lines(),
        ["config.yml:1: server.ssl.enabled: this program was built without the feature `tls`: \
          build it with `cargo build --release --features tls`"]
    );
}

#[cfg(feature = "tls")]
#[test]
fn https_takes_a_certificate_and_an_authority_its_terms_and_names() {
    let reason =
        "must name a file while server.ssl.enabled is true, unless server.ssl.letsencrypt.enabled is too";
    assert_eq!(
        Setting::file("server: { ssl: { enabled: true, certkey: key.pem } }").lines(),
        [format!("config.yml:1: server.ssl.certfile: {reason}")]
    );
    if cfg!(feature = "acme") {
        assert_eq!(
            Setting::file("server: { ssl: { enabled: true, letsencrypt: { enabled: true } } }").lines(),
            [
                "config.yml:1: server.ssl.letsencrypt.accepttos: \
                 must be true to get certificates: it says that you accept the authority's terms",
                "config.yml:1: server.ssl.letsencrypt.hosts: \
                 must name at least one host to get a certificate for",
            ]
        );
    }
}

#[test]
fn the_effective_configuration_masks_secrets() {
    let loaded = Setting::empty().variable("GOTIFY_DEFAULTUSER_PASS", "hunter2").load().unwrap();
    let effective: BTreeMap<_, _> = loaded.effective().into_iter().collect();
    assert_eq!(effective["defaultuser.pass"], "[masked]");
    assert_eq!(effective["server.port"], 80);
    assert!(!format!("{loaded:?}").contains("hunter2"));
}

#[test]
fn the_effective_configuration_shows_paths_whatever_their_words() {
    let text = "database: { connection: /srv/passwords/keys.db }
uploadedimagesdir: /srv/passwords
server: { ssl: { certfile: /srv/passwords/cert.pem, certkey: /srv/passwords/key.pem } }
";
    let effective: BTreeMap<_, _> = Setting::file(text).load().unwrap().effective().into_iter().collect();
    assert_eq!(effective["database.connection"], "/srv/passwords/keys.db");
    assert_eq!(effective["uploadedimagesdir"], "/srv/passwords");
    assert_eq!(effective["server.ssl.certfile"], "/srv/passwords/cert.pem");
    assert_eq!(effective["server.ssl.certkey"], "/srv/passwords/key.pem");
}

#[test]
fn a_password_that_yaml_would_cut_is_a_problem_that_says_so_and_does_not_show_it() {
    let comment = "a `#` begins a comment here, and is no part of the value: put the value in quotes, or a space \
                   after the `#`";
    let sign = "a word that begins with `!` or `&` is no part of the value here: put the value in quotes";
    let none = "this means that there is no value: put the value in quotes, or leave it out";
    for (written, reason) in [
        ("pass: #hunter2", comment),
        ("\"pass\": #hunter2", comment),
        ("pass: hunter2 #hunter2", comment),
        ("pass: !hunter2", sign),
        ("pass: !hunter2 hunter2", sign),
        ("pass: &hunter2", sign),
        ("pass: null", none),
        ("pass: ~ # hunter2", none),
    ] {
        let lines = Setting::file(&format!("defaultuser:\n  {written}\n")).lines();
        assert_eq!(lines, [format!("config.yml:2: defaultuser.pass: {reason}")], "{written}");
    }
    for (written, password) in [
        ("pass: '#hunter2'", "#hunter2"),
        ("pass: \"a #b\"", "a #b"),
        ("pass: a#b!", "a#b!"),
        ("pass: a # a comment", "a"),
        ("pass: # a comment", ""),
        ("pass:", ""),
        ("pass: ''", ""),
    ] {
        let loaded = Setting::file(&format!("defaultuser:\n  {written}\n")).load().unwrap();
        assert_eq!(loaded.config.defaultuser.pass.expose_secret(), password, "{written}");
    }
}

//! `shardcast user`, `application` and `client`, while a server runs on the same database.

use std::fs::OpenOptions;
use std::io::pipe;
use std::path::PathBuf;
use std::process::Stdio;

use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::http;
use crate::program::{Outcome, Program, Serving};

const PASSWORD: &str = "first-canary-password";

/// A server, and commands on its database.
pub(crate) struct Installation {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
    pub(crate) server: Serving,
}

impl Installation {
    pub(crate) fn start(variables: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let variables: Vec<_> = variables.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        let server = configured(Program::new(&[]), &folder, &variables).serve();
        Self { folder, variables, server }
    }

    /// Ends the server, and starts it again on the same database.
    pub(crate) fn restarted(self) -> Self {
        let Self { folder, variables, server } = self;
        server.signal(rustix::process::Signal::TERM);
        assert_eq!(server.wait().0, Some(0));
        let server = configured(Program::new(&[]), &folder, &variables).serve();
        Self { folder, variables, server }
    }

    /// Returns the path of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("gotify.db")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.configured(Program::new(arguments)).run()
    }

    fn configured(&self, program: Program) -> Program {
        configured(program, &self.folder, &self.variables)
    }

    /// Runs a command that works, and returns the last word in backticks that it prints.
    pub(crate) fn secret(&self, arguments: &[&str]) -> String {
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome.stdout.rsplit('`').nth(1).unwrap().to_owned()
    }

    /// Runs a list of JSON.
    pub(crate) fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let outcome = self.run(&[arguments, &["--json"]].concat());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs a command that fails with 1, and returns what it says.
    fn refusal(&self, arguments: &[&str]) -> String {
        let outcome = self.run(arguments);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:?}");
        outcome.stderr
    }

    fn get(&self, path: &str) -> RequestBuilder {
        http().get(format!("http://{}{path}", self.server.address))
    }

    pub(crate) async fn login(&self, name: &str, password: &str) -> StatusCode {
        self.get("/current/user").basic_auth(name, Some(password)).send().await.unwrap().status()
    }

    pub(crate) async fn send(&self, token: &str) -> StatusCode {
        let url = format!("http://{}/message?message=hi", self.server.address);
        http().post(url).header("X-Gotify-Key", token).send().await.unwrap().status()
    }

    pub(crate) async fn read(&self, token: &str) -> StatusCode {
        self.get("/message").header("X-Gotify-Key", token).send().await.unwrap().status()
    }
}

fn configured(program: Program, folder: &TempDir, variables: &[(&str, String)]) -> Program {
    let in_folder = |name: &str| folder.path().join(name).display().to_string();
    let program = program
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_PASSSTRENGTH", "4")
        .variable("GOTIFY_DEFAULTUSER_PASS", PASSWORD)
        .variable("GOTIFY_DATABASE_CONNECTION", &in_folder("gotify.db"))
        .variable("GOTIFY_UPLOADEDIMAGESDIR", &in_folder("images"));
    variables.iter().fold(program, |program, (name, value)| program.variable(name, value))
}

#[tokio::test]
async fn what_a_command_creates_can_be_used_at_once_whichever_gotify_the_server_behaves_as() {
    for (version, application_prefix, client_prefix) in [("v2", "A", "C"), ("v3", "gtfya.", "gtfyc.")] {
        let installation = Installation::start(&[("GOTIFY_COMPATIBILITY", version)]);
        let password = installation.secret(&["user", "add", "ann"]);
        assert_eq!(installation.login("ann", &password).await, 200);

        let add = ["application", "add", "backup", "--user", "ann", "--priority", "-2"];
        let application = installation.secret(&add);
        let client = installation.secret(&["client", "add", "laptop", "--user", "ann"]);
        assert!(application.starts_with(application_prefix), "{application}");
        assert!(client.starts_with(client_prefix), "{client}");
        assert_eq!(installation.send(&application).await, 200);
        assert_eq!(installation.read(&client).await, 200);
        let messages: Value = installation
            .get("/message")
            .header("X-Gotify-Key", &client)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(messages["messages"][0]["priority"], -2);
    }
}

#[tokio::test]
async fn lists_show_who_owns_what_and_no_token() {
    let installation = Installation::start(&[]);
    installation.secret(&["application", "add", "backup"]);
    installation.secret(&["client", "add", "laptop"]);
    installation.secret(&["user", "add", "ann", "--admin"]);
    installation.secret(&["application", "add", "other", "--user", "ann"]);
    let owned = |row: &Value| format!("{} of {}", row["name"], row["user"]);
    for (kind, expected) in [
        ("application", &[r#""backup" of "admin""#, r#""other" of "ann""#][..]),
        ("client", &[r#""laptop" of "admin""#]),
    ] {
        let listed = installation.list(&[kind, "list"]);
        assert_eq!(listed.iter().map(owned).collect::<Vec<_>>(), expected);
        assert!(listed.iter().all(|row| row.get("token").is_none()), "{listed:?}");
    }
    assert_eq!(installation.list(&["application", "list", "--user", "ann"]).len(), 1);
    let users = installation.list(&["user", "list"]);
    let shown: Vec<_> = users.iter().map(|user| (&user["name"], &user["admin"])).collect();
    assert_eq!(
        shown,
        [(&Value::from("admin"), &Value::from(true)), (&Value::from("ann"), &Value::from(true))]
    );

    let text = installation.run(&["application", "list"]).stdout;
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split("  ").map(str::trim).collect()).collect();
    assert!(text.starts_with("id  user   name    priority  created"), "{text}");
    assert_eq!(lines.len(), 3);
    assert!(text.contains("1   admin  backup  0 "), "{text}");
}

#[tokio::test]
async fn a_replaced_token_is_refused_and_the_new_one_is_accepted() {
    let installation = Installation::start(&[]);
    let old = installation.secret(&["application", "add", "backup"]);
    let new = installation.secret(&["application", "token", "1"]);
    assert_eq!([installation.send(&old).await, installation.send(&new).await], [401, 200]);
    let said = installation.refusal(&["application", "token", "9"]);
    assert_eq!(said, "there is no application with the id 9; `shardcast application list` shows all\n");
}

#[tokio::test]
async fn a_deleted_user_is_gone_with_all_that_it_owned_but_an_administrator_is_left() {
    let installation = Installation::start(&[]);
    let password = installation.secret(&["user", "add", "ann", "--admin"]);
    let application = installation.secret(&["application", "add", "backup", "--user", "admin"]);
    let deleted = installation.run(&["user", "delete", "admin"]);
    assert_eq!(deleted.stdout, "The user `admin` is deleted, with 1 applications and 0 clients.\n");
    assert_eq!(installation.login("admin", PASSWORD).await, 401);
    assert_eq!(installation.send(&application).await, 401);
    let said = installation.refusal(&["user", "delete", "ann"]);
    assert!(said.starts_with("`ann` is the last administrator"), "{said}");
    assert_eq!(installation.login("ann", &password).await, 200);
}

#[tokio::test]
async fn a_picture_of_a_deleted_users_application_is_removed() {
    let installation = Installation::start(&[]);
    installation.secret(&["user", "add", "ann", "--admin"]);
    installation.secret(&["application", "add", "backup", "--user", "admin"]);
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89".to_vec();
    let part = reqwest::multipart::Part::bytes(picture).file_name("a.png");
    let form = reqwest::multipart::Form::new().part("file", part);
    let url = format!("http://{}/application/1/image", installation.server.address);
    let sent = http().post(url).basic_auth("admin", Some(PASSWORD)).multipart(form).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let images = installation.folder.path().join("images");
    let count = || std::fs::read_dir(&images).unwrap().count();
    assert_eq!(count(), 1);
    installation.run(&["user", "delete", "admin"]);
    assert_eq!(count(), 0);
}

#[test]
fn a_command_that_is_not_clear_says_what_is_missing() {
    let installation = Installation::start(&[]);
    installation.secret(&["user", "add", "ann"]);
    let long = "x".repeat(256);
    for (arguments, said) in [
        (&["user", "add", "ann"][..], "there is a user `ann` already\n"),
        (&["user", "delete", "bob"], "there is no user `bob`; there are `admin`, `ann`\n"),
        (
            &["client", "add", "laptop"],
            "name the owner with --user, since there are several users: `admin`, `ann`\n",
        ),
        (&["application", "list", "--user", "bob"], "there is no user `bob`; there are `admin`, `ann`\n"),
        (
            &["user", "add", "a:b"],
            "the name `a:b` has a colon, and nobody could log in by it: basic authentication ends the name there\n",
        ),
        (&["user", "add", ""], "the name of a user must have 1 to 180 characters, not 0\n"),
        (&["user", "add", &long[..181]], "the name of a user must have 1 to 180 characters, not 181\n"),
        (
            &["application", "add", &long, "--user", "ann"],
            "the name of an application must have 1 to 255 characters, not 256\n",
        ),
        (
            &["application", "add", "a", "--user", "ann", "--description", &long.repeat(64)],
            "a description must have at most 16383 characters, not 16384\n",
        ),
        (
            &["client", "add", &long, "--user", "ann"],
            "the name of a client must have 1 to 255 characters, not 256\n",
        ),
    ] {
        assert_eq!(installation.refusal(arguments), said, "{arguments:?}");
    }
    assert_eq!(installation.list(&["client", "list"]), Vec::<Value>::new());
}

#[tokio::test]
async fn a_secret_that_nobody_can_read_is_not_made() {
    let installation = Installation::start(&[]);
    let password = installation.secret(&["user", "add", "ann"]);
    let token = installation.secret(&["application", "add", "backup", "--user", "ann"]);
    for arguments in [
        &["user", "add", "bob"][..],
        &["user", "reset-password", "ann"],
        &["application", "add", "second", "--user", "ann"],
        &["application", "token", "1"],
        &["client", "add", "laptop", "--user", "ann"],
    ] {
        let closed = installation.configured(Program::with_closed_output(arguments)).run();
        let said =
            "nothing was changed, because printing to standard output failed: it is closed, or `/dev/null`\n";
        assert_eq!((closed.code, closed.stderr.as_str()), (Some(1), said), "{arguments:?}");
        let start = |output: &dyn Fn() -> Stdio| {
            installation.configured(Program::new(arguments)).start(output).wait()
        };
        let full = || OpenOptions::new().write(true).open("/dev/full").unwrap().into();
        assert_eq!(start(&full), Some(1), "{arguments:?}");
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        assert_eq!(start(&|| writer.try_clone().unwrap().into()), Some(1), "{arguments:?}");
    }
    assert_eq!(installation.login("ann", &password).await, 200);
    assert_eq!(installation.send(&token).await, 200);
    let count = |kind| installation.list(&[kind, "list"]).len();
    assert_eq!([count("user"), count("application"), count("client")], [2, 1, 0]);
}

#[test]
fn names_that_a_terminal_would_obey_are_escaped() {
    let installation = Installation::start(&[]);
    let name = "a\u{1b}[2J\u{9b}b\nc";
    let shown = r"`a\u{1b}[2J\u{9b}b\nc`";
    for arguments in [
        &["user", "add", name][..],
        &["user", "reset-password", name],
        &["application", "add", name, "--user", name],
        &["client", "add", name, "--user", name],
        &["client", "delete", "1"],
    ] {
        let outcome = installation.run(arguments);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stdout.contains(shown), "{outcome:?}");
        assert!(!outcome.stdout.contains(['\u{1b}', '\u{9b}']), "{outcome:?}");
    }
    let said = installation.refusal(&["user", "reset-password", "\u{1b}c"]);
    assert_eq!(said, format!("there is no user `\\u{{1b}}c`; there are `admin`, {shown}\n"));
    let said = installation.refusal(&["user", "add", name]);
    assert_eq!(said, format!("there is a user {shown} already\n"));
    let deleted = installation.run(&["user", "delete", name]);
    assert!(deleted.stdout.starts_with(&format!("The user {shown} is deleted")), "{deleted:?}");
}

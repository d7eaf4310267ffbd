//! A password that was lost can be had again, also while the server runs.

use reqwest::StatusCode;

use crate::program::{Outcome, Program, Serving};

fn program(arguments: &[&str], database: &str) -> Program {
    Program::new(arguments)
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_PASSSTRENGTH", "4")
        .variable("GOTIFY_DEFAULTUSER_PASS", "the first one")
        .variable("GOTIFY_DATABASE_CONNECTION", database)
}

fn reset(name: &str, database: &str) -> Outcome {
    program(&["user", "reset-password", name], database).run()
}

/// What a login with this password is answered.
async fn login(server: &Serving, password: &str) -> StatusCode {
    let url = format!("http://{}/current/user", server.address);
    reqwest::Client::new().get(url).basic_auth("admin", Some(password)).send().await.unwrap().status()
}

#[tokio::test]
async fn a_reset_password_counts_at_once_and_the_old_one_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("gotify.db").display().to_string();
    let server = program(&[], &database).serve();
    assert_eq!(login(&server, "the first one").await, StatusCode::OK);

    let outcome = reset("admin", &database);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let password = outcome.stdout.split('`').nth(3).unwrap();
    assert_eq!(password.len(), 20);
    assert_eq!(login(&server, password).await, StatusCode::OK);
    assert_eq!(login(&server, "the first one").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_user_that_is_not_there_is_named_beside_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("gotify.db").display().to_string();
    let _server = program(&[], &database).serve();
    let outcome = reset("root", &database);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(outcome.stderr, "there is no user `root`; there are `admin`\n");
}

#[test]
fn a_command_makes_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("gotify.db");
    let outcome = reset("admin", database.to_str().unwrap());
    assert_eq!(outcome.code, Some(78));
    assert!(
        outcome.stderr.starts_with("GOTIFY_DATABASE_CONNECTION: database.connection: "),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("does not exist; the first start"), "{}", outcome.stderr);
    assert!(!database.exists());
}

//! Copying a database, and backups, by the program.

use std::fs;
use std::path::Path;

use reqwest::StatusCode;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Executor, SqliteConnection};

use crate::harness::http;
use crate::program::{Program, Serving};

fn program(arguments: &[&str], folder: &Path) -> Program {
    let path = |name: &str| folder.join(name).display().to_string();
    Program::new(arguments)
        .variable("GOTIFY_SERVER_LISTENADDR", "127.0.0.1")
        .variable("GOTIFY_SERVER_PORT", "0")
        .variable("GOTIFY_PASSSTRENGTH", "4")
        .variable("GOTIFY_DEFAULTUSER_PASS", "secret")
        .variable("GOTIFY_DATABASE_CONNECTION", &path("gotify.db"))
        .variable("GOTIFY_UPLOADEDIMAGESDIR", &path("images"))
}

/// What a login is answered.
async fn login(server: &Serving, password: &str) -> StatusCode {
    let url = format!("http://{}/current/user", server.address);
    http().get(url).basic_auth("admin", Some(password)).send().await.unwrap().status()
}

#[tokio::test]
async fn a_backup_of_a_running_server_is_restored_elsewhere() {
    let [first, second] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let server = program(&[], first.path()).serve();
    assert_eq!(login(&server, "secret").await, StatusCode::OK);
    fs::create_dir_all(first.path().join("images")).unwrap();
    fs::write(first.path().join("images/picture.png"), "pixels").unwrap();
    let file = first.path().join("backup").display().to_string();
    let outcome = program(&["backup", &file], first.path()).run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let expected = format!(
        "wrote 1 users, 0 applications, 0 clients, 0 push subscriptions, 0 settings of plugins, 0 messages and 1 pictures to `{file}`, and \
         read them back\n"
    );
    assert_eq!(outcome.stdout, expected);
    // The server still has its database.
    let outcome = program(&["restore", &file, "--force"], first.path()).run();
    assert_eq!(outcome.code, Some(78), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("it is used by another server"), "{}", outcome.stderr);

    let outcome = program(&["restore", &file], second.path()).run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(fs::read_to_string(second.path().join("images/picture.png")).unwrap(), "pixels");
    let restored = program(&[], second.path()).variable("GOTIFY_DEFAULTUSER_PASS", "another").serve();
    assert_eq!(login(&restored, "secret").await, StatusCode::OK);
}

#[tokio::test]
async fn a_copy_has_the_users_of_its_source() {
    let [first, second] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    drop(program(&[], first.path()).serve());
    let from = format!("sqlite3:{}", first.path().join("gotify.db").display());
    let to = format!("sqlite3:{}", second.path().join("gotify.db").display());
    // A variable hides what a flag would show to other users.
    let copy = || Program::new(&["copy", "--from", &from]).variable("SHARDCAST_COPY_TO", &to);
    let outcome = copy().run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stdout.starts_with("copied 1 users, "), "{}", outcome.stdout);
    let outcome = copy().run();
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("has rows in the table `users`"), "{}", outcome.stderr);
    let server = program(&[], second.path()).serve();
    assert_eq!(login(&server, "secret").await, StatusCode::OK);
}

#[test]
fn a_database_that_is_written_wrongly_is_not_shown() {
    let outcome = Program::new(&["copy", "--from", "a:hunter2@tcp(db)/push", "--to", "sqlite3:x"]).run();
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.starts_with("--from: a database is written as `sqlite3:PATH`"),
        "{}",
        outcome.stderr
    );
    assert!(!outcome.stderr.contains("hunter2"));
}

/// A database with an application that has a picture, which nobody keeps.
async fn make_application_with_picture(folder: &Path) -> SqliteConnection {
    drop(program(&[], folder).serve());
    assert_eq!(program(&["application", "add", "test"], folder).run().code, Some(0));
    let options = SqliteConnectOptions::new().filename(folder.join("gotify.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    database.execute("UPDATE applications SET image = 'lost.png'").await.unwrap();
    database
}

#[tokio::test]
async fn a_picture_that_is_not_there_is_named_and_everything_else_is_backed_up() {
    let [first, second] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut database = make_application_with_picture(first.path()).await;
    let images = first.path().join("images");
    let missing =
        |place: &str| format!("a picture of an application is missing: there is no `lost.png` in {place}\n");
    let in_folder = missing(&format!("the folder `{}` (`uploadedimagesdir`)", images.display()));
    // Without the folder, and without the file.
    for (number, kept) in ["two", "three"].into_iter().enumerate() {
        let file = first.path().join(kept).display().to_string();
        let outcome = program(&["backup", &file], first.path()).run();
        assert_eq!((outcome.code, outcome.stderr), (Some(3), in_folder.clone()));
        assert!(outcome.stdout.contains(&format!("and {number} pictures to")), "{}", outcome.stdout);
        fs::create_dir_all(&images).unwrap();
        fs::write(images.join("other.png"), "pixels").unwrap();
        if number == 1 {
            let outcome = program(&["restore", &file], second.path()).run();
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        }
    }
    fs::write(images.join("lost.png"), "pixels").unwrap();
    let file = first.path().join("whole").display().to_string();
    let outcome = program(&["backup", &file], first.path()).run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));

    let from = format!("sqlite3:{}", first.path().join("gotify.db").display());
    let copy = |name: &str| {
        let to = format!("sqlite3:{}", first.path().join(name).display());
        Program::new(&["copy", "--from", &from, "--to", &to]).run()
    };
    let outcome = copy("of-files.db");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let note = "note: 1 pictures of applications are not in the database; copy";
    assert!(outcome.stderr.starts_with(note), "{}", outcome.stderr);
    database
        .execute("INSERT INTO shardcast_images (name, content) VALUES ('other.png', x'00')")
        .await
        .unwrap();
    let outcome = copy("of-database.db");
    assert_eq!((outcome.code, outcome.stderr), (Some(3), missing("the database")));
}

#[test]
fn a_backup_that_has_no_place_or_no_database_says_which_path_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |file: &str| {
        let outcome = program(&["backup", file], folder.path()).run();
        (outcome.code, outcome.stderr)
    };
    let (code, said) = refused("file");
    assert_eq!(code, Some(78));
    let database = folder.path().join("gotify.db");
    assert!(said.starts_with(&format!("there is no database `{}`; name", database.display())), "{said}");
    let (code, said) = refused("-");
    assert_eq!(code, Some(2));
    assert!(said.contains("so it must be a file and no pipe"), "{said}");

    drop(program(&[], folder.path()).serve());
    let nowhere = folder.path().join("nowhere");
    let (code, said) = refused(nowhere.join("file").to_str().unwrap());
    assert_eq!(code, Some(1));
    assert_eq!(
        said,
        format!("there is no folder `{}`; make it, or name a file in another one\n", nowhere.display())
    );
}

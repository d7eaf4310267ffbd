//! `shardcast migrate`.

use crate::program::Program;

#[test]
fn a_dry_run_prints_what_a_start_would_do_and_a_run_does_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gotify.db");
    let migrate = |arguments: &[&str]| {
        let arguments = [&["migrate"], arguments].concat();
        let outcome =
            Program::new(&arguments).variable("GOTIFY_DATABASE_CONNECTION", file.to_str().unwrap()).run();
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        outcome.stdout
    };
    let planned = migrate(&["--dry-run"]);
    assert!(
        planned.starts_with("The next start of the server would:\n- make the table `users`\n"),
        "{planned}"
    );
    assert!(!file.exists());
    let done = migrate(&[]);
    assert_eq!(done.lines().next(), Some("Done:"));
    assert_eq!(done.lines().skip(1).collect::<Vec<_>>(), planned.lines().skip(1).collect::<Vec<_>>());
    let nothing = "There is nothing to do: the database is as this version needs it.\n";
    assert_eq!(migrate(&["--dry-run"]), nothing);
    assert_eq!(migrate(&[]), nothing);
}

#[test]
fn a_database_that_is_not_ours_is_refused_with_78() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "no database, but long enough to be read as one".repeat(100)).unwrap();
    let outcome = Program::new(&["migrate", "--dry-run"])
        .variable("GOTIFY_DATABASE_CONNECTION", file.to_str().unwrap())
        .run();
    assert_eq!(outcome.code, Some(78));
    assert!(outcome.stderr.contains("is not a SQLite database"), "{}", outcome.stderr);
}

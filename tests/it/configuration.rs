//! What the program says about its configuration.

use crate::program::Program;

#[test]
fn wrong_settings_stop_the_start_with_78_and_a_line_each() {
    let outcome = Program::new(&["serve"])
        .file("server:\n  port: 70000\n  prot: 80\n")
        .variable("GOTIFY_PASSSTRENGTH", "99")
        .run();
    assert_eq!(outcome.code, Some(78));
    assert_eq!(
        outcome.stderr.lines().collect::<Vec<_>>(),
        [
            "config.yml:2: server.port: `70000` is not a whole number from 0 to 65535",
            "config.yml:3: server.prot: unknown key, did you mean `port`?",
            "GOTIFY_PASSSTRENGTH: passstrength: `99` is not a whole number from 4 to 31",
        ]
    );
    assert_eq!(outcome.stdout, "");
}

#[test]
fn every_command_that_needs_the_configuration_refuses_a_wrong_one() {
    for command in ["serve", "config", "check-config", "healthcheck"] {
        let outcome = Program::new(&[command]).file("hub: 1").run();
        assert_eq!(outcome.code, Some(78), "{command}");
        assert_eq!(outcome.stderr, "config.yml:1: hub: unknown key\n", "{command}");
    }
}

#[test]
fn the_effective_configuration_names_values_and_sources_but_no_secret() {
    let outcome = Program::new(&["config"])
        .file("server: { stream: { shardcount: 64 } }")
        .variable("GOTIFY_DEFAULTUSER_PASS", "hunter2")
        .variable("GOTIFY_PORT", "tcp://10.0.0.1:80")
        .run();
    assert_eq!(outcome.code, Some(0));
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    for expected in [
        "server.port: 80  # default",
        "server.stream.shardcount: 64  # config.yml:1",
        "defaultuser.pass: \"[masked]\"  # GOTIFY_DEFAULTUSER_PASS",
    ] {
        assert!(lines.contains(&expected), "no `{expected}` in {lines:#?}");
    }
    assert!(
        outcome.stderr.starts_with("warning: GOTIFY_PORT: Kubernetes sets this variable"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_check_names_every_mistake_or_says_that_there_is_none_and_prints_no_value() {
    for command in [&["config", "check"][..], &["check-config"]] {
        let right = Program::new(command).file("server: { port: 8123 }").run();
        assert_eq!((right.code, right.stderr.as_str()), (Some(0), ""), "{command:?}");
        assert_eq!(right.stdout, "the configuration has no mistakes; read from config.yml\n", "{command:?}");

        let wrong = Program::new(command)
            .file("server:\n  port: x\n  ssl: { enabled: true }\n")
            .variable("GOTIFY_DEFAULTUSER_PASSWORD", "hunter2")
            .run();
        assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(78), ""), "{command:?}");
        let places: Vec<&str> =
            wrong.stderr.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
        assert!(
            places.starts_with(&["config.yml:2", "GOTIFY_DEFAULTUSER_PASSWORD", "config.yml:3"]),
            "{places:?}"
        );
        assert!(!wrong.stderr.contains("hunter2"), "{}", wrong.stderr);
    }
}

#[test]
fn the_file_can_be_named() {
    let outcome = Program::new(&["config", "--config", "none.yml"]).file("loglevel: debug").run();
    assert_eq!(outcome.code, Some(78));
    assert!(outcome.stderr.starts_with("none.yml: failed to read the file: "), "{}", outcome.stderr);
}

#[test]
fn a_first_password_that_is_too_long_is_named_with_its_variable() {
    for command in [&[][..], &["config", "check"]] {
        let outcome = Program::new(command).variable("GOTIFY_DEFAULTUSER_PASS", &"x".repeat(73)).run();
        assert_eq!(outcome.code, Some(78));
        let expected = "GOTIFY_DEFAULTUSER_PASS: defaultuser.pass: password must be at most 72 bytes long\n";
        assert!(outcome.stderr.ends_with(expected), "{}", outcome.stderr);
    }
}

#[test]
fn a_first_user_whose_name_is_too_long_is_named_with_its_variable() {
    let outcome = Program::new(&[]).variable("GOTIFY_DEFAULTUSER_NAME", &"x".repeat(181)).run();
    assert_eq!(outcome.code, Some(78));
    let expected = "GOTIFY_DEFAULTUSER_NAME: defaultuser.name: the name of the first user must have 1 to 180 \
                    characters, not 181\n";
    assert!(outcome.stderr.ends_with(expected), "{}", outcome.stderr);
}

//! Shell completions and man pages.

use crate::program::Program;

#[test]
fn every_shell_can_complete_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let outcome = Program::new(&["completions", shell]).run();
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{shell}");
        for named in ["healthcheck", "reset-password", "min-priority"] {
            assert!(outcome.stdout.contains(named), "{shell}: no `{named}`");
        }
    }
    assert_eq!(Program::new(&["completions", "dos"]).run().code, Some(2));
}

#[test]
fn every_command_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("share/man1");
    let outcome = Program::new(&["man-pages", man.to_str().unwrap()]).run();
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "", ""));
    let page = |name: &str| std::fs::read_to_string(man.join(name)).unwrap();
    assert!(page("shardcast.1").contains("sysexits") || page("shardcast.1").contains("Exit codes"));
    assert!(page("shardcast-tail.1").contains("GOTIFY_CLIENT_TOKEN"));
    assert!(page("shardcast-user-reset-password.1").contains("The name of the user"));

    let refused = Program::new(&["man-pages", "/dev/null/man"]).run();
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.starts_with("failed to write man pages into /dev/null/man: "),
        "{}",
        refused.stderr
    );
}

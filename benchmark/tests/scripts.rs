//! What the scripts answer before they do anything.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn benchmark() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a script where there is no `cargo`, so that nothing can be built.
fn run(script: &Path, arguments: &[&str]) -> Output {
    Command::new(script)
        .args(arguments)
        .env("PATH", "/usr/bin:/bin")
        .env("CARGO", "")
        .output()
        .expect("the script can be run")
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sh")
        && fs::read_to_string(path).is_ok_and(|text| text.starts_with("#!"))
}

#[test]
fn every_script_prints_help_when_asked() {
    let entries = fs::read_dir(benchmark()).unwrap().map(|entry| entry.unwrap().path());
    let scripts: Vec<PathBuf> = entries.filter(|path| is_script(path)).collect();
    assert!(scripts.len() >= 7, "{scripts:?}");
    for script in scripts {
        let name = script.file_name().unwrap().to_str().unwrap();
        for flag in ["--help", "-h"] {
            let output = run(&script, &[flag]);
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{name} {flag}: {:?}", output.status);
            assert!(
                text.contains(&format!("  benchmark/{name}")),
                "{name} {flag} does not say how it is called: {text}"
            );
            assert!(
                !text.contains("#!") && !text.contains("set -euo"),
                "{name} {flag} prints its code: {text}"
            );
        }
    }
}

#[test]
fn a_report_without_results_is_refused_before_anything_is_built() {
    let place = tempfile::tempdir().unwrap();
    let copied =
        Command::new("cp").arg("-r").arg(benchmark().join("suite")).arg(place.path()).status().unwrap();
    assert!(copied.success());
    for name in ["run-benchmark.sh", "instances.sh"] {
        fs::copy(benchmark().join(name), place.path().join(name)).unwrap();
    }
    let output = run(&place.path().join("run-benchmark.sh"), &["report"]);
    let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("there are no results in"), "{error}");
    assert!(!text.contains("building"), "{text}");
}

//! The load tester as a user runs it, against its own baseline: small loads, free ports.

use std::process::{Command, Output};

use serde_json::Value;

const KINDS: [&[&str]; 7] = [
    &["fanout", "--streams", "20", "--messages", "3", "--interval-ms", "10"],
    &["burst", "--streams", "10", "--messages", "30", "--senders", "4"],
    &["publish", "--senders", "4", "--messages", "50", "--streams", "5"],
    &["publish", "--rate", "200", "--messages", "20", "--streams", "5", "--size", "10000"],
    &[
        "stalled",
        "--streams",
        "10",
        "--stalled",
        "3",
        "--messages",
        "3",
        "--interval-ms",
        "5",
        "--linger-s",
        "0",
    ],
    &["slow", "--streams", "5", "--messages", "20", "--bytes-per-s", "2000000"],
    &["scale", "30"],
];

fn bench(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_shardcast-bench");
    Command::new(program).args(arguments).output().expect("cargo has built the program")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a scenario against the baseline; returns its output and the first round's figures.
fn measure(scenario: &[&str], more: &[&str]) -> (Output, Value) {
    let folder = tempfile::tempdir().expect("a folder for the results");
    let json = folder.path().join("results.json");
    let output = bench(
        &[
            scenario,
            &["--baseline", "--json", json.to_str().expect("temporary folders have plain names")],
            more,
        ]
        .concat(),
    );
    let results = std::fs::read(&json).unwrap_or_else(|_| panic!("{scenario:?}: {}", text(&output.stderr)));
    let results: Value = serde_json::from_slice(&results).expect("the results are JSON");
    (output, results["cases"][0]["rounds"][0].clone())
}

#[test]
fn every_kind_of_load_reaches_every_stream_of_the_floor() {
    for kind in KINDS {
        let (output, figures) = measure(kind, &[]);
        assert!(output.status.success(), "{kind:?}: {}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(figures["lost"], 0.0, "{kind:?}");
        assert_eq!(figures["duplicated"], 0.0, "{kind:?}");
        assert_eq!(figures["closed"], 0.0, "{kind:?}");
    }
}

#[test]
fn a_fan_out_counts_each_delivery_once() {
    let (_, figures) = measure(KINDS[0], &[]);
    assert_eq!(figures["deliveries"], 60.0);
    assert!(figures["max_ms"].as_f64().unwrap() >= figures["p50_ms"].as_f64().unwrap());
    assert!(figures["p50_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn idle_streams_and_churn_are_measured_at_the_floor() {
    let (output, figures) = measure(&["idle", "--streams", "50", "--wait-s", "0"], &[]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert_eq!(figures["missing"], 0.0);
    let (output, figures) = measure(&["churn", "--rate", "100", "--hold-ms", "20", "--seconds", "1"], &[]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert_eq!(figures["refused"], 0.0);
    assert!(figures["visits_per_s"].as_f64().unwrap() > 90.0, "{figures}");
}

#[test]
fn several_processes_together_count_as_one_does() {
    let (output, figures) = measure(&["scale", "50", "--streams-per-process", "20"], &[]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!((figures["load_processes"].as_f64(), figures["streams"].as_f64()), (Some(3.0), Some(50.0)));
    for fault in ["missing", "lost", "duplicated", "closed"] {
        assert_eq!(figures[fault], 0.0, "{fault}");
    }
    assert!(figures["p50_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_missed_threshold_is_named_and_fails_the_run() {
    let thresholds = ["--threshold", "lost<=0", "--threshold", "deliveries>=61"];
    let (output, _) = measure(KINDS[0], &thresholds);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output.stdout);
    assert!(shown.contains("threshold: lost at most 0: 0 met"), "{shown}");
    assert!(shown.contains("threshold: deliveries at least 61.0: 60.0 MISSED by 1.64 %"), "{shown}");
}

#[test]
fn what_cannot_be_run_says_why_in_one_line() {
    let cases: [(&[&str], &str); 4] = [
        (&["fanout"], "nothing to measure"),
        (&["fanout", "--against", "https://127.0.0.1:1"], "there is no TLS here"),
        (&["fanout", "--against", "http://127.0.0.1:1"], "Connection refused"),
        (&["durability", "--baseline", "--", "true"], "--against"),
    ];
    for (arguments, reason) in cases {
        let output = bench(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(reason) && said.lines().count() == 1, "{arguments:?}: {said}");
    }
}

#[test]
fn running_out_of_open_files_says_how_far_it_came_and_still_measures() {
    let script = "ulimit -n 100; exec \"$0\" scale 500 --streams-per-process 500 --baseline";
    let program = env!("CARGO_BIN_EXE_shardcast-bench");
    let output = Command::new("sh").args(["-c", script, program]).output().expect("there is a shell");
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}{}", text(&output.stderr));
    assert!(shown.contains("of 500 streams open: out of open files (this process may have 100)"), "{shown}");
    assert!(shown.contains("streams missing"), "{shown}");
}

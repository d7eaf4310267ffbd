//! Plans and what is wrong with them.

use super::{
    target::{Action, HttpTarget, ServerTarget},
    *,
};
use crate::client::schedule::Stage;

const WHOLE: &str = "\
target:
  url: http://127.0.0.1:8080/message
  method: POST
  headers: {x-test: one}
  body: hello
  expect: 201
  keep_alive: false
load:
  model: rate
  concurrency: 7
  stages:
    - {to: 100, for: 10s}
    - {to: 0, for: 500ms}
warm_up: 2s
thresholds:
  - p95 < 500ms
  - errors < 1%
lost_driver: redistribute
";

fn schedule(load: &str) -> Schedule {
    Plan::parse(&format!("target: {{url: 'http://[::1]/'}}\nload: {load}")).unwrap().schedule
}

#[test]
fn a_plan_says_target_load_warm_up_and_thresholds() {
    let plan = Plan::parse(WHOLE).unwrap();
    let PlanTarget::Http(HttpTarget { method, headers, body, expect, closes, .. }) = &plan.target else {
        panic!("{:?}", plan.target)
    };
    assert_eq!((method.as_str(), *expect, *closes, &body[..]), ("POST", Some(201), true, "hello"));
    assert_eq!((headers[0].0.as_str(), headers[0].1.as_bytes()), ("x-test", &b"one"[..]));
    let stage = |ms, from, to| Stage { over: Duration::from_millis(ms), from, to };
    let stages = vec![stage(10_000, 100.0, 100.0), stage(500, 100.0, 0.0)];
    assert_eq!((&plan.schedule, plan.concurrency), (&Schedule::Arrivals(stages), 7));
    assert_eq!((plan.warm_up, plan.lost_driver), (Duration::from_secs(2), LostDriver::Redistribute));
    assert!(plan.thresholds[0].is_kept(Some(499.0)) && !plan.thresholds[0].is_kept(Some(500.0)));
    assert!(!plan.thresholds[1].is_kept(None), "what was not measured is not kept");
}

#[test]
fn a_plan_that_travelled_as_json_is_the_same() {
    let (json, plan) = Plan::parse_to_json(WHOLE).unwrap();
    assert_eq!(Plan::from_json(&json).unwrap(), plan);
    let written = serde_json::json!({
        "target": {"server": "http://127.0.0.1:8080", "do": "churn", "hold": "2s"},
        "load": {"model": "avalanche", "requests": 5}
    });
    let action = Action::Churn { hold: Duration::from_secs(2) };
    let server = ServerTarget { server: "http://127.0.0.1:8080".to_owned(), action };
    assert_eq!(Plan::from_json(&written).unwrap().target, PlanTarget::Server(server));
    let error = Plan::from_json(&serde_json::json!({"target": 5})).unwrap_err().to_string();
    assert!(error.starts_with("`target` must have keys"), "{error}");
}

#[test]
fn an_error_stays_on_one_line_whatever_it_repeats() {
    for plan in [
        "target: {server: 'http://a', do: \"x\\ny\"}\nload: {model: avalanche, requests: 1}",
        "target: {url: 'http://a'}\nload: {model: \"x\\ry\", requests: 1}",
        "target: {url: 'http://a'}\nload: {model: avalanche, requests: 1}\nthresholds: [\"x\\n < 1\"]",
        "\"x\\ny\": 1\n\"x\\ny\": 2",
    ] {
        let error = Plan::parse(plan).unwrap_err().to_string();
        assert!(!error.contains(char::is_control), "{error:?}");
        assert!(error.contains("x\\n") || error.contains("x\\r"), "{error}");
    }
}

#[test]
fn of_delay_and_throughput_the_slower_one_wins() {
    for (delay, throughput, spacing) in [("50ms", "100", 50), ("1ms", "100", 10)] {
        let load = format!("{{model: tsunami, requests: 9, delay: {delay}, throughput: {throughput}}}");
        let spacing = Duration::from_millis(spacing);
        assert_eq!(schedule(&load), Schedule::Spaced { requests: 9, spacing });
    }
}

#[test]
fn the_number_of_users_at_a_time_is_that_of_the_largest_stage() {
    let plan = "target: {url: 'http://[::1]/'}\nload: {model: users, stages: [{from: 1, to: 12, for: 1m}]}";
    assert_eq!(Plan::parse(plan).unwrap().concurrency, 12);
}

#[test]
fn an_error_names_line_key_value_and_what_would_be_right() {
    let times = "it must be a time in `ms`, `s`, `m` or `h`, such as `30s`, of at most a week";
    for (part, other, error) in [
        ("method:", "metod:", "line 3: `target` has the unknown key `metod`: did you mean `method`?"),
        ("expect: 201", "expect: 99", "line 6: `expect` is `99`: it must be a status, 200 to 599"),
        ("rate", "fast", "line 9: `model` is `fast`: it must be `tsunami`, `avalanche`, `rate` or `users`"),
        ("model: rate", "model: tsunami", "line 8: `load` lacks `requests`, such as `requests: 1000`"),
        ("500ms}", "500}", &format!("line 13: `for` is `500`: {times}")),
        (
            "warm_up: 2s",
            "warm_up: 1h",
            "line 14: `warm_up` is `3600s`: it must be shorter than the load, which takes 10.5s",
        ),
        (
            "p95 < 500ms",
            "p95 < 5",
            "line 16: the threshold `p95 < 5` has the limit `5`: it must be a time with its unit, such as `500ms`",
        ),
        (
            "{x-test: one}",
            "{x test: one}",
            "line 4: the header `x test` is no name: it must have letters, digits and `-`",
        ),
        ("warm_up: 2s", "load: 2s", "line 14: `load` is there twice"),
        ("redistribute", "share", "line 18: `lost_driver` is `share`: it must be `report` or `redistribute`"),
    ] {
        let plan = WHOLE.replace(part, other);
        assert_ne!(plan, WHOLE);
        assert_eq!(Plan::parse(&plan).unwrap_err().to_string(), error);
    }
    let error = Plan::parse(&WHOLE.replace("errors < 1%", "bugs < 1%")).unwrap_err().to_string();
    assert!(
        error.starts_with("line 17: the threshold `bugs < 1%` is of `bugs`: it must be of `p50`"),
        "{error}"
    );
    let two = format!("{WHOLE}---\n{WHOLE}");
    for text in ["", "[", "a", "target: {url: *x}", "load: {}", "&a [*a]", &two] {
        assert!(Plan::parse(text).unwrap_err().to_string().starts_with("line "), "{text}");
    }
}

#[test]
fn streams_are_opened_at_a_rate_and_not_by_users() {
    let plan =
        "target: {server: 'http://[::1]', do: connect}\nload: {model: users, stages: [{to: 1, for: 1m}]}";
    assert!(Plan::parse(plan).unwrap_err().to_string().contains("`rate`, `tsunami` or `avalanche`"));
}

#[test]
fn thresholds_may_be_of_deliveries_and_streams() {
    for text in ["errors < 0%", "errors < 200%", "rate > -1", "rate > x"] {
        assert!(text.parse::<Threshold>().unwrap_err().contains("has the limit"), "{text}");
    }
    for text in ["delivery p99 < 100ms", "delivery max < 1s", "lost < 1", "out of order < 1", "closed < 1"] {
        text.parse::<Threshold>().unwrap();
    }
    assert!("delivery < 1s".parse::<Threshold>().unwrap_err().contains("`delivery p50`"));
}

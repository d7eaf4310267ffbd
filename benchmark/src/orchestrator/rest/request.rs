//! Bodies of requests.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    bus::message::{SCHEMA, TestConfig, TestType},
    driver::{allowed::Allowed, check_config},
    orchestrator::planned,
    plan::Plan,
};

/// The longest delay between two requests: a day.
const DELAY_MS_MAX: u64 = 86_400_000;

/// A test to be made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct NewTest {
    test_type: TestType,
    #[serde(default)]
    test_message_delay: u64,
    num_requests: u64,
    target: Option<String>,
    throughput: Option<f64>,
    concurrency: Option<u32>,
}

/// A test by a plan, which is JSON or the text of a YAML file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct NewPlan {
    plan: Value,
}

/// Reads the body of a new test: of the specification, or of a plan.
///
/// # Errors
///
/// Says what is wrong, and what would be right.
pub(super) fn new_test(body: &[u8], allowed: &[Allowed]) -> Result<TestConfig, String> {
    let has_plan = serde_json::from_slice::<Value>(body).is_ok_and(|body| body.get("Plan").is_some());
    if !has_plan {
        return NewTest::read(body)?.into_config(allowed);
    }
    let plan = read::<NewPlan>(body, NewTest::EXAMPLE)?.plan;
    let (plan, parsed) = match plan {
        Value::String(text) => Plan::parse_to_json(&text),
        plan => Plan::from_json(&plan).map(|parsed| (plan, parsed)),
    }
    .map_err(|error| format!("the plan is wrong: {error}"))?;
    let config = planned(plan, &parsed);
    check_config(&config, allowed)?;
    Ok(config)
}

impl NewTest {
    const EXAMPLE: &str = r#"{"TestType":"Tsunami","TestMessageDelay":20,"NumRequests":100,"Target":"http://127.0.0.1:8080/health"}"#;

    /// Reads a body.
    ///
    /// # Errors
    ///
    /// Names the field, and shows an example.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        read(body, Self::EXAMPLE)
    }

    /// Returns the test that drivers get, with a new id.
    ///
    /// # Errors
    ///
    /// Says which value is out of range, or that the target is not allowed.
    pub(super) fn into_config(self, allowed: &[Allowed]) -> Result<TestConfig, String> {
        let delay = self.test_message_delay;
        if delay > DELAY_MS_MAX {
            return Err(format!(
                "`TestMessageDelay` is {delay}: it must be 0 to {DELAY_MS_MAX} milliseconds"
            ));
        }
        let config = TestConfig {
            test_id: format!("{:032x}", rand::random::<u128>()),
            test_type: self.test_type,
            test_message_delay: if self.test_type == TestType::Tsunami { delay } else { 0 },
            message_count_per_driver: self.num_requests,
            schema: Some(SCHEMA),
            target: self.target,
            throughput: self.throughput,
            concurrency: self.concurrency,
            plan: None,
        };
        check_config(&config, allowed).map_err(|error| named_as_here(&error))?;
        Ok(config)
    }
}

/// Returns an error with the names that fields have in a body, instead of those on the bus.
fn named_as_here(error: &str) -> String {
    [
        ("`message_count_per_driver`", "`NumRequests`"),
        ("`throughput`", "`Throughput`"),
        ("`concurrency`", "`Concurrency`"),
    ]
    .iter()
    .fold(error.to_owned(), |error, (there, here)| error.replace(there, here))
}

/// A test to be started.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TriggerRequest {
    #[serde(rename = "TestID")]
    pub(super) test_id: String,
}

impl TriggerRequest {
    const EXAMPLE: &str = r#"{"TestID":"0123456789abcdef0123456789abcdef"}"#;

    /// Reads a body.
    ///
    /// # Errors
    ///
    /// Names the field, and shows an example.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        read(body, Self::EXAMPLE)
    }
}

fn read<T: DeserializeOwned>(body: &[u8], example: &str) -> Result<T, String> {
    let wrong =
        |error: serde_json::Error| format!("the body can't be read: {error}; an example is `{example}`");
    let value: Value = serde_json::from_slice(body).map_err(wrong)?;
    if !value.is_object() {
        return Err(format!("the body is no JSON object; an example is `{example}`"));
    }
    // From the text, so that an error says where it is.
    serde_json::from_slice(body).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(body: &str) -> String {
        new_test(body.as_bytes(), &[]).unwrap_err()
    }

    #[test]
    fn a_plan_is_the_text_of_a_file_or_json() {
        let text = r#"{"Plan":"target: {url: 'http://127.0.0.1/'}\nload: {model: rate, stages: [{to: 50, for: 2s}]}"}"#;
        let json = r#"{"Plan":{"target":{"url":"http://127.0.0.1/"},"load":{"model":"rate","stages":[{"to":50,"for":"2s"}]}}}"#;
        for body in [text, json] {
            let config = new_test(body.as_bytes(), &[]).unwrap();
            // What a driver of another program would make of it.
            assert_eq!((config.test_type, config.test_message_delay), (TestType::Tsunami, 20), "{body}");
            assert_eq!(config.message_count_per_driver, 100);
            assert!(config.plan.is_some_and(|plan| plan["load"]["model"] == "rate"));
        }
    }

    #[test]
    fn the_example_is_a_test() {
        let config = NewTest::read(NewTest::EXAMPLE.as_bytes()).unwrap().into_config(&[]).unwrap();
        assert_eq!((config.test_message_delay, config.message_count_per_driver), (20, 100));
        assert_eq!(config.test_id.len(), 32);
        TriggerRequest::read(TriggerRequest::EXAMPLE.as_bytes()).unwrap();
    }

    #[test]
    fn what_is_wrong_with_a_test_is_named() {
        for (body, part) in [
            ("", "an example is"),
            (r#"{"TestType":"Flood","NumRequests":1}"#, "unknown variant `Flood`"),
            (r#"{"TestType":"Tsunami"}"#, "missing field `NumRequests`"),
            (r#"{"TestType":"Tsunami","NumRequests":1,"Tarjet":""}"#, "unknown field `Tarjet`"),
            (r#"{"TestType":"Tsunami","NumRequests":0}"#, "`NumRequests` is 0: it must be 1 to"),
            ("[]", "the body is no JSON object; an example is"),
            (
                r#"{"TestType":"Tsunami","NumRequests":1,"TestMessageDelay":90000000}"#,
                "`TestMessageDelay` is 90000000",
            ),
            (r#"{"TestType":"Tsunami","NumRequests":1,"Throughput":0}"#, "`Throughput` is 0"),
            (r#"{"Plan":"target: {url: 'http://127.0.0.1/'}\nload: {model: x}"}"#, "line 2: `model` is `x`"),
            (r#"{"Plan":{"load":{}}}"#, "the plan is wrong: the plan lacks `target`"),
            (r#"{"Plan":"","NumRequests":1}"#, "unknown field `NumRequests`"),
            (r#"{"TestType":"Tsunami","NumRequests":1,"Concurrency":0}"#, "`Concurrency` is 0"),
            (r#"{"TestType":"Tsunami","NumRequests":1,"Target":"http://192.0.2.1/"}"#, "is not allowed here"),
        ] {
            let error = error(body);
            assert!(error.contains(part), "{body}: {error}");
        }
    }
}

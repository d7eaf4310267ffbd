//! Scenarios: requests and the answers that are expected, one after the other.
//!
//! ```text
//! == What this case shows
//! > POST /message?x=1
//! > X-Gotify-Key: $app
//! >
//! > the body, until the request's lines end
//! < 200
//! < Content-Type: application/json
//! < {"id": "<number=first>", "message": "hi"}
//! ```
//!
//! A case runs in both profiles, unless its title begins with `[v2]` or `[v3]`; so may a line of it, after its mark.
//! Lines before the first case are a remark, but for those that change the server's configuration:
//! `set registration: true`.
//!
//! An answer is its status, the headers that matter, and its body: JSON is compared by value, anything else as
//! it stands, `(empty)` is an empty body, `~ text` one that has this text in it, and no body line means that any body
//! will do. A header whose value is `(none)` must not be there. `<number>`, `<time>`, `<time?>` (or null), `<image>`
//! (its path), `<A token>`, `<C token>` and `<text>` stand for any such value; `<number=name>` also remembers it as
//! `$name`. In a header, a placeholder may be a part of the value.
//!
//! Every scenario begins with two people, `ann` (hers are `$app`, `$app_id`, `$client`, `$client_id`, `$basic`,
//! `$wrong_basic`, `$user_id`) and `bob` (his begin with `$bob_`), with the administrator's `$admin_basic`, and
//! with `$host`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use shardcast::model::Compatibility;
use shardcast::server::NodeConfig;

use crate::harness::{Answer, Person, TestServer};

/// The variable that names the profile.
const PROFILE: &str = "profile";

type Variables = BTreeMap<String, String>;

/// Runs every case of a scenario that is about the profile; panics at the first that is not answered as expected.
pub(super) async fn run(scenario: &str, compatibility: Compatibility) {
    run_with(scenario, compatibility, |_| {}).await;
}

/// As [`run`], on a server whose configuration was changed first.
pub(super) async fn run_with(
    scenario: &str,
    compatibility: Compatibility,
    change: impl FnOnce(&mut NodeConfig),
) {
    let mut parts = scenario.split("\n== ");
    let settings = parts.next().unwrap_or_default();
    let server = TestServer::start_with(|config| {
        config.api.compatibility = compatibility;
        configure(config, settings);
        change(config);
    })
    .await;
    let mut variables = variables(&server).await;
    variables.insert(PROFILE.to_owned(), compatibility.to_string());
    let mut cases = 0;
    for case in parts {
        let (title, lines) = case.split_once('\n').expect("a case has lines");
        if profile(title).is_none_or(|only| only == compatibility) {
            let lines = of_profile(lines, compatibility);
            check(&server, title, &lines, &mut variables).await;
        }
        cases += 1;
    }
    assert!(cases > 0, "the scenario is empty");
}

/// Leaves out the lines that are about another profile, and the marks of the others.
fn of_profile(lines: &str, compatibility: Compatibility) -> String {
    let mut kept = String::new();
    for line in lines.lines() {
        let (mark, text) = line.split_at_checked(2).unwrap_or((line, ""));
        let text = match Compatibility::ALL.map(|only| (only, text.strip_prefix(&format!("[{only}] ")))) {
            [(_, None), (_, None)] => text,
            found => {
                let of_this = found.into_iter().find(|&(only, _)| only == compatibility);
                let Some((_, Some(text))) = of_this else { continue };
                text
            }
        };
        kept.extend([mark, text, "\n"]);
    }
    kept
}

/// The one profile that a case is about, if it is about one.
fn profile(title: &str) -> Option<Compatibility> {
    let name = title.strip_prefix('[')?.split(']').next()?;
    let named = Compatibility::ALL.into_iter().find(|profile| profile.name() == name);
    Some(named.unwrap_or_else(|| panic!("no such profile: {title}")))
}

fn configure(config: &mut NodeConfig, settings: &str) {
    for line in settings.lines().filter_map(|line| line.strip_prefix("set ")) {
        match line.split_once(": ") {
            Some(("registration", value)) => config.api.registration = value.parse().unwrap(),
            _ => panic!("no such setting: {line}"),
        }
    }
}

async fn variables(server: &TestServer) -> Variables {
    let mut variables = Variables::new();
    variables.insert("host".to_owned(), server.address.to_string());
    variables.insert("admin_basic".to_owned(), format!("Basic {}", BASE64_STANDARD.encode("admin:admin")));
    for (prefix, name) in [("", "ann"), ("bob_", "bob")] {
        let person = server.person(name).await;
        for (variable, value) in of_person(&person) {
            variables.insert(format!("{prefix}{variable}"), value);
        }
    }
    variables
}

fn of_person(person: &Person) -> [(&'static str, String); 7] {
    let basic = |password: &str| {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{password}", person.user.name)))
    };
    [
        ("user_id", person.user.id.to_string()),
        ("app", person.application.token.clone()),
        ("app_id", person.application.id.to_string()),
        ("client", person.client.token.clone()),
        ("client_id", person.client.id.to_string()),
        ("basic", basic(&person.password)),
        ("wrong_basic", basic("wrong")),
    ]
}

async fn check(server: &TestServer, title: &str, lines: &str, variables: &mut Variables) {
    let part = |mark: char| -> Vec<String> {
        let of_part = lines.lines().filter_map(|line| line.strip_prefix(mark));
        of_part.map(|line| substituted(line.strip_prefix(' ').unwrap_or(line), variables)).collect()
    };
    let (request, expected) = (part('>'), part('<'));
    let (first, rest) = request.split_first().unwrap_or_else(|| panic!("{title}: no request"));
    let (method, target) = first.split_once(' ').unwrap_or_else(|| panic!("{title}: {first}"));
    let end = rest.iter().position(String::is_empty).unwrap_or(rest.len());
    let headers: Vec<_> = rest[..end].iter().map(|line| header(line)).collect();
    let body = rest.get(end + 1..).unwrap_or_default().join("\r\n");

    let answer = server.send(method, target, &headers, &body).await;
    if let Err(difference) = compare(&expected, &answer, variables) {
        panic!("{title}: {difference}\n{first}\n{body}\nwas answered {answer:#?}");
    }
}

fn header(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line}"));
    (name.to_owned(), value.trim().to_owned())
}

/// Replaces variables, the longest names first: one name may begin with another.
fn substituted(text: &str, variables: &Variables) -> String {
    let mut names: Vec<_> = variables.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.into_iter().fold(text.to_owned(), |text, name| text.replace(&format!("${name}"), &variables[name]))
}

fn compare(expected: &[String], answer: &Answer, variables: &mut Variables) -> Result<(), String> {
    let (status, rest) = expected.split_first().ok_or("no answer is expected")?;
    if *status != answer.status.to_string() {
        return Err(format!("expected status {status}"));
    }
    for line in rest {
        let is_body = line.starts_with(['{', '[', '(', '<', '~']) || !line.contains(": ");
        if is_body {
            compare_body(line, &answer.body, variables)?;
            continue;
        }
        let (name, value) = header(line);
        match answer.header(&name.to_ascii_lowercase()) {
            Some(found) => compare_header(&value, found, variables)?,
            None if value == "(none)" => {}
            None => return Err(format!("expected {line}, found none")),
        }
    }
    Ok(())
}

fn compare_body(expected: &str, found: &str, variables: &mut Variables) -> Result<(), String> {
    if expected == "(empty)" {
        return if found.is_empty() { Ok(()) } else { Err("expected an empty body".to_owned()) };
    }
    if let Some(part) = expected.strip_prefix("~ ") {
        return if found.contains(part) { Ok(()) } else { Err(format!("expected {part} in the body")) };
    }
    match (serde_json::from_str(expected), serde_json::from_str(found)) {
        (Ok(expected), Ok(found)) => compare_value("body", &expected, &found, variables),
        _ if expected == found.trim_end() => Ok(()),
        _ => Err(format!("expected the body {expected}")),
    }
}

fn compare_value(
    path: &str,
    expected: &Value,
    found: &Value,
    variables: &mut Variables,
) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let keys = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
            if keys(expected) != keys(found) {
                return Err(format!("{path}: expected keys {:?}, found {:?}", keys(expected), keys(found)));
            }
            expected.iter().try_for_each(|(key, value)| {
                compare_value(&format!("{path}.{key}"), value, &found[key], variables)
            })
        }
        (Value::Array(expected), Value::Array(found)) => {
            if expected.len() != found.len() {
                return Err(format!("{path}: expected {} elements, found {}", expected.len(), found.len()));
            }
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.try_for_each(|(at, (value, found))| {
                compare_value(&format!("{path}[{at}]"), value, found, variables)
            })
        }
        (Value::String(text), _) if text.starts_with('<') && text.ends_with('>') => {
            placeholder(&text[1..text.len() - 1], found, variables)
                .map_err(|error| format!("{path}: {error}"))
        }
        _ if expected == found => Ok(()),
        _ => Err(format!("{path}: expected {expected}, found {found}")),
    }
}

/// Answers whether a text is a token for an application, `A`, or a client, `C`, as that profile issues them.
fn is_token(text: &str, kind: char, profile: &str) -> bool {
    match profile {
        "v2" => text.len() == 15 && text.starts_with(kind),
        _ => text.len() == 49 && text.starts_with(&format!("gtfy{}.", kind.to_ascii_lowercase())),
    }
}

/// Compares a header, in which one placeholder may stand for a part.
fn compare_header(expected: &str, found: &str, variables: &mut Variables) -> Result<(), String> {
    let parts = expected.split_once('<').and_then(|(before, rest)| Some((before, rest.split_once('>')?)));
    let Some((before, (what, after))) = parts else {
        return if expected == found { Ok(()) } else { Err(format!("expected {expected}")) };
    };
    let part = found.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    let part = part.ok_or_else(|| format!("expected {expected}, found {found}"))?;
    placeholder(what, &Value::from(part), variables)
}

/// A picture's path: 25 characters and an extension below `image/`.
fn is_image(text: &str) -> bool {
    let file = text.strip_prefix("image/").and_then(|name| name.split_at_checked(25));
    file.is_some_and(|(_, extension)| [".png", ".GIF", ".gif", ".jpg"].contains(&extension))
}

fn placeholder(what: &str, found: &Value, variables: &mut Variables) -> Result<(), String> {
    let (kind, name) = what.split_once('=').map_or((what, None), |(kind, name)| (kind, Some(name)));
    let is_time = |text: &str| chrono::DateTime::parse_from_rfc3339(text).is_ok();
    let text = found.as_str().unwrap_or_default();
    let fits = match kind {
        "number" => found.is_u64(),
        "time" => is_time(text),
        "time?" => found.is_null() || is_time(text),
        "A token" => is_token(text, 'A', &variables[PROFILE]),
        "C token" => is_token(text, 'C', &variables[PROFILE]),
        "text" => found.is_string(),
        "image" => is_image(text),
        other => return Err(format!("no such placeholder: {other}")),
    };
    if !fits {
        return Err(format!("expected a {kind}, found {found}"));
    }
    if let Some(name) = name {
        let value = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        variables.insert(name.to_owned(), value);
    }
    Ok(())
}

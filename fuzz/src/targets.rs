//! The targets. Each takes any bytes, and panics if something does not hold that must hold for all of them.

mod backplane;
mod bodies;
mod configuration;
mod connections;
mod images;
mod memory_socket;
mod paging;
mod stream;
mod takeover;
mod tokens;
mod world;

use std::sync::OnceLock;

/// A target, by its name.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 11] = [
    ("backplane", backplane::run),
    ("bodies", bodies::run),
    ("bus", shardcast_bench::fuzzing::bus),
    ("configuration", configuration::run),
    ("connections", connections::run),
    ("images", images::run),
    ("paging", paging::run),
    ("plans", |data| {
        if let Ok(text) = std::str::from_utf8(data) {
            shardcast_bench::fuzzing::plan(text);
        }
    }),
    ("stream", stream::run),
    ("takeover", takeover::run),
    ("tokens", tokens::run),
];

static CHOSEN: OnceLock<fn(&[u8])> = OnceLock::new();

/// Chooses the target that `FUZZ_TARGET` names.
pub(crate) fn init() {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, run) = target.unwrap_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        panic!("FUZZ_TARGET is `{name}`: it must be one of {names:?}")
    });
    CHOSEN.get_or_init(|| *run);
}

/// Runs the target that was chosen.
pub(crate) fn run(data: &[u8]) {
    CHOSEN.get().expect("libFuzzer begins with `init`")(data);
}

//! All fuzz targets in one program: the variable `FUZZ_TARGET` names the one that libFuzzer calls. `fuzz/run` sets it.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod targets;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(init: targets::init(), |data: &[u8]| targets::run(data));

/// Without `fuzz/instrument` there is nothing to run.
#[cfg(not(fuzzing))]
fn main() {}

//! glibc's allocator, set to give large blocks back.
//!
//! Once a block of up to 32 MiB was freed, glibc takes blocks of that size from its heaps, of which each thread has one,
//! and keeps what is freed there. Under large messages it so kept twice as much as the server held. With a fixed
//! threshold larger blocks are mapped alone, and given back when they are freed.
//!
//! glibc reads such settings from the environment, when a program begins. To set them later takes `unsafe` code, and
//! another allocator took 20 MB more at rest. So the server starts itself again, as the same process: its id, its
//! arguments, its open files and what its service manager has told it stay as they are.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// glibc's variable for its settings.
const TUNABLES: &str = "GLIBC_TUNABLES";

/// Blocks of 512 KiB and more are mapped alone: messages of usual sizes and the parts of lists are smaller. And 1 MiB
/// at the end of a heap may stay free, so that usual loads do not ask the kernel for the same memory again and again.
const SETTINGS: &str = "glibc.malloc.mmap_threshold=524288:glibc.malloc.trim_threshold=1048576";

/// Says that this process has started itself again: where a program has more rights than its user, glibc takes its own
/// variables out of the environment.
const STARTED_AGAIN: &str = "SHARDCAST_STARTED_AGAIN";

/// Starts this process again with the settings, unless it has them, or somebody has made others.
///
/// To be called before threads are started and files are opened. Returns where nothing is to be done, or where the
/// system refuses to start the program again: the server then only needs more memory under large messages.
pub(super) fn give_back_large_blocks() {
    if !are_missing(env::vars_os()) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut arguments = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // Returns only if it has failed.
    let _ = command.args(arguments).env(TUNABLES, SETTINGS).env(STARTED_AGAIN, "1").exec();
}

/// Answers whether the settings are missing, and nobody has made any others. glibc cuts its variable off at the first
/// setting once it has read it, so that what somebody has set can't be kept beside ours.
fn are_missing(mut variables: impl Iterator<Item = (OsString, OsString)>) -> bool {
    let is_chosen = |(name, value): (OsString, OsString)| match name.to_string_lossy() {
        name if name == TUNABLES => !value.is_empty(),
        name => name == STARTED_AGAIN || name.starts_with("MALLOC_"),
    };
    cfg!(all(target_os = "linux", target_env = "gnu")) && !variables.any(is_chosen)
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn settings_that_somebody_has_made_are_left_alone() {
        let are_missing_beside = |name: &str, value: &str| {
            are_missing(
                [("PATH", "/bin"), (name, value)]
                    .map(|(name, value)| (name.into(), value.into()))
                    .into_iter(),
            )
        };
        assert!(are_missing_beside("OTHER", "1"));
        assert!(are_missing_beside("GLIBC_TUNABLES", ""));
        for (name, value) in [
            ("MALLOC_ARENA_MAX", "1"),
            ("GLIBC_TUNABLES", "glibc.pthread.rseq=0"),
            // What it looks like after the start that this causes.
            ("GLIBC_TUNABLES", SETTINGS),
            ("SHARDCAST_STARTED_AGAIN", "1"),
        ] {
            assert!(!are_missing_beside(name, value), "{name}");
        }
    }
}

//! The load tester's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    shardcast_bench::main()
}

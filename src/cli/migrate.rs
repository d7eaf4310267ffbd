//! `shardcast migrate`.

use std::process::ExitCode;

use tokio::runtime::Builder;

use super::start_error::StartError;
use super::{print_answer, print_problem};
use crate::config::Loaded;
use crate::store;

/// Prints what a start would change in the database, and does it unless it is only asked for.
pub(super) fn run(loaded: &Loaded, dry_run: bool) -> ExitCode {
    let outcome = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::Runtime)
        .and_then(|runtime| runtime.block_on(migrate(loaded, dry_run)));
    match outcome {
        Ok(answer) => print_answer(&answer),
        Err(error) => {
            print_problem(&error.report());
            error.exit_code()
        }
    }
}

async fn migrate(loaded: &Loaded, dry_run: bool) -> Result<String, StartError> {
    let config = loaded.database();
    let failed = |source| StartError::database(loaded, source);
    let steps = store::plan_migration(&config).await.map_err(failed)?;
    if steps.is_empty() {
        return Ok("There is nothing to do: the database is as this version needs it.".to_owned());
    }
    let heading = if dry_run { "The next start of the server would:" } else { "Done:" };
    if !dry_run {
        store::open(&config).await.map_err(failed)?.close().await;
    }
    Ok(std::iter::once(heading.to_owned())
        .chain(steps.iter().map(|step| format!("- {step}")))
        .collect::<Vec<_>>()
        .join("\n"))
}

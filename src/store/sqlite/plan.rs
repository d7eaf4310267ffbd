//! What opening a file would change.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::connection::{WaitLimits, reading};
use super::open_error::OpenFileError;
use super::{backup, foreign, schema};
use crate::store::MigrationStep;

/// Returns what opening a file would change, and leaves it as it is.
pub(super) async fn of(file: &Path) -> Result<Vec<MigrationStep>, OpenFileError> {
    if file.is_dir() {
        return Err(OpenFileError::IsFolder(file.to_owned()));
    }
    // A file that is not there yet lacks what an empty database lacks.
    let options = if file.exists() {
        reading(file, WaitLimits::SERVER.lock)
    } else {
        SqliteConnectOptions::new().in_memory(true)
    };
    let failed = |error| OpenFileError::of(file, error);
    let mut connection = options.connect().await.map_err(failed)?;
    foreign::refuse(&mut connection, file).await?;
    let steps = steps(&mut connection, file).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(steps)
}

async fn steps(connection: &mut SqliteConnection, file: &Path) -> Result<Vec<MigrationStep>, sqlx::Error> {
    let mut steps = Vec::new();
    if backup::is_gotifys(connection).await? {
        steps.push(MigrationStep::CopyFile { file: file.to_owned() });
    }
    steps.extend(schema::missing(connection).await?.into_iter().map(|step| step.shown));
    Ok(steps)
}

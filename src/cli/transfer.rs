//! `shardcast copy`, `backup` and `restore`.

mod location;
mod progress;

use crate::causes::with_sources;
use std::path::Path;
use std::process::ExitCode;

use tracing::Level;

use super::arguments::{BackupArguments, CopyArguments, RestoreArguments};
use super::logging::Log;
use super::signals::Signals;
use super::start_error::StartError;
use super::{EX_CONFIG, EX_TEMPFAIL, print_answer, print_problem, runtime};
use crate::config::{Loaded, LogFormat, on_one_line};
use crate::store::transfer::{self, Moved, RestoreOptions, TransferError};
use crate::store::{ImageStorage, OpenDatabaseError};
use progress::Progress;

/// A flag whose value is wrong.
const EX_USAGE: u8 = 2;

/// All was done, but pictures are missing.
const INCOMPLETE: u8 = 3;

/// What a command has done.
struct Done {
    /// For standard output.
    answer: String,
    /// For standard error, one line each.
    notes: Vec<String>,
    /// Whether nothing was missing.
    is_complete: bool,
}

impl Done {
    fn new(answer: String) -> Self {
        Self { answer, notes: Vec::new(), is_complete: true }
    }

    /// Names the pictures that applications have and that were not found in this place.
    fn without(self, pictures: &[String], place: &str) -> Self {
        let name = |picture: &String| {
            format!("a picture of an application is missing: there is no `{}` {place}", on_one_line(picture))
        };
        Self { notes: pictures.iter().map(name).collect(), is_complete: pictures.is_empty(), ..self }
    }
}

/// Copies a database into another one.
pub(super) fn copy(arguments: &CopyArguments) -> ExitCode {
    let read = |flag, text| {
        location::parse(text).map_err(|error| print_problem(&format!("{flag}: {}", with_sources(&error))))
    };
    let (Ok(from), Ok(to)) = (read("--from", &arguments.from), read("--to", &arguments.to)) else {
        return ExitCode::from(EX_USAGE);
    };
    run((Level::INFO, LogFormat::Text), async |progress| {
        let moved = transfer::copy(&from, &to, arguments.leave_out, &|at| progress.show(at)).await?;
        let pictures = match moved.pictures {
            0 => String::new(),
            pictures => format!(" and {pictures} pictures"),
        };
        let done = Done::new(format!("copied {}{pictures}", described(&moved)));
        let missing = &moved.missing_pictures;
        if moved.pictures > 0 || missing.is_empty() {
            return Ok(done.without(missing, "in the database"));
        }
        // A database that keeps none is that of a server whose pictures are files.
        let note = format!(
            "note: {} pictures of applications are not in the database; copy their folder, `uploadedimagesdir`, yourself",
            missing.len()
        );
        Ok(Done { notes: vec![note], ..done })
    })
}

/// Writes the configured database and pictures to a file.
pub(super) fn backup(loaded: &Loaded, arguments: &BackupArguments) -> ExitCode {
    run((loaded.log_level(), loaded.log_format()), async |progress| {
        let (database, pictures) = (loaded.database(), pictures_folder(loaded));
        let file = &arguments.file;
        let moved = transfer::backup(&database, pictures, file, &|at| progress.show(at)).await?;
        let place = match pictures {
            Some(folder) => {
                let folder = on_one_line(&folder.display().to_string());
                format!("in the folder `{folder}` (`uploadedimagesdir`)")
            }
            None => "in the database".to_owned(),
        };
        let answer = format!(
            "wrote {} and {} pictures to `{}`, and read them back",
            described(&moved),
            moved.pictures,
            file.display()
        );
        Ok(Done::new(answer).without(&moved.missing_pictures, &place))
    })
}

/// Writes a backup into the configured database, and its pictures to where the configuration keeps them.
pub(super) fn restore(loaded: &Loaded, arguments: &RestoreArguments) -> ExitCode {
    run((loaded.log_level(), loaded.log_format()), async |progress| {
        let (database, pictures) = (loaded.database(), pictures_folder(loaded));
        let allowed = RestoreOptions { replace: arguments.force, leave_out: arguments.leave_out };
        let file = &arguments.file;
        let moved = transfer::restore(file, &database, pictures, allowed, &|at| progress.show(at)).await?;
        Ok(Done::new(format!("restored {} and {} pictures", described(&moved), moved.pictures)))
    })
}

/// Returns the folder of the pictures; `None` if the database keeps them.
fn pictures_folder(loaded: &Loaded) -> Option<&Path> {
    let folder = Path::new(&loaded.config.uploadedimagesdir);
    (loaded.image_storage() == ImageStorage::Folder).then_some(folder)
}

/// Runs it to its end, or to a signal.
fn run(
    (level, format): (Level, LogFormat),
    work: impl AsyncFnOnce(&Progress) -> Result<Done, TransferError>,
) -> ExitCode {
    let log = match Log::start(level, format) {
        Ok(log) => log,
        Err(error) => {
            print_problem(&format!("failed to start the log: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let runtime = match runtime::build() {
        Ok(runtime) => runtime,
        Err(error) => return failed_to_start(&StartError::Runtime(error)),
    };
    let outcome = runtime.block_on(async {
        let mut signals =
            Signals::of_command().map_err(|error| failed_to_start(&StartError::Signals(error)))?;
        let progress = Progress::new();
        let done = tokio::select! {
            done = work(&progress) => done,
            code = signals.next() => {
                progress.clear();
                print_problem("interrupted");
                return Err(ExitCode::from(code));
            }
        };
        progress.clear();
        Ok(done)
    });
    drop(log);
    match outcome {
        Ok(Ok(done)) => {
            done.notes.iter().for_each(|note| print_problem(note));
            let printed = print_answer(&on_one_line(&done.answer));
            if done.is_complete { printed } else { ExitCode::from(INCOMPLETE) }
        }
        Ok(Err(error)) => {
            print_problem(&with_sources(&error));
            match error {
                TransferError::OpenSource(OpenDatabaseError::Unavailable(_))
                | TransferError::OpenTarget(OpenDatabaseError::Unavailable(_)) => ExitCode::from(EX_TEMPFAIL),
                TransferError::OpenSource(_) | TransferError::OpenTarget(_) | TransferError::NoSource(_) => {
                    ExitCode::from(EX_CONFIG)
                }
                _ => ExitCode::FAILURE,
            }
        }
        Err(code) => code,
    }
}

fn failed_to_start(error: &StartError) -> ExitCode {
    print_problem(&error.report());
    error.exit_code()
}

/// Says how many rows of each table were moved.
fn described(moved: &Moved) -> String {
    // The key of push subscriptions and those of messages go without saying.
    let of_others = ["shardcast_push_keys", "shardcast_keyed"];
    let tables = moved.tables.iter().filter(|(table, _)| !of_others.contains(table));
    let tables = tables.map(|(table, rows)| match *table {
        "plugin_confs" => format!("{rows} settings of plugins"),
        "shardcast_push" => format!("{rows} push subscriptions"),
        table => format!("{rows} {table}"),
    });
    let text = tables.collect::<Vec<_>>().join(", ");
    if moved.left_out > 0 { format!("{text} (left out: {} rows)", moved.left_out) } else { text }
}

//! The traits of [`Database`](crate::store::Database), for every database that speaks SQL: which connection each
//! operation runs on, and what it is called when it fails.

/// Runs a read on one of the connections for reading. Once more on another one, if it was found that the first had been
/// cut while nobody used it. What writes is never tried again here.
macro_rules! read {
    ($database:ident, $operation:literal, $module:ident::$function:ident($($argument:expr),* $(,)?)) => {{
        let mut was_tried = false;
        loop {
            let mut lease = $database.readers().lease($operation).await?;
            let result = $module::$function(&mut lease.session() $(, $argument)*).await;
            if was_tried || !lease.was_cut(&result) {
                break lease.end(result).await;
            }
            was_tried = true;
        }
    }};
}

mod application_states;
mod applications;
mod clients;
mod heads;
mod logins;
mod messages;
mod pictures;
mod push;
mod retention;
mod revocation_log;
mod search;
mod users;

pub(crate) use search::Searches;

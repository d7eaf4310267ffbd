//! What a continued copy does with the messages that it finds at the target.
//!
//! The source may have had a server between two runs: messages were deleted by their users, for their age or with their
//! application, or replaced by others with the same key. The parts of both sides are compared, and those that differ are
//! deleted at the target and copied again. That also finds messages that an earlier run has left out.

use super::TransferError;
use super::rows;
use super::source::DatabaseSource;
use super::table::MESSAGES;
use super::target::DatabaseTarget;

/// Makes the messages that an earlier run has copied those of the source. When it is interrupted, the next run does the
/// same once more.
pub(super) async fn bring_up_to_date(
    source: &mut dyn DatabaseSource,
    target: &mut dyn DatabaseTarget,
    leave_out: bool,
) -> Result<(), TransferError> {
    let up_to = target.after(MESSAGES);
    if up_to == 0 {
        return Ok(());
    }
    let parts = source.parts(up_to).await?;
    for ids in target.outdated(&parts).await? {
        let (first, last) = (ids.start(), ids.end());
        tracing::info!(
            "copies the messages {first} to {last} again: some of them are not the same at the source"
        );
        target.delete(&ids).await?;
        rows::move_rows(source.as_source(), target.as_target(), MESSAGES, ids, leave_out, &|_| ()).await?;
    }
    target.end_table(MESSAGES).await
}

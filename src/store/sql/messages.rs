//! Messages.
//!
//! The table says which application sent a message, not whose it is, so a user's messages are merged from its
//! applications. How that is done without reading more than a page differs between databases, see [`Pages`].

use super::{Dialect, Query, Row, Session, Value, applications, keyed, query, slice};
use crate::model::{ApplicationId, Extras, Message, MessageId, Timestamp, UserId};
use crate::store::{MessageChoice, MessagePage, Slice};

pub(crate) mod dates;
#[cfg(feature = "sqlite")]
pub(crate) mod packed;
#[cfg(feature = "mysql")]
pub(crate) mod per_application;

macro_rules! columns {
    () => {
        "id, application_id, message, title, priority, extras, date"
    };
}

/// The query that lists the messages whose ids a subquery returns, then the id and the size. Its values are those of
/// the subquery, and up to which size messages are small.
///
/// Extras are parsed into a tree, which takes several times the bytes of their text.
macro_rules! listing {
    ($ids:expr, $order:literal) => {
        concat!(
            "SELECT m.id, m.application_id, m.message, m.title, m.priority, m.extras, m.date, listed, size \
             FROM (SELECT page.id AS listed, ",
            $crate::store::sql::slice::size!("message" "title"),
            " + 8 * coalesce(octet_length(extras), 0) AS size FROM (",
            $ids,
            ") AS page JOIN messages s ON s.id = page.id) AS list \
             LEFT JOIN messages m ON m.id = listed AND size <= ? ORDER BY listed ",
            $order
        )
    };
}

/// The ids of an application's messages below or above an id.
macro_rules! ids_of_application {
    ($sign:literal, $direction:literal) => {
        concat!(
            "SELECT id FROM messages WHERE application_id = ?1 AND id ",
            $sign,
            " ?2 AND EXISTS (SELECT 1 FROM applications WHERE id = ?1) ORDER BY id ",
            $direction,
            " LIMIT ?3"
        )
    };
}

#[cfg(feature = "sqlite")]
pub(crate) use ids_of_application;
#[cfg(feature = "mysql")]
pub(crate) use listing;

/// How a database lists a user's messages.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pages {
    /// By one query for each order, made by [`listing!`]. `?1` is the user, `?2` the id that the page begins at,
    /// `?3` the limit.
    #[cfg(feature = "postgres")]
    OneQuery { newest: &'static str, oldest: &'static str },
    /// As `OneQuery`, but by queries made by [`packed::packing!`]; so are those of an application's messages.
    #[cfg(feature = "sqlite")]
    Packed { newest: &'static str, oldest: &'static str, packing: packed::Packing },
    /// By a query that has a part for each application, see [`per_application`].
    #[cfg(feature = "mysql")]
    PerApplication,
}

/// Which messages, and in which order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    /// Below an id, newest first.
    NewestBelow(i64),
    /// Above an id, oldest first.
    OldestAbove(i64),
}

impl Order {
    fn above(id: MessageId) -> Self {
        Self::OldestAbove(i64::try_from(id.0).unwrap_or(i64::MAX))
    }

    /// Returns the id that the page begins at.
    fn bound(self) -> i64 {
        match self {
            Self::NewestBelow(id) | Self::OldestAbove(id) => id,
        }
    }

    /// Returns the query for this order.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    fn of(self, newest: &'static str, oldest: &'static str) -> &'static str {
        match self {
            Self::NewestBelow(_) => newest,
            Self::OldestAbove(_) => oldest,
        }
    }
}

pub(crate) const OF_APPLICATION: &str = listing!(ids_of_application!("<", "DESC"), "DESC");
pub(crate) const OF_APPLICATION_AFTER: &str = listing!(ids_of_application!(">", "ASC"), "ASC");

/// Those of some messages that are still there and are a user's, the newest first.
pub(crate) const OF_IDS: &str = listing!(
    "SELECT i.id FROM messages i WHERE i.id {in} \
     AND EXISTS (SELECT 1 FROM applications a WHERE a.id = i.application_id AND a.user_id = ?)",
    "DESC"
);

/// Without those whose application is deleted, see [`super::deletions`].
pub(crate) const BY_IDS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM messages m WHERE id {in} AND application_id IN (SELECT id FROM applications)"
);

pub(crate) const COUNT_AFTER: &str = "SELECT count(*) FROM (
    SELECT 1 AS one FROM applications a JOIN messages m ON m.application_id = a.id AND m.id > ?2
    WHERE a.user_id = ?1 LIMIT ?3
) AS counted";

/// As [`COUNT_AFTER`], for messages with at least a priority, of some applications or of all.
macro_rules! count_chosen_after {
    ($of_applications:literal, $limit:literal) => {
        concat!(
            "SELECT count(*) FROM (
    SELECT 1 AS one FROM applications a JOIN messages m ON m.application_id = a.id AND m.id > ?2
    WHERE a.user_id = ?1 AND coalesce(m.priority, 0) >= ?3",
            $of_applications,
            " LIMIT ",
            $limit,
            ") AS counted"
        )
    };
}

pub(crate) const COUNT_URGENT_AFTER: &str = count_chosen_after!("", "?4");
pub(crate) const COUNT_CHOSEN_AFTER: &str = count_chosen_after!(" AND a.id {in}", "?5");

/// Adds up the bytes of the messages of some applications.
macro_rules! bytes {
    ($which:literal) => {
        concat!(
            "SELECT sum(coalesce(octet_length(message), 0) + coalesce(octet_length(title), 0) \
             + coalesce(octet_length(extras), 0)) \
             FROM applications a JOIN messages m ON m.application_id = a.id WHERE ",
            $which
        )
    };
}

pub(crate) const BYTES_OF_USER: &str = bytes!("a.user_id = ?");
pub(crate) const BYTES_OF_APPLICATION: &str = bytes!("a.id = ?");

pub(crate) const NEWEST_ID: &str = "SELECT max((
    SELECT m.id FROM messages m WHERE m.application_id = a.id AND m.id < ?2 ORDER BY m.id DESC LIMIT 1
)) FROM applications a WHERE a.user_id = ?1";

/// The newest message of the application `a.id` of a query around it.
pub(crate) const NEWEST_OF_APPLICATION: &str =
    "SELECT m.id FROM messages m WHERE m.application_id = a.id ORDER BY m.id DESC LIMIT 1";

/// The newest message of an application that is not among the newest ones, of which `?2` says how many.
pub(crate) const NEWEST_BEYOND: &str =
    "SELECT m.id FROM messages m WHERE m.application_id = ?1 ORDER BY m.id DESC LIMIT 1 OFFSET ?2";

pub(crate) const DELETE_ONE: &str = "DELETE FROM messages WHERE id = ?
    AND application_id IN (SELECT id FROM applications WHERE user_id = ?)";

/// Returns the newest of a user's messages with ids below `below`.
pub(crate) async fn newest<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    below: MessageId,
) -> Result<Option<MessageId>, sqlx::Error> {
    let found = session.one(query(D::NEWEST_ID).id(user.0).id(below.0)).await?;
    Ok(found.optional_unsigned(0)?.map(MessageId))
}

pub(crate) async fn of_user<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    page: MessagePage,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    merged(session, user, Order::NewestBelow(before(page)), page.limit, max_bytes).await
}

pub(crate) async fn after<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    after: MessageId,
    limit: usize,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    merged(session, user, Order::above(after), limit, max_bytes).await
}

pub(crate) async fn of_application<D: Dialect>(
    session: &mut Session<'_, D>,
    application: ApplicationId,
    page: MessagePage,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    let order = Order::NewestBelow(before(page));
    let list = query(D::OF_APPLICATION).id(application.0);
    read(session, list, (order, page.limit), max_bytes).await
}

pub(crate) async fn of_application_after<D: Dialect>(
    session: &mut Session<'_, D>,
    application: ApplicationId,
    after: MessageId,
    limit: usize,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    let list = query(D::OF_APPLICATION_AFTER).id(application.0);
    read(session, list, (Order::above(after), limit), max_bytes).await
}

/// Lists the messages of all applications of a user.
async fn merged<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    order: Order,
    limit: usize,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    match D::PAGES {
        #[cfg(feature = "postgres")]
        Pages::OneQuery { newest, oldest } => {
            read(session, query(order.of(newest, oldest)).id(user.0), (order, limit), max_bytes).await
        }
        #[cfg(feature = "sqlite")]
        Pages::Packed { newest, oldest, .. } => {
            read(session, query(order.of(newest, oldest)).id(user.0), (order, limit), max_bytes).await
        }
        #[cfg(feature = "mysql")]
        Pages::PerApplication => per_application::merged(session, user, order, limit, max_bytes).await,
    }
}

pub(crate) async fn by_ids<D: Dialect>(
    session: &mut Session<'_, D>,
    ids: &[MessageId],
) -> Result<Vec<Message>, sqlx::Error> {
    slice::by_ids(session, BY_IDS, ids.iter().map(|id| id.0), message).await
}

/// Lists those of some messages that are still there and are a user's, the newest first.
pub(crate) async fn of_ids<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    ids: Vec<u64>,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    #[cfg_attr(not(feature = "sqlite"), expect(unused_variables, reason = "only a packed page asks for it"))]
    let limit = ids.len();
    let list = query(D::OF_IDS).bind(Value::Ids(ids)).id(user.0);
    match D::PAGES {
        // The number of its last value is always the same.
        #[cfg(feature = "sqlite")]
        Pages::Packed { packing, .. } => {
            let order = Order::NewestBelow(i64::MAX);
            packed::read(session, list.bind(row_limit(limit)), (order, limit), max_bytes, packing).await
        }
        #[cfg(any(feature = "mysql", feature = "postgres"))]
        _ => read_rows(session, list, max_bytes).await,
    }
}

pub(crate) async fn count_after<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    after: MessageId,
    limit: usize,
) -> Result<usize, sqlx::Error> {
    count_chosen_after(session, user, after, &MessageChoice::default(), limit).await
}

pub(crate) async fn count_chosen_after<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    after: MessageId,
    choice: &MessageChoice,
    limit: usize,
) -> Result<usize, sqlx::Error> {
    let of_user = |text| query(text).id(user.0).id(after.0);
    let count = match choice {
        MessageChoice { applications: None, min_priority: None } => of_user(D::COUNT_AFTER),
        MessageChoice { applications: None, min_priority: Some(priority) } => {
            of_user(COUNT_URGENT_AFTER).bind(*priority)
        }
        MessageChoice { applications: Some(applications), min_priority } => {
            let ids = applications.iter().map(|id| id.0).collect();
            of_user(COUNT_CHOSEN_AFTER).bind(min_priority.unwrap_or(i64::MIN)).bind(Value::Ids(ids))
        }
    };
    let count = count.bind(row_limit(limit));
    Ok(session.one(count).await?.unsigned(0)?.try_into().unwrap_or(limit))
}

/// Returns how many bytes a user's messages have.
pub(crate) async fn bytes_of_user<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
) -> Result<u64, sqlx::Error> {
    session.one(query(BYTES_OF_USER).id(user.0)).await?.unsigned(0)
}

/// Returns how many bytes an application's messages have.
pub(crate) async fn bytes_of_application<D: Dialect>(
    session: &mut Session<'_, D>,
    application: ApplicationId,
) -> Result<u64, sqlx::Error> {
    session.one(query(BYTES_OF_APPLICATION).id(application.0)).await?.unsigned(0)
}

/// Deletes a message and its key, both or none: whoever is told that it failed tells nobody that the message is gone.
pub(crate) async fn delete<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    id: MessageId,
) -> Result<bool, sqlx::Error> {
    session.begin().await?;
    let is_deleted = session.run(query(DELETE_ONE).id(id.0).id(user.0)).await? > 0;
    if is_deleted {
        keyed::forget(session, &[id.0]).await?;
    }
    session.commit().await?;
    Ok(is_deleted)
}

/// Returns a user's applications, and the user's newest message; 0 if there is none.
pub(crate) async fn applications_and_newest<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
) -> Result<(Vec<ApplicationId>, MessageId), sqlx::Error> {
    let applications = applications::ids_of_user(session, user).await?;
    Ok((applications, newest(session, user, MessageId(u64::MAX)).await?.unwrap_or(MessageId(0))))
}

/// Returns an application's newest message; 0 if there is none.
pub(crate) async fn newest_of_application<D: Dialect>(
    session: &mut Session<'_, D>,
    application: ApplicationId,
) -> Result<MessageId, sqlx::Error> {
    let text = format!("SELECT ({}) FROM applications a WHERE a.id = ?", D::NEWEST_OF_APPLICATION);
    let found = session.first(query(&text).id(application.0)).await?;
    found.map_or(Ok(MessageId(0)), |found| found.unsigned(0).map(MessageId))
}

/// Runs a query for a page, whose first value it has; the id that the page begins at and the limit are added.
async fn read<D: Dialect>(
    session: &mut Session<'_, D>,
    list: Query<'_>,
    (order, limit): (Order, usize),
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    let list = list.bind(order.bound()).bind(row_limit(limit));
    match D::PAGES {
        #[cfg(feature = "sqlite")]
        Pages::Packed { packing, .. } => {
            packed::read(session, list, (order, limit), max_bytes, packing).await
        }
        #[cfg(any(feature = "mysql", feature = "postgres"))]
        _ => read_rows(session, list, max_bytes).await,
    }
}

/// Runs a query of [`listing!`]; up to which size messages are small is added to its values.
#[cfg(any(feature = "mysql", feature = "postgres"))]
async fn read_rows<D: Dialect>(
    session: &mut Session<'_, D>,
    list: Query<'_>,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    let list = list.bind(slice::small(max_bytes));
    slice::read(session, list, max_bytes, [7, 8], (MessageId, message)).await
}

fn before(page: MessagePage) -> i64 {
    page.before.map_or(i64::MAX, |id| i64::try_from(id.0).unwrap_or(i64::MAX))
}

fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn message<D: Dialect>(found: &Row<'_, D>) -> Result<Message, sqlx::Error> {
    Ok(Message {
        id: MessageId(found.unsigned(0)?),
        application_id: ApplicationId(found.unsigned(1)?),
        message: found.text(2)?,
        title: found.text(3)?,
        priority: found.integer(4)?,
        extras: decode_extras(found.bytes(5)?),
        date: found.set_time(6)?,
    })
}

/// Writes extras as JSON; an empty object is the same as none.
pub(crate) fn encode_extras(extras: &Extras) -> Option<Vec<u8>> {
    let encode = || serde_json::to_vec(extras).expect("a map of JSON values encodes as JSON");
    (!extras.is_empty()).then(encode)
}

/// Reads extras. What is no JSON object does not hide the message that it came with.
fn decode_extras(json: Option<&[u8]>) -> Option<Extras> {
    serde_json::from_slice::<Extras>(json?).ok().filter(|extras| !extras.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_or_broken_extras_are_none() {
        for json in ["", "null", "{}", "[1]", "{"] {
            assert_eq!(decode_extras(Some(json.as_bytes())), None, "{json}");
        }
        assert_eq!(encode_extras(&Extras::new()), None);
    }
}

//! A page of a user's messages where a database has no `LATERAL`: MariaDB.
//!
//! First come the applications that the page may have messages of, no more than the page is long: those with the first
//! messages in its order. Then a query with a part for each of them reads the page.

use super::{Order, Slice, listing, read_rows, row_limit};
use crate::model::{Message, MessageId, UserId};
use crate::store::sql::{Dialect, Session, query};

impl Order {
    /// How ids are compared with the one that the page begins at, that one, and how they are sorted.
    fn parts(self) -> (char, i64, &'static str) {
        match self {
            Self::NewestBelow(id) => ('<', id, "DESC"),
            Self::OldestAbove(id) => ('>', id, "ASC"),
        }
    }
}

/// Lists the messages of all applications of a user.
///
/// Both queries see the same moment: a message of an application that is made in between must not be passed over by a
/// reader that goes on from a later one.
pub(super) async fn merged<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    order: Order,
    limit: usize,
    max_bytes: usize,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    let limit = row_limit(limit);
    let senders = session.script(format!("{}; {}", D::BEGIN_SNAPSHOT, senders(user, order, limit))).await?;
    let senders: Vec<_> = senders.iter().map(|row| row.unsigned(0)).collect::<Result<_, _>>()?;
    let mut slice = Slice { rows: Vec::new(), left_out: Vec::new() };
    if !senders.is_empty() {
        let text = page(senders.len(), order);
        let mut list = query(&text).bind(order.parts().1).bind(limit);
        for place in 0..senders.len().next_power_of_two() {
            list = list.id(senders.get(place).copied().unwrap_or_default());
        }
        slice = read_rows(session, list, max_bytes).await?;
    }
    session.commit().await?;
    Ok(slice)
}

/// Returns the query for the applications that a page may have messages of.
pub(crate) fn senders(user: UserId, order: Order, limit: i64) -> String {
    let (sign, bound, direction) = order.parts();
    format!(
        "SELECT id FROM (SELECT a.id, (SELECT m.id FROM messages m WHERE m.application_id = a.id AND m.id {sign} {bound} \
         ORDER BY m.id {direction} LIMIT 1) AS first FROM applications a WHERE a.user_id = {user}) AS senders \
         WHERE first IS NOT NULL ORDER BY first {direction} LIMIT {limit}",
        user = user.0
    )
}

/// Returns the query with a part for each application. `?1` is the id that the page begins at, `?2` the limit, and
/// then come the applications. It has parts for a power of two, so that a connection keeps few of them; an
/// application 0 has no messages.
pub(crate) fn page(senders: usize, order: Order) -> String {
    let (sign, _, direction) = order.parts();
    let parts: Vec<_> = (3..3 + senders.next_power_of_two())
        .map(|number| {
            format!(
                "(SELECT id FROM messages WHERE application_id = ?{number} AND id {sign} ?1 \
                 ORDER BY id {direction} LIMIT ?2)"
            )
        })
        .collect();
    let ids =
        format!("SELECT id FROM ({}) AS parts ORDER BY id {direction} LIMIT ?2", parts.join(" UNION ALL "));
    listing!("{ids}", "{direction}").replace("{ids}", &ids).replace("{direction}", direction)
}

//! Go's zero time, which its driver for MySQL writes as a date of zeros in every zone.

use super::{Mysql, MysqlDialect, Place, place};
use crate::model::zero_time;
use crate::store::conformance::early::ALL;
use crate::store::conformance::{application, new_message, user};
use crate::store::sql::{Backend as _, Connections as _, Lease as _, applications, query};
use crate::store::{Database as _, Messages as _, NewMessage};

#[tokio::test]
#[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]
async fn the_zero_time_is_stored_and_read_as_gotify_does_it_in_every_zone() {
    // The clocks of New York and Berlin had offsets with seconds once.
    for zone in ["America/New_York", "Europe/Berlin", "UTC"] {
        let Place { options, .. } = place().await;
        let database = Mysql::open(MysqlDialect { zone: zone.parse().unwrap() }, options).await.unwrap();
        let bob = user(&database, "bob").await;
        let sender = application(&database, &bob, "A1").await;
        let message = NewMessage { date: zero_time(), ..new_message(bob.id, sender.id, "x") };
        database.insert_messages(&[message]).await.unwrap();

        let mut lease = database.writers().lease("test").await.unwrap();
        let stored = lease.session().one(query("SELECT CAST(date AS CHAR) FROM messages")).await.unwrap();
        assert_eq!(stored.text(0).unwrap(), "0000-00-00 00:00:00.000", "{zone}");
        lease.end(Ok(())).await.unwrap();

        let read = database.messages(bob.id, ALL).await.unwrap();
        assert_eq!(read[0].date.to_rfc3339(), "0001-01-01T00:00:00+00:00", "{zone}");

        // Where there may also be no date, the zero time is one.
        let mut lease = database.writers().lease("test").await.unwrap();
        for (last_used, expected) in [("'0000-00-00'", Some(zero_time())), ("NULL", None)] {
            let update = format!("UPDATE applications SET last_used = {last_used}");
            lease.session().run(query(&update)).await.unwrap();
            let found = applications::by_id(&mut lease.session(), sender.id).await.unwrap().unwrap();
            assert_eq!(found.row.last_used, expected, "{zone}");
        }
        lease.end(Ok(())).await.unwrap();
        database.close().await;
    }
}

//! Gotify's wire, as data: what a Gotify 2.9 answers to which request.
//!
//! Each file in `compat/` is a scenario for a fresh server, see `scenario` for the notation. To add a case,
//! add its lines; to add a file, add it to `scenarios!`.

mod gates;
mod limits;
mod outage;
mod scenario;

macro_rules! scenarios {
    ($($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                scenario::run(include_str!(concat!("compat/", stringify!($name), ".http"))).await;
            }
        )*
    };
}

scenarios! {
    sending
    message_bodies
    paging
    deleting_messages
    applications
    clients
    current_user
    version_and_health
    routing
}

//! Gotify's wire, as data: what a Gotify 2.9 and a Gotify 3.0 answer to which request.
//!
//! Each file in `compat/` is a scenario for a fresh server in each profile, see `scenario` for the notation. To add
//! a case, add its lines; to add a file, add it to `scenarios!`.

mod cors;
mod gates;
mod limits;
mod outage;
mod scenario;

macro_rules! scenarios {
    ($($name:ident)*) => {
        $(
            mod $name {
                use shardcast::model::Compatibility;

                const SCENARIO: &str = include_str!(concat!("compat/", stringify!($name), ".http"));

                #[tokio::test]
                async fn as_gotify_2() {
                    super::scenario::run(SCENARIO, Compatibility::V2).await;
                }

                #[tokio::test]
                async fn as_gotify_3() {
                    super::scenario::run(SCENARIO, Compatibility::V3).await;
                }
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
    users
    registration
    images
    plugins
    site
    version_and_health
    sessions
    elevation
    application_tokens
    tokens
    sending_as_a_user
    client_expiry
    routing
    senders
}

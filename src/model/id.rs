//! Ids, one type for each kind of row.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// Names a user.
    UserId
);
id!(
    /// Names an application.
    ApplicationId
);
id!(
    /// Names a client.
    ClientId
);
id!(
    /// Names a message. Ids are given in the order of the commits, over all users, and never twice.
    MessageId
);

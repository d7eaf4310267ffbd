//! How many wrong passwords are accepted.

use super::declare::section;
use super::shape::{DAY, Shape::Integer};

section! {
    /// Limits of failed logins.
    pub struct LoginLimitSection at "server.loginlimit." {
        /// The most failed logins from one address in a row; 0 for any number. All IPv6 addresses of a /64 network
        /// count as one.
        failures: u32 = 10, Integer(0..=1_000_000);
        /// The most failed logins for one user name in a row, from all addresses; 0 for any number. It does not hold
        /// back an address from which that user has logged in within the last day.
        namefailures: u32 = 30, Integer(0..=1_000_000);
        /// Seconds until all of these may be tried again. The limit refills evenly: with 10 in 60 seconds, one more
        /// login may be tried every 6 seconds.
        windowseconds: u64 = 60, Integer(1..=DAY);
    }
}

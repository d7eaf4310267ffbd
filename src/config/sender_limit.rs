//! How much applications and users may send.

use super::declare::section;
use super::shape::Shape::Integer;

section! {
    /// Limits of what applications and users send, on each node. Above a limit the answer is 429.
    pub struct SenderLimitSection at "server.senderlimit." {
        /// The most messages per minute of one application; 0 for any number. All of them may come at once, and come
        /// back evenly: with 60 per minute, one more may be sent every second.
        applicationmessages: u32 = 0, Integer(0..=1_000_000);
        /// The most messages per minute of all applications of a user; 0 for any number.
        usermessages: u32 = 0, Integer(0..=1_000_000);
        /// The most bytes that the stored messages of one application may have, in texts, titles and extras; 0 for any
        /// number.
        applicationbytes: u64 = 0, Integer(0..=1_000_000_000_000_000);
        /// The most bytes that the stored messages of all applications of a user may have; 0 for any number.
        userbytes: u64 = 0, Integer(0..=1_000_000_000_000_000);
    }
}

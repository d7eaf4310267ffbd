//! Which channel carries a user's messages.

use crate::model::UserId;

/// A channel of the backplane: one of those that users are spread over, or the one that all nodes listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Channel(u16);

impl Channel {
    /// How many channels the users are spread over. It is part of their names: nodes with another number would not
    /// hear each other.
    pub const OF_USERS: u16 = 256;

    /// The channel that all nodes listen to.
    pub const ALL: Self = Self(Self::OF_USERS);

    /// The channel of a user.
    pub fn of(user: UserId) -> Self {
        // Fibonacci hashing: users have consecutive ids, and few nodes have all of them.
        let hash = user.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(u16::from((hash >> 56).to_le_bytes()[0]))
    }

    /// The channel with this number, from 0 to [`OF_USERS`](Self::OF_USERS); the last is [`ALL`](Self::ALL).
    pub fn from_number(number: u16) -> Option<Self> {
        (number <= Self::OF_USERS).then_some(Self(number))
    }

    /// Returns its number.
    pub fn number(self) -> u16 {
        self.0
    }

    /// Returns its name below a prefix, which keeps two installations on one server apart. `separator` is what
    /// the backplane has between the parts of a name.
    ///
    /// ```
    /// use shardcast::cluster::Channel;
    ///
    /// assert_eq!(Channel::ALL.name("shardcast", ':'), "shardcast:256:all");
    /// assert_eq!(Channel::from_number(7).unwrap().name("shardcast", '.'), "shardcast.256.7");
    /// ```
    pub fn name(self, prefix: &str, separator: char) -> String {
        let count = Self::OF_USERS;
        if self == Self::ALL {
            return format!("{prefix}{separator}{count}{separator}all");
        }
        format!("{prefix}{separator}{count}{separator}{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn users_are_spread_over_all_channels() {
        let channels: HashSet<_> = (1..=2000).map(|user| Channel::of(UserId(user))).collect();
        assert_eq!(channels.len(), usize::from(Channel::OF_USERS));
        assert!(!channels.contains(&Channel::ALL));
    }

    #[test]
    fn names_are_distinct() {
        let names: HashSet<_> =
            (0..=300).filter_map(Channel::from_number).map(|channel| channel.name("x", '.')).collect();
        assert_eq!(names.len(), usize::from(Channel::OF_USERS) + 1);
    }
}

//! Why a stream ended.

/// Why a stream ended. Each stream has exactly one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// It took nothing for too long, or was too many messages behind.
    SlowConsumer,
    /// It answered no ping in time.
    NoPong,
    /// Its token was deleted.
    TokenDeleted,
    /// Its token has expired.
    TokenExpired,
    /// Its user was deleted.
    UserDeleted,
    /// The server goes down.
    Shutdown,
    /// It sent a frame larger than allowed.
    TooLarge,
    /// It sent more frames than allowed.
    TooManyFrames,
    /// It broke the WebSocket protocol.
    ProtocolError,
    /// It sent a close frame whose reason is not UTF-8.
    InvalidPayload,
    /// What the stream had missed could not be read, or not in time. The peer is to come back later.
    BacklogUnavailable,
    /// The stream would have to bring more missed messages than allowed. The peer is to read them in another way.
    TooFarBehind,
    /// The node has reached neither the database nor other nodes for too long. The peer is to go to another node.
    CutOff,
    /// The server went wrong.
    Internal,
    /// The peer closed it, with this code if it gave one.
    PeerClosed(Option<u16>),
    /// The peer went away without a word.
    PeerGone,
    /// Its owner dropped it.
    Dropped,
}

impl EndReason {
    /// Every kind of end, for tables and counters.
    pub const ALL: [Self; 17] = [
        Self::SlowConsumer,
        Self::NoPong,
        Self::TokenDeleted,
        Self::TokenExpired,
        Self::UserDeleted,
        Self::Shutdown,
        Self::TooLarge,
        Self::TooManyFrames,
        Self::ProtocolError,
        Self::InvalidPayload,
        Self::BacklogUnavailable,
        Self::Internal,
        Self::PeerClosed(None),
        Self::PeerGone,
        Self::Dropped,
        Self::TooFarBehind,
        Self::CutOff,
    ];

    /// A short name, as logs and counters use it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SlowConsumer => "slow consumer",
            Self::NoPong => "no pong",
            Self::TokenDeleted => "token deleted",
            Self::TokenExpired => "token expired",
            Self::UserDeleted => "user deleted",
            Self::Shutdown => "service restart",
            Self::TooLarge => "frame too large",
            Self::TooManyFrames => "too many frames",
            Self::ProtocolError => "protocol error",
            Self::InvalidPayload => "invalid payload",
            Self::BacklogUnavailable => "backlog unavailable",
            Self::TooFarBehind => "too far behind",
            Self::CutOff => "cut off",
            Self::Internal => "internal error",
            Self::PeerClosed(_) => "closed by peer",
            Self::PeerGone => "peer gone",
            Self::Dropped => "dropped",
        }
    }

    /// What the peer reads: the name, and what it can do where that is not to come back.
    pub fn text(self) -> &'static str {
        match self {
            Self::TooFarBehind => {
                "too far behind: page through GET /message?after=ID, then open a stream after the last message"
            }
            Self::CutOff => "cut off: this node reaches neither its database nor other nodes",
            Self::PeerClosed(_) => "",
            _ => self.name(),
        }
    }

    /// Place in [`EndReason::ALL`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::SlowConsumer => 0,
            Self::NoPong => 1,
            Self::TokenDeleted => 2,
            Self::TokenExpired => 3,
            Self::UserDeleted => 4,
            Self::Shutdown => 5,
            Self::TooLarge => 6,
            Self::TooManyFrames => 7,
            Self::ProtocolError => 8,
            Self::InvalidPayload => 9,
            Self::BacklogUnavailable => 10,
            Self::Internal => 11,
            Self::PeerClosed(_) => 12,
            Self::PeerGone => 13,
            Self::Dropped => 14,
            Self::TooFarBehind => 15,
            Self::CutOff => 16,
        }
    }

    /// The code of the close frame (RFC 6455, section 7.4; 1012 and 1013 are in IANA's registry, 4001 is our own);
    /// `None` for a close frame
    /// without one, or where there is nobody to send it to.
    pub fn close_code(self) -> Option<u16> {
        match self {
            Self::SlowConsumer
            | Self::NoPong
            | Self::TokenDeleted
            | Self::TokenExpired
            | Self::UserDeleted
            | Self::TooManyFrames => Some(1008),
            Self::Shutdown => Some(1012),
            Self::TooLarge => Some(1009),
            Self::ProtocolError => Some(1002),
            Self::InvalidPayload => Some(1007),
            Self::BacklogUnavailable | Self::CutOff => Some(1013),
            Self::TooFarBehind => Some(4001),
            Self::Internal => Some(1011),
            Self::PeerClosed(code) => code,
            Self::PeerGone | Self::Dropped => None,
        }
    }

    /// Answers whether something went wrong: a peer that broke the protocol or went away without a word, or a server
    /// that could not go on. A close by the peer is an error where its code says so (RFC 6455, section 7.4.1).
    pub fn is_error(self) -> bool {
        match self {
            Self::SlowConsumer
            | Self::NoPong
            | Self::TooLarge
            | Self::TooManyFrames
            | Self::ProtocolError
            | Self::InvalidPayload
            | Self::BacklogUnavailable
            | Self::CutOff
            | Self::Internal
            | Self::PeerGone
            | Self::PeerClosed(Some(1002 | 1003 | 1007..=1011)) => true,
            Self::TokenDeleted
            | Self::TokenExpired
            | Self::UserDeleted
            | Self::Shutdown
            | Self::TooFarBehind
            | Self::PeerClosed(_)
            | Self::Dropped => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_place_and_name() {
        for (place, reason) in EndReason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), place);
            assert_eq!(EndReason::ALL.iter().filter(|other| other.name() == reason.name()).count(), 1);
        }
    }

    #[test]
    fn a_normal_close_is_no_error() {
        let normal = [None, Some(1000), Some(1001), Some(3000), Some(4999)].map(EndReason::PeerClosed);
        assert_eq!(normal.map(EndReason::is_error), [false; 5]);
        assert_eq!(
            [1002, 1003, 1007, 1011].map(|code| EndReason::PeerClosed(Some(code)).is_error()),
            [true; 4]
        );
    }
}

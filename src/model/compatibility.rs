//! Which Gotify the wire is that of.

use std::fmt;

/// Which Gotify the API behaves as, where Gotify 2 and 3 differ. What Gotify 3 added is there in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compatibility {
    /// As Gotify 2.9: tokens of 15 characters that stay visible, absolute URLs of the next page, no elevation.
    #[default]
    V2,
    /// As Gotify 3.0: tokens that are shown once, paths of the next page, elevation for what is dangerous.
    V3,
}

impl Compatibility {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::V2, Self::V3];

    /// Its name, as the configuration has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }
}

impl fmt::Display for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

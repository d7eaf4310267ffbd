//! The encodings of one message that streams may ask for.

/// What a stream's peer understands.
///
/// The hub knows no more of a format than which bytes belong to it. Embedders with one format need not care: all
/// starts with [`Format::Text`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// The first encoding; with WebSocket, text frames.
    #[default]
    Text,
    /// The second encoding; with WebSocket, binary frames.
    Binary,
    /// The third encoding; with Server-Sent Events, events.
    Event,
}

impl Format {
    /// How many there are.
    pub(super) const COUNT: usize = 3;

    /// All of them, each at its place.
    pub(super) const ALL: [Self; Self::COUNT] = [Self::Text, Self::Binary, Self::Event];

    /// Its place in [`Format::ALL`].
    pub(super) fn place(self) -> usize {
        self as usize
    }
}

/// A set of formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Formats([bool; Format::COUNT]);

impl Formats {
    /// Answers whether a format is among them.
    pub fn contains(self, format: Format) -> bool {
        self.0[format.place()]
    }

    /// Answers whether there is none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl From<Format> for Formats {
    fn from(format: Format) -> Self {
        Self(Format::ALL.map(|other| other == format))
    }
}

impl FromIterator<Format> for Formats {
    fn from_iter<I: IntoIterator<Item = Format>>(formats: I) -> Self {
        let mut set = Self::default();
        for format in formats {
            set.0[format.place()] = true;
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_where_its_place_says() {
        for (place, format) in Format::ALL.into_iter().enumerate() {
            assert_eq!(format.place(), place);
            assert!(Formats::from(format).contains(format) && !Formats::from(format).is_empty());
        }
        let both: Formats = Format::ALL.into_iter().collect();
        assert!(Format::ALL.into_iter().all(|format| both.contains(format)));
        assert!(Formats::default().is_empty());
    }
}

//! Lists that are read a part at a time, so that they cost no more memory than their reader has for them.

/// The beginning of a list, up to a number of bytes.
///
/// What is left out is named, so that the reader can plan its next parts, and read them by their ids. No transaction
/// stays open in between: a row that is deleted meanwhile is missing from the later parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice<T, I> {
    /// The rows that were read. None, if the first is larger than what was asked for.
    pub rows: Vec<T>,
    /// The rows that follow them in the list.
    pub left_out: Vec<LeftOut<I>>,
}

/// A row that was not read, because there were enough bytes without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut<I> {
    /// Its id.
    pub id: I,
    /// How much memory it takes to read it, in bytes: its texts, some times the size of what must be parsed, and
    /// something for the row itself.
    pub bytes: usize,
}

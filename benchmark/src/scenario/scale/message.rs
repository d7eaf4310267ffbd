//! The messages between the process that publishes and those that hold streams: one JSON object per line.

use std::{collections::BTreeMap, net::SocketAddr};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Deserializer, Serializer, V2Serializer},
};
use serde::{Deserialize, Serialize};

use crate::client::{Clock, format::Format, message::RunId};

/// The first line: which streams to hold. It comes through a pipe, because the handshakes hold tokens.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) address: SocketAddr,
    pub(super) handshakes: Vec<String>,
    pub(super) clock: Clock,
    pub(super) run: RunId,
    pub(super) judges_ids: bool,
    pub(super) format: Format,
    /// How many connections other processes begin from lower source addresses.
    pub(super) before: u64,
    pub(super) count: usize,
    pub(super) rate: u32,
    pub(super) patience_s: u64,
}

/// The answer to it, once no more streams can be opened.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Opened {
    pub(super) streams: usize,
    pub(super) stopped_by: Option<String>,
}

/// The second line: all is published.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Published {
    /// How many messages every stream must get.
    pub(super) messages: u32,
}

/// The answer to it, once all has come or nothing comes any more.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Counted {
    pub(super) received: u64,
    pub(super) bytes: u64,
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    pub(super) out_of_order: u64,
    pub(super) foreign: u64,
    pub(super) closes: BTreeMap<u16, u64>,
    pub(super) violation: Option<String>,
    /// Processor time used since the streams were open.
    pub(super) cpu_us: u64,
    /// The histogram of delivery times.
    pub(super) latency: String,
}

/// Writes a histogram as text.
pub(super) fn pack(histogram: &Histogram<u64>) -> Result<String> {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).context("failed to encode a histogram")?;
    Ok(STANDARD.encode(bytes))
}

/// Reads what `pack` wrote.
pub(super) fn unpack(text: &str) -> Result<Histogram<u64>> {
    let bytes = STANDARD.decode(text).context("a histogram is not base64")?;
    Deserializer::new().deserialize(&mut bytes.as_slice()).context("failed to decode a histogram")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tally;

    #[test]
    fn a_histogram_survives_the_pipe() {
        let mut histogram = tally::histogram();
        (1..=1000_u64).for_each(|value| histogram.record(value * 1_000_000).unwrap());
        let mut sum = tally::histogram();
        sum.add(unpack(&pack(&histogram).unwrap()).unwrap()).unwrap();
        assert_eq!(sum, histogram);
        assert!(unpack("?").is_err() && unpack("AAAA").is_err());
    }
}

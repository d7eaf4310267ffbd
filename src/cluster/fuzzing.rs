//! What the fuzz targets reach besides the public API.

use bytes::Bytes;

use super::{Cluster, receive, wire};

/// Lets a node hear a message.
pub fn hear(cluster: &Cluster, payload: Bytes) {
    receive::hear(&cluster.shared, payload);
}

/// Reads a message between nodes and writes it again; `None` if it is not understood.
pub fn written_again(payload: Bytes) -> Option<Bytes> {
    let envelope = wire::decode(payload)?;
    Some(wire::encode(envelope.sender, envelope.body?))
}

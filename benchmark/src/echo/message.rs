//! What travels.

/// A message of one peer for another. Three texts, of which this server looks at none.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct WebsocketMessage {
    /// What is said.
    #[prost(string, tag = "1")]
    pub(super) content: String,
    /// Who says it.
    #[prost(string, tag = "2")]
    pub(super) sender_id: String,
    /// To whom.
    #[prost(string, tag = "3")]
    pub(super) receiver_id: String,
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    #[test]
    fn fields_have_the_numbers_that_other_implementations_use() {
        let message =
            WebsocketMessage { content: "hi".into(), sender_id: "c".into(), receiver_id: "s".into() };
        let bytes = b"\x0a\x02hi\x12\x01c\x1a\x01s";
        assert_eq!(message.encode_to_vec(), bytes);
        assert_eq!(WebsocketMessage::decode(&bytes[..]).unwrap(), message);
    }
}

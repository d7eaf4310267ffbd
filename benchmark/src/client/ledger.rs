//! What one stream has received of a run: a bit a message, and the last id.

/// What was wrong with one delivery, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fine,
    Duplicated,
    OutOfOrder,
}

/// One stream's account of a run. Costs a bit a message.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    received: Vec<u64>,
    distinct: u32,
    last_id: u64,
}

impl Ledger {
    /// Records a delivery. Order is judged by `id`, which the server gives in the order in which it stored.
    pub(crate) fn record(&mut self, sequence: u32, id: Option<u64>) -> Verdict {
        let (word, bit) = (sequence as usize / 64, 1_u64 << (sequence % 64));
        if word >= self.received.len() {
            self.received.resize(word + 1, 0);
        }
        if self.received[word] & bit != 0 {
            return Verdict::Duplicated;
        }
        self.received[word] |= bit;
        self.distinct += 1;
        match id {
            Some(id) if id <= self.last_id => Verdict::OutOfOrder,
            Some(id) => {
                self.last_id = id;
                Verdict::Fine
            }
            None => Verdict::Fine,
        }
    }

    /// Returns how many different messages came.
    pub(crate) fn distinct(&self) -> u32 {
        self.distinct
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_in_order_are_fine_and_counted() {
        let mut ledger = Ledger::default();
        for n in 0..200 {
            assert_eq!(ledger.record(n, Some(u64::from(n) + 10)), Verdict::Fine);
        }
        assert_eq!(ledger.distinct(), 200);
    }

    #[test]
    fn the_same_message_twice_is_a_duplicate_and_counts_once() {
        let mut ledger = Ledger::default();
        ledger.record(64, Some(1));
        assert_eq!(ledger.record(64, Some(2)), Verdict::Duplicated);
        assert_eq!(ledger.distinct(), 1);
    }

    #[test]
    fn a_lower_id_after_a_higher_one_is_out_of_order() {
        let mut ledger = Ledger::default();
        ledger.record(0, Some(7));
        assert_eq!(ledger.record(1, Some(5)), Verdict::OutOfOrder);
        assert_eq!(ledger.record(2, Some(8)), Verdict::Fine);
        assert_eq!(ledger.distinct(), 3);
    }

    #[test]
    fn concurrent_senders_may_overtake_each_other_as_long_as_ids_rise() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.record(1, Some(7)), Verdict::Fine);
        assert_eq!(ledger.record(0, Some(8)), Verdict::Fine);
    }
}

//! What can be measured. Each scenario loads one case, a server under a load, once and returns its figures; rounds and
//! cases alternate outside of it.

pub(crate) mod burst;
pub(crate) mod case;
pub(crate) mod catchup;
pub(crate) mod churn;
pub(crate) mod durability;
pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod memory;
pub(crate) mod publish;
pub(crate) mod scale;
pub(crate) mod session;
pub(crate) mod slow;
pub(crate) mod stalled;
pub(crate) mod window;

use anyhow::Result;

use crate::report::figure::Outcome;

use case::{Bench, Case};

/// One kind of load.
pub(crate) trait Scenario {
    /// Says in one line what is done.
    fn title(&self) -> String;

    /// Names the reference load, if there is one: a variant of the load that the first server is measured under too.
    fn reference(&self) -> Option<String> {
        None
    }

    /// How many users the streams are of; none for the one that the load tester logs in as.
    fn users(&self) -> u32 {
        0
    }

    /// Loads a case once.
    ///
    /// # Errors
    /// When the load could not be made, or the user asked to stop.
    fn run(&self, case: &Case<'_>, bench: &Bench) -> Result<Outcome>;
}

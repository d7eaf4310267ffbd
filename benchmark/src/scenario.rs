//! What can be measured. Each scenario loads one lane once and returns its figures; rounds and lanes alternate
//! outside of it.

pub(crate) mod burst;
pub(crate) mod churn;
pub(crate) mod durability;
pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod lane;
pub(crate) mod memory;
pub(crate) mod publish;
pub(crate) mod scale;
pub(crate) mod session;
pub(crate) mod slow;
pub(crate) mod stalled;
pub(crate) mod window;

use anyhow::Result;

use crate::report::figure::Outcome;

use lane::{Bench, Lane};

/// One kind of load.
pub(crate) trait Scenario {
    /// Says in one line what is done.
    fn title(&self) -> String;

    /// Names the variant of the load that the subject is also measured under, if there is one.
    fn baseline(&self) -> Option<String> {
        None
    }

    /// How many users the streams are of; none for the one that the load tester logs in as.
    fn users(&self) -> u32 {
        0
    }

    /// Loads a lane once.
    ///
    /// # Errors
    /// When the load could not be made, or the user asked to stop.
    fn run(&self, lane: &Lane<'_>, bench: &Bench) -> Result<Outcome>;
}

//! A build without Web Push: there is none, ever.

use crate::model::UserId;
use crate::store::{Commit, PushSubscription};

/// A node's part in pushing messages, which can't be.
#[derive(Clone, Debug)]
pub(crate) enum Push {}

impl Push {
    pub(crate) fn announce(&self, _: &Commit) {
        match *self {}
    }

    pub(crate) fn public_key(&self) -> &str {
        match *self {}
    }

    pub(crate) fn check(&self, _: &PushSubscription) -> Result<(), String> {
        match *self {}
    }

    pub(crate) fn subscribed(&self, _: UserId) {
        match *self {}
    }
}

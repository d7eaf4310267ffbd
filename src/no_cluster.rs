//! A build without several nodes: there is no cluster, ever.

use std::time::Duration;

use bytes::Bytes;

use crate::model::UserId;
use crate::store::UserCommit;

/// A node's part of a cluster, which can't be.
#[derive(Clone, Debug)]
pub(crate) enum Cluster {}

/// Another node, of which there is none.
#[derive(Debug)]
pub(crate) struct PeerNode {
    pub(crate) name: Box<str>,
    pub(crate) last_heard: Duration,
}

impl Cluster {
    pub(crate) fn carries_messages(&self) -> bool {
        match *self {}
    }

    pub(crate) fn announce(&self, _: UserCommit<'_>, _: &[Bytes]) {
        match *self {}
    }

    pub(crate) fn announce_event(&self, _: UserId, _: &str, _: &[u8]) {
        match *self {}
    }

    pub(crate) fn announce_revocation(&self) {
        match *self {}
    }

    pub(crate) fn listen(&self, _: UserId) -> std::future::Ready<()> {
        match *self {}
    }

    pub(crate) fn backplane_kind(&self) -> &'static str {
        match *self {}
    }

    pub(crate) fn peers(&self) -> Vec<PeerNode> {
        match *self {}
    }

    pub(crate) fn is_degraded(&self) -> bool {
        match *self {}
    }
}

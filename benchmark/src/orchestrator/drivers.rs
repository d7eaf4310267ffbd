//! Which drivers there are.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

use crate::{
    bus::message::{Heartbeat, Register, Status},
    driver::PERIOD,
};

/// A driver that was not heard for so many heartbeats is missing.
const MISSED_MAX: u32 = 3;
/// When a missing driver is taken from the list.
const FORGOTTEN: Duration = Duration::from_mins(10);
/// At most that many drivers are known.
const DRIVERS_MAX: usize = 10_000;

/// All drivers by their names.
#[derive(Debug, Default)]
pub(super) struct Drivers(BTreeMap<String, Driver>);

/// A driver that was heard.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) address: String,
    /// The incarnation that has registered: one whose registration was lost is to send it again.
    registered: Option<String>,
    /// What it says of itself; a driver of another program says nothing.
    pub(super) status: Option<Status>,
    pub(super) heard: Instant,
}

/// A driver as the list shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Listed {
    pub(crate) node_id: String,
    pub(crate) address: String,
    pub(crate) state: &'static str,
    pub(crate) is_foreign: bool,
    /// Milliseconds since it was heard last.
    pub(crate) silent_ms: u64,
    pub(crate) running: Vec<String>,
}

impl Driver {
    /// Returns whether it gave signs of life.
    pub(super) fn is_present(&self) -> bool {
        // Half a heartbeat more, because the third one may be on its way.
        self.heard.elapsed() < PERIOD * MISSED_MAX + PERIOD / 2
    }

    /// Returns whether it is another program.
    pub(super) fn is_foreign(&self) -> bool {
        self.status.is_none()
    }

    pub(super) fn incarnation(&self) -> Option<&str> {
        self.status.as_ref().map(|status| &*status.incarnation)
    }
}

impl Drivers {
    pub(super) fn on_register(&mut self, register: Register) {
        let registered = register.incarnation.clone();
        let status = register.incarnation.map(|incarnation| Status {
            schema: register.schema.unwrap_or_default(),
            incarnation,
            ..Status::default()
        });
        if let Some(driver) = self.entry(&register.node_id) {
            driver.address = register.node_ip;
            driver.registered = registered;
            // A registration may overtake a heartbeat, which says more.
            if driver.incarnation() != status.as_ref().map(|status| &*status.incarnation) {
                driver.status = status;
            }
        }
    }

    pub(super) fn on_heartbeat(&mut self, heartbeat: Heartbeat) {
        if let Some(driver) = self.entry(&heartbeat.node_id) {
            driver.status = heartbeat.status;
        }
    }

    /// A driver that reports lives.
    pub(super) fn on_report(&mut self, node_id: &str) {
        if let Some(driver) = self.0.get_mut(node_id) {
            driver.heard = Instant::now();
        }
    }

    /// Forgets drivers that were missing for long.
    pub(super) fn forget(&mut self) {
        self.0.retain(|_, driver| driver.heard.elapsed() < FORGOTTEN);
    }

    /// Counts all as heard: nothing could be heard while the bus was away.
    pub(super) fn excuse(&mut self, grace: Duration) {
        let now = Instant::now();
        for driver in self.0.values_mut().filter(|driver| driver.heard.elapsed() < FORGOTTEN) {
            driver.heard = driver.heard.max(now + grace);
        }
    }

    pub(super) fn get(&self, node_id: &str) -> Option<&Driver> {
        self.0.get(node_id)
    }

    /// Returns those that gave signs of life.
    pub(super) fn present(&self) -> impl Iterator<Item = (&String, &Driver)> {
        self.0.iter().filter(|(_, driver)| driver.is_present())
    }

    /// Returns the drivers of ours that have registered, with their incarnations.
    pub(super) fn acknowledged(&self) -> BTreeMap<String, String> {
        let own = self.present().filter_map(|(id, driver)| {
            let incarnation = driver.incarnation()?;
            (driver.registered.as_deref() == Some(incarnation)).then(|| (id.clone(), incarnation.to_owned()))
        });
        own.collect()
    }

    pub(super) fn listed(&self) -> Vec<Listed> {
        let listed = self.0.iter().map(|(node_id, driver)| Listed {
            node_id: node_id.clone(),
            address: driver.address.clone(),
            state: if driver.is_present() { "present" } else { "missing" },
            is_foreign: driver.is_foreign(),
            silent_ms: u64::try_from(driver.heard.elapsed().as_millis()).unwrap_or(u64::MAX),
            running: driver.status.as_ref().map(|status| status.running.clone()).unwrap_or_default(),
        });
        listed.collect()
    }

    fn entry(&mut self, node_id: &str) -> Option<&mut Driver> {
        if self.0.len() >= DRIVERS_MAX && !self.0.contains_key(node_id) {
            return None;
        }
        let now = Instant::now();
        let driver = self.0.entry(node_id.to_owned()).or_insert_with(|| Driver {
            address: String::new(),
            registered: None,
            status: None,
            heard: now,
        });
        driver.heard = driver.heard.max(now);
        Some(driver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_acknowledged_once_its_registration_has_come() {
        let mut drivers = Drivers::default();
        let status = |incarnation: &str| Status { incarnation: incarnation.to_owned(), ..Status::default() };
        let heartbeat = |incarnation| Heartbeat {
            node_id: "d1".to_owned(),
            heartbeat: "YES".to_owned(),
            timestamp: serde_json::Value::Null,
            status: Some(status(incarnation)),
        };
        drivers.on_heartbeat(heartbeat("first"));
        assert!(drivers.acknowledged().is_empty(), "its address is not known");
        drivers.on_register(Register {
            node_id: "d1".to_owned(),
            node_ip: "10.0.0.7:1".to_owned(),
            message_type: "DRIVER_NODE_REGISTER".to_owned(),
            schema: Some(crate::bus::message::SCHEMA),
            incarnation: Some("first".to_owned()),
        });
        assert_eq!(drivers.acknowledged()["d1"], "first");
        assert_eq!(drivers.listed()[0].address, "10.0.0.7:1");
        // Another process of that name.
        drivers.on_heartbeat(heartbeat("second"));
        assert!(drivers.acknowledged().is_empty());
    }
}

//! Where users, applications, clients and messages are kept.
//!
//! [`Database`] is what each kind of database implements; the rest of the program sees [`Store`], which adds
//! the group-commit writer: whatever messages wait are written in one transaction, and none is acknowledged
//! before that transaction is durable.

mod database;
mod error;

pub use database::{
    Credential, Database, MessagePage, NewApplication, NewClient, NewMessage, NewUser, Owned,
    UpdateApplication,
};
pub use error::StoreError;

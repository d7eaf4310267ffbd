//! Nodes of one process over one database.

mod simulation;
mod world;

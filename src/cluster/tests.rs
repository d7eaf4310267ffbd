//! Nodes of one process over one database.

mod cut_off;
mod events;
mod simulation;
mod world;

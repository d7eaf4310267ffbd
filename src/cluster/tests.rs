//! Nodes of one process over one database.

mod cut_off;
mod simulation;
mod world;

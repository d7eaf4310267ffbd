//! The program from outside.

mod configuration;
mod process;
mod program;

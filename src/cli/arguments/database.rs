//! The arguments of the commands on the configured database.

use clap::Subcommand;

use super::number::{above_zero, priority};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum UserCommand {
    /// Create a user with a random password and print the password
    Add {
        /// The name to log in with
        name: String,
        /// The user is an administrator, who manages users
        #[arg(long)]
        admin: bool,
    },
    /// List the users
    List {
        /// Print each user as one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a user a random password and print the password
    ResetPassword {
        /// The name of the user
        name: String,
    },
    /// Delete a user with its applications, clients, messages and pictures; a running server closes its streams
    Delete {
        /// The name of the user
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ApplicationCommand {
    /// Create an application and print its token
    Add {
        /// The name, which is the title of messages that have none
        name: String,
        /// The name of the user who owns it; not needed if there is only one user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Free text
        #[arg(long, default_value = "")]
        description: String,
        /// The priority of messages that carry none
        #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = priority)]
        priority: i64,
    },
    /// List the applications, without their tokens
    List {
        /// Only those of the user with this name
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Print each application as one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Give an application a new token and print the token; the old one is not accepted any more
    Token {
        /// The id of the application, which `application list` shows
        #[arg(value_parser = above_zero)]
        id: u64,
    },
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ClientCommand {
    /// Create a client and print its token
    Add {
        /// The name
        name: String,
        /// The name of the user who owns it; not needed if there is only one user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// List the clients, without their tokens
    List {
        /// Only those of the user with this name
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Print each client as one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete a client; its token is not accepted any more, and a running server closes its streams
    Delete {
        /// The id of the client, which `client list` shows
        #[arg(value_parser = above_zero)]
        id: u64,
    },
}

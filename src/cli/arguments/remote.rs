//! The arguments of `send` and `tail`.

use std::num::NonZero;

use clap::Args;
use secrecy::SecretString;

use super::number::{above_zero, counted, id_or_zero, priority};
use crate::model::Extras;

/// Follows the help of `send`.
pub(in crate::cli) const SEND_HELP: &str = "\
Server and token:
  A flag is used before a variable, and a variable before a file. The file is the first that exists of
    $XDG_CONFIG_HOME/gotify/cli.json (~/.config if that is not set), ~/.gotify/cli.json, /etc/gotify/cli.json
  or the one that --config names, which is JSON here, and not the server's YAML. It is that of gotify/cli:
    {\"url\": \"https://push.example.com\", \"token\": \"A...\", \"defaultPriority\": 5}

Exit codes:
  0    the server has stored the message
  1    the server refused the message, or there is no text; standard error says why
  2    a flag is unknown or its value is wrong
  69   the server can't be reached, or can't store messages now: try again later
  77   the server does not accept the token
  78   no server or no token is set, or the file is wrong";

/// Follows the help of `tail`.
pub(in crate::cli) const TAIL_HELP: &str = "\
Server and token:
  A flag is used before a variable, and a variable before a file. The file is the first that exists of
    $XDG_CONFIG_HOME/gotify/cli.json (~/.config if that is not set), ~/.gotify/cli.json, /etc/gotify/cli.json
  or the one that --config names, which is JSON here, and not the server's YAML. The file of gotify/cli may hold the token
  of a client beside that of an application:
    {\"url\": \"https://push.example.com\", \"token\": \"A...\", \"clientToken\": \"C...\"}

A connection that is lost is opened again, and messages that were stored meanwhile are printed first.

Exit codes:
  0    --limit or --no-follow ended it, or nobody reads the output any more
  1    the server's answer can't be used, or the output can't be written
  2    a flag is unknown or its value is wrong
  69   the server can't be reached at the beginning
  77   the server does not accept the token, or not any more
  78   no server or no token is set, or the file is wrong";

#[derive(Debug, Args)]
pub(in crate::cli) struct SendArguments {
    /// The server, such as `https://push.example.com`
    #[arg(long, env = "GOTIFY_URL", value_name = "URL")]
    pub(in crate::cli) url: Option<String>,
    /// The token of the application. Other users of this machine can see flags in the list of processes: a variable or
    /// a file hides it
    #[arg(long, env = "GOTIFY_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(in crate::cli) token: Option<SecretString>,
    /// The title; without one, the server takes the name of the application
    #[arg(short, long)]
    pub(in crate::cli) title: Option<String>,
    /// The priority; without one, `defaultPriority` of the file, or else what the application has on the server
    #[arg(short, long, allow_negative_numbers = true, value_parser = priority)]
    pub(in crate::cli) priority: Option<i64>,
    /// The text is Markdown
    #[arg(short, long)]
    pub(in crate::cli) markdown: bool,
    /// The URL to open when somebody clicks the notification
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) click: Option<String>,
    /// Extras, a JSON object, as in `{"android::action": {"onReceive": {"intentUrl": "app://open"}}}`
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub(in crate::cli) extras: Option<Extras>,
    /// The id of the application. Only needed with the token of a client, which Gotify 3 takes too
    #[arg(long, value_name = "ID", value_parser = above_zero)]
    pub(in crate::cli) application: Option<u64>,
    /// Print the stored message as one line of JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// The text; words are joined by spaces. Without it, standard input is read to its end
    #[arg(value_name = "TEXT")]
    pub(in crate::cli) text: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TailArguments {
    /// The server, such as `https://push.example.com`
    #[arg(long, env = "GOTIFY_URL", value_name = "URL")]
    pub(in crate::cli) url: Option<String>,
    /// The token of a client. Other users of this machine can see flags in the list of processes: a variable or a file
    /// hides it
    #[arg(long, env = "GOTIFY_CLIENT_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(in crate::cli) token: Option<SecretString>,
    /// Begin after the message with this id; 0 begins with the oldest one. Without it, only new messages are printed
    #[arg(long, value_name = "ID", value_parser = id_or_zero)]
    pub(in crate::cli) since: Option<u64>,
    /// Print only messages of the application with this id; may be given several times
    #[arg(long = "application", value_name = "ID", value_parser = above_zero)]
    pub(in crate::cli) applications: Vec<u64>,
    /// Print only messages with this priority or a higher one
    #[arg(long, value_name = "PRIORITY", allow_negative_numbers = true, value_parser = priority)]
    pub(in crate::cli) min_priority: Option<i64>,
    /// End after so many messages
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = counted)]
    pub(in crate::cli) limit: Option<NonZero<u64>>,
    /// Print what is stored, the oldest first, and end
    #[arg(long)]
    pub(in crate::cli) no_follow: bool,
    /// Print each message as one line of JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

fn object(text: &str) -> Result<Extras, String> {
    serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))
}

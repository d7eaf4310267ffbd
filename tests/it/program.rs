//! Running the binary in a folder and an environment of its own.

#![expect(clippy::unwrap_used, reason = "a test that can't run its program has failed")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use tempfile::TempDir;

/// A call of the program that is being prepared.
pub(crate) struct Program {
    folder: TempDir,
    command: Command,
}

impl Program {
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_shardcast"));
        command.args(arguments).current_dir(folder.path()).env_clear();
        Self { folder, command }
    }

    /// Writes the configuration file.
    pub(crate) fn file(self, text: &str) -> Self {
        std::fs::write(self.folder.path().join("config.yml"), text).unwrap();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Outcome {
        Outcome::from(self.command.stdin(Stdio::null()).output().unwrap())
    }

    /// Starts it and waits until it listens.
    pub(crate) fn serve(mut self) -> Serving {
        let mut child =
            self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        let address = loop {
            assert_ne!(log.read_line(&mut seen).unwrap(), 0, "it ended before it listened: {seen}");
            if let Some((_, url)) = seen.split_once("listening on http://") {
                break url.split_whitespace().next().unwrap().to_owned();
            }
        };
        Serving { _folder: self.folder, child, log, seen, address }
    }
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A server that runs; killed when dropped.
pub(crate) struct Serving {
    _folder: TempDir,
    child: Child,
    log: BufReader<ChildStderr>,
    seen: String,
    /// Where it listens.
    pub(crate) address: String,
}

impl Serving {
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Reads the log until this text is in it.
    pub(crate) fn wait_for_log(&mut self, text: &str) {
        while !self.seen.contains(text) {
            assert_ne!(self.log.read_line(&mut self.seen).unwrap(), 0, "no `{text}` in: {}", self.seen);
        }
    }

    /// Waits for its end; returns the exit code and all that it logged.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let mut log = std::mem::take(&mut self.seen);
        self.log.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

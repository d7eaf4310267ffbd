//! Running the binary in a folder and an environment of its own.

#![expect(clippy::unwrap_used, reason = "a test that can't run its program has failed")]

use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// Long enough for any machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A call of the program that is being prepared.
pub(crate) struct Program {
    folder: TempDir,
    command: Command,
    /// What standard input and output are, if they are not what they normally are.
    passed: [Option<Stdio>; 2],
}

impl Program {
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_shardcast"));
        command.args(arguments).current_dir(folder.path()).env_clear();
        Self { folder, command, passed: [None, None] }
    }

    /// A server that a shell starts once it has done this, as `ulimit -n 100`.
    pub(crate) fn after(done: &str) -> Self {
        let mut program = Self::new(&[]);
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!(r#"{done}; exec "$0" "$@""#), env!("CARGO_BIN_EXE_shardcast")]);
        shell.current_dir(program.folder.path()).env_clear();
        program.command = shell;
        program
    }

    /// A call of which standard output is closed, as by `>&-` in a shell.
    pub(crate) fn with_closed_output(arguments: &[&str]) -> Self {
        let mut program = Self::after("exec >&-");
        program.command.args(arguments);
        program
    }

    /// A server that is given these sockets, one or two, as a service manager gives them.
    pub(crate) fn with_sockets(sockets: impl IntoIterator<Item = OwnedFd>) -> Self {
        let mut sockets = sockets.into_iter().map(Stdio::from);
        let passed = [sockets.next(), sockets.next()];
        let (count, moved) = match &passed {
            [_, None] => (1, "3<&0 0</dev/null"),
            [_, Some(_)] => (2, "3<&0 4<&1 0</dev/null 1>&2"),
        };
        // The shell becomes the server, whose process id is therefore `$$`.
        let program = Self::after(&format!("exec {moved}; export LISTEN_FDS={count} LISTEN_PID=$$"));
        Self { passed, ..program }
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

    /// Makes it a call that the test starts itself; its folder is there until what is returned first is dropped.
    #[cfg(feature = "remote")]
    pub(crate) fn into_command(self) -> (TempDir, Command) {
        (self.folder, self.command)
    }

    /// Runs it to its end. One that does not end is killed, and has no exit code.
    pub(crate) fn run(mut self) -> Outcome {
        let [input, output] = self.passed;
        self.command.stdin(input.unwrap_or_else(Stdio::null)).stdout(output.unwrap_or_else(Stdio::piped));
        let child = self.command.stderr(Stdio::piped()).spawn().unwrap();
        let id = rustix::process::Pid::from_child(&child);
        let (ended, waiting) = channel::<()>();
        thread::spawn(move || {
            if waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
            }
        });
        let output = child.wait_with_output().unwrap();
        drop(ended);
        Outcome::from(output)
    }

    /// Starts it with an output that the test has chosen, and returns at once.
    pub(crate) fn start(mut self, output: impl Fn() -> Stdio) -> StartedServer {
        self.command.stdin(Stdio::null()).stdout(output()).stderr(output());
        StartedServer { child: self.command.spawn().unwrap(), _folder: self.folder }
    }

    /// Starts it and waits until it listens.
    pub(crate) fn serve(mut self) -> Serving {
        let [input, output] = self.passed;
        self.command.stdin(input.unwrap_or_else(Stdio::null)).stdout(output.unwrap_or_else(Stdio::piped));
        let mut child = self.command.stderr(Stdio::piped()).spawn().unwrap();
        // Read all the time: a server whose log nobody takes would stand still.
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, log) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut seen = String::new();
        let address = loop {
            let line: String = log.recv().unwrap_or_else(|_| panic!("it ended before it listened: {seen}"));
            seen += &line;
            seen.push('\n');
            if let Some((_, url)) = line.split_once("listening on ") {
                // A log in JSON has a quote behind it.
                let url = url.split([' ', '"']).next().unwrap();
                break url.strip_prefix("http://").unwrap_or(url).to_owned();
            }
        };
        Serving { folder: self.folder, child, log, seen, address }
    }
}

/// A server whose output goes where the test has chosen; killed when dropped.
pub(crate) struct StartedServer {
    child: Child,
    _folder: TempDir,
}

impl StartedServer {
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Waits for its end, and returns the exit code.
    pub(crate) fn wait(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for StartedServer {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
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
    folder: TempDir,
    child: Child,
    log: Receiver<String>,
    seen: String,
    /// Where it listens.
    pub(crate) address: String,
}

impl Serving {
    pub(crate) fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Returns the path of a file in the folder that it runs in.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.id(), signal).unwrap();
    }

    /// Reads the log until this text is in it, and returns its line.
    pub(crate) fn wait_for_log(&mut self, text: &str) -> String {
        loop {
            if let Some(line) = self.seen.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            let line = self.log.recv().unwrap_or_else(|_| panic!("no `{text}` in: {}", self.seen));
            self.seen += &line;
            self.seen.push('\n');
        }
    }

    /// Waits for its end; returns the exit code and all that it logged.
    pub(crate) fn wait(self) -> (Option<i32>, String) {
        let (code, log, _folder) = self.end();
        (code, log)
    }

    /// As [`Serving::wait`]; keeps its folder, until what is returned last is dropped.
    pub(crate) fn end(mut self) -> (Option<i32>, String, TempDir) {
        let mut log = std::mem::take(&mut self.seen);
        for line in &self.log {
            log += &line;
            log.push('\n');
        }
        let code = self.child.wait().unwrap().code();
        (code, log, std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap()))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

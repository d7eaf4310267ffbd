//! The servers a run is made against.

use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, ToSocketAddrs},
    process::{Command, Stdio},
    str::FromStr,
};

use anyhow::{Context, Result, bail};

use crate::{
    client::api::{Api, Credentials},
    process::{child::OwnedChild, listener, usage::Process},
};

/// One server, with what is needed to load it and to see what it uses.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) host: String,
    /// What stands before every path, without a slash at its end.
    pub(crate) prefix: String,
    /// A user of the server; none at the baseline.
    pub(crate) credentials: Option<Credentials>,
    /// The server's process, when it runs on this machine.
    pub(crate) process: Option<Process>,
    _baseline: Option<OwnedChild>,
}

impl Peer {
    /// Reads `[NAME=]http://[USER:PASS@]HOST[:PORT][/PREFIX]` and looks for the process behind it.
    pub(crate) fn parse(text: &str, default: &Credentials) -> Result<Self> {
        let AddressParts { name, host, prefix, credentials } = split_address(text)?;
        let with_port = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        let address = with_port
            .to_socket_addrs()
            .with_context(|| format!("failed to resolve `{with_port}`"))?
            .next()
            .with_context(|| format!("`{with_port}` has no address"))?;
        let found = address.ip().is_loopback().then(|| listener::find(address.port())).flatten();
        Ok(Self {
            name: name.to_owned(),
            address,
            host: host.to_owned(),
            prefix: prefix.to_owned(),
            credentials: Some(credentials.unwrap_or_else(|| default.clone())),
            process: found.map(Process),
            _baseline: None,
        })
    }

    /// Returns a server of which nothing but its address is known.
    pub(crate) fn at(address: SocketAddr, host: String, prefix: String) -> Self {
        let name = "server".to_owned();
        Self { name, address, host, prefix, credentials: None, process: None, _baseline: None }
    }

    /// Returns the server as a user has it.
    pub(crate) fn with(&self, login: Credentials) -> Self {
        let credentials = Some(login);
        Self { credentials, ..Self::at(self.address, self.host.clone(), self.prefix.clone()) }
    }

    /// Returns the server's API, or `None` at the baseline.
    pub(crate) fn api(&self) -> Option<Api> {
        let credentials = self.credentials.clone()?;
        let (host, prefix) = (self.host.clone(), self.prefix.clone());
        Some(Api { address: self.address, host, prefix, credentials })
    }

    /// Starts the baseline on a free port, on the given core if any.
    pub(crate) fn baseline(cpu: Option<usize>) -> Result<Self> {
        let program = std::env::current_exe().context("failed to find this program's own file")?;
        let mut command = Command::new(program);
        command.args(["baseline", "127.0.0.1:0"]).stdout(Stdio::piped());
        if let Some(cpu) = cpu {
            command.args(["--cpu", &cpu.to_string()]);
        }
        let mut child = OwnedChild::start(&mut command)?;
        let output = child.inner().stdout.take().context("the baseline has no standard output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).context("failed to read the baseline's address")?;
        let address = line.trim().strip_prefix("listening on ").context("the baseline did not start")?;
        let address: SocketAddr = address.parse().context("the baseline's address is not one")?;
        Ok(Self {
            name: "baseline".to_owned(),
            address,
            host: address.to_string(),
            prefix: String::new(),
            credentials: None,
            process: Some(Process(child.id())),
            _baseline: Some(child),
        })
    }
}

/// Says which process a server is, where its listening port does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownProcess {
    /// The server's name; without one, the first server.
    name: Option<String>,
    process: Process,
}

impl FromStr for KnownProcess {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, pid) = match text.split_once('=') {
            Some((name, pid)) => (Some(name.to_owned()), pid),
            None => (None, text),
        };
        match pid.parse() {
            Ok(pid) => Ok(Self { name, process: Process(pid) }),
            Err(_) => Err("not `PID` or `NAME=PID`".to_owned()),
        }
    }
}

impl KnownProcess {
    /// Notes at the server which process it is.
    ///
    /// # Errors
    /// When there is no such server.
    pub(crate) fn assign(&self, peers: &mut [Peer]) -> Result<()> {
        let peer = match &self.name {
            Some(name) => peers.iter_mut().find(|peer| peer.name == *name),
            None => peers.first_mut(),
        };
        let peer = peer.with_context(|| match &self.name {
            Some(name) => format!("no server is called `{name}`"),
            None => "there is no server for `--pid`".to_owned(),
        })?;
        peer.process = Some(self.process);
        Ok(())
    }
}

/// The parts of a peer's address.
struct AddressParts<'a> {
    name: &'a str,
    host: &'a str,
    prefix: &'a str,
    credentials: Option<Credentials>,
}

fn split_address(text: &str) -> Result<AddressParts<'_>> {
    let (name, url) = match text.split_once('=') {
        Some((name, url)) if !name.contains('/') => (name, url),
        _ => ("server", text),
    };
    let Some(rest) = url.strip_prefix("http://") else {
        bail!("`{url}` does not start with `http://` (there is no TLS here: measure behind it)");
    };
    let (authority, prefix) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let (credentials, host) = match authority.rsplit_once('@') {
        Some((login, host)) => {
            let (user, pass) = login.split_once(':').context("a login is `USER:PASS@`")?;
            (Some(Credentials { user: user.to_owned(), pass: pass.to_owned() }), host)
        }
        None => (None, authority),
    };
    if host.is_empty() {
        bail!("`{url}` names no host");
    }
    Ok(AddressParts { name, host, prefix: prefix.trim_end_matches('/'), credentials })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_a_login_and_a_prefix_if_wanted() {
        let full = split_address("gotify=http://admin:pa:ss@127.0.0.1:8080/push/").unwrap();
        assert_eq!((full.name, full.host, full.prefix), ("gotify", "127.0.0.1:8080", "/push"));
        let login = full.credentials.unwrap();
        assert_eq!((login.user.as_str(), login.pass.as_str()), ("admin", "pa:ss"));
        let plain = split_address("http://localhost").unwrap();
        assert_eq!((plain.name, plain.host, plain.prefix), ("server", "localhost", ""));
        assert!(plain.credentials.is_none());
    }

    #[test]
    fn a_process_is_assigned_to_the_server_of_its_name_or_to_the_first() {
        let login = Credentials { user: String::new(), pass: String::new() };
        // Port 1 of another machine's address: nobody is looked for.
        let peer = |name: &str| Peer::parse(&format!("{name}=http://192.0.2.1:1"), &login).unwrap();
        let mut peers = [peer("a"), peer("b")];
        for text in ["7", "b=8"] {
            text.parse::<KnownProcess>().unwrap().assign(&mut peers).unwrap();
        }
        assert_eq!(peers.map(|peer| peer.process), [Some(Process(7)), Some(Process(8))]);
        let error = "c=9".parse::<KnownProcess>().unwrap().assign(&mut [peer("a")]).unwrap_err();
        assert_eq!(error.to_string(), "no server is called `c`");
        assert!("a=".parse::<KnownProcess>().is_err() && "x".parse::<KnownProcess>().is_err());
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        for text in ["https://h", "h:80", "http://", "http://user@h"] {
            assert!(split_address(text).is_err(), "{text}");
        }
    }
}

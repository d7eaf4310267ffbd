//! Finding the process behind a listening port, through `/proc`.

use std::collections::HashSet;

use procfs::{
    net::TcpState,
    process::{FDTarget, Process, all_processes},
};

/// Returns the process that listens on a TCP port of this machine, if it can be seen.
pub(crate) fn find(port: u16) -> Option<u32> {
    let tables = [procfs::net::tcp(), procfs::net::tcp6()];
    let sockets: HashSet<u64> = tables
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.state == TcpState::Listen && entry.local_address.port() == port)
        .map(|entry| entry.inode)
        .collect();
    let found = all_processes().ok()?.flatten().find(|process| holds_one_of(process, &sockets))?;
    u32::try_from(found.pid()).ok()
}

fn holds_one_of(process: &Process, sockets: &HashSet<u64>) -> bool {
    // Those of other users can't be looked at.
    let Ok(files) = process.fd() else { return false };
    files.flatten().any(|file| matches!(file.target, FDTarget::Socket(inode) if sockets.contains(&inode)))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn this_process_is_found_behind_its_own_port() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(find(listener.local_addr().unwrap().port()), Some(std::process::id()));
    }

    #[test]
    fn a_connection_is_no_listener() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(find(client.local_addr().unwrap().port()), None);
    }
}

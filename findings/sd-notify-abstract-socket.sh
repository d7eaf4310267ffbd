#!/usr/bin/env bash
# A service manager may give the socket for notifications an abstract name: NOTIFY_SOCKET=@name, see sd_notify(3). The
# crate sd-notify takes it for the path of a file. The service then never says that it is ready.
#
#   sd-notify 0.5.0: the error is "No such file or directory", and nothing arrives
#
# The server therefore sends its notifications itself (src/cli/service_manager).
#
# Needs cargo and python3, on Linux. Ends with 0 if sd-notify still behaves so, and with 1 if it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "ready"
version = "0.0.0"
edition = "2021"

[dependencies]
sd-notify = "=0.5.0"

[workspace]
TOML
cat >src/main.rs <<'RUST'
fn main() {
    match sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        Ok(()) => println!("sent"),
        Err(error) => println!("{:?}", error.kind()),
    }
}
RUST
cargo build --quiet
python3 - target/debug/ready >seen <<'PYTHON'
import os, socket, subprocess, sys, tempfile

def run(address, variable):
    """Says what the program printed, and what arrived."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(1)
        said = subprocess.run(sys.argv[1], env={**os.environ, "NOTIFY_SOCKET": variable}, stdout=subprocess.PIPE)
        try:
            arrived = manager.recv(100).decode().strip()
        except TimeoutError:
            arrived = "nothing"
    return f"{said.stdout.decode().strip()}, {arrived} arrived"

with tempfile.TemporaryDirectory() as folder:
    print("a path:", run(f"{folder}/notify", f"{folder}/notify"))
name = f"ready-{os.getpid()}"
print("an abstract name:", run(f"\0{name}", f"@{name}"))
PYTHON
cat seen
diff seen - <<'SEEN'
a path: sent, READY=1 arrived
an abstract name: NotFound, nothing arrived
SEEN
echo "as it was seen"

#!/usr/bin/env python3
"""Starts PostgreSQL and MariaDB on loopback, runs a command beside them, and stops them.

    .ci/databases.py cargo test --workspace

The command finds them by SHARDCAST_TEST_POSTGRES and SHARDCAST_TEST_MYSQL. Needs the Debian packages
`postgresql` and `mariadb-server`. With `--check` it fails at once if one is missing."""

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time


def missing(package, program):
    sys.exit(f"`{program}` is missing; install it with `apt-get install {package}`")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def owner(folder):
    """Neither server runs as root: a user of its own owns the folder then."""
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]


def wait_for(port, process, name):
    for _ in range(300):
        if process.poll() is not None:
            sys.exit(f"{name} has ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{name} does not listen after 30 s")


def postgres(folder):
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not found:
        missing("postgresql", "postgres")
    as_owner = owner(folder)
    data = f"{folder}/data"
    subprocess.run(
        [*as_owner, f"{found[-1]}/initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync"],
        check=True, stdout=subprocess.DEVNULL, cwd="/",
    )
    port = free_port()
    log = open(f"{folder}/log", "wb")
    process = subprocess.Popen(
        [*as_owner, f"{found[-1]}/postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder,
         "-c", "max_connections=300"],
        stdout=log, stderr=log, cwd="/",
    )
    wait_for(port, process, "PostgreSQL")
    return process, signal.SIGINT, f"host=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=disable"


def mariadb(folder):
    if not shutil.which("mariadbd"):
        missing("mariadb-server", "mariadbd")
    as_owner = owner(folder)
    data = f"{folder}/data"
    subprocess.run(
        [*as_owner, "mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
         "--skip-test-db"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )
    port = free_port()
    log = open(f"{folder}/log", "wb")
    process = subprocess.Popen(
        [*as_owner, "mariadbd", "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1",
         f"--socket={folder}/mariadb.sock", f"--pid-file={folder}/pid", "--max-connections=300"],
        stdout=log, stderr=log, cwd="/",
    )
    wait_for(port, process, "MariaDB")
    return process, signal.SIGTERM, f"root@tcp(127.0.0.1:{port})/mysql"


def main(command):
    if command == ["--check"]:
        glob.glob("/usr/lib/postgresql/*/bin/postgres") or missing("postgresql", "postgres")
        shutil.which("mariadbd") or missing("mariadb-server", "mariadbd")
        return 0
    if not command or command[0].startswith("-"):
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory(prefix="shardcast-databases-") as folder:
        os.chmod(folder, 0o755)
        started = []
        try:
            environment = dict(os.environ)
            for variable, start in [("SHARDCAST_TEST_POSTGRES", postgres), ("SHARDCAST_TEST_MYSQL", mariadb)]:
                place = f"{folder}/{start.__name__}"
                os.mkdir(place)
                process, end, connection = start(place)
                started.append((process, end))
                environment[variable] = connection
            return subprocess.run(command, env=environment).returncode
        finally:
            for process, end in started:
                process.send_signal(end)
            for process, _ in started:
                process.wait(30)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

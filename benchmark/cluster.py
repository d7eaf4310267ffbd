#!/usr/bin/env python3
"""Three nodes behind HAProxy on loopback, with PostgreSQL and what carries messages between the nodes.

    benchmark/cluster.py up [--backplane redis|nats|postgres] [--nodes 3] [FOLDER]
    benchmark/cluster.py down [FOLDER]

`up` starts everything in FOLDER (target/cluster), and prints the addresses. `down` ends what `up` has started there, and
nothing else, and removes FOLDER. The server is SERVER, or target/release/shardcast, built with all features. Needs the
Debian packages `haproxy`, `postgresql`, and `redis-server` or `nats-server`. Nodes are called 1111, 2222 and so on."""

import argparse
import contextlib
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent

USER = PASSWORD = "admin"
# HAProxy asks a node every second, and needs two answers.
WAIT_SECONDS, WINDOW_SECONDS = 3, 2

sys.dont_write_bytecode = True
specification = importlib.util.spec_from_file_location("servers", ROOT / ".ci/servers.py")
servers = importlib.util.module_from_spec(specification)
specification.loader.exec_module(servers)


def wait_until(condition, what, seconds=30):
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            sys.exit(f"{what}: not after {seconds} s")
        time.sleep(0.05)


def status(port, path):
    """The status of an answer; 0 if there is none."""
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


class Node:
    """A server that can be ended and started again on the same port."""

    def __init__(self, folder, name, program, variables):
        self.folder, self.name, self.program, self.variables = folder, name, program, variables
        self.port, self.process = servers.free_port(), None

    def start(self):
        variables = {**self.variables, "APP_ID": self.name, "GOTIFY_SERVER_PORT": str(self.port)}
        with open(f"{self.folder}/node-{self.name}.log", "ab") as log:
            self.process = subprocess.Popen([self.program], env=variables, cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

    def wait_until_ready(self):
        def ready():
            if self.process.poll() is not None:
                sys.exit(f"node {self.name} has ended with {self.process.returncode}: see {self.folder}")
            return status(self.port, "/health/ready") == 200
        wait_until(ready, f"node {self.name} is ready")


class Cluster:
    """All of it, in a folder."""

    def __init__(self, folder, program, backplane="redis", count=3):
        # PostgreSQL runs as another user.
        os.chmod(folder, 0o755)
        self.folder, self.parts = folder, []
        self.postgres = self.part(servers.Postgres)
        own = {"redis": servers.Redis, "nats": servers.Nats}.get(backplane)
        self.backplane = self.part(own) if own else self.postgres
        variables = {
            "GOTIFY_SERVER_LISTENADDR": "127.0.0.1", "GOTIFY_SERVER_TRUSTEDPROXIES": "127.0.0.1",
            "GOTIFY_SERVER_DRAIN_WAITSECONDS": str(WAIT_SECONDS),
            "GOTIFY_SERVER_DRAIN_WINDOWSECONDS": str(WINDOW_SECONDS),
            "GOTIFY_DATABASE_DIALECT": "postgres", "GOTIFY_DATABASE_CONNECTION": self.postgres.connection(),
            "GOTIFY_DEFAULTUSER_NAME": USER, "GOTIFY_DEFAULTUSER_PASS": PASSWORD, "GOTIFY_PASSSTRENGTH": "4",
            "GOTIFY_UPLOADEDIMAGES": "database",
            "GOTIFY_METRICS_ENABLED": "true", "GOTIFY_METRICS_LISTENADDR": "main",
            "GOTIFY_CLUSTER_BACKPLANE": backplane, "GOTIFY_CLUSTER_URL": self.backplane.connection(),
        }
        names = [str(1111 * number) for number in range(1, count + 1)]
        self.nodes = [Node(folder, name, program, dict(variables)) for name in names]
        self.port, self.statistics = servers.free_port(), servers.free_port()
        self.haproxy = None

    def part(self, kind):
        place = f"{self.folder}/{kind.__name__.lower()}"
        os.mkdir(place)
        part = kind(place)
        self.parts.append(part)
        return part

    def start(self):
        for part in self.parts:
            part.start()
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait_until_ready()
        self.start_haproxy()

    def start_haproxy(self):
        shutil.which("haproxy", path=SYSTEM_PATH) or servers.missing("haproxy", "haproxy")
        text = (ROOT / "configs/haproxy.cfg").read_text()
        # The file has three nodes; other numbers are for experiments.
        lines = [f"    server node{number} \"$NODE_{number}\"\n" for number in range(1, len(self.nodes) + 1)]
        begin, end = text.index("    server node1"), text.index("\nfrontend statistics")
        config = f"{self.folder}/haproxy.cfg"
        pathlib.Path(config).write_text(text[:begin] + "".join(lines) + text[end:])
        addresses = {f"NODE_{number}": f"127.0.0.1:{node.port}" for number, node in enumerate(self.nodes, 1)}
        variables = {**os.environ, **addresses, "HAPROXY_LISTEN": f"127.0.0.1:{self.port}",
                     "HAPROXY_STATISTICS": f"127.0.0.1:{self.statistics}", "PATH": SYSTEM_PATH}
        with open(f"{self.folder}/haproxy.log", "ab") as log:
            self.haproxy = subprocess.Popen(["haproxy", "-f", config], env=variables, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: status(self.port, "/version") == 200, "HAProxy reaches a node")

    def states(self):
        """What HAProxy thinks of each node, for example `UP` or `NOLB`."""
        page = urllib.request.urlopen(f"http://127.0.0.1:{self.statistics}/;csv", timeout=5).read().decode()
        rows = [line.split(",") for line in page.splitlines()]
        column = rows[0].index("status")
        return [row[column] for row in rows[1:] if len(row) > 1 and row[0] == "nodes" and row[1].startswith("node")]

    def processes(self):
        everything = [(self.haproxy, signal.SIGTERM)]
        everything += [(node.process, signal.SIGTERM) for node in self.nodes]
        everything += [(part.process, part.end_at_once) for part in reversed(self.parts)]
        return [(process, end) for process, end in everything if process is not None]

    def stop(self):
        """Ends everything; its data is thrown away."""
        processes = [(process, end) for process, end in self.processes() if process.poll() is None]
        for process, end in processes:
            process.send_signal(signal.SIGCONT)
            # A second signal ends a node at once.
            for _ in range(2):
                process.send_signal(end)
        for process, _ in processes:
            process.wait(60)


# HAProxy is where only administrators look.
SYSTEM_PATH = os.environ.get("PATH", "") + ":/usr/sbin"


def began(process):
    """When a process began, so that its number is not mistaken for that of a later one; none if it is gone."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[19]
    except OSError:
        return None


def up(arguments):
    folder = pathlib.Path(arguments.folder).absolute()
    if folder.exists():
        sys.exit(f"{folder} exists: `{sys.argv[0]} down {arguments.folder}` removes it")
    program = os.path.abspath(os.environ.get("SERVER", ROOT / "target/release/shardcast"))
    os.access(program, os.X_OK) or sys.exit(f"{program} is missing: build it with `cargo build --release --all-features`")
    folder.mkdir(parents=True)
    cluster = Cluster(str(folder), program, arguments.backplane, arguments.nodes)
    try:
        cluster.start()
    except BaseException:
        cluster.stop()
        raise
    started = [[process.pid, began(process.pid), int(end)] for process, end in cluster.processes()]
    (folder / "processes.json").write_text(json.dumps(started))
    print(f"HAProxy:    http://127.0.0.1:{cluster.port}  (log in as `{USER}` with the password `{PASSWORD}`)")
    print(f"statistics: http://127.0.0.1:{cluster.statistics}")
    for node in cluster.nodes:
        print(f"node {node.name}:  http://127.0.0.1:{node.port}  (process {node.process.pid})")
    for part in cluster.parts:
        print(f"{part.name}: 127.0.0.1:{part.port}")
    print(f"logs:       {folder}")


def down(arguments):
    folder = pathlib.Path(arguments.folder).absolute()
    listed = folder / "processes.json"
    if not listed.exists():
        sys.exit(f"nothing was started in {folder}")
    started = [(process, end) for process, time_of, end in json.loads(listed.read_text()) if began(process) == time_of]
    for process, end in started:
        # A second signal ends a node at once. Another part may be gone by then.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, end)
            os.kill(process, end)
    wait_until(lambda: not any(is_running(process) for process, _ in started), "everything has ended", 60)
    shutil.rmtree(folder)


def is_running(process):
    """Whether it runs: one that has ended may wait for its parent to notice."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("folder", nargs="?", default=str(ROOT / "target/cluster"))
    parser.add_argument("--backplane", default="redis", choices=["redis", "nats", "postgres"])
    parser.add_argument("--nodes", type=int, default=3)
    arguments = parser.parse_intermixed_args()
    {"up": up, "down": down}[arguments.action](arguments)


if __name__ == "__main__":
    main()

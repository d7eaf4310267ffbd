#!/usr/bin/env python3
"""Starts PostgreSQL, MariaDB, Redis (one server, a Sentinel and a cluster of three) and NATS on loopback, runs a command
beside them, and stops them.

    .ci/servers.py cargo test --workspace

The command finds them by SHARDCAST_TEST_POSTGRES, SHARDCAST_TEST_MYSQL, SHARDCAST_TEST_REDIS, SHARDCAST_TEST_SENTINEL,
SHARDCAST_TEST_REDIS_CLUSTER and SHARDCAST_TEST_NATS.
Needs the Debian packages `postgresql`, `mariadb-server`, `redis-server` and `nats-server`. With `--check` it fails at once
if one is missing."""

import glob
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time


def missing(package, program):
    sys.exit(f"`{program}` is missing; install it with `apt-get install {package}`")


def free_port(count=1):
    """A port that nobody listens on; of several that follow on one another, the first.

    It is below those that the kernel gives to connections: while a server is stopped, one of these could go to a
    connection, even to that of a client which tries to reach the server, and the server could not start again."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        end = int(file.read().split()[0])
    for _ in range(1000):
        # Not what processes that were forked have in common.
        port = random.SystemRandom().randrange(min(10_000, end // 2), end - count)
        try:
            for number in range(port, port + count):
                with socket.socket() as listener:
                    listener.bind(("127.0.0.1", number))
            return port
        except OSError:
            continue
    sys.exit(f"no {count} ports below {end} are free")


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


class Server:
    """A server with its data in a folder. It can be stopped, and started again on the same port."""

    def __init__(self, folder):
        self.folder, self.data = folder, f"{folder}/data"
        self.as_owner = owner(folder)
        self.port = free_port()
        self.process = None
        self.make()

    def start(self):
        with open(f"{self.folder}/log", "ab") as log:
            self.process = subprocess.Popen(
                [*self.as_owner, *self.command()], stdout=log, stderr=log, cwd="/", start_new_session=True)
        wait_for(self.port, self.process, self.name)

    def stop(self):
        self.process.send_signal(self.end)
        self.process.wait(30)


class Postgres(Server):
    name, variable = "PostgreSQL", "SHARDCAST_TEST_POSTGRES"
    end, end_at_once = signal.SIGINT, signal.SIGQUIT

    def make(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not found:
            missing("postgresql", "postgres")
        self.programs = found[-1]
        subprocess.run(
            [*self.as_owner, f"{self.programs}/initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "-E", "UTF8",
             "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/",
        )

    def command(self):
        return [f"{self.programs}/postgres", "-D", self.data, "-p", str(self.port), "-h", "127.0.0.1",
                "-k", self.folder, "-c", "max_connections=300"]

    def connection(self):
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres sslmode=disable"


class MariaDb(Server):
    name, variable = "MariaDB", "SHARDCAST_TEST_MYSQL"
    end, end_at_once = signal.SIGTERM, signal.SIGKILL

    def make(self):
        if not shutil.which("mariadbd"):
            missing("mariadb-server", "mariadbd")
        subprocess.run(
            [*self.as_owner, "mariadb-install-db", "--no-defaults", f"--datadir={self.data}",
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        )

    def command(self):
        return ["mariadbd", "--no-defaults", f"--datadir={self.data}", f"--port={self.port}", "--bind-address=127.0.0.1",
                f"--socket={self.folder}/mariadb.sock", f"--pid-file={self.folder}/pid", "--max-connections=300"]

    def connection(self):
        return f"root@tcp(127.0.0.1:{self.port})/mysql"


class Redis(Server):
    name, variable = "Redis", "SHARDCAST_TEST_REDIS"
    end, end_at_once = signal.SIGTERM, signal.SIGKILL

    def make(self):
        shutil.which("redis-server") or missing("redis-server", "redis-server")

    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--dir", self.folder]

    def connection(self):
        return f"redis://127.0.0.1:{self.port}"


class Sentinel(Server):
    """It watches the Redis whose port is given, under the name `main`."""
    name, variable = "Sentinel", "SHARDCAST_TEST_SENTINEL"
    end, end_at_once = signal.SIGTERM, signal.SIGKILL

    def __init__(self, folder, redis_port):
        self.redis_port = redis_port
        super().__init__(folder)

    def make(self):
        self.configuration = f"{self.folder}/sentinel.conf"
        with open(self.configuration, "w") as file:
            file.write(f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
                       f"sentinel monitor main 127.0.0.1 {self.redis_port} 1\n")
        # It writes down there what it has learned.
        os.chmod(self.configuration, 0o666)

    def command(self):
        return ["redis-server", self.configuration, "--sentinel"]

    def connection(self):
        return f"redis+sentinel://127.0.0.1:{self.port}/main"


class RedisNode(Redis):
    """One of a cluster."""
    name, variable = "a node of Redis", "SHARDCAST_TEST_REDIS_CLUSTER"

    def command(self):
        # The bus of the cluster would be at another port that nobody has looked whether it is free.
        return [*super().command(), "--cluster-enabled", "yes", "--cluster-port", str(self.bus_port)]

    def make(self):
        super().make()
        self.bus_port = free_port()

    def connection(self):
        return f"redis+cluster://127.0.0.1:{self.port}"


def join(nodes):
    """Makes a cluster of nodes of Redis."""
    addresses = [f"127.0.0.1:{node.port}" for node in nodes]
    subprocess.run(["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"],
                   check=True, stdout=subprocess.DEVNULL)
    for node in nodes:
        for _ in range(300):
            info = subprocess.run(["redis-cli", "-p", str(node.port), "cluster", "info"], capture_output=True, text=True)
            if "cluster_state:ok" in info.stdout:
                break
            time.sleep(0.1)
        else:
            sys.exit("the cluster of Redis is not there after 30 s")


class Nats(Server):
    name, variable = "NATS", "SHARDCAST_TEST_NATS"
    end, end_at_once = signal.SIGTERM, signal.SIGKILL

    def make(self):
        shutil.which("nats-server") or missing("nats-server", "nats-server")

    def command(self):
        return ["nats-server", "--addr", "127.0.0.1", "--port", str(self.port)]

    def connection(self):
        return f"nats://127.0.0.1:{self.port}"


def main(command):
    if command == ["--check"]:
        glob.glob("/usr/lib/postgresql/*/bin/postgres") or missing("postgresql", "postgres")
        for package, program in [("mariadb-server", "mariadbd"), ("redis-server", "redis-server"),
                                 ("nats-server", "nats-server")]:
            shutil.which(program) or missing(package, program)
        return 0
    if not command or command[0].startswith("-"):
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory(prefix="shardcast-servers-") as folder:
        os.chmod(folder, 0o755)
        started = []
        try:
            environment = dict(os.environ)

            def start(kind, *more):
                place = f"{folder}/{len(started)}"
                os.mkdir(place)
                server = kind(place, *more)
                server.start()
                started.append(server)
                environment[kind.variable] = server.connection()
                return server

            for kind in [Postgres, MariaDb, Nats]:
                start(kind)
            start(Sentinel, start(Redis).port)
            join([start(RedisNode) for _ in range(3)])
            return subprocess.run(command, env=environment).returncode
        finally:
            # Their data is thrown away: nothing has to be written for it.
            for server in started:
                server.process.send_signal(server.end_at_once)
            for server in started:
                server.process.wait(60)


if __name__ == "__main__":
    # Whoever ends this ends the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main(sys.argv[1:]))

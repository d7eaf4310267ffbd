"""The databases that fail, each with its faults.

A fault is a context: it lasts while it is entered. It yields what is expected meanwhile: whether `reads` are answered,
whether sending `may_work` nevertheless, and how many seconds it `lasts`.
"""

import contextlib
import importlib.util
import os
import pathlib
import signal
import sqlite3
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent


def module(name, path):
    """Loads a script as a module."""
    spec = importlib.util.spec_from_file_location(name, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


servers = module("servers", HERE.parent.parent / ".ci/servers.py")

PASSWORD = "hunter2-of-the-faults"
# How long a fault lasts: longer than an operation may take.
FAULT_SECONDS = 7
DISK = "64m"


class Sqlite:
    """A file on a disk of its own, where there may be one."""

    dialect = "sqlite3"

    def __init__(self, folder):
        self.folder = folder
        self.disk = Disk(folder)
        self.file = f"{folder}/gotify.db"
        self.connection = self.file

    def stop(self):
        self.disk.unmount()

    def faults(self):
        return {"locked": self.locked, **({"disk full": self.disk.full} if self.disk.is_mounted else {})}

    @contextlib.contextmanager
    def locked(self):
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None, timeout=10)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield {"reads": True}
            other.execute("ROLLBACK")


class Remote:
    """What both servers share."""

    def __init__(self, folder):
        os.chmod(folder, 0o755)
        place = f"{folder}/server"
        os.mkdir(place)
        self.disk = Disk(f"{folder}/disk")
        self.server = self.kind(place)
        self.server.start()
        self.administrate(*self.prepared())

    def stop(self):
        if self.server.process.poll() is None:
            self.signal_all(signal.SIGCONT)
            self.server.stop()
        self.disk.unmount()

    def administrate(self, *statements):
        subprocess.run(self.client(), input=";\n".join(statements).encode() + b";", check=True, stdout=subprocess.DEVNULL)

    def faults(self):
        return {
            "stopped": self.stopped, "connections cut": self.cut, "killed": self.killed, "read-only": self.read_only,
            "too many connections": self.too_many, "locked": self.locked, "frozen": self.frozen,
            **({"disk full": self.disk.full} if self.disk.is_mounted else {}),
        }

    @contextlib.contextmanager
    def stopped(self):
        self.server.stop()
        yield {"reads": False}
        self.server.start()

    @contextlib.contextmanager
    def killed(self):
        self.signal_all(signal.SIGKILL)
        self.server.process.wait(30)
        yield {"reads": False}
        self.server.start()

    @contextlib.contextmanager
    def frozen(self):
        self.signal_all(signal.SIGSTOP)
        yield {"reads": False}
        self.signal_all(signal.SIGCONT)

    def signal_all(self, number):
        """PostgreSQL has a process for each connection."""
        main = self.server.process.pid
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(main)], stdout=subprocess.PIPE, check=False)
        for process in [main, *map(int, listed.stdout.split())]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    @contextlib.contextmanager
    def cut(self):
        """Again and again, so that it also happens while a transaction is committed."""
        ends = time.monotonic() + FAULT_SECONDS
        while time.monotonic() < ends:
            self.cut_once()
            time.sleep(0.1)
        yield {"may_work": True, "lasts": 0}


class Postgres(Remote):
    dialect, kind = "postgres", servers.Postgres

    def client(self):
        return ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", self.server.connection()]

    def prepared(self):
        # The data alone is on the small disk: without room for its log the server would stop as a whole.
        place = []
        if self.disk.is_mounted:
            place = [f"CREATE TABLESPACE small LOCATION '{self.disk.folder}'"]
        at = " TABLESPACE small" if place else ""
        return [f"CREATE ROLE push LOGIN PASSWORD '{PASSWORD}'", *place, f"CREATE DATABASE push OWNER push{at}"]

    @property
    def connection(self):
        return f"host=127.0.0.1 port={self.server.port} user=push password={PASSWORD} dbname=push sslmode=disable"

    def cut_once(self):
        self.administrate("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'push'")

    @contextlib.contextmanager
    def read_only(self):
        self.administrate("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        yield {"reads": True}
        self.administrate("SET default_transaction_read_only = off", "ALTER SYSTEM RESET default_transaction_read_only",
                          "SELECT pg_reload_conf()")

    @contextlib.contextmanager
    def too_many(self):
        self.administrate("ALTER ROLE push CONNECTION LIMIT 0")
        self.cut_once()
        yield {"reads": False}
        self.administrate("ALTER ROLE push CONNECTION LIMIT -1")

    @contextlib.contextmanager
    def locked(self):
        with subprocess.Popen([*self.client()[:-1], self.server.connection().replace("dbname=postgres", "dbname=push")],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            other.stdin.write(b"BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE;\n\\echo locked\n")
            other.stdin.flush()
            other.stdout.readline()
            yield {"reads": False}
            other.stdin.close()


class MariaDb(Remote):
    dialect, kind = "mysql", servers.MariaDb

    def client(self):
        return ["mariadb", "--no-defaults", "--host=127.0.0.1", f"--port={self.server.port}", "--user=root"]

    def prepared(self):
        # A table's file goes where its database's folder is.
        if self.disk.is_mounted:
            os.symlink(self.disk.folder, f"{self.server.data}/push")
        else:
            os.mkdir(f"{self.server.data}/push")
        servers.owner(f"{self.server.data}/push")
        # Not root, who may write to a database that is read-only.
        return [f"CREATE USER push@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'", "GRANT ALL ON push.* TO push@'127.0.0.1'"]

    @property
    def connection(self):
        return f"push:{PASSWORD}@tcp(127.0.0.1:{self.server.port})/push?parseTime=true&loc=Local"

    # Whether the server has a name for the address decides under which of both it knows the connections.
    cut_statements = ("KILL CONNECTION USER push@'127.0.0.1'", "KILL CONNECTION USER push@localhost")

    def cut_once(self):
        self.administrate(*self.cut_statements)

    @contextlib.contextmanager
    def read_only(self):
        self.administrate("SET GLOBAL read_only = 1")
        yield {"reads": True}
        self.administrate("SET GLOBAL read_only = 0")

    @contextlib.contextmanager
    def too_many(self):
        # An administrator may connect beyond the limit, and these hold all connections below it.
        held = [subprocess.Popen([*self.client(), "--unbuffered", "--skip-column-names"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE) for _ in range(12)]
        for other in held:
            other.stdin.write(b"SELECT 'connected';\n")
            other.stdin.flush()
            other.stdout.readline()
        statements = "; ".join(["SET GLOBAL max_connections = 10", *self.cut_statements])
        held[0].stdin.write(f"{statements};\n".encode())
        held[0].stdin.flush()
        yield {"reads": False}
        held[0].stdin.write(b"SET GLOBAL max_connections = 300;\n")
        for other in held:
            other.communicate()

    @contextlib.contextmanager
    def locked(self):
        with subprocess.Popen([*self.client(), "--unbuffered", "push"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as other:
            other.stdin.write(b"LOCK TABLES messages WRITE; SELECT 'locked';\n")
            other.stdin.flush()
            other.stdout.readline()
            yield {"reads": False}
            other.stdin.close()


class Disk:
    """A small disk, if this user may mount one."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "shardcast-faults", folder]
        self.is_mounted = os.geteuid() == 0 and subprocess.run(mounting, stderr=subprocess.DEVNULL).returncode == 0
        servers.owner(folder)

    def unmount(self):
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", self.folder], check=True)

    @contextlib.contextmanager
    def full(self):
        ballast = f"{self.folder}/ballast"
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        # What is allocated already takes some more messages.
        yield {"reads": True, "may_work": True}
        os.remove(ballast)

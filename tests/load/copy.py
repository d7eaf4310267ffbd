#!/usr/bin/env python3
"""Measures `shardcast copy` beside the bulk load of each database.

    .ci/servers.py tests/load/copy.py [--messages 1000000] [--rounds 3] target/release/shardcast

A file of SQLite with that many messages is copied into a new file, a new database of PostgreSQL and one of MariaDB.
Then the same messages are loaded into another one with the same tables and indexes: by prepared statements in one
transaction into SQLite, by psql's `\\copy` of a binary file into PostgreSQL, and from a dump with many rows per
statement by MariaDB's client. The copy also has to read the source, and both include the commit. Prints the rate of
both, their ratio, and the most memory that the copy had. Ends with 1 if a ratio is below 0.5, or if the memory is above
64 MB."""

import argparse
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

TARGET_RATIO = 0.5
TARGET_BYTES = 64_000_000


def run(arguments, **options):
    done = subprocess.run(arguments, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"`{arguments[0]}` has ended with {done.returncode}: {done.stderr}")
    return done.stdout


def seconds(work):
    began = time.monotonic()
    work()
    return time.monotonic() - began


def make_source(program, file, messages):
    """Has a server make the tables, and fills in one user's messages."""
    environment = {"GOTIFY_DATABASE_CONNECTION": file, "GOTIFY_SERVER_PORT": "0", "GOTIFY_SERVER_LISTENADDR": "127.0.0.1"}
    server = subprocess.Popen([program], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=os.path.dirname(file))
    for line in server.stderr:
        if "listening on" in line:
            break
    server.terminate()
    server.communicate()
    database = sqlite3.connect(file)
    date = "2026-11-29 22:00:00.123+00:00"
    database.execute(
        "INSERT INTO applications (id, token, user_id, name, description, internal, image, default_priority, created_at, "
        "sort_key) VALUES (1, 'A123456789abcde', 1, 'load', '', 0, '', 0, ?, 'a0')",
        (date,),
    )
    text = "the backup of the night is done, nothing was lost; " * 4
    rows = ((number, 1, f"{number}: {text}", "backup", 5, date) for number in range(1, messages + 1))
    database.executemany(
        "INSERT INTO messages (id, application_id, message, title, priority, date) VALUES (?, ?, ?, ?, ?, ?)", rows
    )
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def copy(program, source, target):
    """Returns the seconds that a copy takes, and its memory in bytes."""
    environment = {"SHARDCAST_COPY_FROM": f"sqlite3:{source}", "SHARDCAST_COPY_TO": target}
    began, memory = time.monotonic(), 0
    process = subprocess.Popen([program, "copy"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while process.poll() is None:
        memory = max(memory, peak_bytes(process.pid))
        time.sleep(0.02)
    if process.returncode != 0:
        sys.exit(f"the copy has failed: {process.stderr.read().decode()}")
    return time.monotonic() - began, memory


def peak_bytes(process):
    """The most that was resident; 0 once it has ended. What `wait4` tells has the memory of this script in it."""
    try:
        with open(f"/proc/{process}/status", encoding="ascii") as status:
            lines = [line.split() for line in status]
    except OSError:
        return 0
    return sum(int(line[1]) * 1024 for line in lines if line and line[0] == "VmHWM:")


class Sqlite:
    def __init__(self, folder):
        self.folder = folder

    def new(self):
        self.name = os.path.join(self.folder, f"{secrets.token_hex(8)}.db")
        return f"sqlite3:{self.name}"

    def bulk(self):
        """Returns the seconds of the bulk load of what was copied last."""
        source, target = sqlite3.connect(self.name), sqlite3.connect(f"{self.name}.bulk")
        target.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        for (statement,) in source.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"):
            target.execute(statement)
        rows = source.execute("SELECT * FROM messages ORDER BY id").fetchall()

        def load():
            target.executemany("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            target.commit()

        return seconds(load)


class Postgres:
    def __init__(self, folder):
        self.folder, self.server = folder, os.environ["SHARDCAST_TEST_POSTGRES"]

    def psql(self, database, *arguments):
        return run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", f"{self.server} dbname={database}", *arguments])

    def new(self):
        self.name = f"load_{secrets.token_hex(8)}"
        self.psql("postgres", "-c", f"CREATE DATABASE {self.name}")
        return f"postgres:{self.server} dbname={self.name}"

    def bulk(self):
        file, schema = os.path.join(self.folder, "rows"), os.path.join(self.folder, "schema")
        self.psql(self.name, "-c", f"\\copy messages to '{file}' (format binary)")
        run(["pg_dump", "-s", "-f", schema, f"{self.server} dbname={self.name}"])
        self.psql("postgres", "-c", f"CREATE DATABASE {self.name}_bulk")
        self.psql(f"{self.name}_bulk", "-f", schema)
        took = seconds(lambda: self.psql(f"{self.name}_bulk", "-c", f"\\copy messages from '{file}' (format binary)"))
        for name in (self.name, f"{self.name}_bulk"):
            self.psql("postgres", "-c", f"DROP DATABASE {name}")
        return took


class Mariadb:
    def __init__(self, folder):
        self.folder, self.server = folder, os.environ["SHARDCAST_TEST_MYSQL"]
        user, host, port = re.match(r"(\w+)@tcp\(([^:]+):(\d+)\)", self.server).groups()
        self.options = ["--no-defaults", f"--user={user}", f"--host={host}", f"--port={port}"]

    def client(self, *arguments, **options):
        return run(["mariadb", *self.options, *arguments], **options)

    def new(self):
        self.name = f"load_{secrets.token_hex(8)}"
        self.client("-e", f"CREATE DATABASE {self.name}")
        return f"mysql:{self.server.rsplit('/', 1)[0]}/{self.name}?parseTime=true"

    def bulk(self):
        dump = ["mariadb-dump", *self.options, self.name]
        rows, schema = os.path.join(self.folder, "rows.sql"), os.path.join(self.folder, "schema.sql")
        run([*dump, "--no-data", f"--result-file={schema}"])
        run([*dump, "--no-create-info", f"--result-file={rows}", "messages"])
        bulk = f"{self.name}_bulk"
        self.client("-e", f"CREATE DATABASE {bulk}")
        with open(schema) as lines:
            self.client(bulk, stdin=lines)
        with open(rows) as lines:
            took = seconds(lambda: self.client(bulk, stdin=lines))
        self.client("-e", f"DROP DATABASE {self.name}; DROP DATABASE {bulk}")
        return took


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("program")
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    folder = tempfile.mkdtemp(prefix="shardcast-copy-")
    missed = False
    try:
        source = os.path.join(folder, "source.db")
        make_source(program, source, arguments.messages)
        for kind in (Sqlite, Postgres, Mariadb):
            target, rounds = kind(folder), []
            for _ in range(arguments.rounds):
                took, memory = copy(program, source, target.new())
                rounds.append((target.bulk() / took, took, memory))
            ratio, took, _ = sorted(rounds)[len(rounds) // 2]
            memory = max(memory for _, _, memory in rounds)
            rate, bulk = arguments.messages / took, arguments.messages / took / ratio
            low, high = min(rounds)[0], max(rounds)[0]
            print(
                f"{kind.__name__}: {rate:.0f} messages per second against {bulk:.0f}: {ratio:.2f} ({low:.2f} - {high:.2f}), "
                f"{memory / 1e6:.0f} MB",
                flush=True,
            )
            missed |= ratio < TARGET_RATIO or memory > TARGET_BYTES
    finally:
        shutil.rmtree(folder)
    sys.exit(1 if missed else 0)


main()

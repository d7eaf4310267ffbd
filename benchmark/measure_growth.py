#!/usr/bin/env python3
"""Measures what a user's requests take while others come to have more and more.

    benchmark/measure_growth.py [--rounds 40] [--others CLIENTS:MESSAGES[:APPLICATIONS] ...] [SERVER]

For each CLIENTS:MESSAGES (1000:1000, 10000:100000, 100000:1000000 and 1000000:10000000 by default) a file of SQLite gets
so many clients, ten for each user, and so many messages, of the first thousand users. In each file one more user has the
same: clients, applications (5, unless APPLICATIONS says otherwise), and a thousand messages among those of the others, of
at most five of the applications. A server for each file runs on
core 0; once they have indexed all messages, the same requests of that user are sent to all of them in turns, from core 1.
It prints the median of each kind of request in ms, and how many times that of the first file it is. SERVER is
target/release/shardcast. The largest file takes 3 GB of disk."""

import argparse
import collections
import json
import os
import pathlib
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
import typing

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from kept_server import PATIENCE_SECONDS, Server  # noqa: E402
from streams import handshake, processor_seconds, resident_bytes  # noqa: E402

OTHERS = ["1000:1000", "10000:100000", "100000:1000000", "1000000:10000000"]
DAY = "2026-01-01 00:00:00+00:00"
PAUSE_SECONDS = 0.05
# The user that is measured.
USER, APPLICATIONS, SENDERS, MESSAGES, BEHIND = 2, 5, 5, 1000, 100
CLIENTS_OF_OTHERS = 10
USERS_WITH_MESSAGES = 1000
# The newest messages of a user, fewer than this, need no index.
UNINDEXED = 128
# A server is at rest when it takes less of its core than this for so many seconds.
REST_SHARE, REST_SECONDS, LONGEST_INDEXING = 0.02, 5, 3600


def client_token(number):
    return f"C{number:014d}"


def fill(file, of_others, own_clients):
    """Gives a fresh database of the server its rows."""
    clients, messages, applications = of_others
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    indexes = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    database.execute("BEGIN")
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")
    users = range(USER, USER + 1 + clients // CLIENTS_OF_OTHERS)
    database.executemany(
        "INSERT INTO users (id, name, pass, admin) VALUES (?, ?, x'00', 0)", ((user, f"user {user}") for user in users)
    )
    own = [(number, USER, f"a{number:06}") for number in range(1, applications + 1)]
    others = [(user + applications, user, "a") for user in users[1 : 1 + USERS_WITH_MESSAGES]]
    database.executemany(
        "INSERT INTO applications (id, token, user_id, name, description, internal, image, default_priority, sort_key)"
        " VALUES (?, ?, ?, 'application', '', 0, '', 0, ?)",
        ((number, f"A{number:014d}", user, key) for number, user, key in own + others),
    )
    all_clients = ((number, client_token(number), USER) for number in range(1, own_clients + 1))
    database.executemany("INSERT INTO clients (id, token, user_id, name) VALUES (?, ?, ?, 'client')", all_clients)
    all_clients = (
        (number, client_token(number), users[1 + (number - own_clients - 1) // CLIENTS_OF_OTHERS])
        for number in range(own_clients + 1, own_clients + 1 + clients // CLIENTS_OF_OTHERS * CLIENTS_OF_OTHERS)
    )
    database.executemany("INSERT INTO clients (id, token, user_id, name) VALUES (?, ?, ?, 'client')", all_clients)
    total = messages + MESSAGES
    step, senders = total // MESSAGES, min(applications, SENDERS)

    def message(number):
        is_own = number % step == 0 and number // step < MESSAGES
        application = number // step % senders + 1 if is_own else others[number % len(others)][0]
        return number + 1, application, f"disk {number} of the house is nearly full", "monitoring", number % 11, DAY

    database.executemany(
        "INSERT INTO messages (id, application_id, message, title, priority, date) VALUES (?, ?, ?, ?, ?, ?)",
        map(message, range(total)),
    )
    for _, statement in indexes:
        database.execute(statement)
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def wait_for_rest(server, file, total):
    """Waits until all messages are indexed, and the server does nothing more."""
    database, ends = sqlite3.connect(f"file:{file}?mode=ro", uri=True), time.monotonic() + LONGEST_INDEXING
    while time.monotonic() < ends:
        before = processor_seconds(server.process.pid)
        time.sleep(REST_SECONDS)
        if processor_seconds(server.process.pid) - before < REST_SHARE * REST_SECONDS:
            indexed = database.execute("SELECT coalesce(sum(messages), 0) FROM shardcast_search_segments").fetchone()[0]
            if indexed >= total - UNINDEXED * (USERS_WITH_MESSAGES + 1):
                database.close()
                return
    raise SystemExit(f"a server is still at work after {LONGEST_INDEXING} s")


class Others(typing.NamedTuple):
    """What others have, and how many applications the user has that is measured."""

    clients: int
    messages: int
    applications: int = APPLICATIONS

    @classmethod
    def read(cls, text):
        return cls(*map(int, text.split(":")))

    def __str__(self):
        own = f", {self.applications} applications" if self.applications != APPLICATIONS else ""
        return f"{self.clients} clients, {self.messages} messages{own}"


class Measured:
    """A server, and what its user does."""

    def __init__(self, server):
        self.server, self.times = server, collections.defaultdict(list)
        self.key = f"x-gotify-key: {client_token(1)}"

    def ask(self, name, method, path, body=None, key=None):
        """Sends a request, notes its time under this name if it has one, and returns the answer."""
        content = json.dumps(body).encode() if body is not None else b""
        status, answer, seconds = self.server.request(method, path, key or self.key, content)
        if status != 200:
            raise SystemExit(f"{method} {path}: {status} {answer[:200]!r}")
        if name:
            self.times[name].append(seconds)
        return json.loads(answer) if answer else None

    def stream(self, name, target, deliveries):
        """Opens a stream, and notes how long it takes until so many messages have come."""
        request, mark, answer = handshake(self.server.port, target), b'"appid":', b""
        began = time.perf_counter()
        with socket.create_connection(("127.0.0.1", self.server.port), PATIENCE_SECONDS) as stream:
            stream.sendall(request)
            while b"\r\n\r\n" not in answer or answer.count(mark) < deliveries:
                content = stream.recv(1 << 16)
                if not content:
                    raise SystemExit(f"{target}: the stream ended: {answer[:200]!r}")
                answer += content
        self.times[name].append(time.perf_counter() - began)
        if not answer.startswith(b"HTTP/1.1 101"):
            raise SystemExit(f"{target} was answered {answer[:200]!r}")

    def round(self, number):
        # What the round before has left to do in the background, on the same core, is over then.
        time.sleep(PAUSE_SECONDS)
        self.ask(None, "GET", "/version")
        self.ask("page of 100 messages", "GET", "/message?limit=100")
        self.ask("page of 100 of an application", "GET", "/application/1/message?limit=100")
        self.ask("its older half", "GET", f"/application/1/message?limit=100&since={self.middle}")
        self.ask("search for a word of all its messages", "GET", "/shardcast/search?text=house")
        self.ask("overview", "GET", "/shardcast/overview")
        self.ask("applications", "GET", "/application")
        self.ask("a token that was not seen before", "GET", "/current/user", key=f"x-gotify-key: {client_token(2 + 2 * number)}")
        self.stream("a stream, with a token that was not seen before", f"/stream?token={client_token(3 + 2 * number)}", 0)
        self.stream(f"a stream {BEHIND} messages behind", f"/stream?since={self.behind}&token={client_token(1)}", BEHIND)
        application = self.ask("new application", "POST", "/application", {"name": "new"})
        sender = f"x-gotify-key: {application['token']}"
        published = [self.ask("publish", "POST", "/message", {"message": "hello"}, sender)["id"] for _ in range(5)]
        self.ask("delete a message", "DELETE", f"/message/{published[0]}")
        self.ask("delete an application with 4 messages", "DELETE", f"/application/{application['id']}")

    def prepare(self):
        self.server.connect()
        newest = self.ask(None, "GET", "/message?limit=101")["messages"]
        self.behind = newest[BEHIND]["id"]
        self.middle = self.ask(None, "GET", "/application/1/message?limit=100")["messages"][-1]["id"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=str(HERE.parent / "target/release/shardcast"))
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--others", type=Others.read, action="append", metavar="CLIENTS:MESSAGES[:APPLICATIONS]")
    arguments = parser.parse_args()
    program, own_clients = os.path.abspath(arguments.program), 2 + 2 * (arguments.rounds + 1)
    others = arguments.others or [Others.read(text) for text in OTHERS]
    os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory(prefix="shardcast-growth-") as folder:
        all_measured = []
        try:
            for place, of_others in enumerate(others):
                file = os.path.join(folder, f"{place}.db")
                # It makes the tables.
                Server(program, "sqlite3", file, folder, core=0).stop()
                fill(file, of_others, own_clients)
                began = time.monotonic()
                server = Server(program, "sqlite3", file, folder, core=0)
                all_measured.append(Measured(server))
                wait_for_rest(server, file, of_others.messages + MESSAGES)
                print(
                    f"{of_others}: {resident_bytes(server.process.pid) / 1e6:.1f} MB resident "
                    f"after {processor_seconds(server.process.pid):.1f} s of processor time and {time.monotonic() - began:.0f} s",
                    flush=True,
                )
            for measured in all_measured:
                measured.prepare()
                measured.round(0)
                measured.times.clear()
            for number in range(1, arguments.rounds + 1):
                first = number % len(all_measured)
                for measured in all_measured[first:] + all_measured[:first]:
                    measured.round(number)
            report(others, all_measured)
        finally:
            for measured in all_measured:
                measured.server.stop()


def report(others, all_measured):
    print("\n| request |" + "".join(f" {of_others} |" for of_others in others))
    print("|---|" + "--:|" * len(others))
    for name, first in all_measured[0].times.items():
        middles = [statistics.median(measured.times[name]) for measured in all_measured]
        cells = [f"{middles[0] * 1e3:.2f} ms"] + [f"{middle * 1e3:.2f} ms, {middle / middles[0]:.2f}" for middle in middles[1:]]
        print(f"| {name} | " + " | ".join(cells) + " |")
        assert len(first) == len(all_measured[-1].times[name])
    memory = " | ".join(f"{resident_bytes(measured.server.process.pid) / 1e6:.1f} MB" for measured in all_measured)
    print(f"| resident memory | {memory} |")


if __name__ == "__main__":
    main()

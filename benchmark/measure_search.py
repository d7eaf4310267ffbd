#!/usr/bin/env python3
"""Measures the search beside the list of messages, over HTTP.

    .ci/servers.py benchmark/measure_search.py [--messages 1000000] [--rounds 60] [--database sqlite ...] [SERVER]

A file of SQLite gets that many messages of 14 words by a distribution like that of language, of which one user has 99 %
and another one the rest. `shardcast copy` brings them into PostgreSQL and MariaDB. For each database it prints how long
the index takes to make, its processor time and its size, then for each search the time of a request, and how many times
that of `GET /message?limit=100` it is. Both are asked in turns; times are medians over the rounds. Without PostgreSQL
and MariaDB, `--database sqlite` needs no `.ci/servers.py`. SERVER is target/release/shardcast, built with all features."""

import argparse
import base64
import json
import os
import pathlib
import random
import re
import secrets
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / ".ci"))

from kept_server import LOGIN, Server  # noqa: E402
from streams import processor_seconds, resident_bytes  # noqa: E402

APPLICATIONS = 10
MINORITY = 100
START = 1_735_689_600


def make_source(program, file, count, folder):
    """Has a server make users and applications, and fills in their messages."""
    server = Server(program, "sqlite3", file, folder)
    tokens = {}
    for name in ("majority", "minority"):
        user = json.dumps({"name": name, "pass": "admin", "admin": False}).encode()
        assert server.request("POST", "/user", f"authorization: Basic {LOGIN}", user)[0] == 200
        login = "authorization: Basic " + base64.b64encode(f"{name}:admin".encode()).decode()
        client = json.loads(server.request("POST", "/client", login, b'{"name":"measure"}')[1])
        tokens[name] = f"x-gotify-key: {client['token']}"
        for number in range(APPLICATIONS if name == "majority" else 1):
            body = json.dumps({"name": f"application {number}"}).encode()
            assert server.request("POST", "/application", login, body)[0] == 200
    server.stop()
    database = sqlite3.connect(file)
    chance = random.Random(1)
    words = [f"{chance.choice('abcdefghijklmnopqrstuvwxyz')}{number:x}word" for number in range(20_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    pool = chance.choices(words, weights, k=1 << 20)

    def message(number):
        is_rare = number % MINORITY == 0
        # The last application of the majority sends little.
        of_majority = APPLICATIONS if number % 997 == 1 else 1 + number % (APPLICATIONS - 1)
        place = chance.randrange(len(pool) - 12)
        some = " ".join(pool[place : place + 9])
        half = "even" if number // 2 % 2 == 0 else "odd"
        per_thousand = " seldom" if number % 1009 == 5 else ""
        single = " needle" if number in (7, count // 2 + 1, count - 9) else ""
        text = f"error {number} {half} {some}{per_thousand}{single}"
        at = time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime(START + number * 60_000_000 // count))
        application = APPLICATIONS + 1 if is_rare else of_majority
        return (number, application, text, "backup report", number % 11, at)

    database.executemany(
        "INSERT INTO messages (id, application_id, message, title, priority, date) VALUES (?, ?, ?, ?, ?, ?)",
        map(message, range(1, count + 1)),
    )
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return tokens, pool[0]


def searches(count, common):
    """What is asked for: a name, whose messages, and the query."""
    year = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + 20_000_000))
    day = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + 20_086_400))
    search = "/shardcast/search?"
    return [
        ("list", "majority", "/message?limit=100"),
        ("a word of every message", "majority", f"{search}text=error"),
        ("a word of 1 message in 1000", "majority", f"{search}text=seldom"),
        ("a word of 3 messages", "majority", f"{search}text=needle"),
        ("a word of none", "majority", f"{search}text=haystack"),
        ("two common words", "majority", f"{search}text=error+{common}"),
        ("a common and a rare word", "majority", f"{search}text=error+needle"),
        ("two common words, never together", "majority", f"{search}text=even+odd"),
        ("the beginning of a common word", "majority", f"{search}text=err*"),
        ("one letter", "majority", f"{search}text=b*"),
        ("the beginning of a rare word", "majority", f"{search}text=need*"),
        ("a common word, one of ten applications", "majority", f"{search}text=error&appid=2"),
        ("a common word, an application with 1 in 1000", "majority", f"{search}text=error&appid={APPLICATIONS}"),
        ("a rare word, an application without it", "majority", f"{search}text=needle&appid={APPLICATIONS}"),
        ("a common word, priority", "majority", f"{search}text=error&minpriority=10"),
        ("a common word, a day of last year", "majority", f"{search}text=error&from={year}&to={day}"),
        ("priority alone", "majority", f"{search}minpriority=10"),
        ("a common word, older half", "majority", f"{search}text=error&since={count // 2}"),
        ("list", "minority", "/message?limit=100"),
        ("a word of every message", "minority", f"{search}text=error"),
        ("a rare word of others", "minority", f"{search}text=needle"),
        ("one letter", "minority", f"{search}text=b*"),
    ]


def measure(server, tokens, all_searches, rounds):
    times = [[] for _ in all_searches]
    sizes = [0] * len(all_searches)
    for _ in range(rounds):
        for number, (name, user, path) in enumerate(all_searches):
            status, body, seconds = server.request("GET", path, tokens[user])
            if status != 200:
                sys.exit(f"{name}: {status} {body[:200]!r}")
            times[number].append(seconds)
            sizes[number] = json.loads(body)["paging"]["size"]
    print("| whose | search | found | time, ms (p95) | times the list |\n|---|---|--:|--:|--:|")
    lists = {}
    for (name, user, _), seconds, size in zip(all_searches, times, sizes):
        middle = statistics.median(seconds)
        late = sorted(seconds)[len(seconds) * 95 // 100]
        lists.setdefault(user, middle)
        print(f"| {user} | {name} | {size} | {middle * 1e3:.2f} ({late * 1e3:.2f}) | {middle / lists[user]:.2f} |")


class Place:
    """A database for the messages."""

    def __init__(self, kind, folder):
        self.kind, self.name = kind, f"search_{secrets.token_hex(8)}"
        if kind == "sqlite":
            self.dialect, self.connection = "sqlite3", os.path.join(folder, "gotify.db")
        elif kind == "postgres":
            self.server = os.environ["SHARDCAST_TEST_POSTGRES"]
            self.psql("postgres", f"CREATE DATABASE {self.name}")
            self.dialect, self.connection = "postgres", f"{self.server} dbname={self.name}"
        else:
            self.server = os.environ["SHARDCAST_TEST_MYSQL"]
            user, host, port = re.match(r"(\w+)@tcp\(([^:]+):(\d+)\)", self.server).groups()
            self.client = ["mariadb", "--no-defaults", f"--user={user}", f"--host={host}", f"--port={port}", "-Ne"]
            subprocess.run([*self.client, f"CREATE DATABASE {self.name}"], check=True)
            self.dialect, self.connection = "mysql", f"{self.server.rsplit('/', 1)[0]}/{self.name}?parseTime=true"

    def psql(self, database, statement):
        command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", f"{self.server} dbname={database}", "-c", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def index_bytes(self):
        sizes = "SELECT coalesce(sum(length(words)), 0) FROM shardcast_search_words"
        if self.kind == "sqlite":
            return sqlite3.connect(self.connection).execute(sizes).fetchone()[0]
        if self.kind == "postgres":
            return int(self.psql(self.name, sizes))
        counted = [*self.client, sizes.replace("FROM ", f"FROM {self.name}.")]
        return int(subprocess.run(counted, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--database", action="append", choices=["sqlite", "postgres", "mysql"])
    parser.add_argument("program", nargs="?", default=str(HERE.parent / "target/release/shardcast"))
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    with tempfile.TemporaryDirectory(prefix="shardcast-search-") as folder:
        sqlite = Place("sqlite", folder)
        tokens, common = make_source(program, sqlite.connection, arguments.messages, folder)
        asked = searches(arguments.messages, common)
        for kind in arguments.database or ["sqlite", "postgres", "mysql"]:
            place = sqlite if kind == "sqlite" else Place(kind, folder)
            if place is not sqlite:
                prefix = {"postgres": "postgres:", "mysql": "mysql:"}[kind]
                copy = [program, "copy", "--from", f"sqlite3:{sqlite.connection}", "--to", prefix + place.connection]
                subprocess.run(copy, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            server = Server(program, place.dialect, place.connection, folder)
            began, waited = time.monotonic(), 0
            while server.request("GET", "/shardcast/search?text=haystack", tokens["majority"])[0] == 503:
                waited = time.monotonic() - began
                time.sleep(0.25)
            print(
                f"\n{kind}: {arguments.messages} messages were indexed within {waited:.0f} s; the process took "
                f"{processor_seconds(server.process.pid):.1f} s of processor time and has "
                f"{resident_bytes(server.process.pid) / 1e6:.0f} MB; the index has {place.index_bytes() / 1e6:.1f} MB\n",
                flush=True,
            )
            # The last parts of both users.
            time.sleep(5)
            measure(server, tokens, asked, arguments.rounds)
            sys.stdout.flush()
            server.stop()


main()

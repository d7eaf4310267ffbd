#!/usr/bin/env python3
"""Measures durable publishes of builds of the server in turns, beside a bare insert and commit of the same row.

    benchmark/measure_publish.py [--rounds 5] [--publishes 4000] [--senders 1 --senders 64] SERVER...

Each server has fresh data in SQLite, and core 0 for itself; the senders have core 1. For each build and number of senders
it prints the processor time and the time of a publish; the ratios are those of the same round. The bare insert runs
on core 0 too, by Python's sqlite3, with the server's settings, on the same disk."""

import argparse
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from fresh_server import LOGIN, FreshServer  # noqa: E402
from streams import median_and_range, processor_seconds  # noqa: E402

MESSAGE = {"title": "Backup", "message": "All files of this night are safe, and this is a usual message.", "priority": 5}
WARM_UP = 200

# Run in a process of its own, so that it has a core and its processor time can be read: prints both per row, in µs.
BARE_INSERT = """
import os, sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA synchronous = FULL")
row = (1, sys.argv[3], sys.argv[4], 5, None, "2026-01-01 00:00:00.000000000+00:00")
insert = "INSERT INTO messages (application_id, message, title, priority, extras, date) VALUES (?, ?, ?, ?, ?, ?)"
count = int(sys.argv[2])
for _ in range(200):
    connection.execute(insert, row)
began, used = time.perf_counter(), time.process_time()
for _ in range(count):
    connection.execute(insert, row)
print((time.perf_counter() - began) / count * 1e6, (time.process_time() - used) / count * 1e6)
"""


def bare_insert(server, count):
    """Time and processor time of an insert and commit into a copy of the server's database, in µs."""
    with tempfile.TemporaryDirectory(prefix="shardcast-measure-") as folder:
        copy = pathlib.Path(folder, "copy.db")
        with sqlite3.connect(next(pathlib.Path(server.folder.name).rglob("gotify.db"))) as database:
            database.execute("VACUUM INTO ?", (str(copy),))
        with sqlite3.connect(copy) as database:
            database.execute("PRAGMA journal_mode = WAL")
        arguments = [copy, str(count), MESSAGE["message"], MESSAGE["title"]]
        pinned = ["taskset", "-c", "0", sys.executable, "-c", BARE_INSERT, *arguments]
        return [float(value) for value in subprocess.run(pinned, check=True, capture_output=True, text=True).stdout.split()]


class Sender:
    """A connection that is kept, and reads as little of an answer as possible."""

    def __init__(self, port, token):
        body = json.dumps(MESSAGE).encode()
        head = f"POST /message HTTP/1.1\r\nHost: localhost\r\nX-Gotify-Key: {token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.request, self.socket = head.encode() + body, socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, count):
        for _ in range(count):
            self.socket.sendall(self.request)
            answer = self.socket.recv(4096)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"a publish was answered with {answer[:200]}")


def application(server):
    """Returns the token of a new application."""
    request = urllib.request.Request(f"{server.address}/application", b'{"name": "sender"}')
    request.add_header("Content-Type", "application/json")
    passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
    passwords.add_password(None, server.address, LOGIN, LOGIN, is_authenticated=True)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    return json.load(opener.open(request, timeout=30))["token"]


def publish(server, senders, count):
    """Time and processor time of a publish, in µs."""
    token = application(server)
    connections = [Sender(server.port, token) for _ in range(senders)]
    connections[0].send(WARM_UP)
    with ThreadPoolExecutor(senders) as pool:
        used, began = processor_seconds(server.process.pid), time.monotonic()
        # Taking the results raises what went wrong with a sender.
        list(pool.map(lambda sender: sender.send(count // senders), connections))
        seconds, done = time.monotonic() - began, count // senders * senders
    return seconds / done * 1e6, (processor_seconds(server.process.pid) - used) / done * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", metavar="SERVER")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--publishes", type=int, default=4000)
    parser.add_argument("--senders", type=int, action="append")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {1})
    programs = [os.path.abspath(program) for program in arguments.servers]
    for senders in arguments.senders or [1, 64]:
        times, used, bare = [[] for _ in programs], [[] for _ in programs], []
        for round_number in range(arguments.rounds):
            for at, program in enumerate(programs):
                with FreshServer(program, core=0) as server:
                    took, processor = publish(server, senders, arguments.publishes)
                    times[at].append(took)
                    used[at].append(processor)
                    if at == round_number % len(programs):
                        bare.append(bare_insert(server, 1000))
        print(f"\n{senders} senders\n\n| server | time per publish, µs | times a bare insert | processor time, µs | times the first |")
        print("|---|--:|--:|--:|--:|")
        for at, program in enumerate(programs):
            of_bare = median_and_range([took / alone for took, (alone, _) in zip(times[at], bare)])
            of_first = median_and_range([ours / first for ours, first in zip(used[at], used[0])])
            print(f"| {program} | {median_and_range(times[at])} | {of_bare} | {median_and_range(used[at])} | {of_first} |")
        alone, processor = zip(*bare)
        print(f"| a bare insert | {median_and_range(alone)} | | {median_and_range(processor)} | |", flush=True)


if __name__ == "__main__":
    main()

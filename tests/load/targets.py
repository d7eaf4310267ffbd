#!/usr/bin/env python3
"""Load with everything at once, and wrong logins beside normal use, each held to its target.

    tests/load/targets.py mixed  [--seconds 60] [--connections 1000] [--database DIALECT:CONNECTION] PROGRAM
    tests/load/targets.py logins [--seconds 60] [--wrong 10] PROGRAM

Starts PROGRAM on a free port of the loopback, in a folder of its own, and ends it. `mixed` uses SQLite in that folder,
or an empty database that it is given, as in `postgres:host=localhost user=push dbname=push`. Prints figures, and ends
with 1 if a target was missed. Needs Python 3.9 and nothing else; what it asks for is HTTP/1.1 over plain sockets.
"""

import argparse
import asyncio
import base64
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time

USER, PASSWORD = "admin", "of-the-load"

# What the allocator and the caches keep of the first loads is no leak, what grows on is.
GROWTH_TARGET = 1.10
WARM_UP, COMPARED = 3, 3
# glibc gives back what is free, so that what is resident is what the server holds.
GIVES_BACK = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_TOP_PAD_": "0"}
RATIO_TARGET = 2.0


class Server:
    """The program under load."""

    def __init__(self, program, output=subprocess.DEVNULL, **settings):
        self.folder = tempfile.TemporaryDirectory()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        variables = {
            "GOTIFY_SERVER_PORT": str(self.port), "GOTIFY_SERVER_LISTENADDR": "127.0.0.1",
            "GOTIFY_DEFAULTUSER_NAME": USER, "GOTIFY_DEFAULTUSER_PASS": PASSWORD, "GOTIFY_LOGLEVEL": "error",
            **settings,
        }
        self.process = subprocess.Popen(
            [os.path.abspath(program)], cwd=self.folder.name, env=variables, stdout=output,
            stderr=None if output == subprocess.DEVNULL else output)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{program} does not listen")
                time.sleep(0.05)

    def resident_bytes(self):
        """What is the program's own: pages of the database that are mapped belong to the kernel's cache."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
        raise SystemExit("the kernel does not tell RssAnon")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()


class Connection:
    """One connection that is kept, from an address of the loopback."""

    def __init__(self, server, source="127.0.0.1"):
        self.server, self.source = server, source
        self.reader = self.writer = None

    async def ask(self, method, target, headers=(), body=b""):
        """Returns the status and the body of the answer; connects again where the server has closed."""
        for attempt in (1, 2):
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection(
                    "127.0.0.1", self.server.port, local_addr=(self.source, 0))
            lines = [f"{method} {target} HTTP/1.1", "Host: load", f"Content-Length: {len(body)}", *headers]
            try:
                self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
                head = await self.reader.readuntil(b"\r\n\r\n")
                break
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
                if attempt == 2:
                    raise
        fields = head.decode("latin-1").split("\r\n")
        status = int(fields[0].split(" ")[1])
        length, closes = 0, False
        for field in fields[1:]:
            name, _, value = field.partition(":")
            if name.lower() == "content-length":
                length = int(value)
            closes |= name.lower() == "connection" and value.strip().lower() == "close"
        content = await self.reader.readexactly(length) if length and method != "HEAD" else b""
        if closes:
            self.close()
        return status, content

    def close(self):
        if self.writer is not None:
            self.writer.close()
            self.writer = None


def basic(name, password):
    return "Authorization: Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


JSON = "Content-Type: application/json"


async def make(connection, target, body):
    status, content = await connection.ask(
        "POST", target, [basic(USER, PASSWORD), JSON], json.dumps(body).encode())
    if status != 200:
        raise SystemExit(f"POST {target} was answered {status} {content!r}")
    return json.loads(content)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def kinds(application, client):
    """What is asked for, and how often beside each other."""
    send, manage = [f"X-Gotify-Key: {application}"], [f"X-Gotify-Key: {client}"]
    message = json.dumps({"message": "m" * 200, "title": "t", "priority": 5, "extras": {"a": {"b": 1}}}).encode()
    return [
        (30, "POST", "/message", [*send, JSON], message),
        (10, "POST", "/message?message=hi", send, b""),
        (10, "GET", "/message?limit=10", manage, b""),
        (10, "GET", "/application", manage, b""),
        (5, "GET", "/client", manage, b""),
        (5, "GET", "/current/user", [basic(USER, PASSWORD)], b""),
        (5, "POST", "/application", [*manage, JSON], None),
        (5, "GET", "/version", [], b""),
        (5, "GET", "/health", [], b""),
        (5, "GET", "/message", ["X-Gotify-Key: Cunknown"], b""),
        (5, "GET", "/nowhere", [], b""),
        (3, "POST", "/message", [*send, JSON], b'{"message":'),
        (2, "GET", "/current/user", [basic(USER, "wrong")], b""),
    ]


async def mixed_load(server, seconds, connections, application, client):
    """Asks on all connections at once until the time is over; returns how often each status came, how long answers
    took, and how often each answer of 5xx came."""
    statuses, latencies, failures = {}, [], {}
    asked = kinds(application, client)
    weights = [kind[0] for kind in asked]
    ends = time.monotonic() + seconds
    chance = random.Random(1)

    async def one():
        connection = Connection(server)
        manage = [f"X-Gotify-Key: {client}"]
        while time.monotonic() < ends:
            _, method, target, headers, body = chance.choices(asked, weights)[0]
            began = time.monotonic()
            if body is None:
                # What is made is deleted again: the list of all must not grow with the time that this runs.
                status, content = await connection.ask(method, target, headers, b'{"name":"load"}')
                if status == 200:
                    await connection.ask("DELETE", f"/application/{json.loads(content)['id']}", manage)
            else:
                status, content = await connection.ask(method, target, headers, body)
            latencies.append(time.monotonic() - began)
            statuses[status] = statuses.get(status, 0) + 1
            if status >= 500:
                failure = f"{method} {target} {content.decode(errors='replace')}"
                failures[failure] = failures.get(failure, 0) + 1
        connection.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return statuses, latencies, failures


async def mixed(arguments):
    """1 000 requests at a time of every kind: no 5xx, and memory that does not grow.

    One long load, then short ones, each on connections of its own. How much the allocator keeps differs by a few MiB
    from one to the next, so that it is the median of some that is compared with the median of those before.
    """
    settings = dict(GIVES_BACK)
    if arguments.database:
        dialect, _, connection = arguments.database.partition(":")
        settings.update(GOTIFY_DATABASE_DIALECT=dialect, GOTIFY_DATABASE_CONNECTION=connection)
    with Server(arguments.program, **settings) as server:
        setup = Connection(server)
        application = (await make(setup, "/application", {"name": "load"}))["token"]
        client = (await make(setup, "/client", {"name": "load"}))["token"]

        async def load(seconds):
            outcome = await mixed_load(server, seconds, arguments.connections, application, client)
            await setup.ask("DELETE", "/message", [f"X-Gotify-Key: {client}"])
            await asyncio.sleep(2)
            return outcome

        resident = [server.resident_bytes()]
        statuses, latencies, failures = await load(arguments.seconds)
        resident.append(server.resident_bytes())
        for _ in range(WARM_UP + 2 * COMPARED):
            again, _, failed = await load(arguments.seconds / 5)
            resident.append(server.resident_bytes())
            for status, count in again.items():
                statuses[status] = statuses.get(status, 0) + count
            for failure, count in failed.items():
                failures[failure] = failures.get(failure, 0) + count
        setup.close()
    errors = sum(count for status, count in statuses.items() if status >= 500)
    mib = 1024 * 1024
    growth = statistics.median(resident[-COMPARED:]) / statistics.median(resident[-2 * COMPARED:-COMPARED])
    print(f"requests          {len(latencies)} in the first load, on {arguments.connections} connections in {arguments.seconds} s")
    print(f"statuses          {dict(sorted(statuses.items()))} in all {len(resident) - 1} loads")
    print(f"latency           p50 {percentile(latencies, .5) * 1000:.1f} ms, p99 {percentile(latencies, .99) * 1000:.1f} ms")
    print(f"answers of 5xx    {errors} (target: 0)")
    for failure, count in sorted(failures.items(), key=lambda failure: -failure[1]):
        print(f"  {count:6} {failure}")
    print(f"resident          {', '.join(f'{bytes_ / mib:.1f}' for bytes_ in resident)} MiB, at the start and after each load")
    print(f"growth            {growth:.3f}, the last {COMPARED} against the {COMPARED} before (target: {GROWTH_TARGET})")
    return errors == 0 and growth <= GROWTH_TARGET


async def normal_use(server, seconds, application, client):
    """Ten clients that send and list, 20 times a second each; returns the latencies in seconds."""
    latencies = []
    ends = time.monotonic() + seconds

    async def one(number):
        connection = Connection(server)
        await asyncio.sleep(number / 200)
        due = time.monotonic()
        turn = number
        while due < ends:
            await asyncio.sleep(max(0, due - time.monotonic()))
            if turn % 2:
                request = ("POST", "/message?message=hi", [f"X-Gotify-Key: {application}"])
            else:
                request = ("GET", "/message?limit=10", [f"X-Gotify-Key: {client}"])
            status, content = await connection.ask(*request)
            # From when it was due: a stall is not left out because nothing was sent meanwhile.
            latencies.append(time.monotonic() - due)
            if status != 200:
                raise SystemExit(f"normal use was answered {status} {content!r}")
            turn += 1
            due += 0.05
        connection.close()

    await asyncio.gather(*(one(number) for number in range(10)))
    return latencies


async def beside_wrong_logins(server, seconds, each_second, addresses, statuses, measured):
    """Awaits `measured` beside `guesses`, which are a process of their own: what it costs to ask, and to begin with
    it, is not to be measured."""
    guessing = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "guesses", str(server.port), "--seconds", str(seconds + 2), "--wrong", str(each_second),
        "--addresses", str(addresses), stdout=subprocess.PIPE)
    await asyncio.sleep(1)
    outcome = await measured
    output, _ = await guessing.communicate()
    for status, count in json.loads(output).items():
        statuses[int(status)] = statuses.get(int(status), 0) + count
    return outcome


class Port:
    """A server that is somebody else's."""

    def __init__(self, port):
        self.port = port


async def guesses(arguments):
    """Guesses at a password, each time another one, by turns from some addresses; prints how often each status came."""
    server, seconds, each_second, statuses = Port(int(arguments.program)), arguments.seconds, arguments.wrong, {}
    ends = time.monotonic() + seconds
    pending = set()
    number = 0

    async def guess(number):
        connection = Connection(server, f"127.0.1.{number % arguments.addresses + 1}")
        name = USER if number % 2 else f"nobody-{number}"
        status, _ = await connection.ask("GET", "/current/user", [basic(name, f"guess-{number}")])
        statuses[status] = statuses.get(status, 0) + 1
        connection.close()

    while time.monotonic() < ends:
        pending.add(asyncio.ensure_future(guess(number)))
        pending = {task for task in pending if not task.done()}
        number += 1
        await asyncio.sleep(1 / each_second)
    await asyncio.gather(*pending)
    print(json.dumps(statuses))
    return True


async def logins(arguments):
    """Wrong logins beside normal use, whose p99 must stay within twice that of a run without: from one address, from
    many, and from many without limits on logins."""
    unlimited = {"GOTIFY_SERVER_LOGINLIMIT_FAILURES": "0", "GOTIFY_SERVER_LOGINLIMIT_NAMEFAILURES": "0"}
    worst = 0
    for title, addresses, settings in [
        ("one address", 1, {}),
        ("200 addresses", 200, {}),
        ("200, without limits", 200, unlimited),
    ]:
        with Server(arguments.program, **settings) as server:
            setup = Connection(server)
            application = (await make(setup, "/application", {"name": "load"}))["token"]
            client = (await make(setup, "/client", {"name": "load"}))["token"]
            setup.close()
            await normal_use(server, min(5, arguments.seconds), application, client)
            ratios, statuses = [], {}
            # By turns, so that a machine that changes its pace changes it for both.
            for _ in range(3):
                share = arguments.seconds / 3
                without = await normal_use(server, share, application, client)
                beside = await beside_wrong_logins(
                    server, share, arguments.wrong, addresses, statuses,
                    normal_use(server, share, application, client))
                p99 = [percentile(latencies, .99) * 1000 for latencies in (without, beside)]
                ratios.append(p99[1] / p99[0])
                print(f"{title:20} p99 {p99[0]:.2f} ms without, {p99[1]:.2f} ms beside, ratio {ratios[-1]:.2f}")
        ratio = statistics.median(ratios)
        worst = max(worst, ratio)
        print(f"{title:20} wrong logins {dict(sorted(statuses.items()))}, median ratio {ratio:.2f} (target: {RATIO_TARGET})")
    return worst <= RATIO_TARGET


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("load", choices=["mixed", "logins", "guesses"])
    parser.add_argument("program", help="the server's program; its port for `guesses`")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--database", help="for `mixed`: its kind, a colon, and the connection; default: SQLite")
    parser.add_argument("--wrong", type=float, default=10, help="wrong logins a second")
    parser.add_argument("--addresses", type=int, default=200, help="where `guesses` come from")
    arguments = parser.parse_args()
    held = asyncio.run({"mixed": mixed, "logins": logins, "guesses": guesses}[arguments.load](arguments))
    if arguments.load != "guesses":
        print("held" if held else "MISSED")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()

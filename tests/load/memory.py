#!/usr/bin/env python3
"""Everything at once that could make the server hold much memory, within a limit on what is resident.

    tests/load/memory.py [--seconds 20] [--limit-mb 160] PROGRAM

Starts PROGRAM on a free port of the loopback, in a folder of its own, and ends it. Large messages and applications are
stored; then clients ask for lists that they never read, send bodies that never end or come in single bytes, and publish
large messages, beside others that use the server as one does. Ends with 1 if the peak of the resident memory was above
the limit, or if those others were not served. Needs Linux, Python 3.9 and nothing else.
"""

import argparse
import asyncio
import json
import sys

from targets import JSON, Connection, Server, basic, make

MB = 1_000_000
LARGE = 4 * 1024 * 1024 - 100
NORMAL_REQUESTS = 20


def peak_bytes(server):
    """The most that was resident at a time, files that are mapped included."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise SystemExit("the kernel does not tell VmHWM")


def head(method, target, *headers):
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: memory", *headers, "", ""]).encode()


class Attack:
    """Connections that do the same, until they are cancelled."""

    def __init__(self, server):
        self.server = server
        self.refused = 0

    async def connect(self):
        # A small buffer, so that what is not read stays with the server.
        return await asyncio.open_connection("127.0.0.1", self.server.port, limit=4096)

    async def write(self, writer, data):
        """Writes as far as the server takes it; the rest is lost with the connection."""
        for start in range(0, len(data), 65536):
            writer.write(data[start:start + 65536])
            await writer.drain()

    async def keep(self, one):
        """Begins again whenever the server has ended it."""
        while True:
            writer = None
            try:
                reader, writer = await self.connect()
                await one(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, OSError):
                self.refused += 1
            finally:
                if writer is not None:
                    writer.close()
            await asyncio.sleep(0.2)

    def unread(self, request, count=1):
        """Asks, and never reads."""
        async def one(_, writer):
            await self.write(writer, request * count)
            await asyncio.sleep(3600)
        return self.keep(one)

    def slowly_read(self, request):
        """Reads 16 KiB a second."""
        async def one(reader, writer):
            await self.write(writer, request)
            while await reader.read(16384):
                await asyncio.sleep(1)
        return self.keep(one)

    def answered(self, request):
        """Sends a request, reads the head of its answer, and goes."""
        async def one(reader, writer):
            await self.write(writer, request)
            await reader.readuntil(b"\r\n")
        return self.keep(one)

    def never_ending(self, request):
        """Sends a byte a second."""
        async def one(_, writer):
            await self.write(writer, request)
            while True:
                await self.write(writer, b" ")
                await asyncio.sleep(1)
        return self.keep(one)


def attacks(server, application, client):
    """What is done, and how often beside itself."""
    send, manage = f"X-Gotify-Key: {application}", f"X-Gotify-Key: {client}"
    length = f"Content-Length: {LARGE}"

    def publish(text):
        body = json.dumps({"message": text}).encode()
        return head("POST", "/message", send, JSON, f"Content-Length: {len(body)}") + body

    values = b'{"message":"m","extras":{"a":[' + b"[]," * (LARGE // 3 - 20) + b"[]]}}"
    tree = head("POST", "/message", send, JSON, f"Content-Length: {len(values)}") + values
    chunks = head("POST", "/message", send, JSON, "Transfer-Encoding: chunked") + b"1\r\n \r\n" * LARGE
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    attack = Attack(server)
    return [
        (20, lambda: attack.unread(head("GET", "/message?limit=200", manage))),
        (20, lambda: attack.slowly_read(head("GET", "/message?limit=200", manage))),
        (20, lambda: attack.unread(head("GET", "/application", manage))),
        (16, lambda: attack.unread(head("GET", "/stream?since=1", manage, *upgrade))),
        (50, lambda: attack.answered(head("POST", "/user", JSON, length) + b" " * LARGE)),
        (50, lambda: attack.never_ending(head("POST", "/message", send, JSON, length) + b" " * 100_000)),
        (8, lambda: attack.unread(publish("m" * (LARGE - 100)))),
        (4, lambda: attack.unread(publish("<" * (LARGE - 100)))),
        (4, lambda: attack.answered(tree)),
        (1, lambda: attack.answered(chunks)),
        (100, lambda: attack.unread(head("GET", "/swagger"), 400)),
    ]


async def fill(setup, application, client):
    """Stores large messages, and applications with descriptions as long as they may be."""
    send, manage = f"X-Gotify-Key: {application}", f"X-Gotify-Key: {client}"
    for _ in range(40):
        status, content = await setup.ask(
            "POST", "/message", [send, JSON], json.dumps({"message": "m" * (LARGE - 100)}).encode())
        if status != 200:
            raise SystemExit(f"a large message was answered {status} {content[:200]!r}")
    for number in range(60):
        for characters in (LARGE - 100, 16383):
            body = json.dumps({"name": f"large {number}", "description": "d" * characters}).encode()
            status, _ = await setup.ask("POST", "/application", [manage, JSON], body)
            if status == 200:
                break
        else:
            raise SystemExit(f"an application was answered {status}")


async def normal_use(server, ends, application, client):
    """Sends and lists as one does, again where it is told to; returns how often each status came."""
    statuses = {}
    connection = Connection(server)
    requests = [
        ("POST", "/message", [f"X-Gotify-Key: {application}", JSON], b'{"message":"hi"}'),
        ("GET", "/message?limit=2", [f"X-Gotify-Key: {client}"], b""),
        ("GET", "/current/user", [f"X-Gotify-Key: {client}"], b""),
    ]
    loop = asyncio.get_running_loop()
    while loop.time() < ends or (sum(statuses.values()) < NORMAL_REQUESTS and loop.time() < ends + 60):
        for request in requests:
            try:
                status, _ = await asyncio.wait_for(connection.ask(*request), 60)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.TimeoutError):
                status = 0
                connection.close()
            statuses[status] = statuses.get(status, 0) + 1
        await asyncio.sleep(0.1)
    connection.close()
    return statuses


async def run(arguments):
    with Server(arguments.program) as server:
        setup = Connection(server)
        application = (await make(setup, "/application", {"name": "memory"}))["token"]
        client = (await make(setup, "/client", {"name": "memory"}))["token"]
        # Somebody else, whose lists are short.
        await make(setup, "/user", {"name": "normal", "pass": "of-normal-use"})
        normal = [basic("normal", "of-normal-use"), JSON]
        tokens = []
        for target in ("/application", "/client"):
            _, content = await setup.ask("POST", target, normal, b'{"name":"normal"}')
            tokens.append(json.loads(content)["token"])
        await fill(setup, application, client)
        setup.close()
        print(f"peak    {peak_bytes(server) / MB:.0f} MB once {40 * LARGE / MB:.0f} MB of messages were stored")
        tasks = [
            asyncio.ensure_future(begin())
            for count, begin in attacks(server, application, client) for _ in range(count)
        ]
        ends = asyncio.get_running_loop().time() + arguments.seconds
        statuses = await normal_use(server, ends, *tokens)
        lives = server.process.poll() is None
        peak = peak_bytes(server) if lives else float("inf")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    print(f"peak    {peak / MB:.0f} MB under {len(tasks)} attacks at once (limit: {arguments.limit_mb})")
    print(f"others  {dict(sorted(statuses.items()))} (200 in at least nine of ten)")
    served = statuses.get(200, 0) >= 0.9 * sum(statuses.values())
    return served and peak <= arguments.limit_mb * MB


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="the server's program")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--limit-mb", type=float, default=160)
    held = asyncio.run(run(parser.parse_args()))
    print("held" if held else "MISSED")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()

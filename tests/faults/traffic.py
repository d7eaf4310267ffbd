"""What uses the server while its database fails, and what it is answered."""

import asyncio
import base64
import json
import os
import time

from places import HERE, module

load = module("load", HERE.parent / "load/targets.py")

SENDERS, READERS = 6, 2
ANSWERED_SECONDS = 8


class Stream:
    """A WebSocket that is kept, and what came on it."""

    def __init__(self, port, token, since=None):
        self.port, self.token = port, token
        self.since = "" if since is None else f"&since={since}"
        self.received, self.end = [], None

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write((
            f"GET /stream?token={self.token}{self.since} HTTP/1.1\r\nHost: faults\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head:
            raise ConnectionError(f"a stream was answered {head!r}")
        return asyncio.create_task(self.read())

    async def read(self):
        try:
            while True:
                first, length = await self.reader.readexactly(2)
                if length == 126:
                    length = int.from_bytes(await self.reader.readexactly(2), "big")
                elif length == 127:
                    length = int.from_bytes(await self.reader.readexactly(8), "big")
                content = await self.reader.readexactly(length)
                kind = first & 0x0F
                if kind == 1:
                    message = json.loads(content)
                    self.received.append((message["id"], message["message"]))
                elif kind == 8:
                    self.end = f"closed with {content!r}"
                    return
                elif kind == 9:
                    self.writer.write(bytes([0x8A, 0x80 | len(content), 0, 0, 0, 0]) + content)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            self.end = f"ended with {error!r}"


class Use:
    """Senders, readers and a look at the health, and each answer that they got."""

    def __init__(self, server, application, client):
        self.server, self.application, self.client = server, application, client
        self.stored, self.wrong, self.is_over = {}, [], False
        self.answers = []

    def begin(self):
        tasks = [self.send(number) for number in range(SENDERS)]
        tasks += [self.ask_again("read", "GET", "/message?limit=5") for _ in range(READERS)]
        tasks += [self.ask_again("health", "GET", "/health")]
        self.tasks = [asyncio.create_task(task) for task in tasks]

    async def end(self):
        self.is_over = True
        await asyncio.gather(*self.tasks)

    async def ask(self, kind, connection, method, target, headers, body=b""):
        began = time.monotonic()
        try:
            status, content = await asyncio.wait_for(connection.ask(method, target, headers, body), 30)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
            self.wrong.append(f"{method} {target} was not answered: {error!r}")
            connection.close()
            await asyncio.sleep(0.5)
            return 0, b""
        took = time.monotonic() - began
        self.answers.append((kind, began, took, status))
        if took > ANSWERED_SECONDS:
            self.wrong.append(f"{method} {target} took {took:.1f} s, and was answered {status}")
        if status in (503, 507) and kind != "health":
            error = json.loads(content)
            if set(error) != {"error", "errorCode", "errorDescription"} or error["errorCode"] != status:
                self.wrong.append(f"{method} {target} was answered {status} {content!r}")
        elif status != 200 and not (kind == "health" and status in (500, 503)):
            self.wrong.append(f"{method} {target} was answered {status} {content!r}")
        return status, content

    async def send(self, number):
        connection, count = load.Connection(self.server), 0
        while not self.is_over:
            count += 1
            text = f"message {count} of sender {number} " + "x" * 200
            status, content = await self.ask(
                "send", connection, "POST", "/message", [f"X-Gotify-Key: {self.application}", load.JSON],
                json.dumps({"message": text}).encode())
            if status == 200:
                self.stored[json.loads(content)["id"]] = text
            await asyncio.sleep(0.01)
        connection.close()

    async def ask_again(self, kind, method, target):
        connection = load.Connection(self.server)
        while not self.is_over:
            await self.ask(kind, connection, method, target, [f"X-Gotify-Key: {self.client}"])
            await asyncio.sleep(0.1)
        connection.close()

    def since(self, kind, began):
        return [(took, status) for asked, at, took, status in self.answers if asked == kind and at >= began]

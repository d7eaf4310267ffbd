"""A server that speaks as much of Gotify's API as k6's scripts use, and has one fault, chosen by name.

It holds everything in memory, for one event loop. `FAULTS` says what each fault does.
"""

import asyncio
import base64
import hashlib
import itertools
import json
import struct
import urllib.parse
from datetime import datetime, timezone

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

FAULTS = {
    "none": "there is none",
    "refused": "one connection of a stream is answered with 503",
    "silent": "one connection of a stream is never answered",
    "closed": "one stream is closed with code 1008, in the place of a message",
    "rubbish": "one stream gets text that is no JSON, JSON that is no message, and a binary frame",
    "missing": "one message is stored and goes to all streams of its user but one",
    "mute": "from some message on all are stored, and none goes to a stream",
    "twice": "one message goes to one stream twice",
    "unstored": "one publish is answered with 500",
    "late": "each message goes to the streams 300 ms after it was stored",
    "slow": "each connection of a stream is answered after 300 ms",
    "altered": "one echo differs from what was sent",
    "unechoed": "one message is not echoed",
}


class Server:
    """Serves until the event loop ends; `port` is where. Faults of messages begin after `before` messages."""

    def __init__(self, fault, before):
        if fault not in FAULTS:
            raise ValueError(f"there is no fault `{fault}`; there are {', '.join(FAULTS)}")
        self.fault, self.before = fault, before
        self.port = None
        self.ids = itertools.count(1)
        # Users' ids by token, newest messages first by user, writers of streams by user.
        self.owners, self.messages, self.streams = {}, {}, {}
        self.names = {}
        self.upgrades, self.published, self.echoed = itertools.count(1), itertools.count(1), itertools.count(1)
        self.is_done = False

    async def listen(self):
        """Begins to serve on a free port of the loopback."""
        self.listener = await asyncio.start_server(self.connection, "127.0.0.1", 0)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def connection(self, reader, writer):
        """Answers requests until the peer leaves or the connection is a stream."""
        try:
            while await self.request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def request(self, reader, writer):
        """Answers one request. Returns whether another may follow."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        pairs = [line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line]
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        url = urllib.parse.urlsplit(target)
        if headers.get("upgrade") == "websocket":
            query = urllib.parse.parse_qs(url.query)
            key = headers["sec-websocket-key"]
            await self.upgrade(reader, writer, url.path, query.get("token", [""])[0], key)
            return False
        status, answer = self.answer(method, url.path, headers, json.loads(body) if body else None)
        await respond(writer, status, answer)
        return True

    def answer(self, method, path, headers, body):
        """Returns status and body of an answer to a request through REST."""
        if method == "POST" and path == "/user":
            user = next(self.ids)
            self.names[body["name"]] = user
            self.messages[user], self.streams[user] = [], []
            return 200, {"id": user, "name": body["name"], "admin": False}
        if method == "DELETE" and path.startswith("/user/"):
            return 200, None
        if method == "POST" and path in ("/application", "/client"):
            name = base64.b64decode(headers["authorization"].split(" ")[1]).decode().split(":")[0]
            token = f"{path[1].upper()}{next(self.ids)}"
            self.owners[token] = self.names[name]
            return 200, {"id": next(self.ids), "token": token}
        user = self.owners.get(headers.get("x-gotify-key"))
        if user is None:
            return 401, {"error": "Unauthorized", "errorCode": 401, "errorDescription": "there is no such token"}
        if method == "GET" and path == "/message":
            return 200, {"messages": self.messages[user][:50], "paging": {}}
        return self.publish(user, body)

    def publish(self, user, body):
        """Stores a message, and sends it as the fault will have it."""
        number = next(self.published)
        if self.fault == "unstored" and number == self.before + 1:
            return 500, {"error": "Internal Server Error", "errorCode": 500, "errorDescription": "by choice"}
        message = {
            "id": next(self.ids), "appid": 1, "title": body["title"], "message": body["message"],
            "priority": body["priority"], "date": datetime.now(timezone.utc).isoformat(),
        }
        self.messages[user].insert(0, message)
        if self.fault == "late":
            asyncio.get_running_loop().call_later(0.3, self.send, user, message, number)
        else:
            self.send(user, message, number)
        return 200, message

    def send(self, user, message, number):
        """Sends a message to the streams of a user."""
        frame = encode(TEXT, json.dumps(message).encode())
        has_begun = number > self.before
        for at, writer in enumerate(list(self.streams[user])):
            if self.fault == "mute" and has_begun:
                continue
            if at == 0 and has_begun and not self.is_done and self.fault in ("closed", "rubbish", "missing", "twice"):
                self.is_done = True
                self.spoil(user, writer, frame)
            else:
                writer.write(frame)

    def spoil(self, user, writer, frame):
        """Sends to one stream what the fault makes of a message."""
        if self.fault == "closed":
            writer.write(encode(CLOSE, struct.pack("!H", 1008) + b"by choice"))
            self.streams[user].remove(writer)
        elif self.fault == "rubbish":
            for opcode, payload in [(TEXT, b"{"), (TEXT, b'{"id": 1}'), (BINARY, b"\x00")]:
                writer.write(encode(opcode, payload))
            writer.write(frame)
        elif self.fault == "twice":
            writer.write(frame + frame)

    async def upgrade(self, reader, writer, path, token, key):
        """Serves a stream, or an echo at `/ws`."""
        number = next(self.upgrades)
        if self.fault == "refused" and number == 3:
            await respond(writer, 503, {"error": "Service Unavailable", "errorCode": 503, "errorDescription": "by choice"})
            return
        if self.fault == "silent" and number == 3:
            await reader.read()
            return
        if self.fault == "slow":
            await asyncio.sleep(0.3)
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        streams = [] if path == "/ws" else self.streams[self.owners[token]]
        streams.append(writer)
        try:
            await self.serve(reader, writer)
        finally:
            if writer in streams:
                streams.remove(writer)

    async def serve(self, reader, writer):
        """Reads frames until the peer closes; echoes binary ones."""
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == CLOSE:
                writer.write(encode(CLOSE, payload))
                await writer.drain()
                return
            if opcode == PING:
                writer.write(encode(PONG, payload))
            if opcode == BINARY:
                number = next(self.echoed)
                if self.fault == "altered" and number == 5:
                    payload = payload[:-1] + bytes([payload[-1] ^ 1])
                if self.fault == "closed" and number == 5:
                    writer.write(encode(CLOSE, struct.pack("!H", 1008)))
                elif not (self.fault == "unechoed" and number == 5):
                    writer.write(encode(BINARY, payload))


async def respond(writer, status, answer):
    """Writes an answer."""
    body = b"" if answer is None else json.dumps(answer).encode()
    writer.write(f"HTTP/1.1 {status} by choice\r\nContent-Type: application/json\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


def encode(opcode, payload):
    """Returns a server's frame (RFC 6455, section 5.2)."""
    if len(payload) < 126:
        return struct.pack("!BB", 0x80 | opcode, len(payload)) + payload
    return struct.pack("!BBH", 0x80 | opcode, 126, len(payload)) + payload


async def read_frame(reader):
    """Returns opcode and payload of a client's frame."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        length = struct.unpack("!H", await reader.readexactly(2))[0]
    mask = await reader.readexactly(4)
    payload = await reader.readexactly(length)
    return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))

"""A server on a database that is there already, and one connection to it, for measurements."""

import base64
import pathlib
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / ".ci"))

import servers  # noqa: E402

LOGIN = base64.b64encode(b"admin:admin").decode()
# From the request on until the server has answered all of it.
PATIENCE_SECONDS = 30


class Server:
    def __init__(self, program, dialect, connection, folder, core=None):
        self.port = servers.free_port()
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        environment = {
            "GOTIFY_DATABASE_DIALECT": dialect,
            "GOTIFY_DATABASE_CONNECTION": connection,
            "GOTIFY_SERVER_LISTENADDR": "127.0.0.1",
            "GOTIFY_SERVER_PORT": str(self.port),
            "GOTIFY_DEFAULTUSER_PASS": "admin",
        }
        self.process = subprocess.Popen(
            [*pinned, program], env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            if self.process.poll() is not None:
                raise SystemExit(f"{program} has ended with {self.process.returncode}")
            try:
                self.connect()
                return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise SystemExit(f"{program} does not start")

    def connect(self):
        """Makes the connection anew: the server ends one on which nothing is asked for long."""
        self.connection = socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def receive(self):
        content = self.connection.recv(1 << 20)
        if not content:
            raise ConnectionError("the server has ended the connection")
        return content

    def request(self, method, path, authorization, body=b""):
        """Returns status, body and seconds, without a library: it would take as long as the server."""
        head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\n{authorization}\r\n"
        if body:
            head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        began = time.perf_counter()
        self.connection.sendall(head.encode() + b"\r\n" + body)
        answer = self.receive()
        while b"\r\n\r\n" not in answer:
            answer += self.receive()
        head, body = answer.split(b"\r\n\r\n", 1)
        status, length = int(head.split(b" ", 2)[1]), re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if length:
            while len(body) < int(length.group(1)):
                body += self.receive()
            return status, body, time.perf_counter() - began
        while not body.endswith(b"0\r\n\r\n"):
            body += self.receive()
        seconds, whole = time.perf_counter() - began, b""
        while body:
            size, body = body.split(b"\r\n", 1)
            whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
        return status, whole, seconds

    def stop(self):
        self.process.terminate()
        self.process.wait()

#!/usr/bin/env python3
"""A target for load tests that counts by itself.

    benchmark/target.py [--port 0] [--stall]

It answers every request with 200; `GET /count` says how many there were before, without those for the count. With
`--stall` it stands still for a second in each ten. It prints its port, and runs until it is ended."""

import argparse
import asyncio
import subprocess
import sys
import time
import urllib.request


class Answers(asyncio.Protocol):
    count = 0
    # A request ends with an empty line: what is sent here has no body.
    END = b"\r\n\r\n"

    def connection_made(self, transport):
        self.transport, self.rest = transport, b""

    def data_received(self, data):
        *requests, self.rest = (self.rest + data).split(self.END)
        for request in requests:
            body = b"ok"
            if request.startswith(b"GET /count "):
                body = str(Answers.count).encode()
            else:
                Answers.count += 1
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))


async def stall():
    while True:
        await asyncio.sleep(9)
        # The loop itself stands still, and every connection with it.
        time.sleep(1)  # noqa: ASYNC251


async def serve(port, stalls):
    server = await asyncio.get_running_loop().create_server(Answers, "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    if stalls:
        await stall()
    await server.serve_forever()


class Target:
    """Such a target in a process of its own, until it is left."""

    def __init__(self, *arguments, core=None):
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        self.process = subprocess.Popen(
            [*pinned, sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True
        )
        self.address = f"http://127.0.0.1:{int(self.process.stdout.readline())}/"

    @property
    def count(self):
        return int(urllib.request.urlopen(self.address + "count", timeout=10).read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stall", action="store_true")
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port, arguments.stall))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()

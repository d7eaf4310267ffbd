#!/usr/bin/env python3
"""Measures two nodes of Shardcast beside two nodes of Centrifugo, each pair with a Redis between them.

    benchmark/beside-centrifugo.py CENTRIFUGO [--rounds 5]

Both get the same streams (4 000 per node, all of one user or channel) and the same messages, sent to the first node: a
message of Gotify as JSON, 40 of them, 300 ms apart. Centrifugo's streams are its WebSockets in one direction, without a
history; Shardcast stores each message in PostgreSQL. The processor time and memory are those of the two nodes.

The server is SERVER, or target/release/shardcast, built with all features. CENTRIFUGO is its program, made for example by
`go install github.com/centrifugal/centrifugo/v6@v6.9.1`. Needs what `benchmark/cluster.py` needs."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from cluster import servers  # noqa: E402
from measure_cluster import Running, ask  # noqa: E402
from streams import Streams, handshake, median_and_range, processor_seconds, resident_bytes  # noqa: E402

STREAMS_PER_NODE, MESSAGES, INTERVAL_SECONDS = 4000, 40, 0.3
# Stands once in each message.
MARK = "a-mark-that-each-message-has-once"
KEY = "no secret: loopback only"


class Centrifugo:
    """Two nodes with their Redis, in a folder of their own, until they are left."""

    def __init__(self, program):
        self.program = program
        self.folder = tempfile.TemporaryDirectory(prefix="centrifugo-measure-")
        os.chmod(self.folder.name, 0o755)

    def __enter__(self):
        place = f"{self.folder.name}/redis"
        os.mkdir(place)
        self.redis = servers.Redis(place)
        self.redis.start()
        self.ports, self.nodes = [], []
        for number in (1, 2):
            port = servers.free_port()
            configuration = f"{self.folder.name}/{number}.json"
            pathlib.Path(configuration).write_text(json.dumps({
                "http_server": {"address": "127.0.0.1", "port": port}, "http_api": {"key": KEY},
                "engine": {"type": "redis", "redis": {"address": self.redis.connection()}},
                "uni_websocket": {"enabled": True}, "client": {"allow_anonymous_connect_without_token": True},
                "channel": {"without_namespace": {"allow_subscribe_for_client": True,
                                                  "allow_subscribe_for_anonymous": True}}}))
            with open(f"{self.folder.name}/log", "ab") as log:
                node = subprocess.Popen([self.program, "-c", configuration], stdout=log, stderr=log, start_new_session=True)
            servers.wait_for(port, node, "Centrifugo")
            self.ports.append(port)
            self.nodes.append(node)
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.terminate()
            node.wait(30)
        self.redis.stop()
        self.folder.cleanup()

    def requests(self):
        connect = urllib.parse.quote(json.dumps({"subs": {"all": {}}}))
        return [(port, handshake(port, f"/connection/uni_websocket?cf_connect={connect}")) for port in self.ports]

    def send(self, number):
        message = {"id": number, "appid": 1, "message": MARK, "title": "title", "priority": 5,
                   "date": "2026-11-30T12:00:00.123456789Z"}
        body = json.dumps({"channel": "all", "data": message}).encode()
        headers = {"Content-Type": "application/json", "X-API-Key": KEY}
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[0]}/api/publish", body, headers)
        answer = json.loads(urllib.request.urlopen(request, timeout=30).read())
        if "error" in answer:
            raise SystemExit(f"Centrifugo answered {answer}")

    def processes(self):
        return [node.pid for node in self.nodes]


class Shardcast:
    """Two nodes with Redis and PostgreSQL, until they are left."""

    def __enter__(self):
        self.running = Running("redis", 2)
        self.cluster = self.running.__enter__()
        port = self.cluster.nodes[0].port
        self.token = ask(port, "/client", {"name": "streams"})["token"]
        self.key = ask(port, "/application", {"name": "sender"})["token"]
        return self

    def __exit__(self, *problem):
        self.running.__exit__(*problem)

    def requests(self):
        return [(node.port, handshake(node.port, f"/stream?token={self.token}")) for node in self.cluster.nodes]

    def send(self, _):
        ask(self.cluster.nodes[0].port, "/message", {"message": MARK, "title": "title", "priority": 5}, key=self.key)

    def processes(self):
        return [node.process.pid for node in self.cluster.nodes]


def measure(server):
    """The microseconds per delivery and the bytes per stream of one round."""
    at_rest = resident_bytes(*server.processes())
    streams = Streams([request for request in server.requests() for _ in range(STREAMS_PER_NODE)], MARK.encode())
    count = 2 * STREAMS_PER_NODE
    # Nothing is done for the first time while it is measured.
    server.send(0)
    streams.wait_for(count)
    time.sleep(1)
    before = processor_seconds(*server.processes())
    for number in range(1, MESSAGES + 1):
        server.send(number)
        time.sleep(INTERVAL_SECONDS)
    streams.wait_for(count * (MESSAGES + 1))
    used = processor_seconds(*server.processes()) - before
    resident = resident_bytes(*server.processes())
    received, ended = streams.received()
    streams.close()
    if received != count * (MESSAGES + 1) or ended:
        raise SystemExit(f"{received} of {count * (MESSAGES + 1)} deliveries, {ended} streams ended")
    return used / (count * MESSAGES) * 1e6, (resident - at_rest) / count, resident / count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", metavar="CENTRIFUGO", help="the program")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    found = {"Shardcast": [], "Centrifugo": []}
    for _ in range(arguments.rounds):
        # Fresh processes, since memory is not always given back.
        for name, kind in (("Shardcast", Shardcast), ("Centrifugo", lambda: Centrifugo(arguments.program))):
            with kind() as server:
                found[name].append(measure(server))
    labels = ("CPU per delivery, µs", "memory per stream above that at rest, bytes", "memory per stream in all, bytes")
    for at, label in enumerate(labels):
        values = {name: [figures[at] for figures in rounds] for name, rounds in found.items()}
        ratios = [ours / theirs for ours, theirs in zip(values["Shardcast"], values["Centrifugo"])]
        listed = ", ".join(f"{name} {median_and_range(one)}" for name, one in values.items())
        print(f"{label}: {listed}, ratio {median_and_range(ratios)}", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Measures three nodes on this machine: what they cost, and what they bring.

    benchmark/measure_cluster.py FIGURE... [--backplane redis] [--rounds 5]

| figure | what |
|---|---|
| `fanout` | 3 x 3 000 streams of one user: when a message comes at the node that took it, and at the others |
| `outage` | the same with 1 000 streams per node, while the backplane runs and while it is stopped, in turn |
| `publish` | messages stored per second by three nodes beside one node, of eight users and of one |
| `idle` | processor time of three nodes with 5 000 streams each that nothing is sent to |
| `nobody` | processor time of a node per message of users who have no stream there, beside a bare subscriber |

The server is SERVER, or target/release/shardcast, built with all features; the load tester is
target/release/shardcast-bench. Needs what `benchmark/cluster.py` needs. `nobody` takes Redis."""

import argparse
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from streams import Streams, handshake, median_and_range, processor_seconds  # noqa: E402

import cluster as clusters  # noqa: E402

SERVER = os.path.abspath(os.environ.get("SERVER", clusters.ROOT / "target/release/shardcast"))
BENCH = os.path.abspath(os.environ.get("BENCH", clusters.ROOT / "target/release/shardcast-bench"))


def ask(port, target, body, login=(clusters.USER, clusters.PASSWORD), key=None):
    """A POST; returns what the answer says."""
    credentials = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    headers = {"Content-Type": "application/json", **({"X-Gotify-Key": key} if key else {"Authorization": credentials})}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{target}", json.dumps(body).encode(), headers)
    return json.loads(urllib.request.urlopen(request, timeout=30).read())


def users(port, count):
    """Makes users, and returns the login of each."""
    logins = [(f"user{number}", "long-enough") for number in range(count)]
    for name, password in logins:
        ask(port, "/user", {"name": name, "pass": password, "admin": False})
    return logins


class Running:
    """A cluster in a folder of its own, until it is left."""

    def __init__(self, backplane, count=3):
        self.folder = tempfile.TemporaryDirectory(prefix="shardcast-measure-")
        self.cluster = clusters.Cluster(self.folder.name, SERVER, backplane, count)

    def __enter__(self):
        self.cluster.start()
        return self.cluster

    def __exit__(self, *_):
        self.cluster.stop()
        self.folder.cleanup()


def bench(*arguments):
    """Runs the load tester, and returns its figures; ends everything if something was lost, doubled or out of order."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([BENCH, *arguments, "--json", file.name], check=True, stdout=subprocess.DEVNULL)
        return figures(json.load(file))


def figures(report):
    return report["cases"][0]["rounds"][0]


def at_all(nodes, streams, messages=20, interval=700):
    others = [argument for node in nodes[1:] for argument in ("--node", f"127.0.0.1:{node.port}")]
    return bench("fanout", "--against", f"http://127.0.0.1:{nodes[0].port}", *others, "--streams", str(streams),
                 "--messages", str(messages), "--interval-ms", str(interval))


def fanout(backplane, rounds):
    with Running(backplane) as cluster:
        found = [at_all(cluster.nodes, 3000) for _ in range(rounds)]
        for key in ("p99_ms", "p99_elsewhere_ms", "p99_elsewhere_times", "cpu_per_delivery_us"):
            print(f"fanout: {key}: {median_and_range([one[key] for one in found])}")
        through = bench("fanout", "--against", f"http://127.0.0.1:{cluster.port}", "--streams", "9000", "--messages", "20",
                        "--interval-ms", "700")
        print(f"fanout: 9 000 streams through HAProxy: {through['deliveries']:.0f} deliveries, none lost, doubled or out of "
              "order")


def outage(backplane, rounds):
    ratios = []
    with Running(backplane) as cluster:
        for number in range(rounds):
            with_it = at_all(cluster.nodes, 1000)["p99_ms"]
            cluster.backplane.stop()
            time.sleep(5)
            without = at_all(cluster.nodes, 1000)["p99_ms"]
            cluster.backplane.start()
            time.sleep(10)
            ratios.append(without / with_it)
            print(f"outage: round {number + 1}: local p99 {with_it:.1f} ms, while the backplane is away {without:.1f} ms")
    print(f"outage: local p99 while the backplane is away, times that with it: {median_and_range(ratios)}")


def publish(backplane, rounds):
    senders, seconds = 8, 5
    rates = {}
    with Running(backplane, 1) as one, Running(backplane) as three:
        logins = {cluster: users(cluster.nodes[0].port, senders) for cluster in (one, three)}
        for _ in range(rounds):
            for kind in ("eight users", "one user"):
                for name, cluster in (("one node", one), ("three nodes", three)):
                    who = logins[cluster] if kind == "eight users" else [logins[cluster][0]] * senders
                    rate = together(cluster.nodes, who, senders, seconds)
                    rates.setdefault((kind, name), []).append(rate)
    for kind in ("eight users", "one user"):
        for name in ("one node", "three nodes"):
            print(f"publish: {kind}, {name}: {median_and_range(rates[kind, name], 4)} per second")
        pairs = zip(rates[kind, "three nodes"], rates[kind, "one node"])
        print(f"publish: {kind}: three nodes, times one node: {median_and_range([a / b for a, b in pairs])}")


def together(nodes, logins, senders, seconds):
    """The load tester once for each login, at the nodes in turn; returns what was stored per second by all."""
    with tempfile.TemporaryDirectory() as folder:
        running = []
        for number, (user, password) in enumerate(logins):
            address = f"http://{user}:{password}@127.0.0.1:{nodes[number % len(nodes)].port}"
            running.append(subprocess.Popen(
                [BENCH, "publish", "--against", address, "--senders", str(senders), "--seconds", str(seconds), "--json",
                 f"{folder}/{number}"], stdout=subprocess.DEVNULL))
        if any(process.wait() for process in running):
            raise SystemExit("a load tester has failed")
        reports = [json.loads(pathlib.Path(f"{folder}/{number}").read_text()) for number in range(len(logins))]
        return sum(figures(report)["publishes_per_s"] for report in reports)


def idle(backplane, rounds):
    with Running(backplane) as cluster:
        logins = users(cluster.nodes[0].port, 500)
        tokens = [ask(cluster.nodes[0].port, "/client", {"name": "idle"}, login)["token"] for login in logins]
        requests = [(node.port, handshake(node.port, f"/stream?token={tokens[number % len(tokens)]}"))
                    for node in cluster.nodes for number in range(5000)]
        streams = Streams(requests, b'"message"')
        time.sleep(10)
        shares = []
        for _ in range(rounds):
            before = [processor_seconds(node.process.pid) for node in cluster.nodes]
            time.sleep(20)
            after = [processor_seconds(node.process.pid) for node in cluster.nodes]
            shares += [(late - early) / 20 * 100 for early, late in zip(before, after)]
        _, ended = streams.received()
        streams.close()
    print(f"idle: 500 users, 5 000 streams per node, {ended} ended: processor time of a node, % of a core: "
          f"{median_and_range(shares)}")


def nobody(_, rounds):
    ratios = []
    with Running("redis") as cluster:
        first, second = cluster.nodes[0], cluster.nodes[1]
        # Its users need all channels, so that it hears everything.
        logins = users(first.port, 2000)
        tokens = [ask(first.port, "/client", {"name": "hears"}, login)["token"] for login in logins]
        streams = Streams([(second.port, handshake(second.port, f"/stream?token={token}")) for token in tokens], b'"message"')
        subscriber, channels = bare_subscriber(cluster.backplane.port)
        for number in range(rounds):
            before = [processor_seconds(process) for process in (second.process.pid, subscriber.pid)]
            found = bench("publish", "--against", f"http://127.0.0.1:{first.port}", "--senders", "8", "--rate", "2000",
                          "--seconds", "20")
            after = [processor_seconds(process) for process in (second.process.pid, subscriber.pid)]
            node, bare = ((late - early) / found["publishes"] * 1e6 for early, late in zip(before, after))
            ratios.append(node / bare)
            print(f"nobody: round {number + 1}: {found['publishes']:.0f} messages: {node:.2f} µs per message, a bare "
                  f"subscriber to the same {channels} channels {bare:.2f} µs")
        subscriber.terminate()
        streams.close()
    print(f"nobody: processor time per message, times a bare subscriber's: {median_and_range(ratios)}")


def bare_subscriber(port):
    """A process that takes everything that is published on the channels that are subscribed to, and throws it away."""
    listed = subprocess.run(["redis-cli", "-p", str(port), "pubsub", "channels"], check=True, capture_output=True, text=True)
    channels = listed.stdout.split()
    subscription = f"SUBSCRIBE {' '.join(channels)}\r\n"
    program = ("import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); "
               "s.sendall(sys.argv[2].encode()); b = bytearray(65536)\nwhile s.recv_into(b): pass")
    process = subprocess.Popen([sys.executable, "-c", program, str(port), subscription])
    time.sleep(2)
    return process, len(channels)


def main():
    kinds = {function.__name__: function for function in (fanout, outage, publish, idle, nobody)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="+", choices=kinds, metavar="FIGURE")
    parser.add_argument("--backplane", default="redis", choices=["redis", "nats", "postgres"])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.figures:
        kinds[name](arguments.backplane, arguments.rounds)


if __name__ == "__main__":
    main()

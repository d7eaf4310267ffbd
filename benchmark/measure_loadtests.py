#!/usr/bin/env python3
"""Measures the load tester itself, on this machine.

    benchmark/measure_loadtests.py FIGURE... [--rounds 5]

| figure | what |
|---|---|
| `rate` | two drivers that share 5 000 requests per second for 10 s, over Kafka: asked for, reported, and counted by the target |
| `processor` | requests per second of processor time with 64 connections, beside wrk; server and load have a core each |
| `stall` | latency at a constant rate when the target stands still for a second in each ten |
| `memory` | what a driver holds per stream, with 15 000 streams |
| `drivers` | processor time of one orchestrator and 200 drivers in one process, each with a report per second |

The server is SERVER, or target/release/shardcast; the load tester is BENCH, or target/release/shardcast-bench, for
`rate` built with the feature `kafka`. `rate` needs Java and Maven, `processor` needs wrk and taskset."""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import loadtests  # noqa: E402
from fresh_server import FreshServer  # noqa: E402
from streams import median_and_range, processor_seconds, resident_bytes  # noqa: E402
from target import Target  # noqa: E402

SERVER = os.path.abspath(os.environ.get("SERVER", loadtests.ROOT / "target/release/shardcast"))
BENCH = os.path.abspath(os.environ.get("BENCH", loadtests.ROOT / "target/release/shardcast-bench"))
# Between two requests of one of 200 drivers.
DELAY_MS = 730


class Run:
    """A plan that runs in a process of its own."""

    def __init__(self, plan, *pinned):
        self.folder = tempfile.TemporaryDirectory(prefix="shardcast-plan-")
        path = os.path.join(self.folder.name, "plan.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(plan)
        self.output = os.path.join(self.folder.name, "report.json")
        arguments = ["run", path, "--report", "json", "--output", self.output]
        self.process = subprocess.Popen([*pinned, BENCH, *arguments], stderr=subprocess.DEVNULL)

    def report(self):
        """Waits for its end; returns the report, and the processor time that it took."""
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode != 0:
            raise SystemExit(f"the run ended with {self.process.returncode}")
        with open(self.output, encoding="utf-8") as file:
            report = json.load(file)
        self.folder.cleanup()
        return report, usage.ru_utime + usage.ru_stime


def rate(rounds):
    print("| round | asked per s | reported per s | counted by the target | off by, % | saturated |\n|--:|--:|--:|--:|--:|---|")
    with tempfile.TemporaryDirectory() as folder, Target() as target:
        bench = loadtests.Bench(BENCH, str(HERE / "kafka.sh"), folder, ("d1", "d2"), target)
        try:
            bench.control_kafka("up")
            for name in ("orchestrator", *bench.drivers):
                bench.start(name)
            bench.until_present()
            for number in range(1, rounds + 1):
                before = target.count
                plan = f"target: {{url: '{target.address}'}}\nload: {{model: rate, stages: [{{to: 5000, for: 10s}}]}}"
                report = bench.ended(bench.begin({"Plan": plan}))
                counted, total = target.count - before, report["total"]
                saturated = "; ".join(driver["saturated"] or "" for driver in report["drivers"]).strip("; ") or "no"
                off = 100 * abs(total["rate"] - 5000) / 5000
                print(f"| {number} | 5000 | {total['rate']:.1f} | {counted} | {off:.2f} | {saturated} |", flush=True)
        finally:
            bench.stop()


def processor(rounds):
    ours, theirs, ratios = [], [], []
    with FreshServer(SERVER, core=0) as server:
        target = server.address + "/health"
        plan = f"target: {{url: '{target}'}}\nload: {{model: users, stages: [{{to: 64, for: 8s}}]}}"
        for _ in range(rounds):
            wrk = subprocess.Popen(
                ["taskset", "-c", "1", "wrk", "-t1", "-c64", "-d8s", target], stdout=subprocess.PIPE, text=True
            )
            said = wrk.stdout.read()
            _, _, usage = os.wait4(wrk.pid, 0)
            requests = int(next(line for line in said.splitlines() if "requests in" in line).split()[0])
            theirs.append(requests / (usage.ru_utime + usage.ru_stime))
            report, seconds = Run(plan, "taskset", "-c", "1").report()
            ours.append(report["total"]["counts"]["done"] / seconds)
            ratios.append(ours[-1] / theirs[-1])
    print("| | requests per second of processor time |\n|---|--:|")
    print(f"| shardcast-bench | {median_and_range(ours)} |\n| wrk | {median_and_range(theirs)} |")
    print(f"| ratio | {median_and_range(ratios)} |")


def stall(rounds):
    print("| round | p50 ms | p95 ms, 500 is right | p99 ms, 900 is right |\n|--:|--:|--:|--:|")
    for number in range(1, rounds + 1):
        with Target("--stall") as target:
            plan = f"target: {{url: '{target.address}'}}\nload: {{model: rate, concurrency: 400, stages: [{{to: 300, for: 60s}}]}}"
            latency = Run(plan).report()[0]["total"]["latency"]
        print(f"| {number} | {latency['median']:.1f} | {latency['p95']:.1f} | {latency['p99']:.1f} |", flush=True)


def memory(rounds):
    each, whole = [], []
    for _ in range(rounds):
        with FreshServer(SERVER) as server:
            def run(requests):
                plan = (
                    f"target: {{server: '{server.address}', do: connect, hold: 6s}}\n"
                    f"load: {{model: rate, concurrency: 500, stages: [{{to: {requests / 10}, for: 10s}}]}}"
                )
                run = Run(plan)
                time.sleep(14)
                held = resident_bytes(run.process.pid)
                report, _ = run.report()
                assert report["total"]["streams"]["open"] == requests, report["total"]
                return held

            few, many = run(10), run(15_000)
        each.append((many - few) / 14_990)
        whole.append(many / 2**20)
    print("| | |\n|---|--:|")
    print(f"| bytes per stream | {median_and_range(each)} |\n| whole process, MiB | {median_and_range(whole)} |")


def drivers(rounds):
    # Not a second, so that reports do not always follow upon requests.
    shares, behind, per_second = [], [], 200 * 1000 / DELAY_MS
    with Target() as target, tempfile.TemporaryDirectory() as folder:
        port = loadtests.servers.free_port()
        environment = {**os.environ, "SHARDCAST_BENCH_TOKEN": loadtests.TOKEN}
        arguments = ["local", "--drivers", "200", "--listen", f"127.0.0.1:{port}", "--folder", folder]
        process = subprocess.Popen([BENCH, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def call(path, body=None):
            headers = {"authorization": f"Bearer {loadtests.TOKEN}"}
            data = json.dumps(body).encode() if body else None
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
            return urllib.request.urlopen(request, timeout=10).read().decode()

        try:
            time.sleep(3)
            for _ in range(rounds):
                test = {"TestType": "Tsunami", "TestMessageDelay": DELAY_MS, "NumRequests": 40, "Target": target.address}
                test_id, before = call("/tests", test), target.count
                time.sleep(2)
                call("/trigger", {"TestID": test_id})
                while target.count < before + 600:
                    time.sleep(0.1)
                began, used = time.monotonic(), processor_seconds(process.pid)
                for _ in range(20):
                    shown = json.loads(call(f"/tests/{test_id}"))["report"]["total"]["counts"]["done"]
                    behind.append((target.count - before - shown) / per_second)
                    time.sleep(0.5)
                shares.append((processor_seconds(process.pid) - used) / (time.monotonic() - began))
                time.sleep(20)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
    print("| | |\n|---|--:|")
    print(f"| cores, drivers included | {median_and_range(shares)} |\n| seconds that figures are behind | {median_and_range(behind)} |")


FIGURES = {"rate": rate, "processor": processor, "stall": stall, "memory": memory, "drivers": drivers}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figure", nargs="+", choices=FIGURES)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for figure in arguments.figure:
        print(f"\n## {figure}\n", flush=True)
        FIGURES[figure](arguments.rounds)


main()

"""An orchestrator and drivers as processes, with Kafka between them, for tests and measurements."""

import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
specification = importlib.util.spec_from_file_location("servers", ROOT / ".ci/servers.py")
servers = importlib.util.module_from_spec(specification)
specification.loader.exec_module(servers)

TOKEN = "a-token-for-this-run"


class Bench:
    """An orchestrator and three drivers, as processes."""

    """Kafka, an orchestrator and drivers. KAFKA is a program with `up PORT`, `down PORT` and `restart PORT`."""

    def __init__(self, program, kafka, folder, drivers, target):
        self.program, self.kafka, self.folder = program, kafka, folder
        self.drivers, self.target = drivers, target
        # The broker's controller takes the port after it.
        self.broker, self.port = servers.free_port(2), servers.free_port()
        self.processes = {}
        self.log = open(os.path.join(folder, "log"), "w", encoding="utf-8")

    def control_kafka(self, what):
        subprocess.run([self.kafka, what, str(self.broker)], check=True, stdout=self.log, stderr=self.log)

    def start(self, name):
        broker = ["--bootstrap-servers", f"127.0.0.1:{self.broker}"]
        if name == "orchestrator":
            arguments = ["orchestrator", *broker, "--listen", f"127.0.0.1:{self.port}"]
            arguments += ["--folder", os.path.join(self.folder, "tests"), "--lost-after", "25"]
        else:
            arguments = ["driver", *broker, "--node-id", name]
        environment = {**os.environ, "SHARDCAST_BENCH_TOKEN": TOKEN}
        self.processes[name] = subprocess.Popen(
            [self.program, *arguments], env=environment, stdout=self.log, stderr=self.log
        )

    def kill(self, name, how=signal.SIGKILL, within=10):
        process = self.processes.pop(name)
        process.send_signal(how)
        began = time.monotonic()
        process.wait(within)
        return time.monotonic() - began

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        request.add_header("authorization", f"Bearer {TOKEN}")
        with urllib.request.urlopen(request, json.dumps(body).encode() if body else None, timeout=10) as answer:
            return answer.read().decode()

    def wait(self, what, wanted, within):
        end, error = time.monotonic() + within, None
        while time.monotonic() < end:
            try:
                found = wanted()
                if found:
                    return found
            except OSError as failure:
                error = failure
            time.sleep(0.2)
        raise SystemExit(f"{what}: not within {within} s ({error})")

    def until_present(self):
        def present():
            drivers = json.loads(self.call("GET", "/drivers"))
            return set(self.drivers) <= {driver["node_id"] for driver in drivers if driver["state"] == "present"}

        self.wait("all drivers are present", present, 60)

    def begin(self, test):
        """Makes and triggers a test, and waits until the target gets its requests."""
        before = self.target.count
        test_id = self.call("POST", "/tests", test)
        self.call("POST", "/trigger", {"TestID": test_id})
        self.wait("requests arrive", lambda: self.target.count > before, 40)
        return test_id

    def ended(self, test_id, within=150):
        def ended():
            report = json.loads(self.call("GET", f"/tests/{test_id}/report"))
            return report if report["ended_unix_ms"] else None

        return self.wait("the test has ended", ended, within)

    def stop(self):
        for process in self.processes.values():
            # One that stands still would not end.
            process.kill()
            process.wait()
        subprocess.run([self.kafka, "down", str(self.broker)], check=False, stdout=self.log, stderr=self.log)
        self.log.close()

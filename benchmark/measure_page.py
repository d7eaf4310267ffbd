#!/usr/bin/env python3
"""Measures the web page in Chromium, beside Gotify's.

    benchmark/measure_page.py FIGURE... [--rounds 5] [--minutes 10] [--gotify PROGRAM]...

| figure | what |
|---|---|
| `sizes` | the built page's JavaScript in bytes, each file compressed with gzip |
| `wire` | requests and bytes on the wire, from the logged-in load to the list, the stream included |
| `load` | milliseconds from a cold load to the newest message on the screen, 5 000 messages stored, CPU slowed 4 times |
| `flood` | 10 000 messages in the list and 50 new ones per second: memory per minute, frames and their lengths while scrolling |

The server is SERVER, or target/release/shardcast. `--gotify` names a program of a Gotify whose page `wire` and `load`
look at too. Needs the package playwright, and Chromium at CHROMIUM (/usr/bin/chromium)."""

import argparse
import base64
import gzip
import json
import os
import pathlib
import sys
import threading
import time
import urllib.request

from playwright.sync_api import sync_playwright

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import loadtests  # noqa: E402
from fresh_server import LOGIN, FreshServer  # noqa: E402
from streams import median_and_range  # noqa: E402

SERVER = os.path.abspath(os.environ.get("SERVER", loadtests.ROOT / "target/release/shardcast"))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SLOWED = 4
# Notes when a text is in the document and painted.
WATCH = """text => {
    window.shownAt = 0;
    const look = () => {
        if (document.body && document.body.textContent.includes(text)) {
            requestAnimationFrame(() => requestAnimationFrame(() => { window.shownAt ||= performance.now(); }));
        } else {
            requestAnimationFrame(look);
        }
    };
    look();
}"""


class Server(FreshServer):
    """A server, or a Gotify, with an application that sends."""

    def __init__(self, program):
        super().__init__(program)
        self.token = self.call("POST", "/application", {"name": "backup", "description": "of each night"})["token"]

    def call(self, method, path, body=None, token=None):
        request = urllib.request.Request(self.address + path, method=method)
        if token:
            request.add_header("X-Gotify-Key", token)
        else:
            request.add_header("Authorization", "Basic " + base64.b64encode(f"{LOGIN}:{LOGIN}".encode()).decode())
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=60) as answer:
            return json.load(answer)

    def send(self, number):
        body = {"title": f"Backup {number}", "message": f"All {number} files of this night are safe.", "priority": number % 10}
        self.call("POST", "/message", body, self.token)


def launch(playwright):
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


def log_in(browser, server):
    """Logs in as a person does; returns what the browser keeps of it."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(server.address)
    page.locator("input[type=password]").wait_for()
    page.locator("input:not([type=password]):not([type=checkbox])").first.fill(LOGIN)
    page.locator("input[type=password]").fill(LOGIN)
    page.locator("input[type=password]").press("Enter")
    page.get_by_text("backup", exact=False).first.wait_for(state="attached")
    # A Gotify notes the login a moment later.
    page.wait_for_timeout(500)
    state = context.storage_state()
    context.close()
    return state


def cold(browser, state):
    """A page of a browser that is logged in and has nothing in its cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, storage_state=state, service_workers="block")
    page = context.new_page()
    return context, page, context.new_cdp_session(page)


def sizes(_arguments, _playwright):
    for path in sorted((loadtests.ROOT / "ui/dist").rglob("*.js")):
        content = path.read_bytes()
        print(f"  {len(gzip.compress(content, 9)):>7} of {len(content):>7}  {path.relative_to(loadtests.ROOT / 'ui/dist')}")


def wire(arguments, playwright):
    browser = launch(playwright)
    for program in [SERVER, *arguments.gotify]:
        with Server(program) as server:
            for number in range(200):
                server.send(number)
            state = log_in(browser, server)
            context, page, session = cold(browser, state)
            requests, received = {}, {}
            session.send("Network.enable")
            session.on("Network.requestWillBeSent", lambda event: requests.setdefault(event["requestId"], event["request"]["url"]))
            session.on("Network.webSocketCreated", lambda event: requests.setdefault(event["requestId"], event["url"]))
            session.on("Network.loadingFinished", lambda event: received.update({event["requestId"]: event["encodedDataLength"]}))
            page.goto(server.address)
            page.get_by_text("Backup 199", exact=False).first.wait_for()
            page.wait_for_timeout(1500)
            print(f"  {program}: {len(requests)} requests, {sum(received.values())} bytes")
            for request, url in requests.items():
                print(f"    {received.get(request, 0):>7}  {url.removeprefix(server.address)}")
            context.close()


def load(arguments, playwright):
    browser = launch(playwright)
    programs = [SERVER, *arguments.gotify]
    servers = [Server(program) for program in programs]
    try:
        for server in servers:
            for number in range(5000):
                server.send(number)
        states = [log_in(browser, server) for server in servers]
        figures = [[] for _ in servers]
        for _ in range(arguments.rounds):
            for at, server in enumerate(servers):
                context, page, session = cold(browser, states[at])
                page.add_init_script(f"({WATCH})('Backup 4999')")
                session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
                page.goto(server.address, wait_until="commit")
                # Not `wait_for_function`: it evaluates a text in the page, which a policy may forbid.
                shown_at = 0
                while not shown_at:
                    page.wait_for_timeout(100)
                    shown_at = page.evaluate("window.shownAt")
                figures[at].append(shown_at)
                context.close()
        for at, program in enumerate(programs):
            ratios = [ours / other for ours, other in zip(figures[0], figures[at])]
            print(f"  {program}: {median_and_range(figures[at])} ms; ours is {median_and_range(ratios, 2)} of it")
    finally:
        for server in servers:
            server.__exit__()


class Sending:
    """50 messages per second in a thread of its own, until it is stopped. `failure` says why it has ended before."""

    def __init__(self, server):
        self.server, self.stopped, self.failure = server, threading.Event(), None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        began, number = time.monotonic(), 0
        try:
            while not self.stopped.is_set():
                self.server.send(10_000 + number)
                number += 1
                time.sleep(max(0, began + number / 50 - time.monotonic()))
        except OSError as error:
            self.failure = error

    def stop(self):
        self.stopped.set()
        self.thread.join()


FRAMES = """() => {
    window.frames_ = [];
    let last = performance.now();
    const frame = now => { window.frames_.push(now - last); last = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
}"""


def flood(arguments, playwright):
    browser = launch(playwright)
    with Server(SERVER) as server:
        for number in range(10_000):
            server.send(number)
        context, page, session = cold(browser, log_in(browser, server))
        page.goto(server.address)
        page.get_by_text("Backup 9999", exact=False).first.wait_for()
        # To the end of the list, so that it has them all.
        while not page.get_by_text("Backup 0", exact=True).count():
            page.mouse.move(640, 500)
            page.mouse.wheel(0, 20_000)
            page.wait_for_timeout(30)
        session.send("Performance.enable")
        sending = Sending(server)
        page.evaluate(FRAMES)
        try:
            for minute in range(arguments.minutes + 1):
                if sending.failure:
                    raise SystemExit(f"the sender has ended: {sending.failure}")
                session.send("HeapProfiler.collectGarbage")
                metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
                frames = page.evaluate("window.frames_.splice(0)")
                longest, slow = max(frames, default=0), sum(frame > 50 for frame in frames)
                print(
                    f"  minute {minute}: {metrics['JSHeapUsedSize'] / 1e6:.1f} MB, {metrics['Nodes']:.0f} nodes, {len(frames)} frames, "
                    f"{slow} longer than 50 ms, the longest {longest:.0f} ms",
                    flush=True,
                )
                end = time.monotonic() + 60
                while minute < arguments.minutes and time.monotonic() < end:
                    page.mouse.wheel(0, -900 if int(time.monotonic()) % 8 < 4 else 900)
                    page.wait_for_timeout(50)
        finally:
            sending.stop()
        context.close()


def main():
    figures = {"sizes": sizes, "wire": wire, "load": load, "flood": flood}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="+", choices=figures, metavar="FIGURE")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--gotify", action="append", default=[])
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        for name in arguments.figures:
            print(name)
            figures[name](arguments, playwright)


if __name__ == "__main__":
    main()

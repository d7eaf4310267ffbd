"""The real server, which can be stopped and started again with its data, and what a sender does with it."""

import base64
import contextlib
import importlib.util
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
specification = importlib.util.spec_from_file_location("servers", ROOT / ".ci/servers.py")
servers = importlib.util.module_from_spec(specification)
specification.loader.exec_module(servers)

NAME = "admin"
PASSWORD = "pässwörd 🔑"


class Server:
    """A server of one of Gotify's versions, with one administrator."""

    def __init__(self, program, folder, compatibility="v3", **environment):
        self.program, self.folder, self.process = os.path.abspath(program), folder, None
        self.port = servers.free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "GOTIFY_SERVER_LISTENADDR": "127.0.0.1",
            "GOTIFY_SERVER_PORT": str(self.port),
            "GOTIFY_DEFAULTUSER_NAME": NAME,
            "GOTIFY_DEFAULTUSER_PASS": PASSWORD,
            "GOTIFY_PASSSTRENGTH": "4",
            "GOTIFY_COMPATIBILITY": compatibility,
            **environment,
        }

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        with open(os.path.join(self.folder, "log"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [self.program], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        for _ in range(300):
            try:
                urllib.request.urlopen(self.address + "/health", timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"the server does not answer: {self.log()}")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def log(self):
        return pathlib.Path(self.folder, "log").read_text(encoding="utf-8")

    def call(self, method, path, body=None, key=None, user=(NAME, PASSWORD)):
        """Asks the API as a user, or with a token, and returns what it answers."""
        credentials = "Basic " + base64.b64encode(":".join(user).encode()).decode()
        headers = {"X-Gotify-Key": key} if key else {"Authorization": credentials}
        data = json.dumps(body).encode() if body is not None else None
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def application(self, name, user=(NAME, PASSWORD), **fields):
        return self.call("POST", "/application", {"name": name, **fields}, user=user)

    def send(self, application, text, **fields):
        return self.call("POST", "/message", {"message": text, **fields}, application["token"])


@contextlib.contextmanager
def haproxy(configuration, folder, **values):
    """Runs HAProxy with a configuration in which `{port}` and other values are filled in; returns its address."""
    port = servers.free_port()
    text = DEFAULTS + configuration
    for name, value in {"port": port, **values}.items():
        text = text.replace("{" + name + "}", str(value))
    file = pathlib.Path(folder, "haproxy.cfg")
    file.write_text(text, encoding="utf-8")
    process = subprocess.Popen(["haproxy", "-db", "-f", file])
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


DEFAULTS = """
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
"""

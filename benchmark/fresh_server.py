"""A server with fresh data on a free port, for measurements."""

import os
import subprocess
import tempfile
import time
import urllib.request

import loadtests

LOGIN = "admin"


class FreshServer:
    """A server with fresh data on a free port, until it is left. PROGRAM may be a Gotify, too."""

    def __init__(self, program, core=None):
        self.folder, self.port = tempfile.TemporaryDirectory(prefix="shardcast-measure-"), loadtests.servers.free_port()
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        environment = {
            **os.environ,
            "GOTIFY_SERVER_LISTENADDR": "127.0.0.1",
            "GOTIFY_SERVER_PORT": str(self.port),
            "GOTIFY_DEFAULTUSER_NAME": LOGIN,
            "GOTIFY_DEFAULTUSER_PASS": LOGIN,
        }
        self.process = subprocess.Popen(
            [*pinned, program], cwd=self.folder.name, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.address = f"http://127.0.0.1:{self.port}"
        for _ in range(100):
            try:
                urllib.request.urlopen(self.address + "/health", timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        self.__exit__()
        raise SystemExit(f"{program} does not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

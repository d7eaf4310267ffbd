"""A server that pushes messages, against a push service that others have written the receiving side of."""

import base64
import datetime
import http.server
import ipaddress
import json
import os
import queue
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import http_ece
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

PATIENCE = 20
ADMIN = ("admin", "admin-of-the-test")


def base64url(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def write_certificates(folder):
    """Makes an authority, and a certificate of it for this machine."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def certificate(name, key, issuer, issuer_key, *extensions):
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    usage = x509.BasicConstraints(ca=True, path_length=None)
    (folder / "authority.pem").write_bytes(certificate("authority", authority, "authority", authority, usage))
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )
    pem = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "own.pem").write_bytes(certificate("localhost", own, "authority", authority, names) + pem)


class PushService:
    """Takes what is pushed, and answers 201 or with another status."""

    def __init__(self, folder):
        self.pushed, self.status = queue.Queue(), 201
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.pushed.put((self.path, self.headers, body))
                self.send_response(service.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "own.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.origin = f"https://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        return self.pushed.get(timeout=PATIENCE)


class Browser:
    """A subscription, and the keys that go with it."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)

    def subscription(self):
        point = self.private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": base64url(point), "auth": base64url(self.auth)}
        return {"endpoint": self.endpoint, "keys": keys}

    def read(self, body):
        text = http_ece.decrypt(body, private_key=self.private, auth_secret=self.auth, version="aes128gcm")
        return json.loads(text)


def start(program, folder):
    """Starts a server, and returns its process and its URL."""
    environment = {
        "PATH": os.environ["PATH"],
        "GOTIFY_SERVER_LISTENADDR": "127.0.0.1",
        "GOTIFY_SERVER_PORT": "0",
        "GOTIFY_DEFAULTUSER_PASS": ADMIN[1],
        "GOTIFY_PUSH_ALLOWEDHOSTS": "[localhost]",
        "GOTIFY_PUSH_SUBJECT": "mailto:admin@example.com",
        "GOTIFY_LOGLEVEL": "trace",
        "GOTIFY_LOGFORMAT": "json",
        "SSL_CERT_FILE": str(folder / "authority.pem"),
    }
    log = open(folder / "log", "wb")
    server = subprocess.Popen([program], cwd=folder, env=environment, stdout=log, stderr=log)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for line in (folder / "log").read_text().splitlines():
            if '"address":"127.0.0.1:' in line:
                return server, "http://127.0.0.1:" + line.split('"address":"127.0.0.1:')[1].split('"')[0]
        time.sleep(0.05)
    server.kill()
    raise TimeoutError((folder / "log").read_text())


def check(url, service, folder):
    def ask(method, path, key=None, **more):
        headers = {"X-Gotify-Key": key} if key else {}
        answer = requests.request(method, url + path, headers=headers, timeout=PATIENCE, **more)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    app = ask("POST", "/application", auth=ADMIN, json={"name": "build"})
    client = ask("POST", "/client", auth=ADMIN, json={"name": "browser"})["token"]
    public_key = ask("GET", "/shardcast/overview")["push"]["publicKey"]
    browser = Browser(service.origin + "/canary-of-the-endpoint")
    ask("PUT", "/shardcast/push", client, json=browser.subscription())
    for text in ("é 🦀", "x" * 5000):
        sent = ask("POST", "/message", app["token"], json={"message": text, "title": "t", "priority": 8})
        path, headers, body = service.next()
        assert path == "/canary-of-the-endpoint", path
        assert len(body) <= 4096, len(body)
        assert (headers["Content-Encoding"], headers["Urgency"]) == ("aes128gcm", "high"), headers
        assert int(headers["TTL"]) > 0, headers
        payload = browser.read(body)
        assert payload["id"] == sent["id"] and payload["message"] == text[:1000], payload
        assert Vapid02.verify(headers["Authorization"]), headers["Authorization"]
        token, key = headers["Authorization"].removeprefix("vapid t=").split(",k=")
        assert key == public_key, key
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        assert claims["aud"] == service.origin and claims["sub"] == "mailto:admin@example.com", claims
        assert 0 < claims["exp"] - time.time() <= 24 * 3600, claims
    # What is wrong with a push service is logged, without the endpoint.
    def is_logged(text):
        deadline = time.monotonic() + PATIENCE
        while text not in (folder / "log").read_text():
            assert time.monotonic() < deadline, f"`{text}` is not in the log"
            time.sleep(0.1)

    service.status = 403
    ask("POST", "/message", app["token"], json={"message": "it is refused"})
    is_logged("the push service answers 403")
    away = Browser("https://localhost:1/canary-of-the-endpoint")
    ask("PUT", "/shardcast/push", client, json=away.subscription())
    ask("POST", "/message", app["token"], json={"message": "nobody is there"})
    is_logged("a push service was not reached")
    log = (folder / "log").read_text()
    keys = [*browser.subscription()["keys"].values(), *away.subscription()["keys"].values()]
    secrets = ["canary-of-the-endpoint", client, *keys]
    assert not [secret for secret in secrets if secret in log], "the log has a secret"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_certificates(folder)
        service = PushService(folder)
        server, url = start(sys.argv[1], folder)
        try:
            check(url, service, folder)
        finally:
            server.terminate()
            server.wait(PATIENCE)
    print("Web Push: every check passed")


main()

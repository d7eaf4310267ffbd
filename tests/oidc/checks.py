"""Logging in through a real OpenID provider, as browsers and apps do it.

    python checks.py SERVER_BINARY FOLDER_OF_PROVIDER

Starts the provider and, for each way to configure it, a server. Ends with 0 if every check passed.
"""

import base64
import contextlib
import hashlib
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from urllib.parse import parse_qs, urljoin, urlsplit

import requests

SERVER, PROVIDER = sys.argv[1:]
APP = "com.example.app:/callback"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PROVIDER_PORT, PORT = free_port(), free_port()
BASE = f"http://127.0.0.1:{PORT}"
CALLBACK = f"{BASE}/auth/oidc/callback"


@contextlib.contextmanager
def running(command, log, **more):
    """Runs a program until the block ends."""
    with open(log, "ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, **more)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(url):
    """Waits until something answers."""
    for _ in range(200):
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(url, timeout=5)
        time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")


@contextlib.contextmanager
def provider():
    """An OpenID provider, with keys of its own."""
    command = ["node", "provider.mjs", str(PROVIDER_PORT), CALLBACK, APP]
    with tempfile.TemporaryDirectory() as folder, running(command, f"{folder}/log", cwd=PROVIDER):
        wait_for(f"http://127.0.0.1:{PROVIDER_PORT}/.well-known/openid-configuration")
        yield


@contextlib.contextmanager
def server(profile="v2", **variables):
    """A server that trusts the provider; yields the file of its log."""
    settings = {
        "GOTIFY_SERVER_LISTENADDR": "127.0.0.1",
        "GOTIFY_SERVER_PORT": str(PORT),
        "GOTIFY_DEFAULTUSER_PASS": "admin",
        "GOTIFY_PASSSTRENGTH": "4",
        "GOTIFY_COMPATIBILITY": profile,
        "GOTIFY_LOGLEVEL": "debug",
        "GOTIFY_OIDC_ENABLED": "true",
        "GOTIFY_OIDC_ISSUER": f"http://127.0.0.1:{PROVIDER_PORT}",
        "GOTIFY_OIDC_CLIENTID": "shardcast",
        "GOTIFY_OIDC_CLIENTSECRET": "client secret",
        "GOTIFY_OIDC_REDIRECTURL": CALLBACK,
        **{f"GOTIFY_OIDC_{name}": value for name, value in variables.items()},
    }
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, **settings}
        with running([SERVER], f"{folder}/log", cwd=folder, env=environment):
            try:
                wait_for(f"{BASE}/health")
                yield f"{folder}/log"
            except BaseException:
                print(open(f"{folder}/log").read()[-3000:], file=sys.stderr)
                raise


def pass_provider(browser, url, name):
    """Goes through the provider's pages as NAME; returns the URL that leads back."""
    answer = browser.get(url, allow_redirects=False, timeout=10)
    for _ in range(20):
        if answer.is_redirect:
            url = urljoin(answer.url, answer.headers["Location"])
            if url.startswith((CALLBACK, APP)):
                return url
            answer = browser.get(url, allow_redirects=False, timeout=10)
        else:
            assert answer.status_code == 200, answer.text
            action = re.search(r'action="([^"]+)"', answer.text)[1]
            prompt = re.search(r'name="prompt" value="([^"]+)"', answer.text)[1]
            form = {"prompt": prompt, "login": name, "password": "any"}
            answer = browser.post(urljoin(answer.url, action), data=form, allow_redirects=False, timeout=10)
    raise AssertionError("the provider does not end")


def begin(browser, path="/auth/oidc/login?name=browser"):
    """Asks the server for the way to the provider."""
    answer = browser.get(BASE + path, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, (answer.status_code, answer.text)
    return answer.headers["Location"]


def login(name, path="/auth/oidc/login?name=browser"):
    """Logs a new browser in; returns it and the server's last answer."""
    browser = requests.Session()
    back = pass_provider(browser, begin(browser, path), name)
    return browser, browser.get(back, allow_redirects=False, timeout=10)


def expect(answer, status, text=None):
    assert answer.status_code == status, (answer.status_code, answer.text)
    if text is not None:
        assert text in answer.text, answer.text
    return answer


def current_user(browser):
    return expect(browser.get(f"{BASE}/current/user", timeout=10), 200).json()


def exchange_as_app(name, verifier=None):
    """Logs an app's user in as the Android app does; returns the server's answer to the exchange."""
    own_verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(own_verifier.encode()).digest()).rstrip(b"=").decode()
    begun = requests.post(
        f"{BASE}/auth/oidc/external/authorize",
        json={"code_challenge": challenge, "redirect_uri": APP, "name": "phone"},
        timeout=10,
    )
    begun = expect(begun, 200).json()
    query = parse_qs(urlsplit(begun["authorize_url"]).query)
    assert query["code_challenge"] == [challenge] and query["code_challenge_method"] == ["S256"], query
    assert query["redirect_uri"] == [APP] and query["state"] == [begun["state"]], query
    back = parse_qs(urlsplit(pass_provider(requests.Session(), begun["authorize_url"], name)).query)
    assert back["state"] == [begun["state"]]
    request = {"code": back["code"][0], "state": begun["state"], "code_verifier": verifier or own_verifier}
    answer = requests.post(f"{BASE}/auth/oidc/external/token", json=request, timeout=10)
    again = requests.post(f"{BASE}/auth/oidc/external/token", json=request, timeout=10)
    assert expect(again, 400).json()["errorDescription"] == "unknown or expired state"
    return answer


def a_browser_logs_in():
    """The user is made at the first login, found at the second, and the session is one."""
    with provider(), server() as log:
        assert requests.get(f"{BASE}/gotifyinfo", timeout=10).json()["oidc"] is True
        browser, answer = login("ann")
        expect(answer, 307)
        assert answer.headers["Location"] == "../../"
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("gotify-client-token=") and "HttpOnly" in cookie and "SameSite=Strict" in cookie
        ann = current_user(browser)
        assert (ann["name"], ann["admin"]) == ("ann", False), ann
        clients = browser.get(f"{BASE}/client", timeout=10).json()
        assert [client["name"] for client in clients] == ["browser"], clients
        assert clients[0]["expiresAfterInactivitySeconds"] == 604800 and "elevatedUntil" in clients[0], clients
        again, answer = login("ann")
        expect(answer, 307)
        assert current_user(again)["id"] == ann["id"]
        # A user without a password logs in nowhere else.
        for password in ["", "any", "ann"]:
            expect(requests.get(f"{BASE}/current/user", auth=("ann", password), timeout=10), 401)
        secrets_of_logins = [answer.url.split("code=")[1].split("&")[0], browser.cookies["gotify-client-token"]]
        text = open(log).read()
        assert "/auth/oidc/callback" in text, "the log shows no requests: is the search broken?"
        for secret in [*secrets_of_logins, "client secret"]:
            assert secret not in text, "a secret is in the log"


def what_is_not_a_login_is_refused():
    with provider(), server():
        nobody = requests.Session()
        for query, text in [("", "is required"), (f"?name={'n' * 256}", "at most 255 characters long, not 256")]:
            expect(nobody.get(f"{BASE}/auth/oidc/login{query}", allow_redirects=False, timeout=10), 400, text)
        # A name that is longer than the name of a user may be.
        expect(login("n" * 181)[1], 400, "at most 180 characters long, not 181")
        # A state that nobody was sent with, with the cookie of a browser that was sent.
        browser = requests.Session()
        back = pass_provider(browser, begin(browser), "ann")
        forged = re.sub(r"state=[^&]+", f"state={'0' * 40}", back)
        expect(browser.get(forged, allow_redirects=False, timeout=10), 401, "failed to get state")
        # The right state and code, but another browser: without a cookie, and with one of its own.
        expect(nobody.get(back, allow_redirects=False, timeout=10), 401, "failed to get state")
        begin(nobody)
        expect(nobody.get(back, allow_redirects=False, timeout=10), 401, "failed to get state")
        # None of that has used the login up.
        expect(browser.get(back, allow_redirects=False, timeout=10), 307)
        expect(browser.get(back, allow_redirects=False, timeout=10), 401, "failed to get state")
        # A code that the provider did not give out, and no code.
        begin(browser)
        state = parse_qs(urlsplit(begin(browser)).query)["state"][0]
        answer = browser.get(f"{CALLBACK}?code=forged&state={state}", allow_redirects=False, timeout=10)
        expect(answer, 401, "token exchange failed")
        state = parse_qs(urlsplit(begin(browser)).query)["state"][0]
        answer = browser.get(f"{CALLBACK}?error=access_denied&state={state}", allow_redirects=False, timeout=10)
        expect(answer, 401, "access_denied")
        # A user whose name the provider does not tell.
        expect(login("nameless")[1], 500, "does not tell the name")


def a_client_is_elevated():
    with provider(), server(profile="v3"):
        browser, _ = login("ann")
        client = current_user(browser)["clientId"]
        de_elevated = browser.post(f"{BASE}/client/{client}/elevate", json={"durationSeconds": -10}, timeout=10)
        expect(de_elevated, 204)
        password = {"pass": "a new password"}
        expect(browser.post(f"{BASE}/current/user/password", json=password, timeout=10), 403)
        path = f"/auth/oidc/elevate?id={client}&durationSeconds=600"
        _, answer = login("ann", path)
        expect(answer, 200, "<title>")
        assert answer.headers["Content-Type"].startswith("text/html"), answer.headers
        expect(browser.post(f"{BASE}/current/user/password", json=password, timeout=10), 200)
        # Somebody else's client, and one that is not there.
        expect(login("bob", path)[1], 404, "client not found")
        expect(login("ann", "/auth/oidc/elevate?id=7777&durationSeconds=600")[1], 404, "client not found")
        for query in ["", "?id=1", "?id=x&durationSeconds=5", "?id=1&durationSeconds=0"]:
            answer = requests.get(f"{BASE}/auth/oidc/elevate{query}", allow_redirects=False, timeout=10)
            assert expect(answer, 400).json()["errorCode"] == 400


def an_app_logs_in():
    for profile, form in [("v2", r"C.{14}"), ("v3", r"gtfyc\..{43}")]:
        with provider(), server(profile=profile):
            answer = expect(exchange_as_app("ann"), 200).json()
            assert answer["user"]["name"] == "ann" and re.fullmatch(form, answer["token"]), answer
            app = requests.Session()
            app.headers["X-Gotify-Key"] = answer["token"]
            assert current_user(app)["id"] == answer["user"]["id"]
            # Whoever caught the code on its way has no proof key.
            stolen = exchange_as_app("ann", verifier=secrets.token_urlsafe(48))
            assert expect(stolen, 401).json()["errorDescription"] == "token exchange failed"
            missing = requests.post(f"{BASE}/auth/oidc/external/authorize", json={"name": "phone"}, timeout=10)
            assert "'code_challenge' is required" in expect(missing, 400).json()["errorDescription"]
            relative = {"code_challenge": "x", "redirect_uri": "/x", "name": "phone"}
            answer = requests.post(f"{BASE}/auth/oidc/external/authorize", json=relative, timeout=10)
            assert "'redirect_uri'" in expect(answer, 400).json()["errorDescription"]


def users_are_linked_only_if_that_is_allowed():
    with provider(), server():
        # The administrator is here under the name that somebody has at the provider.
        expect(login("admin")[1], 403, "linking by username is disabled")
        expect(login("ann")[1], 307)
        expect(login("ann~2")[1], 403, "linking by username is disabled")
        assert expect(exchange_as_app("admin"), 403).json()["errorCode"] == 403
    with provider(), server(LINK_BY_USERNAME="true"):
        browser, answer = login("admin")
        expect(answer, 307)
        admin = current_user(browser)
        assert (admin["id"], admin["admin"]) == (1, True), admin
        # The password stays.
        expect(requests.get(f"{BASE}/current/user", auth=("admin", "admin"), timeout=10), 200)
        expect(login("admin~2")[1], 403, "already bound to a different OIDC identity")
    with provider(), server(AUTOREGISTER="false"):
        expect(login("ann")[1], 403, "auto-registration is disabled")
    with provider(), server(AUTOREGISTER="false", LINK_BY_USERNAME="true"):
        expect(login("admin")[1], 307)
    with provider(), server(USERNAMECLAIM="sub"):
        browser, _ = login("ann~2")
        assert current_user(browser)["name"] == "ann~2"


def a_provider_may_come_and_go():
    with server():
        # Without its provider the server does its other work, and says what is wrong.
        expect(requests.get(f"{BASE}/message", auth=("admin", "admin"), timeout=10), 200)
        answer = requests.get(f"{BASE}/auth/oidc/login?name=x", allow_redirects=False, timeout=20)
        expect(answer, 503, "the identity provider is unavailable")
        app = {"code_challenge": "x", "redirect_uri": APP, "name": "phone"}
        answer = requests.post(f"{BASE}/auth/oidc/external/authorize", json=app, timeout=20)
        assert expect(answer, 503).json()["errorCode"] == 503
        with provider():
            for _ in range(100):
                answer = requests.get(f"{BASE}/auth/oidc/login?name=x", allow_redirects=False, timeout=20)
                if answer.status_code == 302:
                    break
                time.sleep(0.1)
            expect(login("ann")[1], 307)
        begun = requests.Session()
        where = begin(begun)
        # It comes back with other keys.
        with provider():
            time.sleep(2.5)
            expect(begun.get(pass_provider(begun, where, "ann"), allow_redirects=False, timeout=10), 307)
            back = pass_provider(begun, begin(begun), "ann")
        expect(begun.get(back, allow_redirects=False, timeout=30), 503, "the identity provider is unavailable")


def without_a_provider_there_are_no_routes():
    with server(ENABLED="false"):
        assert requests.get(f"{BASE}/gotifyinfo", timeout=10).json()["oidc"] is False
        for path in ["login?name=x", "callback", "elevate?id=1&durationSeconds=5"]:
            expect(requests.get(f"{BASE}/auth/oidc/{path}", timeout=10), 404, "page not found")
        assert not any("oidc" in path for path in requests.get(f"{BASE}/swagger", timeout=10).json()["paths"])
    with provider(), server():
        assert sum("oidc" in path for path in requests.get(f"{BASE}/swagger", timeout=10).json()["paths"]) == 5


CHECKS = [
    a_browser_logs_in,
    what_is_not_a_login_is_refused,
    a_client_is_elevated,
    an_app_logs_in,
    users_are_linked_only_if_that_is_allowed,
    a_provider_may_come_and_go,
    without_a_provider_there_are_no_routes,
]

failed = 0
for check in CHECKS:
    began = time.monotonic()
    try:
        check()
        outcome = "ok"
    except Exception as error:
        failed += 1
        outcome = f"FAILED: {error!r} at line {error.__traceback__.tb_next.tb_lineno}"
    print(f"{check.__name__}: {outcome} after {time.monotonic() - began:.1f} s", flush=True)
sys.exit(1 if failed else 0)

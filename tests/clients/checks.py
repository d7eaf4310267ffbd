"""The checks that `run` makes: each uses a client as its own documentation does."""

import asyncio
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

import gotify
import protobuf_checks
import websocket
import websockets
import websockets.sync.client

ADDRESS, COMPATIBILITY = sys.argv[1:]
URL = f"http://{ADDRESS}"
LOGIN = f"{os.environ['GOTIFY_DEFAULTUSER_NAME']}:{os.environ['GOTIFY_DEFAULTUSER_PASS']}"
BIN = Path(sys.executable).parent
SHOUTRRR = os.environ["SHOUTRRR"]
PATIENCE = 20


def curl(path, *arguments):
    """Calls curl, which fails for a status of 400 or more; returns the answer."""
    command = ["curl", "--silent", "--show-error", "--fail-with-body", *arguments, URL + path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"{command} ended with {done.returncode}: {done.stderr}{done.stdout}"
    return json.loads(done.stdout) if done.stdout else None


def refused(path, *arguments):
    """Returns the status that curl was refused with."""
    command = ["curl", "--silent", "--fail", "--output", "/dev/null", "--write-out", "%{http_code}"]
    done = subprocess.run([*command, *arguments, URL + path], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 22, f"curl ended with {done.returncode}, not 22: {done.stdout}"
    return int(done.stdout)


def curl_sends_by_header_query_and_bearer(app, client):
    ways = [
        ("/message", "-H", f"X-Gotify-Key: {app}", "-F", "title=header", "-F", "message=a form"),
        (f"/message?token={app}", "--data-urlencode", "title=query", "--data-urlencode", "message=é & ü"),
        ("/message", "--oauth2-bearer", app, "--json", '{"title":"bearer","message":"JSON","priority":7}'),
    ]
    sent = [curl(*way) for way in ways]
    assert [message["title"] for message in sent] == ["header", "query", "bearer"], sent
    assert [message["message"] for message in sent] == ["a form", "é & ü", "JSON"], sent
    for place in (("-H", f"X-Gotify-Key: {client}"), ("--oauth2-bearer", client), ("--user", LOGIN)):
        listed = curl("/message", *place)["messages"]
        assert listed[:3] == sent[::-1], listed
    assert curl(f"/message?token={client}")["messages"][:3] == sent[::-1]
    assert refused("/message?token=Anonsense", "-d", "message=hi") == 401
    assert refused("/message", "-H", f"X-Gotify-Key: {app}") == 401, "an application token may not read"


def apprise_sends_and_websockets_receives(app, client):
    async def check():
        async with websockets.connect(f"ws://{ADDRESS}/stream?token={client}") as stream:
            command = [BIN / "apprise", "-t", "from Apprise", "-b", "a body", f"gotify://{ADDRESS}/{app}?priority=high"]
            process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
            assert process.returncode == 0, f"apprise ended with {process.returncode}: {output.decode()}"
            message = json.loads(await asyncio.wait_for(stream.recv(), PATIENCE))
            assert (message["title"], message["message"]) == ("from Apprise", "a body"), message
            assert message == curl("/message", "-H", f"X-Gotify-Key: {client}")["messages"][0]
            await asyncio.wait_for(await stream.ping(), PATIENCE)
        assert stream.close_code == 1000, f"closed with {stream.close_code}"

    asyncio.run(check())


def apprise_fails_with_a_token_that_nobody_has(app, client):
    command = [BIN / "apprise", "-b", "a body", f"gotify://{ADDRESS}/Anonsense"]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 1, f"apprise ended with {done.returncode}: {done.stdout}"


def shoutrrr(app, *arguments):
    url = f"gotify://{ADDRESS}/{app}?disabletls=yes"
    command = [SHOUTRRR, "send", "--url", url, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def shoutrrr_sends(app, client):
    done = shoutrrr(app, "--title", "from shoutrrr", "--message", "updates on docker1")
    assert done.returncode == 0, f"shoutrrr ended with {done.returncode}: {done.stdout}{done.stderr}"
    message = curl("/message?limit=1", "-H", f"X-Gotify-Key: {client}")["messages"][0]
    assert (message["title"], message["message"]) == ("from shoutrrr", "updates on docker1"), message


def shoutrrr_fails_with_a_token_that_nobody_has(app, client):
    # Of the right form, or shoutrrr would not even ask.
    unknown = app[:-1] + ("A" if app[-1] != "A" else "B")
    done = shoutrrr(unknown, "--message", "hi")
    assert done.returncode != 0, done.stdout
    said = done.stdout + done.stderr
    assert "401" in said or "valid access token" in said, said


def shoutrrr_itself_refuses_tokens_of_gotify_3(app, client):
    done = shoutrrr(app, "--message", "hi")
    # One that takes them is to be checked as with Gotify 2.
    assert done.returncode != 0 and "invalid gotify token" in done.stdout + done.stderr, done


def websockets_is_refused_without_a_token(app, client):
    async def check():
        try:
            async with websockets.connect(f"ws://{ADDRESS}/stream"):
                raise AssertionError("a stream without a token")
        except websockets.exceptions.InvalidStatus as refusal:
            assert refusal.response.status_code == 401, refusal.response
            assert json.loads(refusal.response.body)["errorCode"] == 401

    asyncio.run(check())


def gotify_manages_applications_clients_and_messages(app, client):
    with gotify.Gotify(base_url=URL, client_token=client) as api:
        made = api.create_application("from gotify", description="a package", default_priority=3)
        listed = [other for other in api.get_applications() if other["id"] == made["id"]]
        # Gotify 3 shows a token once.
        shown = made if COMPATIBILITY == "v2" else {key: made[key] for key in made if key != "token"}
        assert listed == [shown], listed
        updated = api.update_application(made["id"], "renamed", description="a package")
        assert updated["name"] == "renamed", updated
        phone = api.create_client("a phone")
        assert phone["name"] in [other["name"] for other in api.get_clients()], phone
        api.config(app_token=made["token"])
        sent = api.create_message("hi", title="from gotify")
        assert sent["appid"] == made["id"], sent
        assert api.get_messages(app_id=made["id"])["messages"] == [sent]
        api.delete_message(sent["id"])
        assert api.get_messages(app_id=made["id"])["messages"] == []
        api.delete_application(made["id"])
        assert made["id"] not in [other["id"] for other in api.get_applications()]
        api.delete_client(phone["id"])
        assert api.get_health()["health"] == "green"
        assert api.get_version()["version"]


def gotify_streams(app, client):
    async def check():
        api = gotify.AsyncGotify(base_url=URL, app_token=app, client_token=client)
        async with api:
            messages = api.stream()
            first = asyncio.ensure_future(anext(messages))
            # The package does not say when it listens: send until something comes.
            for number in range(PATIENCE):
                await api.create_message(f"message {number}")
                done, _ = await asyncio.wait([first], timeout=1)
                if done:
                    break
            assert first.done(), "nothing came"
            assert first.result()["message"].startswith("message "), first.result()
            await messages.aclose()

    asyncio.run(check())


def protobuf_decodes_what_json_says(app, client):
    protobuf_checks.protobuf_decodes_what_json_says(URL, app, client)


class WithWebsockets:
    """A stream by websockets, which answers pings in a thread of its own."""

    def __init__(self, url):
        self.connection = websockets.sync.client.connect(url)
        self.stream = self.connection.__enter__()

    def receive(self, seconds):
        try:
            return json.loads(self.stream.recv(timeout=seconds))
        except TimeoutError:
            return None

    def close(self):
        self.connection.__exit__(None, None, None)


class WithWebsocketClient:
    """A stream by websocket-client, which answers pings while something is received."""

    def __init__(self, url):
        self.stream = websocket.create_connection(url)

    def receive(self, seconds):
        # Its own `recv` would wait as long as pings come: each one begins its time-out anew.
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self.stream.settimeout(left)
            try:
                opcode, content = self.stream.recv_data(control_frame=True)
            except websocket.WebSocketTimeoutException:
                break
            if opcode == websocket.ABNF.OPCODE_TEXT:
                return json.loads(content)
        return None

    def close(self):
        self.stream.shutdown()


def replays(kind, app, client):
    """The server pings every second. It knows some seconds later what the client has."""
    made = curl("/client", "--user", LOGIN, "--json", '{"name":"replay","replay":true}')
    assert made["replay"] is True, made
    url = f"ws://{ADDRESS}/stream?token={made['token']}"
    kind(url).close()
    first = curl(f"/message?token={app}", "-F", "message=first")
    ends, expected = time.monotonic() + PATIENCE, (first,)
    while True:
        stream = kind(url)
        again = stream.receive(1)
        assert again in expected, again
        assert stream.receive(4) is None
        stream.close()
        if again is None:
            break
        # It comes again until it is acknowledged.
        expected = (first, None)
        assert time.monotonic() < ends, "the message comes again and again"
    second = curl(f"/message?token={app}", "-F", "message=second")
    stream = kind(url)
    assert stream.receive(PATIENCE) == second
    stream.close()


def websockets_gets_again_what_it_has_not_acknowledged(app, client):
    replays(WithWebsockets, app, client)


def websocket_client_gets_again_what_it_has_not_acknowledged(app, client):
    replays(WithWebsocketClient, app, client)


CHECKS = [
    curl_sends_by_header_query_and_bearer,
    apprise_sends_and_websockets_receives,
    apprise_fails_with_a_token_that_nobody_has,
    *{
        "v2": [shoutrrr_sends, shoutrrr_fails_with_a_token_that_nobody_has],
        "v3": [shoutrrr_itself_refuses_tokens_of_gotify_3],
    }[COMPATIBILITY],
    websockets_is_refused_without_a_token,
    gotify_manages_applications_clients_and_messages,
    gotify_streams,
    protobuf_decodes_what_json_says,
    websockets_gets_again_what_it_has_not_acknowledged,
    websocket_client_gets_again_what_it_has_not_acknowledged,
]


def main():
    app = curl("/application", "--user", LOGIN, "-F", "name=ci")["token"]
    phone = curl("/client", "--user", LOGIN, "-F", "name=phone")
    client = phone["token"]
    lengths = {"v2": 15, "v3": 49}
    assert [len(app), len(client)] == [lengths[COMPATIBILITY]] * 2, "not the tokens of this Gotify"
    if COMPATIBILITY == "v3":
        # Whoever deletes an application or a client needs it.
        curl(f"/client/{phone['id']}/elevate", "--user", LOGIN, "-F", "durationSeconds=600")
    failed = 0
    for check in CHECKS:
        try:
            check(app, client)
            print(f"ok      {check.__name__}")
        except Exception:
            failed += 1
            print(f"FAILED  {check.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

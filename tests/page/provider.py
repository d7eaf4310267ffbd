"""Logging in and elevating a session through a real OpenID provider."""

import contextlib
import subprocess

from playwright.sync_api import expect

from server import ROOT, servers
from watched import Watched


@contextlib.contextmanager
def provider(folder, callback):
    """Runs the provider of `tests/oidc`; returns its address."""
    port = servers.free_port()
    command = ["node", "provider.mjs", str(port), callback]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout.readline().strip() == str(port), "the provider does not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def pass_provider(page, name):
    """Logs in at the provider, and agrees."""
    page.get_by_placeholder("Enter any login").fill(name)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def the_identity_provider_logs_in_and_elevates(tools):
    (tools.packages / "provider.mjs").write_text(
        (ROOT / "tests/oidc/provider.mjs").read_text(encoding="utf-8"), encoding="utf-8"
    )
    with tools.server() as server:
        callback = f"{server.address}/auth/oidc/callback"
        with provider(tools.packages, callback) as issuer:
            settings = {"ENABLED": "true", "ISSUER": issuer, "CLIENTID": "shardcast", "CLIENTSECRET": "client secret"}
            settings["REDIRECTURL"] = callback
            server.stop()
            server.environment.update({f"GOTIFY_OIDC_{name}": value for name, value in settings.items()})
            server.start()
            with Watched(tools.browser, server) as watched:
                watched.allow(f"^asks {issuer}/", f"\\({issuer}/", "403 \\(Forbidden\\)")
                # The provider's own pages ask for fonts.
                watched.context.route("https://fonts.googleapis.com/**", lambda route: route.abort())
                watched.allow("fonts.googleapis.com")
                page = watched.page
                watched.open()
                page.get_by_text("Log in with the identity provider").click()
                pass_provider(page, "ann")
                expect(page.get_by_role("link", name="ann")).to_be_visible()

                ask = """async ([method, path, body]) => {
                    const headers = { 'content-type': 'application/json' };
                    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
                    return answer.text();
                }"""
                page.evaluate(ask, ["POST", "application", {"name": "Backup"}])
                client = page.evaluate("fetch('current/user').then((answer) => answer.json())")["clientId"]
                page.evaluate(ask, ["POST", f"client/{client}/elevate", {"durationSeconds": -1}])
                watched.open("#/applications")
                page.get_by_role("button", name="More actions for Backup").click()
                page.get_by_role("menuitem", name="Delete").click()
                page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
                with watched.context.expect_page() as opened:
                    page.get_by_role("dialog").get_by_role("button", name="Log in with the identity provider").click()
                elevate = opened.value
                # The provider knows who it is, and asks whether that is still right.
                elevate.get_by_role("button", name="Continue").click()
                page.bring_to_front()
                expect(page.get_by_text("Backup was deleted")).to_be_visible(timeout=20_000)


CHECKS = (the_identity_provider_logs_in_and_elevates,)

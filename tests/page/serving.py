"""How the page is handed out: below a path prefix, with a strict policy, and with a shell for when nothing answers."""

import urllib.request

from playwright.sync_api import expect

from server import haproxy
from watched import Watched

BELOW_A_PREFIX = """
frontend outside
    bind 127.0.0.1:{port}
    http-request deny if !{ path_beg /push/ }
    http-request set-path %[path,regsub(^/push,)]
    default_backend shardcast
backend shardcast
    server one 127.0.0.1:{shardcast}
"""


def the_page_works_below_a_path_prefix(tools):
    with tools.server() as server, haproxy(BELOW_A_PREFIX, server.folder, shardcast=server.port) as outside:
        with Watched(tools.browser, server, address=f"{outside}/push") as watched:
            page = watched.page
            application = server.application("Backup")
            server.send(application, "sent before")
            watched.login()
            expect(page.get_by_text("sent before")).to_be_visible()
            expect(page.get_by_text("Connected", exact=True)).to_be_visible()
            server.send(application, "sent live")
            expect(page.get_by_text("sent live")).to_be_visible()
            watched.open("#/applications")
            page.get_by_role("button", name="Token and examples of Backup").click()
            expect(page.locator(".code")).to_contain_text(f"{outside}/push/message")


def the_policy_forbids_inline_scripts_and_other_hosts(tools):
    with tools.server() as server:
        with urllib.request.urlopen(server.address + "/") as answer:
            policy = answer.headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"):
            assert part in policy, policy
        for part in ("unsafe", "frame-ancestors *"):
            assert part not in policy, policy


def without_a_server_the_page_says_so_and_comes_back(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        watched.allow_a_stopped_server()
        application = server.application("Backup")
        server.send(application, "sent before")
        watched.login()
        expect(page.get_by_text("sent before")).to_be_visible()
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        server.stop()
        page.reload()
        expect(page.get_by_text("The server does not answer.").first).to_be_visible()
        server.start()
        expect(page.get_by_text("sent before")).to_be_visible(timeout=30_000)


def the_page_can_be_installed(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        watched.login()
        manifest = watched.page.evaluate("fetch(document.querySelector('link[rel=manifest]').href).then((r) => r.json())")
        assert manifest["display"] == "standalone", manifest
        for icon in manifest["icons"]:
            watched.page.evaluate(
                """async (url) => {
                    const image = new Image();
                    image.src = url;
                    await image.decode();
                }""",
                icon["src"],
            )


CHECKS = (
    the_page_works_below_a_path_prefix,
    the_policy_forbids_inline_scripts_and_other_hosts,
    without_a_server_the_page_says_so_and_comes_back,
    the_page_can_be_installed,
)

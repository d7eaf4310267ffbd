"""What a message lets its reader do: links, pictures, and buttons that copy a text or make a request."""

import contextlib
import http.server
import threading

from playwright.sync_api import expect

from applications import picture
from watched import Watched


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Another host. It allows foreign pages below `/allowed`, and has pictures."""

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.server.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(length).decode()))
        self.send_response(200)
        if self.path.startswith("/allowed"):
            for name in ("Origin", "Headers", "Methods"):
                self.send_header(f"Access-Control-Allow-{name}", "*")
        content = picture() if self.path.endswith(".png") else b""
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_OPTIONS = answer

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def elsewhere(name="localhost"):
    """Runs the other host; returns its address, and the list of what it is asked. The page is at 127.0.0.1."""
    host = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    host.asked = []
    threading.Thread(target=host.serve_forever, daemon=True).start()
    try:
        yield f"http://{name}:{host.server_port}", host.asked
    finally:
        host.shutdown()
        host.server_close()


def a_button_makes_a_request_after_a_question(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched, elsewhere() as (address, asked):
        page, dialog = watched.page, watched.page.get_by_role("dialog")
        request = {"type": "request", "method": "POST", "headers": {"X-Reason": "disk"}, "body": "restart now"}
        actions = [
            {**request, "label": "Restart", "url": f"{address}/allowed"},
            {**request, "label": "Stop", "url": f"{address}/refused"},
        ]
        server.send(server.application("Backup"), "The disk is full", extras={"shardcast::actions": actions})
        watched.login()
        # The requests that this check is about, and what the browser writes of the one that is refused.
        watched.allow(f"^asks {address}/", "CORS policy", "ERR_FAILED")

        page.get_by_role("button", name="Restart").click()
        expect(dialog.get_by_text(f"POST {address}/allowed")).to_be_visible()
        expect(dialog.get_by_text("restart now")).to_be_visible()
        dialog.get_by_role("button", name="Cancel").click()
        assert not asked, asked

        page.get_by_role("button", name="Restart").click()
        dialog.get_by_role("button", name="Send request").click()
        expect(page.get_by_text("Restart: done (status 200)")).to_be_visible()
        method, path, headers, body = asked[-1]
        assert (method, path, body) == ("POST", "/allowed", "restart now"), asked
        headers = {name.lower(): value for name, value in headers.items()}
        assert headers["x-reason"] == "disk", headers
        # It comes from an origin of its own, which has no cookie and no address to tell of.
        assert headers["origin"] == "null", headers
        assert not {"cookie", "authorization", "referer"} & set(headers), headers

        page.get_by_role("button", name="Stop").click()
        dialog.get_by_role("button", name="Send request").click()
        expect(page.get_by_text("Stop: no answer.")).to_be_visible()


def a_button_copies_a_text(tools):
    permissions = ["clipboard-read", "clipboard-write"]
    with tools.server() as server, Watched(tools.browser, server, permissions=permissions) as watched:
        actions = [{"type": "copy", "label": "Copy code", "text": "123456"}]
        server.send(server.application("Backup"), "Your code", extras={"shardcast::actions": actions})
        watched.login()
        watched.page.get_by_role("button", name="Copy code").click()
        expect(watched.page.get_by_text("Copied")).to_be_visible()
        assert watched.page.evaluate("navigator.clipboard.readText()") == "123456"


def nothing_is_loaded_from_another_host_before_a_click(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched, elsewhere() as (address, asked):
        page = watched.page
        server.send(
            server.application("Backup"),
            f"![a graph]({address}/graph.png)",
            extras={
                "client::display": {"contentType": "text/markdown"},
                "client::notification": {
                    "click": {"url": f"{address}/status"},
                    "bigImageUrl": f"{address}/big.png",
                },
            },
        )
        watched.login()
        message = page.locator("article")
        link = message.get_by_role("link")
        expect(link).to_have_attribute("href", f"{address}/status")
        expect(link).to_have_attribute("rel", "noopener noreferrer")
        expect(message.get_by_role("button", name="Show picture")).to_have_count(2)
        watched.check()
        assert not asked, asked
        watched.allow(f"^asks {address}/")
        message.get_by_role("button", name="Show picture").first.click()
        expect(message.get_by_role("button", name="Show picture")).to_have_count(1)
        page.wait_for_timeout(200)
        assert len(asked) == 1 and "Cookie" not in asked[0][2] and "Referer" not in asked[0][2], asked


def another_port_of_the_same_host_does_not_get_the_session(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched, elsewhere("127.0.0.1") as (address, asked):
        picture_url = {"client::notification": {"bigImageUrl": f"{address}/big.png"}}
        server.send(server.application("Backup"), "a picture", extras=picture_url)
        watched.login()
        watched.allow(f"^asks {address}/", "CORS policy", "ERR_FAILED")
        watched.page.get_by_role("button", name="Show picture").click()
        # It does not allow foreign pages, so its picture can't be shown without cookies.
        expect(watched.page.get_by_text("could not be loaded")).to_be_visible()
        assert asked and not any("Cookie" in headers for _, _, headers, _ in asked), asked


CHECKS = (
    a_button_makes_a_request_after_a_question,
    a_button_copies_a_text,
    nothing_is_loaded_from_another_host_before_a_click,
    another_port_of_the_same_host_does_not_get_the_session,
)

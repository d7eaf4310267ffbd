"""What the page costs: requests and bytes until the list is there, and JavaScript in all."""

import gzip
import html.parser
import posixpath
import re
import urllib.request

from playwright.sync_api import expect

from watched import Watched

MOST_REQUESTS = 7
MOST_BYTES = 60_000
MOST_JAVASCRIPT_AT_START = 40_000
# The target is 40 kB for everything but Markdown and charts, which is not reached yet (BENCHMARKS.md): this keeps it
# from growing.
MOST_JAVASCRIPT = 50_000

# Notes when the newest message is in the document.
WATCH_LIST = """
new MutationObserver((_, observer) => {
    if (!document.body?.textContent.includes('Message 19')) return;
    window.listedAt = (performance.timeOrigin + performance.now()) / 1000;
    observer.disconnect();
}).observe(document, { childList: true, subtree: true });
"""


def the_list_takes_few_requests_and_bytes(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        application = server.application("Backup")
        for number in range(20):
            server.send(application, f"Message {number}")
        watched.login()
        expect(watched.page.get_by_text("Connected", exact=True)).to_be_visible()
        cookies = watched.context.cookies()
        # What this page marks as read would be refused without its cookie.
        watched.page.goto("about:blank")
        watched.context.clear_cookies()
        # A browser that has the session, and nothing in its cache.
        with Watched(tools.browser, server, service_workers="block") as fresh:
            fresh.context.add_cookies(cookies)
            fresh.context.add_init_script("localStorage.setItem('shardcast.session', '1')")
            fresh.context.add_init_script(WATCH_LIST)
            # The page asks for counts of unread messages when it has nothing else to do, be the list there or not.
            # It waits for them in no case: here their answer comes afterwards.
            held = []
            fresh.page.route("**/shardcast/application", lambda route: held.append(route))
            asked, streams, received = [], [], []
            session = fresh.context.new_cdp_session(fresh.page)
            session.send("Network.enable")
            session.on(
                "Network.requestWillBeSent", lambda event: asked.append((event["wallTime"], event["request"]["url"]))
            )
            session.on("Network.webSocketCreated", lambda event: streams.append(event["url"]))
            session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
            with fresh.page.expect_request("**/shardcast/application"):
                fresh.open()
            expect(fresh.page.get_by_text("Message 19")).to_be_visible()
            expect(fresh.page.get_by_text("Connected", exact=True)).to_be_visible()
            listed_at = fresh.page.evaluate("listedAt")
            late = [route.request.url for route in held]
            needed = [url for at, url in asked if at <= listed_at and url not in late and not url.startswith("data:")]
            needed += streams
            for route in held:
                with fresh.page.expect_event("requestfinished"):
                    route.continue_()
            assert any(url.endswith(".js") for url in needed) and streams, (listed_at, asked, streams)
            assert len(needed) <= MOST_REQUESTS, needed
            assert sum(received) <= MOST_BYTES, (sum(received), asked)
            return f"{len(needed)} requests, {sum(received)} bytes"


class Scripts(html.parser.HTMLParser):
    """The scripts that a document asks for, or has its browser load ahead."""

    def __init__(self, document):
        super().__init__()
        self.names = []
        self.feed(document)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        url = attributes.get("src") if tag == "script" else attributes.get("href")
        if url and url.endswith(".js"):
            self.names.append(url.removeprefix("./"))


def javascript_is_small(tools):
    """Scripts that load at the start, and all but those for Markdown, charts and other languages."""
    folder = tools.page_folder
    sizes = {
        file.relative_to(folder).as_posix(): len(gzip.compress(file.read_bytes(), 9)) for file in folder.rglob("*.js")
    }
    first = Scripts((folder / "index.html").read_text(encoding="utf-8")).names
    # Each script that these import when they are run is one of the start, too.
    for name in first:
        source = (folder / name).read_text(encoding="utf-8")
        first += [found for found in imported(name, source) if found not in first]
    assert any("/index-" in name for name in first), first
    at_start = sum(sizes[name] for name in first)
    assert at_start <= MOST_JAVASCRIPT_AT_START, sizes
    left_out = ("assets/Markdown-", "assets/live-", "assets/de-")
    for beginning in (*left_out, "assets/manage-", "assets/action-", "sw.js"):
        assert any(name.startswith(beginning) for name in sizes), (beginning, sizes)
    total = sum(size for name, size in sizes.items() if not name.startswith(left_out))
    assert total <= MOST_JAVASCRIPT, sizes
    return f"{at_start} bytes at the start, {total} with the other screens"


def imported(name, source):
    """The scripts that a script imports at once."""
    folder = posixpath.dirname(name)
    found = re.findall(r"""(?:^|[;}\s])import(?:[^("';]*?from)?["'](\./[^"']+)["']""", source)
    return [posixpath.normpath(posixpath.join(folder, path)) for path in found]


def files_are_cached_for_good_and_compressed(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        watched.login()
        assets = {request.url for request in watched.requests if "/assets/" in request.url}
        for kind in (".js", ".css"):
            assert any(url.endswith(kind) for url in assets), (kind, assets)
        for url in assets:
            answer = urllib.request.urlopen(urllib.request.Request(url, headers={"Accept-Encoding": "gzip"}))
            assert "immutable" in answer.headers["Cache-Control"], url
            if url.endswith((".js", ".css")) and int(answer.headers["Content-Length"]) > 1024:
                assert answer.headers["Content-Encoding"] == "gzip", url


CHECKS = (the_list_takes_few_requests_and_bytes, javascript_is_small, files_are_cached_for_good_and_compressed)

"""What the page costs: requests and bytes until the list is there, and JavaScript in all."""

import gzip
import urllib.request

from playwright.sync_api import expect

from watched import Watched

MOST_REQUESTS = 7
MOST_BYTES = 60_000
MOST_JAVASCRIPT_AT_START = 40_000
MOST_JAVASCRIPT = 51_000


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
            asked, received = [], []
            session = fresh.context.new_cdp_session(fresh.page)
            session.send("Network.enable")
            session.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
            session.on("Network.webSocketCreated", lambda event: asked.append(event["url"]))
            session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
            fresh.open()
            expect(fresh.page.get_by_text("Message 19")).to_be_visible()
            expect(fresh.page.get_by_text("Connected", exact=True)).to_be_visible()
            needed = [url for url in asked if not later(url)]
            assert len(needed) <= MOST_REQUESTS, needed
            assert sum(received) <= MOST_BYTES, (sum(received), asked)
            return f"{len(needed)} requests, {sum(received)} bytes"


def later(url):
    """Whether this is asked for when the list is there, or is a picture."""
    return url.startswith("data:") or any(
        part in url for part in ("/static/", "/manifest.json", "/sw.js", "/shardcast/application", "icon-")
    )


def javascript_is_small(tools):
    """Scripts that load at the start, and all but those for Markdown, charts and other languages."""
    folder = tools.page_folder
    sizes = {
        file.name: len(gzip.compress(file.read_bytes(), 9))
        for file in [*folder.glob("assets/*.js"), *folder.glob("*.js")]
    }
    at_start = sum(size for name, size in sizes.items() if name.startswith("index"))
    assert at_start <= MOST_JAVASCRIPT_AT_START, sizes
    total = sum(size for name, size in sizes.items() if not name.startswith(("Markdown", "live", "de-")))
    assert total <= MOST_JAVASCRIPT, sizes
    return f"{at_start} bytes at the start, {total} with the other screens"


def files_are_cached_for_good_and_compressed(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        watched.login()
        for request in watched.requests:
            if "/assets/" not in request.url:
                continue
            answer = urllib.request.urlopen(urllib.request.Request(request.url, headers={"Accept-Encoding": "gzip"}))
            assert "immutable" in answer.headers["Cache-Control"], request.url
            if request.url.endswith((".js", ".css")) and int(answer.headers["Content-Length"]) > 1024:
                assert answer.headers["Content-Encoding"] == "gzip", request.url


CHECKS = (the_list_takes_few_requests_and_bytes, javascript_is_small, files_are_cached_for_good_and_compressed)

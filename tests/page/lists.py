"""Long lists: few elements, older messages as they are scrolled to, and many messages live."""

import json
import urllib.request

from playwright.sync_api import expect

from watched import Watched

MANY = 600
MOST_ELEMENTS = 60


def fill(server, application, count):
    """Sends numbered messages over one connection each, the last with the highest number."""
    for number in range(count):
        data = json.dumps({"message": f"number {number:05}"}).encode()
        headers = {"Content-Type": "application/json", "X-Gotify-Key": application["token"]}
        urllib.request.urlopen(urllib.request.Request(server.address + "/message", data, headers), timeout=30).close()


def a_long_list_is_drawn_in_parts(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        application = server.application("Backup")
        fill(server, application, MANY)
        watched.login()
        last = page.locator("article", has_text=f"number {MANY - 1:05}")
        expect(last).to_be_visible()
        assert page.locator("article").count() <= MOST_ELEMENTS
        # On to the oldest, as somebody with a wheel would do.
        page.mouse.move(800, 400)
        oldest = page.locator("article", has_text="number 00000")
        for _ in range(400):
            page.mouse.wheel(0, 1500)
            page.wait_for_timeout(30)
            assert page.locator("article").count() <= MOST_ELEMENTS
            if oldest.count():
                break
        expect(oldest).to_be_visible()
        expect(last).to_have_count(0)
        # What comes meanwhile moves nothing, and is told of.
        before = oldest.bounding_box()["y"]
        fill(server, application, 3)
        expect(page.get_by_role("button", name="3 new messages")).to_be_visible()
        assert abs(oldest.bounding_box()["y"] - before) < 2, (before, oldest.bounding_box())
        page.get_by_role("button", name="3 new messages").click()
        expect(page.locator("article").first).to_contain_text("number 00002")


def a_link_to_the_oldest_message_shows_it(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        application = server.application("Backup")
        oldest = server.send(application, "the oldest")["id"]
        fill(server, application, 80)
        watched.login()
        expect(page.locator("article", has_text="number 00079")).to_be_visible()
        watched.open(f"#/messages?m={oldest}")
        expect(page.locator("article", has_text="the oldest")).to_be_in_viewport()
        assert page.locator("article").count() <= MOST_ELEMENTS


CHECKS = (a_long_list_is_drawn_in_parts, a_link_to_the_oldest_message_shows_it)

"""Hostile text wherever a person or a sender can put some: it is shown as text, and nothing of it runs."""

from playwright.sync_api import expect

from server import NAME
from watched import Watched

TEXTS = (
    "<img src=x onerror='window.hacked = 1'>",
    "<script>window.hacked = 2</script>",
    "\"><svg onload=window.hacked=3>",
    "javascript:window.hacked=4",
    "{name} {count} ${hacked} %s &lt;b&gt; \u202egnp.exe",
    "</title></textarea></style><iframe srcdoc='<script>parent.hacked=5</script>'>",
)

MARKDOWN = """
[a link](javascript:window.hacked=6) [another](data:text/html,<script>parent.hacked=7</script>)
<a href="java&#115;cript:window.hacked=8">third</a>
<img src="x" onerror="window.hacked=9"> ![picture](https://elsewhere.example/track.png)
<svg><script>window.hacked=10</script><a xlink:href="javascript:window.hacked=11"><text>t</text></a></svg>
<iframe src="https://elsewhere.example/"></iframe><object data="x"></object><embed src="x">
<form action="https://elsewhere.example/"><input name=password><button>Log in</button></form>
<style>body { display: none }</style><link rel=stylesheet href="https://elsewhere.example/x.css">
<div style="position:fixed;inset:0;background:url(https://elsewhere.example/y.png)">over everything</div>
<math><mtext><table><mglyph><style><img src=x onerror=window.hacked=12>
<base href="https://elsewhere.example/"><meta http-equiv=refresh content="0;url=https://elsewhere.example/">
"""

EXTRAS = {
    "client::display": {"contentType": "text/markdown"},
    "client::notification": {"click": {"url": "javascript:window.hacked=13"}, "bigImageUrl": "javascript:hacked=14"},
    "shardcast::actions": [
        {"type": "open", "label": "<b>open</b>", "url": "javascript:window.hacked=15"},
        {"type": "open", "label": "data", "url": "data:text/html,<script>opener.hacked=16</script>"},
        {"type": "request", "label": "request", "url": "file:///etc/passwd", "method": "POST"},
        {"type": "unknown", "label": "unknown"},
        {"type": "copy", "label": TEXTS[0], "text": TEXTS[1]},
        "no object",
        None,
    ],
}

# What is of another kind than it should be.
MALFORMED = (
    {"client::display": "text/markdown", "client::notification": 7, "shardcast::actions": {"length": 3}},
    {"client::display": {"contentType": ["text/markdown"]}, "client::notification": {"click": "https://x"}},
    {"client::notification": {"click": {"url": {}}, "bigImageUrl": 5}, "shardcast::actions": [[], {"type": "open"}]},
)


def unharmed(watched, where):
    assert watched.page.evaluate("window.hacked") is None, (where, watched.page.evaluate("window.hacked"))
    dangerous = watched.page.evaluate(
        """[...document.querySelectorAll('a[href], [onerror], [onload], iframe, object, embed, form[action], base, meta[http-equiv]')]
            .filter((element) => element.tagName !== 'A' || !/^(https?:|#|docs)/.test(element.getAttribute('href')))
            .map((element) => element.outerHTML)"""
    )
    assert not dangerous, (where, dangerous)


def what_senders_write_does_nothing(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        application = server.application(TEXTS[0], description=TEXTS[1])
        for text in TEXTS:
            server.send(application, text, title=text)
            server.send(application, text, title=text, extras={"client::display": {"contentType": "text/markdown"}})
        for extras in MALFORMED:
            server.send(application, "malformed extras", extras=extras)
        server.send(application, MARKDOWN, title="hostile Markdown", extras=EXTRAS)
        watched.login()
        hostile = page.locator("article", has_text="hostile Markdown")
        expect(hostile.get_by_text("over everything")).to_be_visible()
        expect(page.get_by_text(TEXTS[0]).first).to_be_visible()
        unharmed(watched, "messages")
        # Nothing is loaded from elsewhere, and no link leads to a script.
        for link in hostile.locator("a").all():
            assert (link.get_attribute("href") or "").startswith(("http:", "https:")), link.evaluate("e => e.outerHTML")
        assert hostile.locator("[style], style, iframe, form, input, svg script").count() == 0
        hostile.get_by_role("button", name=TEXTS[0]).click()
        unharmed(watched, "messages, after a click")
        # Live, too.
        server.send(application, TEXTS[2], title=TEXTS[5], priority=10)
        expect(page.locator("article").first).to_contain_text(TEXTS[2])
        unharmed(watched, "messages, live")
        tools.shoot(page, "hostile messages")
        page.goto(f"{server.address}/#/applications")
        expect(page.get_by_text(TEXTS[1])).to_be_visible()
        unharmed(watched, "applications")


def what_is_typed_into_fields_does_nothing(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page, dialog = watched.page, watched.page.get_by_role("dialog")
        watched.allow("400 \\(Bad Request\\)", "404 \\(Not Found\\)")
        watched.login()
        for text in TEXTS:
            page.goto(f"{server.address}/#/applications")
            page.get_by_role("button", name="Create application").click()
            dialog.get_by_label("Name").fill(text)
            dialog.get_by_label("Description").fill(text)
            dialog.get_by_role("button", name="Create", exact=True).click()
            expect(dialog.locator(".secret code")).to_be_visible()
            page.keyboard.press("Escape")
            expect(page.locator(".item-title", has_text=text)).to_have_count(1)
            unharmed(watched, "applications")

            page.goto(f"{server.address}/#/clients")
            page.get_by_role("button", name="Create client").click()
            dialog.get_by_label("Name").fill(text)
            dialog.get_by_role("button", name="Create", exact=True).click()
            expect(dialog.locator(".secret code")).to_be_visible()
            page.keyboard.press("Escape")
            unharmed(watched, "clients")

            page.goto(f"{server.address}/#/users")
            page.get_by_role("button", name="Create user").click()
            # A name with a colon could not log in.
            user = text.replace(":", ";")
            dialog.get_by_label("User name").fill(user)
            dialog.get_by_label("Password", exact=True).fill(text[:72])
            dialog.get_by_role("button", name="Create", exact=True).click()
            expect(page.locator(".item-title", has_text=user)).to_have_count(1)
            unharmed(watched, "users")

            page.goto(f"{server.address}/#/messages")
            page.get_by_role("button", name="Send message").click()
            dialog.get_by_label("Title").fill(text)
            dialog.get_by_label("Message", exact=True).fill(text)
            unharmed(watched, "preview")
            dialog.get_by_role("button", name="Send", exact=True).click()
            expect(dialog).to_have_count(0)
            expect(page.locator("article", has_text=text)).to_have_count(1)
            page.keyboard.press("/")
            page.get_by_label("Search messages").fill(text)
            unharmed(watched, "search")
            page.get_by_role("button", name="End search").click()
            # The address itself.
            page.evaluate("(text) => { location.hash = `#/${text}`; }", text)
            page.evaluate("(text) => { location.hash = `#/messages/${encodeURIComponent(text)}?m=${text}`; }", text)
            unharmed(watched, "address")


def a_hostile_name_is_shown_in_every_place_of_a_user(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        name = TEXTS[0]
        server.call("POST", "/user", {"name": name, "pass": name, "admin": True})
        watched.login(name, name)
        for screen in ("messages", "applications", "clients", "users", "account", "live"):
            page.goto(f"{server.address}/#/{screen}")
            expect(page.locator("#main h1").first).to_be_attached()
            unharmed(watched, screen)
        page.goto(f"{server.address}/#/users")
        page.get_by_role("button", name=f"Delete {NAME}", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        unharmed(watched, "users")


CHECKS = (
    what_senders_write_does_nothing,
    what_is_typed_into_fields_does_nothing,
    a_hostile_name_is_shown_in_every_place_of_a_user,
)

"""Each screen for everybody: axe-core in light and dark, 320 pixels wide, with few presses of Tab, and without shifts."""

from playwright.sync_api import expect

from watched import DESKTOP, NARROWEST, PHONE, Watched

# As the web vitals count it; they call 0.1 good.
MOST_SHIFT = 0.01
SCREENS = ("messages", "applications", "clients", "users", "account", "live", "help")


def filled(server):
    """Puts something on every screen."""
    first = server.application("Backup", description="All servers, every night. " * 20, defaultPriority=5)
    second = server.application("A-name-without-any-space-" * 8)
    for number in range(30):
        server.send(first, f"Message {number}", priority=number % 11, title=f"Title {number}")
    server.send(second, "x" * 400, title="y" * 200)
    server.send(
        first,
        "# All **done**\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n`code` and ![a picture](https://example.com/a.png)",
        extras={
            "client::display": {"contentType": "text/markdown"},
            "client::notification": {"click": {"url": "https://example.com/"}},
            "shardcast::actions": [{"type": "copy", "label": "Copy code", "text": "123456"}],
        },
    )
    server.call("POST", "/client", {"name": "Phone", "expiresAfterInactivitySeconds": 86400})
    server.call("POST", "/user", {"name": "bob", "pass": "bob", "admin": False})


def show(watched, screen):
    watched.page.goto(f"{watched.server.address}/#/{screen}")
    expect(watched.page.locator("#main h1").first).to_be_attached()
    expect(watched.page.locator(".spinner")).to_have_count(0)
    if screen == "live":
        expect(watched.page.locator(".tile")).to_have_count(3)
    if screen == "messages":
        expect(watched.page.get_by_text("All done").first).to_be_visible()


def findings(tools, page, where):
    """What axe-core finds serious or critical."""
    page.evaluate(tools.axe)
    result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{where}: {violation['id']}: {violation['help']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in result["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def axe_finds_nothing_serious(tools):
    found = []
    with tools.server() as server:
        filled(server)
        for scheme in ("light", "dark"):
            for viewport in (DESKTOP, PHONE):
                where = f"{scheme} {viewport['width']}"
                with Watched(tools.browser, server, viewport, color_scheme=scheme, reduced_motion="reduce") as watched:
                    watched.open()
                    expect(watched.page.get_by_label("User name")).to_be_visible()
                    found += findings(tools, watched.page, f"login {where}")
                    tools.shoot(watched.page, f"login {where}")
                    watched.login()
                    for screen in SCREENS:
                        show(watched, screen)
                        found += findings(tools, watched.page, f"{screen} {where}")
                        tools.shoot(watched.page, f"{screen} {where}")
                    for name, dialog in dialogs(watched.page).items():
                        show(watched, name.split()[0])
                        dialog()
                        expect(watched.page.get_by_role("dialog")).to_be_visible()
                        found += findings(tools, watched.page, f"{name} {where}")
                        tools.shoot(watched.page, f"{name} {where}")
                        watched.page.keyboard.press("Escape")
                        expect(watched.page.get_by_role("dialog")).to_have_count(0)
    assert not found, "\n".join(found)
    return f"{len(SCREENS) + 1} screens and {len(dialogs(None))} dialogs, in light and dark, wide and narrow"


def dialogs(page):
    """What opens each dialog."""
    button = lambda name: page.get_by_role("button", name=name, exact=True).first.click()
    item = lambda menu, name: (button(menu), page.get_by_role("menuitem", name=name, exact=True).click())
    return {
        "messages send": lambda: button("Send message"),
        "messages help": lambda: page.keyboard.press("?"),
        "applications create": lambda: button("Create application"),
        "applications edit": lambda: item("More actions for Backup", "Edit application"),
        "applications token": lambda: item("More actions for Backup", "Token and examples"),
        "applications delete": lambda: item("More actions for Backup", "Delete"),
        "clients create": lambda: button("Create client"),
        "users create": lambda: button("Create user"),
        "users edit": lambda: button("Edit bob"),
        "users delete": lambda: button("Delete bob"),
    }


def nothing_scrolls_sideways(tools):
    with tools.server() as server:
        filled(server)
        for locale in ("en", "de"):
            for viewport in (NARROWEST, PHONE, DESKTOP):
                with Watched(tools.browser, server, viewport, locale=locale) as watched:
                    watched.login_in_any_language()
                    for screen in SCREENS:
                        watched.page.goto(f"{server.address}/#/{screen}")
                        expect(watched.page.locator("#main h1").first).to_be_attached()
                        expect(watched.page.locator(".spinner")).to_have_count(0)
                        watched.fits(f"{screen} ({locale})")


def three_tabs_lead_to_the_first_message(tools):
    with tools.server() as server:
        filled(server)
        with Watched(tools.browser, server) as watched:
            watched.login()
            show(watched, "messages")
            watched.page.evaluate("document.activeElement?.blur()")
            for presses in range(1, 4):
                watched.page.keyboard.press("Tab")
                if watched.page.evaluate("!!document.activeElement.closest('article, [role=article]')"):
                    return f"{presses} presses"
    raise AssertionError("three presses of Tab do not reach a message")


def nothing_shifts(tools):
    with tools.server() as server:
        filled(server)
        for viewport in (DESKTOP, PHONE):
            with Watched(tools.browser, server, viewport) as watched:
                watched.login()
                for screen in SCREENS:
                    watched.open(f"#/{screen}")
                    # Another address after `#` alone loads nothing.
                    watched.page.reload()
                    expect(watched.page.locator("#main h1").first).to_be_attached()
                    expect(watched.page.locator(".spinner")).to_have_count(0)
                    watched.page.wait_for_load_state("networkidle") if screen != "live" else None
                    value, what = watched.shift()
                    assert value < MOST_SHIFT, f"{screen} at {viewport['width']} shifts by {value}: {what}"


CHECKS = (
    axe_finds_nothing_serious,
    nothing_scrolls_sideways,
    three_tabs_lead_to_the_first_message,
    nothing_shifts,
)

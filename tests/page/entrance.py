"""The first start, logging in and out, and registration."""

import re

from playwright.sync_api import expect

from server import NAME, PASSWORD
from watched import Watched


class Counted:
    """A page whose clicks and filled fields are counted."""

    def __init__(self, page):
        self.page, self.count = page, 0

    def click(self, locator):
        self.count += 1
        locator.click()

    def fill(self, locator, text):
        self.count += 1
        locator.fill(text)


def the_first_message_takes_twelve_clicks_and_fields(tools):
    for compatibility in ("v2", "v3"):
        count = first_message(tools, compatibility)
        assert count <= 12, count
    return f"{count} clicks and fields"


def first_message(tools, compatibility):
    """Sends a first message, from the link of the first start on, and returns what that took."""
    with tools.server(compatibility, GOTIFY_DEFAULTUSER_PASS="") as server, Watched(tools.browser, server) as watched:
        page, by = watched.page, Counted(watched.page)
        link = re.search(r"Open \S+(/#/setup/\S+)", server.log()).group(1)
        page.goto(server.address + link)
        by.count += 1
        by.fill(page.get_by_label("New password", exact=True), PASSWORD)
        by.fill(page.get_by_label("New password again"), PASSWORD)
        by.click(page.get_by_role("button", name="Set password and log in"))
        assert "setup" not in page.url, page.url
        by.click(page.get_by_role("link", name="Create an application"))
        by.fill(page.get_by_label("Name"), "Backup")
        by.click(page.get_by_role("button", name="Create", exact=True))
        by.click(page.get_by_role("button", name="Send message"))
        dialog = page.get_by_role("dialog")
        by.fill(dialog.get_by_label("Message", exact=True), "It works.")
        by.click(dialog.get_by_role("button", name="Send", exact=True))
        expect(dialog).to_have_count(0)
        expect(page.locator("article", has_text="It works.")).to_be_visible()

        # The link is worth nothing afterwards.
        watched.allow("401 \\(Unauthorized\\)")
        with Watched(tools.browser, server) as other:
            other.allow("401 \\(Unauthorized\\)")
            other.page.goto(server.address + link)
            expect(other.page.get_by_text("This link was used already")).to_be_visible()
            other.page.get_by_role("link", name="To the login").click()
            expect(other.page.get_by_label("User name")).to_be_visible()
        # Who is logged in goes on, and is told so.
        page.goto(server.address + link)
        expect(page.get_by_text("This link was used already")).to_be_visible()
        expect(page.get_by_role("navigation")).to_be_visible()
        return by.count


def any_password_logs_in_and_a_wrong_one_is_refused_in_words(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        watched.allow("401 \\(Unauthorized\\)")
        watched.open()
        page.get_by_label("User name").fill(NAME)
        page.get_by_label("Password", exact=True).fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_text("The user name or the password is wrong.")).to_be_visible()
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("navigation")).to_be_visible()
        page.reload()
        expect(page.get_by_role("navigation")).to_be_visible()
        page.goto(f"{server.address}/#/account")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("User name")).to_be_visible()
        assert server.call("GET", "/client") == []


def a_session_that_ends_leads_to_the_login(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        watched.allow("401 \\(Unauthorized\\)", "WebSocket")
        watched.login()
        expect(watched.page.get_by_text("Connected", exact=True)).to_be_visible()
        (client,) = server.call("GET", "/client")
        server.call("DELETE", f"/client/{client['id']}")
        expect(watched.page.get_by_text("The session has ended. Log in again.")).to_be_visible()
        expect(watched.page.get_by_label("User name")).to_be_focused()
        assert watched.page.title() == "Shardcast", watched.page.title()


def who_logs_in_next_finds_nothing_of_who_was_there_before(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page, dialog = watched.page, watched.page.get_by_role("dialog")
        watched.allow("401 \\(Unauthorized\\)", "WebSocket")
        server.send(server.application("Backup"), "secret")
        server.call("POST", "/user", {"name": "bob", "pass": "bob"})
        watched.login(route="#/applications")
        expect(page.get_by_text("Connected", exact=True)).to_be_visible()
        expect(page).to_have_title("(1) Applications · Shardcast")
        page.get_by_role("button", name="More actions for Backup").click()
        page.get_by_role("menuitem", name="Delete", exact=True).click()
        expect(dialog).to_be_visible()
        (client,) = server.call("GET", "/client")
        server.call("DELETE", f"/client/{client['id']}")
        expect(page.get_by_label("User name")).to_be_visible()
        expect(dialog).to_have_count(0)
        expect(page).to_have_title("Shardcast")
        page.get_by_label("User name").fill("bob")
        page.get_by_label("Password", exact=True).fill("bob")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_text("There are no applications yet")).to_be_visible()
        expect(dialog).to_have_count(0)
        assert [application["name"] for application in server.call("GET", "/application")] == ["Backup"]


def who_may_register_does(tools):
    with tools.server(GOTIFY_REGISTRATION="true") as server, Watched(tools.browser, server) as watched:
        page = watched.page
        watched.open()
        page.get_by_role("button", name="Create an account").or_(page.get_by_role("link", name="Create an account")).click()
        page.get_by_label("User name").fill("bob")
        page.get_by_label("Password", exact=True).fill("bob's")
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_role("navigation")).to_be_visible()
        assert server.call("GET", "/current/user", user=("bob", "bob's"))["name"] == "bob"


def an_account_that_was_made_is_not_made_again(tools):
    with tools.server(GOTIFY_REGISTRATION="true") as server, Watched(tools.browser, server) as watched:
        page = watched.page
        watched.allow("ERR_FAILED")
        watched.open()
        page.get_by_role("button", name="Create an account").click()
        page.get_by_label("User name").fill("bob")
        page.get_by_label("Password", exact=True).fill("bob's")
        page.route("**/auth/local/login", lambda route: route.abort())
        page.get_by_role("button", name="Create account").click()
        expect(page.get_by_text("The server does not answer")).to_be_visible()
        page.unroute("**/auth/local/login")
        page.get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("navigation")).to_be_visible()


def a_dropped_cookie_is_said_at_the_first_start_too(tools):
    with tools.server(GOTIFY_DEFAULTUSER_PASS="") as server, Watched(tools.browser, server) as watched:
        page = watched.page
        link = re.search(r"Open \S+(/#/setup/\S+)", server.log()).group(1)
        page.goto(server.address + link)
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password again").fill(PASSWORD)
        overview = {**server.call("GET", "/shardcast/overview", user=(NAME, PASSWORD)), "user": None}
        page.route("**/shardcast/overview", lambda route: route.fulfill(json=overview))
        page.get_by_role("button", name="Set password and log in").click()
        expect(page.get_by_text("The browser did not keep the session")).to_be_visible()


CHECKS = (
    the_first_message_takes_twelve_clicks_and_fields,
    any_password_logs_in_and_a_wrong_one_is_refused_in_words,
    a_session_that_ends_leads_to_the_login,
    who_logs_in_next_finds_nothing_of_who_was_there_before,
    who_may_register_does,
    an_account_that_was_made_is_not_made_again,
    a_dropped_cookie_is_said_at_the_first_start_too,
)

"""The screen of users, and what those who are no administrators see."""

from playwright.sync_api import expect

from watched import Watched


def users_are_made_changed_and_deleted(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page, dialog = watched.page, watched.page.get_by_role("dialog")
        watched.login(route="#/users")
        page.get_by_role("button", name="Create user").click()
        dialog.get_by_role("button", name="Create", exact=True).click()
        expect(dialog.get_by_text("Enter a name.")).to_be_visible()
        dialog.get_by_label("User name").fill("admin")
        dialog.get_by_label("Password", exact=True).fill("secret")
        watched.allow("400 \\(Bad Request\\)")
        dialog.get_by_role("button", name="Create", exact=True).click()
        expect(dialog.get_by_text("username already exists")).to_be_visible()
        dialog.get_by_label("User name").fill("bob")
        dialog.get_by_role("button", name="Create", exact=True).click()
        expect(page.get_by_text("bob was created")).to_be_visible()

        page.get_by_role("button", name="Edit bob").click()
        dialog.get_by_label("User name").fill("robert")
        dialog.get_by_role("switch", name="Administrator").check()
        dialog.get_by_role("button", name="Save").click()
        expect(page.get_by_text("robert was saved")).to_be_visible()
        assert server.call("GET", "/current/user", user=("robert", "secret"))["admin"]

        page.get_by_role("button", name="Delete robert").click()
        dialog.get_by_role("button", name="Delete", exact=True).click()
        expect(page.locator(".item", has_text="robert")).to_have_count(0)
        expect(page.get_by_role("button", name="Edit admin")).to_be_focused()

        # The server keeps the last administrator, and says so.
        page.get_by_role("button", name="Delete admin").click()
        dialog.get_by_role("button", name="Delete", exact=True).click()
        expect(page.get_by_text("cannot delete last admin")).to_be_visible()


def who_is_no_administrator_sees_no_screen_for_them(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        server.call("POST", "/user", {"name": "bob", "pass": "bob"})
        watched.login("bob", "bob")
        expect(watched.page.get_by_role("link", name="Applications")).to_be_visible()
        for name in ("Users", "Live"):
            expect(watched.page.get_by_role("link", name=name)).to_have_count(0)


def the_navigation_is_one_stop_of_tab_on_every_screen(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        server.call("POST", "/user", {"name": "bob", "pass": "bob"})
        server.application("Backup", user=("bob", "bob"))
        watched.allow("404 \\(Not Found\\)", "403 \\(Forbidden\\)")
        watched.login("bob", "bob")
        expect(page.get_by_role("link", name="Applications")).to_be_visible()
        for screen in ("messages", "messages/999", "applications", "users", "live", "account", "help", "nowhere"):
            page.goto(f"{server.address}/#/{screen}")
            expect(page.locator("#main h1, #main h2").first).to_be_attached()
            expect(page.locator("#nav [tabindex='0']")).to_have_count(1)


def live_shows_streams_and_messages(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        application = server.application("Backup")
        watched.login()
        page.goto(f"{server.address}/#/live")
        expect(page.locator(".tile-value").first).to_have_text("1")
        expect(page.locator(".section", has_text="Streams by user").get_by_text("admin")).to_be_visible()
        server.send(application, "counted")
        expect(page.get_by_text("1 since the start").first).to_be_visible()
        expect(page.get_by_text("healthy")).to_be_visible()
        page.get_by_text("Values as a table").click()
        expect(page.locator("details tbody tr").nth(1)).to_be_visible()
        watched.allow_a_stopped_server()
        server.stop()
        expect(page.get_by_text("The figures stand still")).to_be_visible()
        server.start()
        expect(page.get_by_text("The figures stand still")).to_have_count(0)


CHECKS = (
    users_are_made_changed_and_deleted,
    who_is_no_administrator_sees_no_screen_for_them,
    the_navigation_is_one_stop_of_tab_on_every_screen,
    live_shows_streams_and_messages,
)

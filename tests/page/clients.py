"""The screen of clients, and the dialog that elevates a session."""

from playwright.sync_api import expect

from server import PASSWORD
from watched import Watched


def row(page, name):
    return page.locator(".item", has_text=name)


def choose(page, name, action):
    page.get_by_role("button", name=f"More actions for {name}").click()
    page.get_by_role("menuitem", name=action, exact=True).click()


def clients_are_made_changed_and_deleted(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page, dialog = watched.page, watched.page.get_by_role("dialog")
        watched.login(route="#/clients")
        expect(row(page, "This device")).to_have_count(1)
        page.get_by_role("button", name="Create client").click()
        dialog.get_by_label("Name").fill("Phone")
        dialog.get_by_label("Expires when unused for").select_option(label="30 days")
        dialog.get_by_role("button", name="Create", exact=True).click()
        expect(dialog.get_by_text("it is not shown again")).to_be_visible()
        token = dialog.locator(".secret code").inner_text()
        assert server.call("GET", "/current/user", key=token)["name"] == "admin"
        page.keyboard.press("Escape")
        expect(row(page, "Phone").get_by_text("expires in 30 days")).to_be_visible()

        choose(page, "Phone", "Edit client")
        dialog.get_by_label("Name").fill("Telephone")
        dialog.get_by_label("Expires when unused for").select_option(label="Never expires")
        dialog.get_by_role("button", name="Save").click()
        expect(row(page, "Telephone")).to_be_visible()
        expect(row(page, "Telephone").get_by_text("expires")).to_have_count(0)

        choose(page, "Telephone", "Elevate for an hour")
        expect(row(page, "Telephone").get_by_text("elevated")).to_be_visible()
        choose(page, "Telephone", "End elevation")
        expect(row(page, "Telephone").get_by_text("elevated")).to_have_count(0)

        page.get_by_role("button", name="Delete Telephone").click()
        dialog.get_by_role("button", name="Delete", exact=True).click()
        expect(row(page, "Telephone")).to_have_count(0)
        # The focus does not get lost with a row.
        expect(page.get_by_role("button", name="Edit Chrome on Linux")).to_be_focused()
        assert [client["name"] for client in server.call("GET", "/client")] == ["Chrome on Linux"]

        # Deleting the own session ends in the login.
        page.get_by_role("button", name="Delete Chrome on Linux").click()
        expect(dialog.get_by_text("you will be logged out")).to_be_visible()
        dialog.get_by_role("button", name="Delete", exact=True).click()
        expect(page.get_by_label("User name")).to_be_visible()
        expect(page.get_by_text("The session has ended")).to_have_count(0)


def a_refused_request_is_sent_again_once_the_session_is_elevated(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page, dialog = watched.page, watched.page.get_by_role("dialog")
        server.application("Backup")
        watched.login(route="#/applications")
        (client,) = server.call("GET", "/client")
        server.call("POST", f"/client/{client['id']}/elevate", {"durationSeconds": -1})
        watched.allow("403 \\(Forbidden\\)", "401 \\(Unauthorized\\)")

        choose(page, "Backup", "Delete")
        dialog.get_by_role("button", name="Delete", exact=True).click()
        expect(dialog.get_by_text("Confirm that it is you")).to_be_visible()
        dialog.get_by_label("Password", exact=True).fill("wrong")
        dialog.get_by_role("button", name="Confirm").click()
        expect(dialog.get_by_text("The password is wrong.")).to_be_visible()
        assert len(server.call("GET", "/application")) == 1
        dialog.get_by_label("Password", exact=True).fill(PASSWORD)
        dialog.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("There are no applications yet")).to_be_visible()
        assert server.call("GET", "/application") == []


def gotify_2_shows_tokens_again(tools):
    with tools.server("v2") as server, Watched(tools.browser, server) as watched:
        page, dialog = watched.page, watched.page.get_by_role("dialog")
        application = server.application("Backup")
        watched.login(route="#/applications")
        choose(page, "Backup", "Token and examples")
        expect(dialog.locator(".secret code")).to_have_text(application["token"])
        page.keyboard.press("Escape")
        page.goto(f"{server.address}/#/clients")
        page.get_by_role("button", name="More actions for Chrome on Linux").click()
        expect(page.get_by_role("menuitem", name="Show token")).to_be_visible()
        expect(page.get_by_role("menuitem", name="Elevate for an hour")).to_have_count(0)


CHECKS = (
    clients_are_made_changed_and_deleted,
    a_refused_request_is_sent_again_once_the_session_is_elevated,
    gotify_2_shows_tokens_again,
)

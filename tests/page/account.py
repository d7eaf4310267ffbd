"""The screen of the account."""

from playwright.sync_api import expect

from server import NAME
from watched import Watched


def the_password_is_changed(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        watched.login(route="#/account")
        page.get_by_label("New password", exact=True).fill("ünique")
        page.get_by_label("New password again").fill("other")
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_text("The two passwords differ.")).to_be_visible()
        page.get_by_label("New password again").fill("ünique")
        page.get_by_role("button", name="Change password").click()
        expect(page.get_by_text("The password was changed")).to_be_visible()
        assert server.call("GET", "/current/user", user=(NAME, "ünique"))["name"] == NAME


def language_and_theme_are_chosen_and_kept(tools):
    with tools.server() as server, Watched(tools.browser, server, locale="fr-FR", color_scheme="light") as watched:
        page = watched.page
        # French is not there yet, so it is English.
        watched.login(route="#/account")
        page.get_by_label("Language").select_option(label="Deutsch")
        expect(page.get_by_role("heading", name="Konto", level=1)).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "de")
        page.get_by_label("Farbschema").select_option(label="Dunkel")
        dark = lambda: page.evaluate("getComputedStyle(document.body).backgroundColor")
        background = dark()
        page.reload()
        expect(page.get_by_role("heading", name="Konto", level=1)).to_be_visible()
        assert dark() == background
        page.get_by_label("Farbschema").select_option(label="Hell")
        assert dark() != background


def a_browser_in_german_gets_german(tools):
    with tools.server() as server, Watched(tools.browser, server, locale="de-AT") as watched:
        watched.open()
        expect(watched.page.get_by_role("button", name="Anmelden")).to_be_visible()
        expect(watched.page.locator("html")).to_have_attribute("lang", "de")


def notifications_and_sound_are_switched(tools):
    with tools.server() as server, Watched(tools.browser, server, permissions=["notifications"]) as watched:
        page = watched.page
        watched.login(route="#/account")
        desktop = page.get_by_role("switch", name="Notifications on the desktop")
        desktop.check()
        page.get_by_label("Lowest priority that is shown").select_option(label="5 and above")
        page.get_by_role("switch", name="Sound").check()
        page.get_by_role("button", name="Try the sound").click()
        page.reload()
        expect(desktop).to_be_checked()
        expect(page.get_by_label("Lowest priority that is shown")).to_have_value("5")
        expect(page.get_by_role("switch", name="Sound")).to_be_checked()


CHECKS = (
    the_password_is_changed,
    language_and_theme_are_chosen_and_kept,
    a_browser_in_german_gets_german,
    notifications_and_sound_are_switched,
)

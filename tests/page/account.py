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


# A person who closes the browser's question without an answer.
NO_ANSWER = """
Object.defineProperty(Notification, 'permission', { get: () => 'default' });
Notification.requestPermission = async () => 'default';
"""


def a_switch_is_off_if_the_question_is_left_open(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        watched.context.add_init_script(NO_ANSWER)
        watched.login(route="#/account")
        for name in ("Notifications on the desktop", "Web Push"):
            switch = watched.page.get_by_role("switch", name=name)
            expect(switch).to_be_enabled()
            switch.click()
            expect(switch).not_to_be_checked()
            expect(switch).to_be_enabled()


# A push service for a browser that has none: Chromium without Google's keys.
PUSH_SERVICE = """
const encode = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
let subscription = null;
PushManager.prototype.getSubscription = async () => subscription;
PushManager.prototype.subscribe = async (options) => {
    window.subscribedWith = encode(options.applicationServerKey);
    const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const keys = {
        p256dh: encode(await crypto.subtle.exportKey('raw', pair.publicKey)),
        auth: encode(crypto.getRandomValues(new Uint8Array(16))),
    };
    const endpoint = 'https://push.example.com/send/1';
    subscription = { endpoint, toJSON: () => ({ endpoint, keys }), unsubscribe: async () => { subscription = null; return true; } };
    return subscription;
};
"""


def web_push_is_switched_on_and_off(tools):
    with tools.server() as server, Watched(tools.browser, server, permissions=["notifications"]) as watched:
        page = watched.page
        # Nothing is kept of a device that gets no pushes.
        watched.allow("404 \\(Not Found\\)")
        watched.context.add_init_script(PUSH_SERVICE)
        watched.login(route="#/account")
        kept = lambda: page.evaluate("fetch('shardcast/push').then((answer) => answer.json())")
        push = page.get_by_role("switch", name="Web Push")
        expect(push).to_be_enabled()
        expect(push).not_to_be_checked()
        push.click()
        expect(push).to_be_checked()
        assert page.evaluate("subscribedWith") == server.call("GET", "/shardcast/overview")["push"]["publicKey"]
        assert kept() == {"endpoint": "https://push.example.com/send/1", "minPriority": 0}, kept()
        with page.expect_response("**/shardcast/push"):
            page.get_by_label("Lowest priority that is pushed").select_option(label="5 and above")
        assert kept()["minPriority"] == 5, kept()
        push.click()
        expect(push).not_to_be_checked()
        assert kept()["errorCode"] == 404, kept()


CHECKS = (
    the_password_is_changed,
    language_and_theme_are_chosen_and_kept,
    a_browser_in_german_gets_german,
    notifications_and_sound_are_switched,
    a_switch_is_off_if_the_question_is_left_open,
    web_push_is_switched_on_and_off,
)

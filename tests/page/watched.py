"""A browser's page of which nothing may go wrong: no script error, no violated policy, nothing from elsewhere."""

import json
import pathlib
import re

from playwright.sync_api import expect

from server import NAME, PASSWORD

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
NARROWEST = {"width": 320, "height": 640}

# Runs before the page's own scripts. `hacked` is what hostile texts set, if a script of theirs runs.
WATCH = """
window.violations = [];
window.shifts = [];
document.addEventListener('securitypolicyviolation', (event) => violations.push(
    event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sourceFile + ':' + event.lineNumber));
new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
        if (!entry.hadRecentInput)
            shifts.push({ value: entry.value, nodes: entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 120)) });
}).observe({ type: 'layout-shift', buffered: true });
"""


class Watched:
    """A page in a browser of its own, with what it must not do collected in `faults`."""

    def __init__(self, browser, server, viewport=None, address=None, **options):
        # Where the browser finds the server: a proxy may be in between.
        self.address = address or server.address
        self.server, self.faults, self.requests, self.allowed = server, [], [], []
        self.context = browser.new_context(viewport=viewport or DESKTOP, **options)
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("console", self.look_at_line)
        self.page.on("request", self.look_at_request)
        self.page.on("websocket", lambda socket: self.look_at_url(socket.url))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.check()
        finally:
            self.context.close()

    def allow(self, *patterns):
        """Says which lines of the console are expected, for example that an answer was 403."""
        self.allowed.extend(patterns)

    def allow_a_stopped_server(self):
        """Says that what the browser writes of a server that is away is expected."""
        self.allow("ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE)", "WebSocket connection", "fetching the script")

    def look_at_line(self, line):
        if line.type == "error":
            self.faults.append(f"console: {line.text} ({line.location.get('url', '')})")

    def look_at_request(self, request):
        self.requests.append(request)
        self.look_at_url(request.url)

    def look_at_url(self, url):
        if not url.startswith((self.address, self.address.replace("http", "ws"), "data:", "blob:")):
            self.faults.append(f"asks {url}")
        if "token=" in url:
            self.faults.append(f"a token in {url}")

    def check(self):
        """Fails if anything went wrong up to now."""
        faults = [fault for fault in self.faults if not any(re.search(one, fault) for one in self.allowed)]
        faults += self.page.evaluate("violations.map((violation) => `policy: ${violation}`)")
        assert not faults, "\n".join(faults)

    def open(self, route=""):
        self.page.goto(f"{self.address}/{route}")

    def login(self, name=NAME, password=PASSWORD, route=""):
        self.open(route)
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.locator("#main h1")).to_be_attached()

    def login_in_any_language(self):
        self.open()
        fields = self.page.locator("form input")
        fields.nth(0).fill(NAME)
        fields.nth(1).fill(PASSWORD)
        self.page.locator("form button[type=submit]").click()
        expect(self.page.locator("#main h1")).to_be_attached()

    def say(self, text):
        """Waits until a toast, or what screen readers are told, says this."""
        expect(self.page.get_by_text(text).first).to_be_attached()

    def shift(self):
        """How much the layout has shifted by itself, as the web vitals count it at most, and what did."""
        shifts = self.page.evaluate("shifts")
        return sum(shift["value"] for shift in shifts), json.dumps(shifts)

    def fits(self, what):
        """Checks that nothing has to be scrolled sideways."""
        inner, wide = self.page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
        assert wide <= inner, f"{what} is {wide} wide in a window of {inner}"


def screenshots(folder):
    """Returns what keeps a picture of a page, if there is a folder for it."""

    def shoot(page, name):
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=pathlib.Path(folder, f"{name}.png"), full_page=True)

    return shoot

"""How the page is handed out: below a path prefix, with a policy that holds, and with a shell for a server that is away."""

from playwright.sync_api import expect

from server import haproxy
from watched import Watched

BELOW_A_PREFIX = """
frontend outside
    bind 127.0.0.1:{port}
    http-request deny if !{ path_beg /push/ }
    http-request set-path %[path,regsub(^/push,)]
    default_backend shardcast
backend shardcast
    server one 127.0.0.1:{shardcast}
"""


def the_page_works_below_a_path_prefix(tools):
    with tools.server() as server, haproxy(BELOW_A_PREFIX, server.folder, shardcast=server.port) as outside:
        with Watched(tools.browser, server, address=f"{outside}/push") as watched:
            page = watched.page
            application = server.application("Backup")
            server.send(application, "sent before")
            watched.login()
            expect(page.get_by_text("sent before")).to_be_visible()
            expect(page.get_by_text("Connected", exact=True)).to_be_visible()
            server.send(application, "sent live")
            expect(page.get_by_text("sent live")).to_be_visible()
            watched.open("#/applications")
            page.get_by_role("button", name="Token and examples of Backup").click()
            expect(page.locator(".code")).to_contain_text(f"{outside}/push/message")


# What a script could do that has come into the page. Each is tried, and says whether it went through.
FORBIDDEN = """async (elsewhere) => {
    const goes = async (what) => {
        try {
            await what();
            return true;
        } catch {
            return false;
        }
    };
    const element = document.createElement('p');
    document.body.append(element);
    return {
        script: await goes(() => document.head.append(
            Object.assign(document.createElement('script'), { textContent: 'window.hacked = true' }))),
        html: await goes(() => { element.innerHTML = '<b>bold</b>'; }),
        style: await goes(() => {
            element.setAttribute('style', 'position: fixed');
            if (getComputedStyle(element).position !== 'fixed') throw new Error('it has no effect');
        }),
        request: await goes(() => fetch(elsewhere)),
    };
}"""


def the_browser_refuses_what_the_policy_forbids(tools):
    with tools.server() as server, tools.server() as other, Watched(tools.browser, server) as watched:
        page = watched.page
        watched.login()
        watched.check()
        watched.allow("Content Security Policy", "Trusted(Script|HTML)", f"^asks {other.address}/", "Failed to load resource")
        gone = page.evaluate(FORBIDDEN, f"{other.address}/health")
        assert not any(gone.values()), gone
        assert page.evaluate("window.hacked") is None
        refused = {violation.split()[0] for violation in page.evaluate("violations.splice(0)")}
        assert refused >= {"require-trusted-types-for", "style-src-attr", "connect-src"}, refused


def without_a_server_the_page_says_so_and_comes_back(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        page = watched.page
        watched.allow_a_stopped_server()
        application = server.application("Backup")
        server.send(application, "sent before")
        watched.login()
        expect(page.get_by_text("sent before")).to_be_visible()
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        server.stop()
        page.reload()
        expect(page.get_by_text("The server does not answer.").first).to_be_visible()
        server.start()
        expect(page.get_by_text("sent before")).to_be_visible(timeout=30_000)


def the_page_can_be_installed(tools):
    with tools.server() as server, Watched(tools.browser, server) as watched:
        watched.login()
        manifest = watched.page.evaluate("fetch(document.querySelector('link[rel=manifest]').href).then((r) => r.json())")
        assert manifest["display"] == "standalone", manifest
        for icon in manifest["icons"]:
            watched.page.evaluate(
                """async (url) => {
                    const image = new Image();
                    image.src = url;
                    await image.decode();
                }""",
                icon["src"],
            )


CHECKS = (
    the_page_works_below_a_path_prefix,
    the_browser_refuses_what_the_policy_forbids,
    without_a_server_the_page_says_so_and_comes_back,
    the_page_can_be_installed,
)

#!/usr/bin/env bash
# A test that gives a page to Chromium itself (Playwright's `route.fulfill`, or `Fetch.fulfillRequest` of the DevTools
# protocol) changes what the page may connect to. Such a document has come from no address, so Chromium counts it as one
# from the internet, and its WebSockets to this machine are refused: local network access (LNA) has to be permitted. A
# `fetch` to the same server goes on working, because its origin is the page's own. The same page that the server itself
# has sent may do both.
#
#   page from                             fetch     WebSocket
#   the server, 127.0.0.1                 works     works
#   route.fulfill, in place of it         works     ERR_BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS
#
# Seen with Chromium 156 of Debian 12 and Playwright 1.65.2. So a test that puts its own page in front of a server needs
# a proxy: tests/page/gotify has HAProxy for that.
#
# Needs Python 3 and Chromium at CHROMIUM (/usr/bin/chromium). Ends with 0 if both still behave so, and with 1 if not.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet playwright==1.65.2 websockets==15.0.1

cat >look.py <<'PYTHON'
import asyncio
import http
import logging
import os

from playwright.async_api import async_playwright
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response

logging.getLogger("websockets").setLevel(logging.CRITICAL)
PAGE = "<!doctype html><title>page</title>"


async def echo(connection):
    async for message in connection:
        await connection.send(message)


def plain(connection, request):
    """Answers what is no WebSocket handshake with the page."""
    if "Upgrade" not in request.headers:
        body = PAGE.encode()
        headers = Headers({"Content-Type": "text/html", "Content-Length": str(len(body)), "Connection": "close"})
        return Response(http.HTTPStatus.OK, "OK", headers, body)
    return None


async def look(browser, address, is_routed):
    page = await browser.new_page()
    said = []
    page.on("console", lambda line: said.append(line.text))
    if is_routed:
        await page.route(address + "/", lambda route: route.fulfill(content_type="text/html", body=PAGE))
    await page.goto(address + "/")
    fetched = await page.evaluate("fetch('other').then(() => 'works', () => 'fails')")
    socket = await page.evaluate(
        """address => new Promise(resolve => {
            const socket = new WebSocket(address);
            socket.onopen = () => resolve('works');
            socket.onerror = () => resolve('fails');
        })""",
        address.replace("http", "ws") + "/socket",
    )
    await page.wait_for_timeout(200)
    reason = "ERR_BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS"
    if any(reason in line for line in said):
        socket = reason
    await page.close()
    return fetched, socket


async def main():
    async with serve(echo, "127.0.0.1", 0, process_request=plain) as server, async_playwright() as playwright:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        print("Chromium", browser.version)
        print("sent  ", *await look(browser, address, False))
        print("routed", *await look(browser, address, True))
        await browser.close()


asyncio.run(main())
PYTHON

timeout 120 venv/bin/python look.py | tee seen
grep -qx 'sent   works works' seen
grep -qx 'routed works ERR_BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS' seen

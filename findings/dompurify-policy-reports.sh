#!/usr/bin/env bash
# Under a Content-Security-Policy without 'unsafe-inline', cleaning a text with DOMPurify is reported as a violation each
# time the text has an event handler, although the handler is removed and nothing runs: DOMPurify lets the browser parse
# the text in a document that has the page's policy. So a page that counts reports, or has a `report-to`, gets one per
# such text, and can't tell them from an attack that its own code let through.
#
#   text cleaned under `script-src 'self'`     result        violations reported
#   <p>hello</p>                               <p>hello</p>  none
#   <p onclick="go()">hello</p>                <p>hello</p>  script-src-attr
#
# Seen with DOMPurify 3.5.0 in Chromium 156 of Debian 12. The web page here draws Markdown from the tokens of `marked`, and
# makes no HTML of it (ui/src/markdown), so that each report is a fault.
#
# Needs npm, Python 3 and Chromium at CHROMIUM (/usr/bin/chromium). Ends with 0 if it still behaves so, and with 1 if not.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet playwright==1.65.2
npm install --silent --no-audit --no-fund dompurify@3.5.0

cat >look.py <<'PYTHON'
import http.server
import os
import pathlib
import threading

from playwright.sync_api import sync_playwright

LIBRARY = pathlib.Path("node_modules/dompurify/dist/purify.min.js").read_bytes()
PAGE = b"<!doctype html><title>page</title><script src='purify.js'></script>"


class Host(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        content, kind = (LIBRARY, "text/javascript") if self.path == "/purify.js" else (PAGE, "text/html")
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", "default-src 'none'; script-src 'self'")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


host = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
threading.Thread(target=host.serve_forever, daemon=True).start()
with sync_playwright() as playwright:
    program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
    print("Chromium", browser.version)
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{host.server_port}/")
    for text in ("<p>hello</p>", '<p onclick="go()">hello</p>'):
        cleaned, violated = page.evaluate(
            """async text => {
                const violated = [];
                const note = event => violated.push(event.effectiveDirective);
                document.addEventListener('securitypolicyviolation', note);
                const cleaned = DOMPurify.sanitize(text);
                await new Promise(resolve => setTimeout(resolve, 200));
                document.removeEventListener('securitypolicyviolation', note);
                return [cleaned, violated];
            }""",
            text,
        )
        print(text, "->", cleaned, violated)
    browser.close()
PYTHON

timeout 120 venv/bin/python look.py | tee seen
grep -qxF "<p>hello</p> -> <p>hello</p> []" seen
grep -qxF "<p onclick=\"go()\">hello</p> -> <p>hello</p> ['script-src-attr']" seen

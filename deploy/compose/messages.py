"""Where the demo's alerts arrive: a page with the messages that Grafana has sent, the newest first. Nothing is kept.

    python3 messages.py 127.0.0.1:8080
"""

import html
import json
import sys
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Newest last. More than anybody reads; a message is a few kilobytes.
MESSAGES = []
KEPT = 200
LONGEST_MESSAGE = 1_000_000


class Messages(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if not 0 < length <= LONGEST_MESSAGE:
            self.send_error(413)
            return
        try:
            message = json.loads(self.rfile.read(length))
            said = {"to": self.path.strip("/"), "at": datetime.now(timezone.utc).strftime("%H:%M:%S"),
                    "title": str(message.get("title") or ""), "text": str(message.get("message") or "")}
        except (ValueError, AttributeError):
            self.send_error(400)
            return
        MESSAGES.append(said)
        del MESSAGES[:-KEPT]
        self.reply(204, b"")

    def do_GET(self):
        rows = "".join(
            f"<article><h2>{html.escape(one['title'])}</h2><p>{html.escape(one['at'])} to {html.escape(one['to'])}</p>"
            f"<pre>{html.escape(one['text'])}</pre></article>"
            for one in reversed(MESSAGES))
        page = ("<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=5><title>Messages</title>"
                "<style>body{font:16px sans-serif;max-width:60em;margin:2em auto}pre{white-space:pre-wrap}</style>"
                f"<h1>Messages of the alerts</h1>{rows or '<p>None yet.</p>'}")
        self.reply(200, page.encode(), "text/html; charset=utf-8")

    def reply(self, status, body, kind=None):
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    host, _, port = sys.argv[1].rpartition(":")
    ThreadingHTTPServer((host, int(port)), Messages).serve_forever()

"""Small servers on this machine, which keep what they are sent: one for mail, one for JSON."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail as an SMTP server does, as far as our sender asks; `refuse` answers each sender with it."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, refuse: str = "", user: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.refuse, self.user = refuse, user
        self.mails: list[EmailMessage] = []
        self.logins: list[str] = []
        self.connections = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Mail(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.server.connections += 1
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                self.say("250-here\r\n250 AUTH PLAIN" if self.server.user else "250 here")
            elif verb == "AUTH":
                self.server.logins.append(line.split()[-1])
                self.say("235 welcome")
            elif verb == "MAIL" and self.server.refuse:
                self.say(self.server.refuse)
            elif verb == "DATA":
                self.say("354 go on")
                body = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(
                    email.message_from_bytes(body, _class=EmailMessage, policy=email.policy.default)
                )
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 fine")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class HookServer(HTTPServer):
    """Takes what is posted; answers with `statuses` one after the other, then with 200."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.statuses = list(statuses)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/alerts"


class _Hook(BaseHTTPRequestHandler):
    server: HookServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    do_GET = do_POST  # noqa: N815 - the name is the library's

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[Any]:
    """Let a server answer from a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Serves the pages with waitress, and ends with the process that started it, however that one ends."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Any

import waitress
from django.conf import settings

from review.wsgi import application

# A page mostly waits: for the disk, and for its turn to add to the audit. So there are more threads than
# cores, and one slow page (statistics, an export) keeps nobody from the next case. Each thread keeps one
# connection to the database, of the 100 that a PostgreSQL gives out unless told otherwise.
THREADS = 16
# A browser keeps up to six connections open. Beyond the limit new ones wait, and the pages seem dead; by
# default that happens with fewer than twenty people.
CONNECTIONS = 600


def main() -> None:
    """Serve on 127.0.0.1 at the port given as the only argument until standard input ends."""
    # It warns whenever a request waits for a thread, which is what the queue is for.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.create_server(
        application,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        **_proxy(),
        threads=THREADS,
        connection_limit=CONNECTIONS,
        asyncore_use_poll=True,  # select() knows no file number above 1023
    )
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server.run()


def _proxy() -> dict[str, Any]:
    """Believe the proxy with TLS, if there is one, whose address asks and whether by https; else nobody."""
    if not settings.TLS:
        return {}
    return {
        "trusted_proxy": "127.0.0.1",
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto",
    }


def _end_with_parent() -> None:
    sys.stdin.buffer.read()  # the parent holds the other end: it closes when the parent is gone
    os._exit(0)


if __name__ == "__main__":
    main()

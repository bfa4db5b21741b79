"""Serves the pages with waitress, and ends with the process that started it, however that one ends."""

from __future__ import annotations

import os
import sys
import threading

import waitress

from review.wsgi import application


def main() -> None:
    """Serve on 127.0.0.1 at the port given as the only argument until standard input ends."""
    server = waitress.create_server(application, host="127.0.0.1", port=int(sys.argv[1]))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server.run()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()  # the parent holds the other end: it closes when the parent is gone
    os._exit(0)


if __name__ == "__main__":
    main()

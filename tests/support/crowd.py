"""Many connections from one address, and one from another: how many of each were taken.

A program for a network namespace of its own: ``crowd.py PORT COUNT``. It listens itself, finishes
no handshake and says nothing: what a scanner costs a listener.
"""

import json
import socket
import sys

MANY, ONE = "127.0.0.2", "127.0.0.3"
TIMEOUT_S = 2.0


def main():
    port, count = (int(word) for word in sys.argv[1:])
    with socket.create_server(("127.0.0.1", port), backlog=4_096):
        held = [each for _ in range(count) if (each := connection(MANY, port))]
        other = connection(ONE, port)
        print(json.dumps({"many": len(held), "other": other is not None}))


def connection(source, port):
    try:
        return socket.create_connection(("127.0.0.1", port), TIMEOUT_S, (source, 0))
    except OSError:
        return None


if __name__ == "__main__":
    main()

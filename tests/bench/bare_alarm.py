"""The peer of the local API: a socket that keeps each packet as a row of SQLite, and does no more.

``python bare_alarm.py FOLDER`` listens at FOLDER/bare.sock until its client closes.
"""

import json
import socket
import sqlite3
import sys
from pathlib import Path


def serve(folder: Path) -> None:
    """Answer one client; what is answered is on disk."""
    database = sqlite3.connect(folder / "bare.db", isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "CREATE TABLE alarm (key TEXT PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID;"
    )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(folder / "bare.sock"))
    listener.listen(1)
    client, _ = listener.accept()
    while raw := client.recv(4096):
        request = json.loads(raw)
        key = request.get("entity", "")
        database.execute("INSERT OR REPLACE INTO alarm VALUES (?, ?)", (key, raw))
        client.send(b'{"ok": true}')


if __name__ == "__main__":
    serve(Path(sys.argv[1]))

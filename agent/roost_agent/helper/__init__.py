"""``roost-helper``: does as root the few things that an unprivileged agent may ask for.

A program of its own, of the standard library alone: started by its socket, gone when idle. Its
verbs are a closed list, and it takes the agent's word for nothing: what it acts on it reads from
files that root alone can write.
"""

from typing import Final

SOCKET: Final = "/run/roost-helper.sock"  # roost-helper.socket

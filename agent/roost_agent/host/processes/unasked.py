"""Which errors of asking say nothing of who is asked: the node or the agent lacks something itself.

A process is never restarted because a fork bomb left nothing to ask it with.
"""

import errno
from typing import Final

OURS: Final = frozenset(
    {
        errno.EAGAIN,  # no process or thread more
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.EMFILE,
        errno.ENFILE,
    }
)
FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM})

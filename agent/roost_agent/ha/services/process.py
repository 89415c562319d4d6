"""Starts programs in a cgroup and hears at once when they end, by pidfd.

No thread waits for a child, and none is looked at by a timer.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

STDERR: Final = 2  # the agent's own: what a service says goes where the agent's words go
# Enters the group before it becomes the program: nothing of it ever runs outside. The words are
# arguments, never text of the script.
ENTER: Final = ("/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"')


class Child:
    """A program that runs, in a session of its own.

    Args:
        words: the program and its arguments.
        group: the cgroup that it enters; None: the agent's own.
        env: its whole environment.
        is_quiet: drop what it writes to standard output.

    Attributes:
        pid: its number.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        words: Sequence[str],
        group: Path | None,
        env: Mapping[str, str],
        *,
        is_quiet: bool = False,
    ) -> None:
        argv = list(words) if group is None else [*ENTER, str(group), *words]
        where = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
        self.pid = os.posix_spawn(
            argv[0],
            argv,
            dict(env),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                where if is_quiet else (os.POSIX_SPAWN_DUP2, STDERR, 1),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores them
        )
        self._pidfd = os.pidfd_open(self.pid)
        if group is not None:  # it enters by itself too, and may not have come to it yet
            with suppress(OSError):
                (group / "cgroup.procs").write_text(str(self.pid))
        self._told: Callable[[int], None] | None = None
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    def on_end(self, ended: Callable[[int], None] | None) -> None:
        """Call ``ended`` with the exit status; None: call nobody, whoever was named before."""
        self._told = ended

    async def wait(self) -> int:
        """Return its exit status, negative a signal, once it has ended."""
        return await asyncio.shield(self._ended)

    def kill(self) -> None:
        """End it and its session."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def leave(self) -> None:
        """Let it run on, unwatched."""
        if not self._ended.done():
            self._ended.cancel()
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)

    def _reap(self) -> None:
        _, raw = os.waitpid(self.pid, 0)  # the pidfd said that it has ended
        status = os.waitstatus_to_exitcode(raw)
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._ended.set_result(status)
        if self._told is not None:
            self._told(status)


async def done(
    words: Sequence[str], env: Mapping[str, str], *, seconds: float, group: Path | None = None
) -> int | None:
    """Run a command to its end and return its exit status; None where its time was up.

    A command that cannot be started has the status 127, as a shell says it. What it leaves behind
    stays: in a group, that is what it was run for.
    """
    try:
        child = Child(words, group, env, is_quiet=True)
    except OSError:
        return 127
    try:
        async with asyncio.timeout(seconds):
            return await child.wait()
    except TimeoutError:
        child.kill()
        return None
    except asyncio.CancelledError:
        child.kill()
        raise


def told(status: int) -> str:
    """Return how a process ended, as a person says it."""
    if status >= 0:
        return f"ended with status {status}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-status).name}"
    return f"killed by signal {-status}"

"""What an installer that came as a plugin may write on this node: by the operator, no release.

    writes = ["/boot", "/sysroot"]

in ``/etc/roost/installers.d/KIND.toml``, which root alone can have written. Without the file it
may write in its component's own place, less the files of releases, and in the temporary folders.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any, Final

from roost_agent.helper import owned
from roost_agent.install.places import FOLDER, Given

DESCRIPTIONS: Final = "etc/roost/installers.d"
BYTES_MAX: Final = 4_096
WRITES_MAX: Final = 32
CHARS_MAX: Final = 255
TEMPORARY: Final = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - the unit's own (PrivateTmp)
# Who may ask these may do anything, so each is asked for by name.
SOCKETS: Final = (
    Path("/run/systemd/private"),
    Path("/run/dbus/system_bus_socket"),
    Path("/run/docker.sock"),
    Path("/run/podman/podman.sock"),
    Path("/run/containerd/containerd.sock"),
    Path("/run/libvirt/libvirt-sock"),
    Path("/run/snapd.socket"),
)


class GrantError(Exception):
    """What a plugin may write cannot be told; the text names the file, the bound and what to do."""


def contained(words: tuple[str, ...], kind: str, place: Path, given: Given) -> tuple[str, ...]:
    """Return the words that run an installer within its walls.

    Args:
        words: of the installer; the verb comes behind them.
        kind: its name.
        place: the component's.
        given: where everything is; what root alone keeps stays closed.

    Raises:
        GrantError: the operator's word makes no sense.
    """
    writes = granted(given.root, kind)
    closed = (place / FOLDER, given.state, given.trust)  # of all the nearest counts: by real names
    told = [f"--open={path.resolve()}" for path in (place, *TEMPORARY, *writes)]
    told += [f"--close={path.resolve()}" for path in closed]
    told += [
        f"--shut={socket}"
        for socket in SOCKETS
        if not any(socket.is_relative_to(path) for path in writes)
    ]
    return (sys.executable, "-m", "roost_agent.install.walls", *told, "--", *words)


def granted(root: Path, kind: str) -> tuple[Path, ...]:
    """Return what the operator lets a kind write; nothing where there is no file.

    Raises:
        GrantError: it is not root's alone, or says what it must not.
    """
    path = root / DESCRIPTIONS / f"{kind}.toml"
    try:
        table = tomllib.loads(owned.read(str(path), BYTES_MAX))
        return tuple(_writable(root, each) for each in _writes(table))
    except FileNotFoundError:
        return ()
    except OSError as err:
        raise GrantError(f"{path}: {err.strerror}") from err
    except (ValueError, RecursionError) as err:
        raise GrantError(f"{path}: {err}") from err


def _writes(table: dict[str, Any]) -> list[str]:
    writes = table.pop("writes", [])
    if table:
        raise ValueError(f"{next(iter(table))}: unknown; there is writes")
    if not isinstance(writes, list) or len(writes) > WRITES_MAX:
        raise ValueError(f"writes: bound a list of {WRITES_MAX} paths")
    return writes


def _writable(root: Path, said: object) -> Path:
    """Return a path on this machine; no link leads it elsewhere, now or at the next verb."""
    bound = f"absolute, without . and .., not / itself, at most {CHARS_MAX} characters"
    if not isinstance(said, str) or len(said) > CHARS_MAX or not said.startswith("/"):
        raise ValueError(f"writes: {said!r:.80}: bound {bound}")
    parts = said.strip("/").split("/")
    if not {"", ".", ".."}.isdisjoint(parts) or "\0" in said:
        raise ValueError(f"writes: {said!r:.80}: bound {bound}")
    path = root.joinpath(*parts)
    real = path.resolve()
    if real != path:
        raise ValueError(f"writes: {said}: a link leads to {real}; name that")
    return path

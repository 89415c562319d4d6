"""Which centre this command speaks to: contexts in a file, or the environment.

``~/.config/roost/config.toml`` holds a table per context with ``url``, ``token_file`` and ``ca``.
No token stands in that file or on a command line: it is read from ``token_file`` or from
``ROOST_TOKEN``.
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from roost_central.cli.failure import RefusedError

DEFAULT_URL = "http://127.0.0.1:8470"
TOKEN_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Context:
    """One centre: where it is, and how this command proves who asks."""

    name: str
    url: str
    token_file: str | None = None
    ca: str | None = None

    def token(self) -> str | None:
        """Return the token, from the environment first."""
        if given := os.environ.get("ROOST_TOKEN"):
            return given.strip()
        if self.token_file is None:
            return None
        path = Path(self.token_file).expanduser()
        try:
            with path.open("rb") as file:
                return file.read(TOKEN_BYTES_MAX).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as err:
            reason = f"{path}: {err.strerror}" if isinstance(err, OSError) else f"{path}: no ASCII"
            raise RefusedError(f"the token of context {self.name!r}: {reason}") from err


@dataclass(frozen=True, slots=True)
class Settings:
    """All contexts and the one in use."""

    current: str
    contexts: dict[str, Context]


def folder() -> Path:
    """Return the folder of the settings, by the XDG rule."""
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / "roost"


def load() -> Settings:
    """Return the settings of the file; none is a fleet of one on this machine."""
    path = folder() / "config.toml"
    try:
        raw = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raw = {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise RefusedError(
            f"{path}: {err}\n  Mend or remove it; `roost login URL` writes it."
        ) from err
    try:
        contexts = {
            name: Context(name, row["url"], row.get("token_file"), row.get("ca"))
            for name, row in raw.get("context", {}).items()
        }
    except (KeyError, TypeError, AttributeError) as err:
        raise RefusedError(f"{path}: each [context.NAME] needs a url: {err}") from err
    return Settings(str(raw.get("current", "")), contexts)


def choose(name: str | None) -> Context:
    """Return the context that is named, else ``ROOST_URL``, else the current one."""
    if name is None and (given := from_environment()):
        return given
    settings = load()
    wanted = name or settings.current
    if wanted in settings.contexts:
        return settings.contexts[wanted]
    if name is None and not settings.contexts:
        return Context("default", DEFAULT_URL)
    raise RefusedError(unknown(wanted, settings))


def unknown(name: str, settings: Settings) -> str:
    """Return what is said to who names a context that is not there."""
    known = ", ".join(settings.contexts) or "none"
    return f"no context {name!r}; known: {known}. `roost login URL` makes one."


def from_environment() -> Context | None:
    """Return the context that the environment gives, which goes before the current one."""
    url = os.environ.get("ROOST_URL")
    return Context("environment", url, os.environ.get("ROOST_TOKEN_FILE")) if url else None


def save(settings: Settings) -> None:
    """Write the settings, readable by this user alone."""
    lines = [f"current = {_quoted(settings.current)}"]
    for context in settings.contexts.values():
        lines += ["", f"[context.{_quoted(context.name)}]", f"url = {_quoted(context.url)}"]
        if context.token_file:
            lines.append(f"token_file = {_quoted(context.token_file)}")
        if context.ca:
            lines.append(f"ca = {_quoted(context.ca)}")
    write_private(folder() / "config.toml", "\n".join(lines) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600 in a folder with mode 0700, in one step."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

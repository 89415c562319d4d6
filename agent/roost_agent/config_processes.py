"""Reads the ``[processes]`` tables: where files define what is watched, and this node's roles."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from roost_agent.config import ProcessesConfig

LISTS: Final[Mapping[str, tuple[int, str]]] = {  # key -> most entries, what one looks like
    "folders": (8, "/.*"),
    "roles": (16, r"[A-Za-z0-9_-]{1,32}"),
}
PATHS: Final = ("units", "helper", "health")
KEYS: Final = (*LISTS, *PATHS)


def processes_config(said: Mapping[str, Any], fault: Callable[[str, str], None]) -> ProcessesConfig:
    """Return what the tables say together; every fault is told.

    Args:
        said: key to value.
        fault: takes the key and what is wrong.
    """
    found: dict[str, Any] = {}
    for key, value in said.items():
        if key in PATHS:
            if not isinstance(value, str) or not value.startswith("/"):
                fault(key, "must be an absolute path")
            found[key] = value
        elif not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            fault(key, "must be a list of strings")
        else:
            count_max, pattern = LISTS[key]
            if len(value) > count_max:
                fault(key, f"{len(value)} entries: bound {count_max}")
            for each in (each for each in value if not re.fullmatch(pattern, each)):
                fault(key, f"{each!r} does not match {pattern}")
            found[key] = tuple(value)
    return ProcessesConfig(**found)

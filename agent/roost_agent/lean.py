"""Keeps out of the resident agent what its packages import and no agent uses: 10 MiB of 30.

Three kinds of stand-ins have the names of such modules while those who import them are imported, at
the end of this module. Afterwards anyone who imports one of them gets the real one.

- None, as if it were not installed: dnspython (5 MiB), which is there for ``join`` alone, and paho
  takes for a call that nobody here makes; typing_extensions (0.3 MiB), which msgspec takes for what
  typing has had since Python 3.11, where aiohttp brought it along.
- An empty one: ``urllib.request`` (3 MiB with http and email), by which paho finds a proxy, which
  it does only where PySocks is installed.
- One that brings the real one with the first thing that is asked of it (1.3 MiB in all): what the
  standard library imports for functions that are rarely called, such as ``ast`` for the signatures
  of what is written in C.

So this is imported before anything else. tests/unit/agent/test_footprint.py sees whether it still
works.
"""

import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from roost_agent import ascii_names

_PROXIES: Final = "urllib.request"
_URLS: Final = "urllib.parse"
_RARE: Final = {  # who imports them -> what it rarely needs
    "pathlib": (_URLS,),
    "linecache": ("tokenize",),
    "inspect": ("ast", "tokenize"),
    "traceback": ("textwrap",),
    "subprocess": ("locale",),
    "uuid": ("platform",),
}


class _Later(types.ModuleType):
    """A module that is not imported before something of it is asked for."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module has
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_real(self.__name__), name)


class _Visitor:
    """In place of ``ast.NodeVisitor``, of which inspect has a class below."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(_real("ast").NodeVisitor, name).__get__(self)


def _quote(*said: Any) -> Any:  # noqa: ANN401 - as pathlib calls it
    return _real(_URLS).quote_from_bytes(*said)


_AT_ONCE: Final[Mapping[str, Mapping[str, object]]] = {  # asked for by who is being imported
    "ast": {"NodeVisitor": _Visitor},
    "platform": {"system": lambda: os.uname().sysname},
    _URLS: {"quote_from_bytes": _quote},
}


def _real(name: str) -> types.ModuleType:
    if isinstance(sys.modules.get(name), _Later):
        del sys.modules[name]
    return importlib.import_module(name)


def _later(name: str) -> types.ModuleType:
    made = _Later(name)
    vars(made).update(_AT_ONCE.get(name, {}))
    return made


@contextmanager
def _replaced(name: str, stand_in: types.ModuleType | None) -> Iterator[None]:
    """Have a stand-in under a name that nothing has imported yet; None: as if not installed."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = stand_in  # type: ignore[assignment] # what None means is said above
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:  # else somebody asked, and the real one is there
            del sys.modules[name]


def _import_with(name: str, stand_ins: Mapping[str, types.ModuleType | None]) -> None:
    with ExitStack() as stack:
        for each, stand_in in stand_ins.items():
            stack.enter_context(_replaced(each, stand_in))
        importlib.import_module(name)


def _import_paho() -> None:
    if _PROXIES in sys.modules or importlib.util.find_spec("socks") is not None:
        return
    proxies = types.ModuleType(_PROXIES, "a stand-in, see roost_agent.lean")
    stand_ins = {_PROXIES: proxies, "dns": None, "platform": _later("platform")}
    if _URLS not in sys.modules:
        urls = stand_ins[_URLS] = _later(_URLS)
        importlib.import_module("urllib").parse = urls  # type: ignore[attr-defined] # as an import
    _import_with("paho.mqtt.client", stand_ins)


for _name, _names in _RARE.items():
    _import_with(_name, {each: _later(each) for each in _names})
_import_with("msgspec", {"typing_extensions": None, "textwrap": _later("textwrap")})
_import_paho()
ascii_names.take_over()

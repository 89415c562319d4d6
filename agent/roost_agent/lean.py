"""Keeps out of the resident agent what its packages import and no agent uses: 8 MiB of 30.

paho imports ``urllib.request`` (with http and email behind it, 3 MiB) to find a proxy, which it
does only where PySocks is installed; and dnspython (5 MiB), which is there for ``join`` alone, for
a call that nobody here makes. msgspec takes typing_extensions (0.3 MiB) for what typing has had
since Python 3.11, where aiohttp brought it along. So while the two are imported (at the end of this
module) stand-ins have those names; afterwards anyone who imports the real ones gets them.
tests/unit/agent/test_footprint.py sees whether this still works.
"""

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_PROXIES: Final = "urllib.request"
_DNS: Final = "dns"
_TYPING: Final = "typing_extensions"


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
        del sys.modules[name]


def _import_msgspec() -> None:
    with _replaced(_TYPING, None):
        importlib.import_module("msgspec")


def _import_paho() -> None:
    if _PROXIES in sys.modules or importlib.util.find_spec("socks") is not None:
        return
    proxies = types.ModuleType(_PROXIES, "a stand-in, see roost_agent.lean")
    with _replaced(_PROXIES, proxies), _replaced(_DNS, None):
        importlib.import_module("paho.mqtt.client")


_import_msgspec()
_import_paho()

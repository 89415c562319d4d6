"""Keeps what paho imports and no agent uses out of the resident agent: 8 MiB of 30.

paho imports ``urllib.request`` (with http and email behind it, 3 MiB) to find a proxy, which it
does only where PySocks is installed; and dnspython (5 MiB), which is there for ``join`` alone, for
a call that nobody here makes. So while paho is imported (at the end of this module) stand-ins have
their names; afterwards anyone who imports the real ones gets them.
tests/unit/agent/test_footprint.py sees whether this still works.
"""

import importlib
import importlib.util
import sys
import types
from typing import Final

_PROXIES: Final = "urllib.request"
_DNS: Final = "dns"


def _import_paho() -> None:
    if _PROXIES in sys.modules or importlib.util.find_spec("socks") is not None:
        return
    sys.modules[_PROXIES] = types.ModuleType(_PROXIES, "a stand-in, see roost_agent.paths.lean")
    is_dns_wanted = _DNS in sys.modules
    if not is_dns_wanted:
        sys.modules[_DNS] = None  # type: ignore[assignment] # as if it were not installed
    try:
        importlib.import_module("paho.mqtt.client")
    finally:
        del sys.modules[_PROXIES]
        if not is_dns_wanted:
            del sys.modules[_DNS]


_import_paho()

"""The sections that this release applies, in the order of the schema."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_agent.config_apply.section import Section
from roost_agent.config_apply.sections.dns import Dns
from roost_agent.config_apply.sections.ha import Ha
from roost_agent.config_apply.sections.kernel import Kernel
from roost_agent.config_apply.sections.log import Log
from roost_agent.config_apply.sections.memory import Memory
from roost_agent.config_apply.sections.network import Network
from roost_agent.config_apply.sections.own import Own
from roost_agent.config_apply.sections.paths import Paths
from roost_agent.config_apply.sections.processes import Processes
from roost_agent.config_apply.sections.sriov import Sriov
from roost_agent.config_apply.sections.time import Time
from roost_protocol.profile.schema import SECTIONS as SCHEMA

_KNOWN: Final[Mapping[str, Section]] = {
    each.name: each
    for each in (
        Time(),
        Dns(),
        Kernel(),
        Memory(),
        Sriov(),
        Network(),
        Paths(),
        Log(),
        Own("thresholds"),
        Processes(),
        Ha(),
        Own("update-window"),
    )
}
SECTIONS: Final[Mapping[str, Section]] = MappingProxyType({name: _KNOWN[name] for name in SCHEMA})

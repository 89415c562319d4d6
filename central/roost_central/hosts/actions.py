"""What can be done to a host: one table, and nothing beside it. Pure.

Hosts.md section 3. Leaves to others: what stands in the way of it now (checks), and doing it, which
is an order to a node (orders/) or, of ``delete``, the centre's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from roost_protocol import host_verbs as verbs
from roost_protocol.host import Admin, Avail

_AWAKE: Final = frozenset(
    {Avail.ONLINE, Avail.INTEST, Avail.FAILED, Avail.AVAILABLE, Avail.DEGRADED}
)
_ANY: Final = frozenset(Avail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action.

    Attributes:
        name: as it is typed and addressed.
        verb: of the order by which it is done; None: no order does it.
        own_title: what it does, for people, where no order says it.
        admin: the administrative states in which it may be done.
        forced_admin: those in which it may be done by force as well.
        avail: the availability states in which it may be done.
        takes_down: what runs on the host has to run elsewhere before.
        gives_away: it needs something that is active on the host.
        needs_board: it is done by the board controller, through the node that reads that.
        needs_media: an image is put into the board controller's virtual drive, by another node.
        needs_confirm: the host's name has to be said once more, forced or not.
        by_others: the coordinator may do it for a host that does not answer.
    """

    name: str
    verb: type[verbs.HostAct] | None = None
    own_title: str = ""
    admin: frozenset[Admin] = frozenset(Admin)
    forced_admin: frozenset[Admin] = frozenset()
    avail: frozenset[Avail] = _ANY
    takes_down: bool = False
    gives_away: bool = False
    needs_board: bool = False
    needs_media: bool = False
    needs_confirm: bool = False
    by_others: bool = False

    @property
    def title(self) -> str:
        """What it does, for people."""
        return self.own_title if self.verb is None else self.verb.title


_LOCKED: Final = frozenset({Admin.LOCKED})
_UNLOCKED: Final = frozenset({Admin.UNLOCKED})

ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        each.name: each
        for each in (
            Action(
                name="lock",
                verb=verbs.HostLock,
                admin=_UNLOCKED,
                takes_down=True,
                by_others=True,
            ),
            Action(
                name="force-lock",
                verb=verbs.HostForceLock,
                admin=_UNLOCKED,
                takes_down=True,
                needs_confirm=True,
                by_others=True,
            ),
            Action(
                name="unlock",
                verb=verbs.HostUnlock,
                admin=_LOCKED,
                avail=frozenset({Avail.ONLINE}),
            ),
            Action(
                name="swact",
                verb=verbs.HostSwact,
                admin=_UNLOCKED,
                avail=frozenset({Avail.AVAILABLE, Avail.DEGRADED}),
                gives_away=True,
            ),
            Action(
                name="reboot",
                verb=verbs.HostReboot,
                admin=_LOCKED,
                forced_admin=_UNLOCKED,
                avail=_AWAKE,
                takes_down=True,
            ),
            Action(
                name="reset",
                verb=verbs.HostReset,
                admin=_LOCKED,
                forced_admin=_UNLOCKED,
                avail=_ANY - {Avail.NOT_INSTALLED, Avail.POWER_OFF},
                takes_down=True,
                needs_board=True,
                by_others=True,
            ),
            Action(
                name="power-on",
                verb=verbs.HostPowerOn,
                admin=_LOCKED,
                avail=frozenset({Avail.POWER_OFF, Avail.OFFLINE}),
                needs_board=True,
                by_others=True,
            ),
            Action(
                name="power-off",
                verb=verbs.HostPowerOff,
                admin=_LOCKED,
                avail=frozenset({Avail.ONLINE, Avail.OFFLINE}),
                needs_board=True,
                by_others=True,
            ),
            Action(
                name="power-cycle",
                verb=verbs.HostPowerCycle,
                admin=_LOCKED,
                forced_admin=_UNLOCKED,
                avail=_ANY - {Avail.NOT_INSTALLED, Avail.POWER_OFF},
                takes_down=True,
                needs_board=True,
                by_others=True,
            ),
            Action(
                name="recover",
                verb=verbs.HostRecover,
                admin=_UNLOCKED,
                avail=frozenset({Avail.FAILED}),
            ),
            Action(
                name="maintenance",
                verb=verbs.HostMaintenance,
            ),
            Action(
                name="reinstall",
                verb=verbs.HostReinstall,
                admin=_LOCKED,
                avail=frozenset({Avail.ONLINE, Avail.POWER_OFF}),
                takes_down=True,
                needs_board=True,
                needs_media=True,
                needs_confirm=True,
                by_others=True,
            ),
            Action(
                name="delete",
                own_title="Forget a host: its certificate is revoked, its alarms are cleared.",
                admin=_LOCKED,
                needs_confirm=True,
            ),
        )
    }
)

"""Reports of a coordinator, for the tests of this folder."""

from roost_protocol.host import Admin, Avail, HostSaid, HostsReport, Oper

STATES = {
    "locked": (Admin.LOCKED, Oper.DISABLED, Avail.ONLINE),
    "available": (Admin.UNLOCKED, Oper.ENABLED, Avail.AVAILABLE),
    "degraded": (Admin.UNLOCKED, Oper.ENABLED, Avail.DEGRADED),
    "failed": (Admin.UNLOCKED, Oper.DISABLED, Avail.FAILED),
    "offline": (Admin.UNLOCKED, Oper.DISABLED, Avail.OFFLINE),
    "no-power": (Admin.UNLOCKED, Oper.DISABLED, Avail.POWER_OFF),
    "power-off": (Admin.LOCKED, Oper.DISABLED, Avail.POWER_OFF),
}


def host(node, state="available", **said):
    admin, oper, avail = STATES[state]
    given = {"since_ms": 1_000, "cause": "so it is"}
    return HostSaid(node=node, admin=admin, oper=oper, avail=avail, **(given | said))


def report(*hosts, epoch=8, by="lab.n1", **said):
    return HostsReport(v=1, epoch=epoch, by=by, hosts=list(hosts), **said)

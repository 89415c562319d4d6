"""The core of board controllers on a stage: boards that are due, asked, and answer."""

from roost_agent.alarms.rules import Finding
from roost_agent.bmc.acting import HOUR_MS
from roost_agent.bmc.board import Board, GroupSettings
from roost_agent.bmc.core import Boards
from roost_agent.bmc.effect import Act, Answered, Moment, Tick
from roost_agent.bmc.sensor import Group, Limits, Sensor
from roost_agent.bmc.talk import Answer, Known, Power
from roost_protocol.severity import Severity

DAY_MS = 1_000_000_000


def hot(value=50.0, key="/redfish/v1/a", name="CPU", **more):
    return Sensor(
        key, name, Group.TEMPERATURE, "C", value, Limits(unc=70, ucr=80, unr=90), **more
    )  # fmt: skip


class Stage:
    def __init__(self, *boards, acts=None, known=None):
        self.boards = boards or (Board(node="n1", host="b1"),)
        self.now = Moment(0, DAY_MS)
        self.core = Boards(self.boards, known or {}, acts or {}, 0)
        self.spent = []  # by the site's budget, as every act is made

    def answered(self, answer):
        spent = tuple(at for at in self.spent if self.now.wall_ms - at < HOUR_MS)
        found = self.core.handle(Answered(answer, spent), self.now)
        self.spent += [self.now.wall_ms for each in found if isinstance(each, Act)]
        return found

    def after(self, ms):
        self.now = Moment(self.now.ms + ms, self.now.wall_ms + ms)

    def tick(self, *, is_ours=True):
        return self.core.handle(Tick(is_ours), self.now)

    def polled(self, *sensors, fault="", power=Power.ON, after_ms=120_000, **more):
        """One turn of a controller: it is due, asked, and answers."""
        self.after(after_ms)
        self.tick()
        known = self.core.known()["n1"]
        failures = known.failures + 1 if fault else 0
        answer = Answer(
            node="n1", fault=fault, why="no" if fault else "", power=power, sensors=list(sensors),
            known=Known(type="redfish", failures=failures), **more,
        )  # fmt: skip
        return self.answered(answer)

    def raised(self):
        found = self.core.round()
        return {
            (each.type, each.entity): each.severity
            for each in found.samples
            if isinstance(each, Finding) and each.severity is not Severity.CLEARED
        }


def temperature(**settings):
    return Board(
        node="n1", host="b1", groups={Group.TEMPERATURE: GroupSettings(**settings)}
    )  # fmt: skip


FAN = Sensor("/redfish/v1/f", "FAN", Group.FANS, "rpm", 50.0, Limits(lnr=100))

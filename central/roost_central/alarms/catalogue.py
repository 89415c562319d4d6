"""The alarm catalogue: every type with its texts, what it affects, and what hides or causes it.

Leaves reading YAML and refusing what is wrong to catalogue_file.py. Invariants of a catalogue that
was loaded: every link names a record, ``inhibited_by`` has no cycle and a depth of at most
DEPTH_MAX, every text's placeholders are filled by the entity or the params.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from roost_protocol.catalogue import AlarmType, Delays, Source
from roost_protocol.severity import Severity

DEPTH_MAX: Final = 4  # of inhibited_by: more is a design that nobody can follow at 03:00
OF_NODES: Final = frozenset({"agent", "app"})  # sources; what others raise of a node is theirs
NEVER: Final = Severity.CRITICAL + 1  # the threshold that no severity reaches


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One type.

    Attributes:
        id: ``GGG.EEE``.
        entity: kinds after ``node=`` (after ``site=`` for the centre's and the site's own); ``?``:
            may be left out.
        params: names beside the entity's kinds that a text may show.
        severities: text by severity; ``*``: the raiser's own.
        service_affecting: severities that do.
        mgmt_affecting: lowest severity that stops a rollout; NEVER: none does.
        degrade_affecting: lowest severity that degrades the host; NEVER: none does.
        latch: stays listed after its clear until it is acknowledged.
        inhibited_by: types that mask it while one is active on a containing entity.
        root_causes: types it may be caused by; masks nothing.
        event: something that happened, with no state and no clear.
        retired: why it is not raised any more; its id is not used again.
        not_yet: why no code raises it yet.
    """

    id: str
    name: str
    source: Source
    entity: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    severities: Mapping[str, str]
    default: Severity
    repair: str
    event_type: str
    cause: str
    service_affecting: frozenset[Severity] = frozenset()
    mgmt_affecting: int = NEVER
    degrade_affecting: int = NEVER
    suppressible: bool = True
    unit: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)
    delays: Delays = field(default_factory=Delays)
    latch: bool = False
    inhibited_by: tuple[str, ...] = ()
    root_causes: tuple[str, ...] = ()
    event: bool = False
    retired: str = ""
    not_yet: str = ""

    @property
    def wire(self) -> AlarmType:
        """The type as agents know it."""
        return AlarmType(
            name=self.name,
            source=self.source,
            entity=list(self.entity),
            severities=dict(self.severities),
            default=self.default.word,
            unit=self.unit,
            limits=dict(self.limits),
            delays=self.delays,
            event=self.event,
            stops=_word(self.mgmt_affecting),
            degrades=_word(self.degrade_affecting),
        )


def _word(threshold: int) -> str:
    """Return a threshold as agents read it; empty: no severity reaches it."""
    return "" if threshold == NEVER else Severity(threshold).word


def unknown(type_: str) -> Record:
    """Return the record of a type that is in no catalogue: shown as it was said, hides nothing."""
    return Record(
        id=type_,
        name="unknown",
        source="agent",
        severities={"*": ""},
        default=Severity.MAJOR,
        repair="This centre's catalogue does not know the type: upgrade the centre, or add the "
        "catalogue file that describes it.",
        event_type="other",
        cause="unknown",
    )


class Catalogue(Mapping[str, Record]):
    """The records by id, in the order of ids."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        self._records = dict(sorted(records.items()))

    def __getitem__(self, type_: str) -> Record:
        return self._records[type_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def record(self, type_: str) -> Record:
        """Return the record of a type, whatever it is."""
        found = self._records.get(type_)
        return unknown(type_) if found is None else found

    def is_of_nodes(self, type_: str) -> bool:
        """Return whether nodes raise a type; one that is not known here may be a later agent's."""
        return self.record(type_).source in OF_NODES

    def for_agents(self) -> dict[str, AlarmType]:
        """Return the types that are raised on nodes: what catalogue.json holds."""
        return {
            record.id: record.wire
            for record in self._records.values()
            if record.source in {"agent", "app", "site"} and not record.retired
        }

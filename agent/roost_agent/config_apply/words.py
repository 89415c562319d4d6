"""What the agent says of its settings: the mark of a beat, alarms by section, the report. Pure."""

from typing import Final

from msgspec.structs import replace

from roost_agent.alarm_types import CONFIG_DRIFT, CONFIG_FAILED
from roost_agent.config_apply.looked import Looked
from roost_agent.config_apply.mark import ConfigMark
from roost_agent.config_apply.told import Told
from roost_protocol.codec import VERSION
from roost_protocol.config_report import (
    ConfigReport,
    ConfigState,
    Drift,
    SectionReport,
    SectionState,
)
from roost_protocol.limits import CONFIG_DRIFT_MAX
from roost_protocol.order import body_digest

NO_SETTINGS: Final = body_digest(b"\x80")  # of an empty document: what a node has before the first
MARK_BYTES: Final = 8
REASON_CHARS_MAX: Final = 200
_QUIET: Final = frozenset({ConfigState.APPLIED, ConfigState.PENDING_REBOOT})
WHOLE: Final = "document"  # where no section is to blame


def mark(told: Told | None, looked: Looked) -> ConfigMark:
    """Return what beats tell; before the first document: none, which has a digest too."""
    told = told or Told()
    digest = bytes.fromhex(told.applied_digest or NO_SETTINGS)[:MARK_BYTES]
    pending = bool(looked.pending if looked.digest else told.pending)
    return ConfigMark(digest, told.applied_desired, pending, count(looked))


def count(looked: Looked) -> int:
    """Return how many settings differ."""
    return sum(map(len, looked.drift.values()))


def latest(told: Told) -> Told:
    """Return how it stands with the last order, where something older was applied again since.

    A document that waits for its window, or could not be applied, is still what the centre wants.
    """
    if told.state not in _QUIET or told.seq:
        return told
    if (held := told.held) is not None:
        waits = SectionReport(SectionState.WAITING)
        return replace(
            told,
            desired=held.desired,
            digest=held.digest,
            state=ConfigState.WAITING,
            code="window",
            text=held.text,
            sections=dict.fromkeys(told.sections, waits),
        )
    if (failed := told.failure) is not None:
        said = {name: getattr(failed, name) for name in failed.__struct_fields__}
        return replace(told, **said)
    return told


def alarms(told: Told | None, looked: Looked) -> dict[tuple[str, str], str]:
    """Return the reason of each alarm that stands, by type and entity."""
    standing = {
        (CONFIG_DRIFT, _entity(name)): _cut("; ".join(map(_sentence, found)))
        for name, found in looked.drift.items()
    }
    told = None if told is None else latest(told)
    if told is None or told.state not in {ConfigState.ROLLED_BACK, ConfigState.REFUSED}:
        return standing
    guilty = {
        name: each.reason
        for name, each in told.sections.items()
        if each.state in {SectionState.FAILED, SectionState.REFUSED}
    }
    for name, reason in (guilty or {WHOLE: told.text}).items():
        standing[CONFIG_FAILED, _entity(name)] = _cut(reason or told.text)
    return standing


def report(told: Told, looked: Looked) -> ConfigReport | None:
    """Return what the centre is told; None before the first document, and while one is on its way.

    What that comes to is not known before its end, and then it is told.
    """
    told = latest(told)
    digest = told.digest or told.applied_digest
    if not digest or told.state is None:
        return None
    drift = [each for found in looked.drift.values() for each in found]
    return ConfigReport(
        v=VERSION,
        desired_gen=told.desired or told.applied_desired,
        digest=bytes.fromhex(digest),
        state=told.state,
        applied_gen=told.applied_desired,
        applied_digest=bytes.fromhex(told.applied_digest) if told.applied_digest else None,
        code=told.code,
        text=told.text,
        sections=_sections(told, looked),
        drift=drift[:CONFIG_DRIFT_MAX],
        drift_count=len(drift),
    )


def _sections(told: Told, looked: Looked) -> dict[str, SectionReport]:
    """Return the state of each section: drift goes over what the application came to."""
    quiet = {SectionState.APPLIED, SectionState.PENDING_REBOOT}
    found = dict(told.sections)
    for name, differing in looked.drift.items():
        there = found.get(name)
        if there is None or there.state in quiet:
            reason = _cut("; ".join(map(_sentence, differing)))
            found[name] = SectionReport(SectionState.DRIFTED, reason)
    return found


def _sentence(drift: Drift) -> str:
    return f"{drift.setting} is {drift.found or 'absent'}, not {drift.wanted}"


def _entity(section: str) -> str:
    return f"section={section}"


def _cut(text: str) -> str:
    return text if len(text) <= REASON_CHARS_MAX else f"{text[: REASON_CHARS_MAX - 3]}..."

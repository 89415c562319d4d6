"""A node's word on its settings, taken in with the report that brought it, in its transaction."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.fleet.entity import entity_of
from roost_central.fleet.view import SettingsWord
from roost_central.storage import config_reports
from roost_central.storage.events import NewEvent
from roost_central.storage.last_reports import CONFIG, LastReport
from roost_protocol.codec import Decoder
from roost_protocol.config_report import ConfigReport, ConfigState
from roost_protocol.severity import Severity

KIND: Final = "config"
TYPE: Final = "250.810"  # an event: what became of a document on its node

_reports: Final = Decoder[ConfigReport](ConfigReport)
_WELL: Final = frozenset({ConfigState.APPLIED, ConfigState.PENDING_REBOOT})


async def take_in(
    connection: AsyncConnection, node: str, body: bytes, *, at_ms: int, now_ms: int
) -> NewEvent | None:
    """Keep a report; return the event of it, None where it says the same of the same document.

    The report before it is gone then: events, which are kept and bounded, are the history.

    Raises:
        ProtocolError: it cannot be read.
    """
    report = _reports.decode(body)
    before = await CONFIG.find(connection, node)
    await config_reports.save(connection, LastReport(node, at_ms, now_ms, report))
    if before is not None and _what(before.report) == _what(report):
        return None
    site = node.partition(".")[0]
    return NewEvent(
        at_ms=at_ms,
        received_ms=now_ms,
        kind=KIND,
        type=TYPE,
        severity=Severity.CLEARED if report.state in _WELL else Severity.WARNING,
        text=_sentence(report),
        site=site,
        node=node,
        entity=entity_of(site, node),
        params={
            "generation": report.desired_gen,
            "state": report.state.value,
            "code": report.code,
        },
    )


def word_of(body: bytes, *, now_ms: int) -> SettingsWord:
    """Return a report in short, as the fleet's view has it.

    Raises:
        ProtocolError: it cannot be read.
    """
    report = _reports.decode(body)
    return short_of(LastReport("", now_ms, now_ms, report))


def short_of(record: LastReport[ConfigReport]) -> SettingsWord:
    """Return a report that is kept in short."""
    report = record.report
    why = _why(report) or report.code or report.state.value
    return SettingsWord(report.digest.hex(), report.state.value, why, record.received_ms)


def _what(report: ConfigReport) -> tuple[object, ...]:
    return report.desired_gen, report.digest, report.state, report.code, report.text


def _sentence(report: ConfigReport) -> str:
    text = f"settings of generation {report.desired_gen}: {report.state.value}"
    why = _why(report)
    return f"{text}, {why}" if why else text


def _why(report: ConfigReport) -> str:
    failed = [f"{name}: {each.reason}" for name, each in report.sections.items() if each.reason]
    return report.text or "; ".join(failed)

"""Rollouts on a terminal: how far each has come, what is in the way, and what one can do next."""

from collections.abc import Iterable
from typing import Any, Final

from roost_central.cli import output, times
from roost_central.cli.counted import counted
from roost_central.cli.options import Asked
from roost_central.cli.output import Column, Row
from roost_central.cli.plain import plain
from roost_central.ports import SystemClock

SHORT_CHARS: Final = 8  # of an id: enough for every command, as the centre refuses what is not
NAMED_MAX: Final = 5  # sites in a line
FAILED_MAX: Final = 3  # groups of failures below a rollout; `failures` has all
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
WATCHED: Final = ("verifying", "soaking")  # sites that have it, and are looked at
ENDS: Final = frozenset({"denied", "completed", "aborted", "rolled_back"})
_MOVING: Final = frozenset({"running", "aborting", "rolling_back"})  # its sites are what changes
_UNTOUCHED: Final = frozenset({"canceled", "superseded", "not_needed", "incompatible"})
_COUNTED: Final = (
    "succeeded", "failed", "in_flight", "worse", "unreachable", "went_back", "never_had",
)  # fmt: skip
_NEXT: Final = {  # state -> what is next, and the verb for it
    "scheduled": ("begin", "start"),
    "aborting": ("it waits for the sites that are at work", "watch"),
    "rolling_back": ("it waits for the sites that go back", "watch"),
    "aborted": ("who has it keeps it; where each site stands", "jobs"),
    "rolled_back": ("where each site stands", "jobs"),
}


def _some(heading: str, key: str) -> Column:
    """Return a column of a count whose zero is a dash: it goes where there is no room for it."""
    return Column(
        heading, lambda row: f"{row[key]:,}" if row[key] else "-", lambda row: row[key], right=True
    )


def _having(heading: str, whole: str) -> Column:
    """Return a column of how many of its sites have what they should."""
    return Column(
        heading, lambda row: f"{row['succeeded']:,} of {row[whole]:,}", right=True, whole=True
    )


def _count(row: Row, key: str) -> int | None:
    """Return how many sites of a rollout are so; None: it ended before that was kept."""
    counts = row.get("counts")
    return None if counts is None else int(counts[key])


def _of_all(heading: str, key: str) -> Column:
    """Return a column of a count of a rollout's sites, a dash where there are none."""
    return Column(
        heading,
        lambda row: f"{count:,}" if (count := _count(row, key)) else "-",
        lambda row: _count(row, key),
        right=True,
        whole=True,
    )


def done(row: Row) -> str:
    """Return how many sites of a rollout have it, or are back where it goes back, of all."""
    done = _count(row, "done")
    return f"{'?' if done is None else f'{done:,}'} of {row['sites']:,}"


def _soak(row: Row) -> str:
    return f"{min(row['soaked_s'], row['soak_s'])} of {row['soak_s']} s"


def type_of(row: Row) -> str:
    """Return the type of a failure with step and code, and of sites that are back that they are."""
    more = [row.get("step", ""), row.get("code", "")]
    what = " ".join([row["failure"], *(word for word in more if word not in {"", row["failure"]})])
    if row.get("never_had"):
        return f"{what}, never had it"
    return f"{what}, went back" if row["went_back"] else what


def columns(asked: Asked) -> list[Column]:
    """Return what a line of a rollout shows."""
    return [
        Column("ROLLOUT", lambda row: short(row["id"]), lambda row: row["id"], whole=True),
        Column("RELEASE", lambda row: f"{row['component']} {row['version']}"),
        Column("STATE", _state),
        Column("WAVE", lambda row: f"{row['wave']} of {row['waves']}"),
        Column("DONE", done, lambda row: _count(row, "done"), right=True, whole=True),
        _of_all("AT WORK", "at_work"),
        _of_all("FAILED", "failed"),
        _of_all("SILENT", "silent"),
        _of_all("WAITING", "waiting"),
        output.number("SITES", "sites", wide=True),
        Column("AGE", lambda row: _age(row["made"]), lambda row: row["made"]),
        output.text("BY", "by", wide=True),
        Column("WHY", lambda row: row["why"] or "-", lambda row: row["why"] or None),
        output.text("NAME", "name", wide=True),
        Column("MADE", lambda row: asked.clock(row["made"]), lambda row: row["made"], wide=True),
        output.text("REASON", "reason", wide=True),
    ]


_WAVES: Final = [
    output.number("WAVE", "wave"),
    output.text("NAME", "name"),
    output.text("STATE", "state", whole=True),
    _having("HAVE IT", "sites"),
    _some("FAILED", "failed"),
    _some("AT WORK", "in_flight"),
    _some("QUEUED", "queued"),
    _some("SILENT", "unreachable"),
    Column(
        "SOAK", lambda row: _soak(row) if row["soaked_s"] else "-", _soak, right=True, whole=True
    ),
    Column("SINCE", lambda row: _age(row["since"]), lambda row: row["since"]),
    Column("WHY", lambda row: row["why"] or "-", lambda row: row["why"] or None, wide=True),
]
DRY: Final = [
    output.number("WAVE", "wave"),
    output.text("NAME", "name"),
    output.number("SITES", "sites"),
    Column("BEGINS AFTER", lambda row: _range(row["begins_s"]), whole=True),
    Column("ENDS AFTER", lambda row: _range(row["ends_s"]), whole=True),
    Column("WAN", lambda row: size(row["bytes_wan"]), lambda row: row["bytes_wan"], right=True),
    _some("HAVE IT", "current"),
    _some("GO DOWN", "exposed"),
    Column("BLOCKED", lambda row: str(sum(row["blockers"].values()) or "-"), right=True),
    Column("SUCH AS", lambda row: ", ".join(row["first"][:NAMED_MAX])),
]
FAILURES: Final = [
    output.number("SITES", "count"),
    Column("TYPE", type_of),
    output.text("REASON", "reason"),
    Column("SUCH AS", lambda row: ", ".join((row.get("nodes") or row["sites"])[:NAMED_MAX])),
    Column("WHAT HELPS", lambda row: row["remedy"], wide=True),
]


def jobs(asked: Asked) -> list[Column]:
    """Return what a line of a site of a rollout shows."""
    return [
        output.text("SITE", "site", whole=True),
        output.number("WAVE", "wave"),
        Column("STATE", stands, lambda row: row["state"]),
        Column("FOR", lambda row: _age(row["since"]), lambda row: row["since"]),
        output.number("ATTEMPT", "attempt"),
        Column("FAILURE", lambda row: row["failure"] or "-", lambda row: row["failure"]),
        Column("HAD", lambda row: row["former"] or "-", lambda row: row["former"] or None),
        Column("DETAIL", detail, lambda row: row["detail"] or None),
        Column("SINCE", lambda row: asked.clock(row["since"]), lambda row: row["since"], wide=True),
    ]


def stands(row: Row) -> str:
    """Return the state of a site; one that failed before it had the release says so."""
    return f"{row['state']}, never had it" if row.get("never_had") else str(row["state"])


def detail(row: Row) -> str:
    """Return what a site waits for and how long, or what it failed of and when it goes on."""
    left_s = row.get("left_s")
    if left_s is None:
        return row["detail"] or "-"
    when = f"{left_s} s left" if row["state"] in WATCHED else f"again in {_length(left_s)}"
    return f"{row['detail']}, {when}" if row["detail"] else when


def drawn(asked: Asked, found: dict[str, Any], groups: Iterable[Row] = ()) -> str:
    """Return a rollout, its waves, what failed and what one can do next.

    Args:
        asked: the form; a program gets the rollout as it is.
        found: the rollout.
        groups: its failures.
    """
    if asked.form not in {"table", "wide"}:
        return output.document(found, asked.form)
    rows: list[Row] = [
        {**each, "queued": each["states"].get("queued", 0), "touched": _touched(each)}
        for each in found["stages"]
    ]
    columns_ = [
        _having("ARE BACK", "touched") if each.heading == "HAVE IT" and _is_back(found) else each
        for each in _WAVES
    ]
    waves = output.render(rows, columns_, asked.form, name="wave")
    shown = list(groups)
    failed = "".join(f"{line}\n" for line in _failed(found, shown)) if shown else ""
    notes = plain(f"{failed}{_next(asked, found)}", keep_newlines=True)
    return f"{plain(_head(asked, found), keep_newlines=True)}\n{waves}\n{notes}"


def news(found: dict[str, Any]) -> str:
    """Return what of a rollout is news for who reads a pipe: not how long its wave soaks."""
    passing = {"soaked_s", "rate", "left_s"}
    stages = [{k: v for k, v in each.items() if k not in passing} for each in found["stages"]]
    return repr({**found, "stages": stages, "changed": ""})


def has_failures(found: dict[str, Any]) -> bool:
    """Whether any site of a rollout failed, or is worse since."""
    told = ("failed", "failures", "worse", "went_back", "never_had")
    return any(each.get(key) for each in found["stages"] for key in told)


def failures(rows: list[Row], form: str) -> str:
    """Return failures by reason, and below them what helps against each type."""
    table = output.render(rows, FAILURES, form, name="reason")
    if form != "table":
        return table
    helps = {type_of(row): row["remedy"] for row in rows}
    return table + "".join(f"\n{plain(f'{typed}: {what}')}" for typed, what in helps.items()) + "\n"


def dry(found: dict[str, Any], form: str, file: str) -> str:
    """Return what a plan would do, what is in its way, and how to make it."""
    release = f"{found['component']} {found['version']}"
    head = (
        f"{found['name']}: {release} for {counted(found['sites'], 'site')} with "
        f"{counted(found['nodes'], 'node')}, {size(found['bytes_wan'])} over their WANs; "
        f"{_approvers(found['approvers'])}"
    )
    lines = [
        f"wave {wave['wave']}: {counted(count, 'site')} held back: {why}{_such(wave, why)}"
        for wave in found["waves"]
        for why, count in wave["blockers"].items()
    ]
    for kind in found["uncovered"]:
        words = ", ".join(kind[key] for key in ("hw", "roles", "link", "release") if kind[key])
        lines.append(f"no canary for {words}: {counted(kind['sites'], 'site')}")
    lines += [_section(each) for each in found["sections"]]
    if found["unable"]:
        lines.append(f"not waited for: {counted(found['unable'], 'node')} without settings now")
    lines += [f"refused: {each}" for each in found["refusals"]]
    if not found["refusals"]:
        lines.append(f"make it: roost rollout create {file} --expect {found['sites']}")
    waves = output.render(found["waves"], DRY, form, name="wave")
    notes = plain("".join(f"{line}\n" for line in lines), keep_newlines=True)
    return f"{plain(head)}\n\n{waves}\n{notes}"


def _such(wave: dict[str, Any], why: str) -> str:
    """Return the first sites that something holds back, in brackets."""
    sites = wave.get("blocked_first", {}).get(why, [])
    more = ", ..." if len(sites) > NAMED_MAX else ""
    return f" ({', '.join(sites[:NAMED_MAX])}{more})" if sites else ""


def short(id_: str) -> str:
    """Return the letters of an id that commands take."""
    return id_[:SHORT_CHARS]


def size(count: int) -> str:
    """Return bytes for people."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1_024:  # noqa: PLR2004 - of a unit
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1_024
    return f"{amount:.1f} TiB"


def _is_back(found: dict[str, Any]) -> bool:
    """Whether a rollout goes back, or is: what succeeds then is the way back."""
    return found["state"] in {"rolling_back", "rolled_back"}


def _touched(stage: dict[str, Any]) -> int:
    """Return how many sites of a wave have something to go back from, or are back."""
    all_ = sum(count for state, count in stage["states"].items() if state not in _UNTOUCHED)
    return int(all_ - stage.get("never_had", 0))


def _head(asked: Asked, found: dict[str, Any]) -> str:
    """Return who sends what where, in which state it is since when, and how far it has come."""
    total = {key: sum(each.get(key, 0) for each in found["stages"]) for key in _COUNTED}
    alone = total["went_back"]
    themselves = "itself" if alone == 1 else "themselves"
    more = [f"{alone:,} by {themselves} before"] if alone else []
    spared = total["never_had"]
    more += [f"{spared:,} failed before and never had it"] if spared else []
    more += [f"{total['failed']:,} failed", f"{total['in_flight']:,} at work"]
    off = sum(each["states"].get("rejected", 0) for each in found["stages"])
    more += [f"{off:,} put off"] if off else []
    more += [f"{total['unreachable']:,} silent"] if total["unreachable"] else []
    more += [f"{total['worse']:,} worse since"] if total["worse"] else []
    reason = f", {found['reason']!r}" if found["reason"] else ""
    why = f": {found['why']}" if found["why"] else ""
    of = f"{counted(found['sites'], 'site')} have it"
    if _is_back(found):
        of = f"{counted(sum(map(_touched, found['stages'])), 'touched site')} went back"
    since = "" if found["state"] in _MOVING else f"; last change {_age(found['changed'])} ago"
    return (
        f"rollout {short(found['id'])}  {found['name']}: {found['component']} {found['version']}\n"
        f"{_state(found)}{why}{since}\n"
        f"{total['succeeded']:,} of {of}, {', '.join(more)}\n"
        f"made {asked.clock(found['made'])} ({_age(found['made'])} ago) by {found['by']}{reason}\n"
    )


def _failed(found: dict[str, Any], groups: list[Row]) -> list[str]:
    lines = []
    for each in groups[:FAILED_MAX]:
        such = ", ".join((each.get("nodes") or each["sites"])[:NAMED_MAX])
        what = "went back by itself" if each["went_back"] else "failed"
        what = "failed and never had it" if each.get("never_had") else what
        typed = type_of({**each, "went_back": False, "never_had": False})
        lines.append(f"{counted(each['count'], 'site')} {what}, {typed}: {each['reason']} ({such})")
        lines.append(f"  {each['remedy']}")
    if len(groups) > FAILED_MAX:
        more = counted(len(groups) - FAILED_MAX, "reason")
        lines.append(f"and {more} more: roost rollout failures {short(found['id'])}")
    return lines


def _next(asked: Asked, found: dict[str, Any]) -> str:
    """Return what is waited for, or what can be done, in a sentence."""
    id_, state = short(found["id"]), found["state"]
    if state == "awaiting_approval":
        have = len({each["operator"] for each in found["approvals"]})
        return (
            f"{have} of {found['approvers']} operators approved: "
            f"roost rollout approve {id_} --plan FILE --operator NAME --key FILE\n"
        )
    if state == "running":
        return _running(asked, found)
    if state == "paused":
        now = found["stages"][found["wave"] - 1]
        is_silent = found["pause"] == "unreachable" and now["unreachable"]
        go_on = f"resume {id_}" + (" (or --skip)" if is_silent else "")
        if now["state"] == "failed":
            go_on = f"resume {id_} --retry (or --skip)"
        return (
            f"its sites: roost rollout jobs {id_}; what failed: roost rollout failures {id_}\n"
            f'go on: roost rollout {go_on}; undo it: roost rollout rollback {id_} -m "WHY"\n'
        )
    if state == "aborted" and found["kind"] == "release":
        return (
            f"who has the release keeps it: roost rollout jobs {id_}; "
            f'send it back: roost rollout rollback {id_} -m "WHY"\n'
        )
    what, verb = _NEXT.get(state, ("", ""))
    return f"{what}: roost rollout {verb} {id_}\n" if what else ""


def _running(asked: Asked, found: dict[str, Any]) -> str:
    id_, now = short(found["id"]), found["stages"][found["wave"] - 1]
    off = now["states"].get("rejected", 0)
    later = (
        f"{counted(off, 'site')} put it off and will be asked again: "
        f"roost rollout jobs {id_} --state rejected\n"
    )
    why = f": {now['why']}" if now["why"] else ""
    is_offering = now["state"] == "releasing" and now["rate"]
    rate = f", {now['rate']:,.4g} sites a minute at most" if is_offering else ""
    name = "" if now["name"] == f"wave {now['wave']}" else f" ({now['name']})"
    until = f", until {asked.clock(now['deadline'])} at the latest" if now["deadline"] else ""
    return (
        f"wave {now['wave']}{name} is {now['state']}{why}{rate}{until}\n"
        f"{_watched(now)}"
        f"{later if off else ''}"
        f"follow it: roost rollout watch {id_}; stop it: roost rollout pause {id_}\n"
    )


def _watched(stage: dict[str, Any]) -> str:
    """Return what those sites of a wave that have the update wait for; empty: none has."""
    measured, soaking = (stage["states"].get(state, 0) for state in WATCHED)
    said = [f"{counted(measured, 'site')} verifying (clean beats with the release)"] * bool(
        measured
    )
    said += [f"{counted(soaking, 'site')} soaking (no new alarm may come)"] * bool(soaking)
    if not said:
        return ""
    left = (
        f"; the next is through in {stage['left_s']} s" if stage.get("left_s") is not None else ""
    )
    return f"{', '.join(said)}{left}\n"


def _approvers(count: int) -> str:
    return f"{counted(count, 'operator')} must approve it" if count else "nobody has to approve it"


def _section(row: Row) -> str:
    """Return what of a section of settings changes, and what that takes."""
    mark = f"affects services: {row['mark']}" if row["affects_service"] else row["mark"]
    where = f"{counted(row['nodes'], 'node')} of {counted(row['sites'], 'site')}"
    return f"{row['section']}: {counted(row['settings'], 'setting')} on {where} ({mark})"


def _state(row: Row) -> str:
    return f"{row['state']} ({row['pause']})" if row["pause"] else str(row["state"])


def _age(text: str | None) -> str:
    """Return how long ago something was."""
    at_s = times.seconds(text)
    return times.age(None if at_s is None else SystemClock().wall_ms() / 1_000 - at_s)


def _range(seconds: list[int]) -> str:
    low, high = (_length(each) for each in seconds)
    return low if low == high else f"{low} to {high}"


def _length(seconds: int) -> str:
    if not seconds:
        return "at once"
    if seconds < _HOUR_S:
        return f"{-(-seconds // _MINUTE_S)} min"
    return f"{seconds / _HOUR_S:.1f} h"

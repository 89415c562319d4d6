"""What went wrong and what to do next, as a sentence on stderr and an exit code."""

import os
import re
import sys
import traceback
from dataclasses import dataclass, field
from typing import Any

from roost_central.cli.exits import FROM_HTTP_STATUS, ExitCode
from roost_central.cli.plain import plain

LIKE_THEIR_FLAGS = (
    "reason", "note", "text", "ticket", "since", "until", "by", "sort", "hours", "limit", "cidr",
)  # fmt: skip
TYPED = {  # what fields of the API are called on the command line
    "for_s": "--for",
    "nodes_max": "--max-nodes",
    "life_s": "--ttl",
    "expect_count": "--expect",
    "filter": "-q",
    "ids": "KEY",
    "type": "TYPE",
    "name": "NAME",
    "assignee": "--to",
    "grants": "--grant",
    "password": "the password",
    "site": "--site",
    "words": "--words",
    "serial": "--serial",
    "after": "SEQ",
    **{name: f"--{name}" for name in LIKE_THEIR_FLAGS},
}
VERBS = ("is ", "must ", "may ")  # a sentence goes on after the name
NEXT = {  # where what is there stands, by what was not found
    "alarm": "\n  `roost alarm list` shows the keys, `roost alarm history` those of what is over.",
    "incident": "\n  `roost incident list --state all` shows them.",
    "shelf": "\n  `roost alarm shelves` shows them.",
    "suppression": "\n  `roost alarm suppressions` shows them.",
    "target": "\n  `roost northbound list` shows them.",
    "user": "\n  `roost user list` shows them.",
    "token": "\n  `roost token list` shows them.",
    "site": "\n  `roost site list` shows them.",
    "node": "\n  `roost node list` shows them.",
    "profile": "\n  `roost profile list` shows them.",
    "enrolment": "\n  `roost enrol list --all` shows the boxes.",
    "claim": "\n  `roost enrol token list` shows tokens and lists.",
    "order": "\n  `roost order list` shows them.",
    "rollout": "\n  `roost rollout list` shows them; the first four letters of an id are enough.",
    "release": "\n  `roost release list` shows them.",
}
ERRORS_SHOWN_MAX = 20  # of one refusal: a screen
ASK_LOGIN = "\n  `roost login URL` keeps a token; the centre printed the first one at its start."
ASK_ADMIN = "\n  An admin gives another by `roost user password NAME`."
UNKNOWN_TYPE = "is not in the catalogue"
_ABSENT = re.compile(r"there is no (\w+) '")


@dataclass
class ApiError(Exception):
    """A refusal of the centre, as RFC 9457 problem details."""

    status: int
    title: str
    detail: str = ""
    code: str = ""
    errors: list[dict[str, Any]] = field(default_factory=list)
    request_id: str = ""
    query: str = ""


@dataclass
class UnreachableError(Exception):
    """The centre did not answer at all."""

    url: str
    reason: str
    timed_out: bool = False


@dataclass
class RefusedError(Exception):
    """Something this side will not do, with the sentence that says why and what to do."""

    sentence: str
    code: ExitCode = ExitCode.USAGE


def report_failure(err: Exception) -> int:
    """Write the sentence of a failure to stderr and return the exit code."""
    match err:
        case ApiError():
            _say(_problem_text(err))
            return FROM_HTTP_STATUS.get(err.status, ExitCode.ERROR)
        case UnreachableError():
            _say(
                f"no answer from {err.url}: {err.reason}\n"
                "  Is roost-central running there? `roost context list` shows which centre is used."
            )
            return ExitCode.TIMED_OUT if err.timed_out else ExitCode.ERROR
        case RefusedError():
            _say(err.sentence)
            return err.code
        case _:
            if os.environ.get("ROOST_TRACEBACK"):
                traceback.print_exception(err)
            _say(f"{type(err).__name__}: {err}\n  ROOST_TRACEBACK=1 shows where.")
            return ExitCode.ERROR


def _problem_text(problem: ApiError) -> str:
    text = _as_typed(problem.detail or problem.title, problem.errors)
    if found := _ABSENT.match(text):
        text += NEXT.get(found[1], "")
    if UNKNOWN_TYPE in text:
        text += "\n  `roost alarm types` lists it."
    for error in problem.errors[:ERRORS_SHOWN_MAX]:
        where = error.get("field") or ""
        detail = error.get("detail") or error.get("code") or ""
        if detail and detail not in text and detail not in problem.detail:
            text += f"\n  {where}: {detail}" if where else f"\n  {detail}"
        if problem.query and isinstance(error.get("offset"), int):
            text += _pointed(problem.query, error["offset"], error.get("length") or 1)
    if problem.status == 401:  # noqa: PLR2004 - RFC 9110, 15.5.2
        text += ASK_ADMIN if "password" in text else ASK_LOGIN
    return text


def _as_typed(text: str, errors: list[dict[str, Any]]) -> str:
    """Return a refusal with the flag that was typed in place of the field it became."""
    field = str(errors[0].get("field") or "") if errors else ""
    typed = TYPED.get(field.partition("[")[0])
    if typed is None or not text.startswith(f"{field}: "):
        return text
    rest = text.removeprefix(f"{field}: ")
    return f"{typed} {rest}" if rest.startswith(VERBS) else f"{typed}: {rest}"


def _pointed(query: str, offset: int, length: int) -> str:
    """Return the query with marks under the part that is wrong."""
    before, wrong = plain(query[:offset]), plain(query[offset : offset + length])
    return f"\n    {plain(query)}\n    {' ' * len(before)}{'^' * max(len(wrong), 1)}"


def _say(text: str) -> None:
    print(f"roost: {plain(text, keep_newlines=True)}", file=sys.stderr)

"""What is wrong with a repository, in an operator's words: one sentence for each error of tuf's.

Sentences say what is old, missing or not believed, since when, and leave out tuf's own words, which
stay in the log as the error's cause. What to do is ``roost_protocol.remedy``'s; of a stick and of
the centre it is not the same, so what is to be said of a stick is here. Pure.

Bound: a sentence is within 160 characters, as the centre is told 255 bytes of a failure with node,
step and code before it.
"""

import re
from datetime import datetime, timedelta
from typing import Final

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    SlowRetrievalError,
    StorageError,
    UnsignedMetadataError,
)

from roost_agent.moment import shown
from roost_protocol.remedy import REMEDIES, Refusal

NAMES: Final = {"image": "the image repository", "director": "the director"}
ROLES: Final = {
    "root": "whom to trust (root)",
    "timestamp": "what is newest (timestamp)",
    "snapshot": "what belongs together (snapshot)",
    "targets": "what there is (targets)",
}
CODES: Final[tuple[tuple[type[Exception], Refusal], ...]] = (  # the first that fits
    (ExpiredMetadataError, Refusal.EXPIRED),
    (BadVersionNumberError, Refusal.ROLLBACK),
    (UnsignedMetadataError, Refusal.SIGNATURE),
    (LengthOrHashMismatchError, Refusal.MIXED),
    (RepositoryError, Refusal.METADATA),
    (DownloadLengthMismatchError, Refusal.ENDLESS),
    (DownloadHTTPError, Refusal.ABSENT),
    (DownloadError, Refusal.UNREACHABLE),
    (StorageError, Refusal.DISK),
)
ERRORS: Final = tuple(kind for kind, _ in CODES)
TEXT_CHARS_MAX: Final = 160
_TIMES: Final = (946_684_800_000, 32_503_680_000_000)  # the years 2000 to 3000, ms
_SIGNED: Final = re.compile(r"(\S+) was signed by ([0-9]+)/([0-9]+) keys")
_EXPIRED: Final = re.compile(r"(?:Final |New )?(\S+?)(?:\.json)? is expired")
_URL: Final = re.compile(r"(metadata|targets)/[^\s:]+")
_STICK: Final = {
    Refusal.EXPIRED: "write a new stick at the centre (roost release export SITE --to DIR; one for "
    "a site with label wan:none counts for 30 days); if it was written lately, set this node's "
    "clock",
    Refusal.ROLLBACK: "this stick is older than what the node has seen: write a new one at the "
    "centre (roost release export SITE --to DIR)",
    Refusal.SIGNATURE: "have the holders sign and publish it (roost release draft shows who has), "
    "then write a new stick (roost release export SITE --to DIR)",
    Refusal.CLOCK: "set the clock, then say as root: roost-agent import DIR --clock-ok",
    Refusal.NODE: "take the stick of this node's site, or write one at the centre (roost release "
    "export SITE --to DIR)",
}
_ANEW: Final = (
    "write the stick anew at the centre (roost release export SITE --to DIR), and take it out "
    "only when that has ended"
)


def code_of(err: Exception) -> Refusal:
    """Return the word for programs of an error of tuf's."""
    return next(code for kind, code in CODES if isinstance(err, kind))


def role_of(err: Exception) -> str:
    """Return the role of which an error says that it has ended; empty: it says none."""
    match = _EXPIRED.search(str(err))
    return match[1] if match else ""


def sentence(name: str, err: Exception, ended: datetime | None, now: datetime) -> str:  # noqa: PLR0911 - one kind, one return
    """Return what an error of tuf's means.

    Args:
        name: of the repository, as ``NAMES`` has it.
        err: one of ``ERRORS``.
        ended: of an ``ExpiredMetadataError``: until when it counted; None: not known.
        now: by which it was judged.
    """
    repository = NAMES.get(name, name)
    match err:
        case ExpiredMetadataError():
            return f"what {repository} says of {_role(role_of(err))} {since(ended, now)}"
        case BadVersionNumberError():
            return f"{repository} brings {_older(str(err))}"
        case UnsignedMetadataError():
            return f"{repository}: {_unsigned(str(err))}"
        case LengthOrHashMismatchError():
            return f"{repository} brings parts that do not belong together, or a damaged file"
        case DownloadLengthMismatchError():
            return f"{repository} brings a file that is longer than any of its kind, so it was cut"
        case SlowRetrievalError():
            return f"{repository} brings a file too slowly"
        case DownloadHTTPError():
            return f"{repository} has no {_file(str(err))}"
        case DownloadError():
            return _cut(f"{repository} is not read: {err.__cause__ or err}")
        case StorageError():
            return _cut(f"what was known of {repository} cannot be read or written: {err}")
        case _:
            return _cut(f"{repository} brings what is no metadata of this day's form ({err})")


def since(ended: datetime | None, now: datetime) -> str:
    """Return until when something counted, and how long ago that was."""
    if ended is None:
        return f"has ended, by this node's clock ({now:%Y-%m-%d %H:%M} UTC)"
    return f"ended on {ended:%Y-%m-%d %H:%M} UTC, {age(now - ended)} ago by this node's clock"


def age(passed: timedelta) -> str:
    """Return a time in its largest whole unit."""
    for unit, seconds in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(passed.total_seconds() // seconds)
        if count >= 1:
            return f"{count} {unit}" + ("s" if count > 1 else "")
    return "less than a minute"


def of_stick(code: str) -> str:
    """Return what to do where a stick is refused."""
    return _STICK.get(Refusal(code), _ANEW)


def complaint(code: str, text: str, remedy: str = "") -> str:
    """Return what is printed of a refusal: ``CODE: sentence``, and a line of what to do."""
    return f"{code}: {text}\nwhat to do: {remedy or REMEDIES[Refusal(code)]}\n"


def _role(role: str) -> str:
    return ROLES.get(role, f"the releases of {role or 'a role'}")


def _older(text: str) -> str:
    """Return what is older than what: the versions that the centre's signer makes are times."""
    versions = [int(each) for each in re.findall(r"\bv?([0-9]+)\b", text)]
    if len(versions) < 2:  # noqa: PLR2004 - the one that comes, the one that was seen
        return "an older word than one that was seen here before"
    old, new = (_version(each) for each in (min(versions), max(versions)))
    return f"a word {old}, and one {new} was seen here before"


def _version(number: int) -> str:
    if _TIMES[0] < number < _TIMES[1]:
        return f"of {shown(number)}"
    return f"of version {number}"


def _unsigned(text: str) -> str:
    match = _SIGNED.search(text)
    if match is None:
        return "too few of its holders have signed it"
    what = ROLES.get(match[1], f"the releases of {match[1]}")
    return f"{match[2]} of its holders signed {what}, and {match[3]} must"


def _file(text: str) -> str:
    match = _URL.search(text)
    return match[0] if match else _cut(text)


def _cut(text: str) -> str:
    return text[:TEXT_CHARS_MAX]

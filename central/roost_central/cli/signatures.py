"""What ``roost audit verify`` says of the signer's record; it is compared here, not at the centre.

The centre only passes on the lines of the record: their chain and what explains them are checked on
this machine, against the rows of the audit log that are checked here too.
"""

from collections.abc import Iterator
from typing import Any

from roost_central.access.signatures import SignatureCheck, told
from roost_central.cli.client import Client
from roost_central.cli.exits import ExitCode
from roost_central.cli.failure import ApiError, RefusedError
from roost_central.signer.row import BrokenRecordError, Place

SIGNATURES = "/api/v1/audit/signatures"
NDJSON = "application/x-ndjson"
HTTP_CONFLICT, HTTP_BUSY = 409, 503
SHOWN_MAX = 10


def record_of(client: Client) -> tuple[SignatureCheck | None, str]:
    """Return the record, gone along to its end; or None, and why there is none to compare.

    Raises:
        RefusedError: it does not hold together.
    """
    try:
        told_ = client.get(SIGNATURES)
    except ApiError as err:
        if err.status in {HTTP_CONFLICT, HTTP_BUSY}:
            return None, err.detail
        raise
    if told_["fault"]:
        raise RefusedError(f"the signer's record: {told_['fault']}", ExitCode.CHECK_FAILED)
    begin: dict[str, Any] = told_["begin"]
    check = SignatureCheck(Place(begin["n"], begin["hash"]))
    try:
        for line in _lines(client, check.at):
            check.see(line.decode())
    except (BrokenRecordError, UnicodeDecodeError) as err:
        sentence = f"the signer's record is broken behind row {check.at.n}: {err}"
        raise RefusedError(sentence, ExitCode.CHECK_FAILED) from err
    return check, ""


def refuse_missing(check: SignatureCheck) -> None:
    """Say no where a signature has no row in the audit log.

    Raises:
        RefusedError: with the first of them, and what to do.
    """
    missing = check.missing
    if not missing:
        return
    shown = "\n  ".join(told(row) for row in missing[:SHOWN_MAX])
    raise RefusedError(
        f"{len(missing)} signatures have no row in the audit log:\n  {shown}\n"
        "  Revoke what you do not know; then `roost audit accept` says why the rest is well.",
        ExitCode.CHECK_FAILED,
    )


def _lines(client: Client, at: Place) -> Iterator[bytes]:
    rest, path = b"", f"{SIGNATURES}/record"
    for chunk in client.download(path, NDJSON, after=at.n, hash=at.head):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        yield rest

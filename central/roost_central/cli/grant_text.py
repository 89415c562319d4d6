"""Grants on the command line: ``operator``, or ``operator@region:r0*`` for some sites only."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from roost_central.cli.failure import RefusedError

ROLES = ("viewer", "operator", "release", "admin")


def grants_of(texts: Sequence[str]) -> list[dict[str, str]]:
    """Return grants as the API takes them.

    Raises:
        RefusedError: one does not begin with a role.
    """
    found = []
    for text in texts:
        role, _, on = text.partition("@")
        if role not in ROLES:
            sentence = f"--grant {text!r}: begins with one of {', '.join(ROLES)}, then @QUERY"
            raise RefusedError(sentence)
        found.append({"role": role, "on": on.strip()})
    return found


def grant_text(grants: Sequence[dict[str, Any]] | None) -> str:
    """Return grants in words."""
    if grants is None:
        return "all of its owner's"
    told = [f"{each['role']}@{each['on']}" if each["on"] else each["role"] for each in grants]
    return ", ".join(told) or "none"


def ask_secret(words: str, *, twice: bool = False) -> str:
    """Return a secret from a terminal, or the next line of standard input in a pipe.

    Raises:
        RefusedError: there is none.
    """
    if sys.stdin.isatty():
        given = str(click.prompt(words, hide_input=True, confirmation_prompt=twice, err=True))
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise RefusedError(f"no {words.lower()} given on a terminal or on standard input")
    return given


def body(**fields: object) -> bytes:
    """Return a JSON body of the fields that are given."""
    return json.dumps({name: each for name, each in fields.items() if each is not None}).encode()

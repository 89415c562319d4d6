"""The options that verbs share, and what they turn into."""

import functools
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import click

from roost_central.cli import output, settings, times
from roost_central.cli.client import Client
from roost_central.cli.failure import UnreachableError
from roost_central.ports import SystemClock

WATCH_S_MIN = 1.0  # a storm redraws once a second, not at every frame
FLEET_STREAM = "/api/v1/stream"
ALARM_STREAM = f"{FLEET_STREAM}?alarms=true"
CLEAR = "\x1b[H\x1b[2J"  # not what was scrolled away: that is the operator's


@dataclass(frozen=True, slots=True)
class Asked:
    """What the shared options of a verb say."""

    context: str | None
    form: str
    query: str | None
    watch: bool
    zone: tzinfo | None

    def client(self) -> Client:
        """Return a client for the chosen centre."""
        return Client(settings.choose(self.context))

    def clock(self, text: str | None) -> str:
        """Return a time in the chosen zone."""
        return times.clock(text, self.zone)


form_option = click.option(
    "-o", "--output", "form", type=click.Choice(output.FORMATS), default="table",
    show_default=True, help="Form of the answer.",
)  # fmt: skip


def shared(*, query: bool = False, watch: bool = False) -> Callable[..., Any]:
    """Give a verb the options ``-c -o --tz --no-color``, and ``-q``, ``-w`` where it has them."""

    def decorate(verb: Callable[..., Any]) -> Callable[..., Any]:
        @form_option
        @click.option("-c", "--context", "context", help="Which centre.")
        @click.option("--tz", default="UTC", show_default=True, help="Zone of the times, or local.")
        @click.option("--no-color", is_flag=True, help="Plain text; NO_COLOR does the same.")
        @click.pass_obj
        @functools.wraps(verb)
        def run(obj: str | None, /, **given: Any) -> Any:  # noqa: ANN401 - click's own types
            if given.pop("no_color"):
                os.environ["NO_COLOR"] = "1"
            asked = Asked(
                context=given.pop("context") or obj,
                form=given.pop("form"),
                query=given.pop("query", None),
                watch=given.pop("watch", False),
                zone=times.zone(given.pop("tz")),
            )
            return verb(asked, **given)

        if query:
            run = click.option("-q", "--query", help="Only what matches, e.g. 'status>=degraded'.")(
                run
            )
        if watch:
            run = click.option("-w", "--watch", is_flag=True, help="Show it again at each change.")(
                run
            )
        return run

    return decorate


def show(asked: Asked, draw: Callable[[Client], str], stream: str = FLEET_STREAM) -> None:
    """Write what ``draw`` returns, once, or with ``-w`` again whenever ``stream`` told a change.

    A terminal is redrawn in place; a pipe gets the text again only when it differs.
    """
    client = asked.client()
    text = draw(client)
    sys.stdout.write(_screenful(text) if asked.watch and output.is_terminal() else text)
    sys.stdout.flush()
    while asked.watch:
        text = _next(client, draw, text, stream)


def _next(client: Client, draw: Callable[[Client], str], before: str, stream: str) -> str:
    """Follow the stream until it ends; a centre that restarts is waited for."""
    clock = SystemClock()
    drawn = clock.mono_ms()
    try:
        for _ in client.frames(stream):
            if clock.mono_ms() - drawn < WATCH_S_MIN * 1000:
                continue
            drawn = clock.mono_ms()
            before = _redraw(draw(client), before)
    except UnreachableError as err:
        print(f"roost: {err.reason}; trying again (shown: the last known)", file=sys.stderr)
    time.sleep(WATCH_S_MIN)
    return before


def _redraw(text: str, before: str) -> str:
    if output.is_terminal():
        sys.stdout.write(_screenful(text))
    elif text != before:
        sys.stdout.write(text)
    sys.stdout.flush()
    return text


def _screenful(text: str) -> str:
    """Return what redraws a terminal: no more than it holds, or it would scroll at each change."""
    lines = text.splitlines(keepends=True)
    room = max(shutil.get_terminal_size().lines - 2, 1)
    if len(lines) > room:
        lines[room:] = [f"… {len(lines) - room} lines more: -q shows fewer, a pipe shows all\n"]
    return CLEAR + "".join(lines)

"""Looks at every place that may say where the centre is, in their order, and tells what it saw."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from roost_agent.config import JoinConfig
from roost_agent.enrol.invitation import Choice, Invitation, Lacking, Look, Source
from roost_agent.enrol.media import claim_files, used_digests
from roost_agent.errors import AgentError
from roost_protocol.certificate import check_pin
from roost_protocol.errors import ProtocolError
from roost_protocol.join_token import JoinToken, parse_token

TOKEN_CHARS_MAX: Final = 512


class Dns(Protocol):
    """Says where the centre is, as DNS has it."""

    def looks(self, now_ms: int) -> list[Look]:
        """Return a look for each domain."""


@dataclass(frozen=True, slots=True)
class Walk:
    """The places of one box.

    Args:
        typed: what the command line brought; None: nothing.
        config: the ``[join]`` tables, and where they stand.
        dns: None: it is not asked.
    """

    config: JoinConfig
    where: str
    state_dir: Path
    dns: Dns | None = None
    typed: Look | None = None

    def looks(self, now_ms: int) -> list[Look]:
        """Return what stands in every place."""
        own = [configured(self.config, self.where)]
        media = claim_files(self.config.claim_dirs, used_digests(self.state_dir))
        asked = self.dns.looks(now_ms) if self.dns else [_unasked()]
        return [*([self.typed] if self.typed else []), *own, *media, *asked]


def configured(config: JoinConfig, where: str) -> Look:
    """Return what the configuration says; a token that cannot be read is told, and may come yet."""
    try:
        token = _token_of(config.token_file) if config.token_file else None
    except AgentError as err:
        return Look(Source.CONFIG, where, f"not used: {err}")
    own_pin = check_pin(config.pin) if config.pin else None
    if token is not None and own_pin not in {None, token.pin}:
        why = "not used: the token in join.token_file is of another fleet than join.pin"
        return Look(Source.CONFIG, where, why)
    parts = [*([config.url] if config.url else []), *_trust(token, own_pin)]
    return Look(
        Source.CONFIG,
        where,
        ", ".join(parts) or "no [join] url, token_file or pin",
        urls=(config.url,) if config.url else (),
        token=token,
        pin=token.pin if token else own_pin,
        name=config.name,
    )


def typed(token: JoinToken | None, pin: bytes | None, name: str) -> Look | None:
    """Return what the command line said without a URL; None: nothing."""
    if token is None and pin is None and not name:
        return None
    said = ", ".join(_trust(token, pin)) or "a name"
    return Look(
        Source.TYPED, "command line", said, token=token, pin=token.pin if token else pin, name=name
    )


def report(looks: Iterable[Look], choice: Choice) -> str:
    """Return what was looked at and what follows, for people."""
    rows = [(look.where, "; ".join((look.found, *look.warnings))) for look in looks]
    width = max((len(where) for where, _ in rows), default=0)
    lines = ["looked at:", *(f"  {where:<{width}}  {found}" for where, found in rows)]
    lines += [f"  {each}" for each in choice.passed_over]
    outcome = choice.outcome
    if isinstance(outcome, Lacking):
        return "\n".join(lines)
    return "\n".join([*lines, *_decision(outcome)])


def _decision(invitation: Invitation) -> list[str]:
    trust = f"trusted by {invitation.trust}" if invitation.pin else "trusted by six words"
    how = "a token" if invitation.token else "no token: somebody at the centre lets it in"
    return [f"goes to {', '.join(invitation.urls)} (by {invitation.place}), {trust}, with {how}"]


def _unasked() -> Look:
    return Look(Source.DNS, "DNS", "not asked: [join] dns is false")


def _trust(token: JoinToken | None, pin: bytes | None) -> list[str]:
    return ["a token"] if token else ["a pin"] if pin else []


def _token_of(file: str) -> JoinToken:
    try:
        with Path(file).open() as stream:
            return parse_token(stream.read(TOKEN_CHARS_MAX))
    except (OSError, UnicodeDecodeError) as err:
        why = err.strerror if isinstance(err, OSError) else "not text"
        raise AgentError(f"{file}: {why}; join.token_file names a file with a token") from err
    except ProtocolError as err:
        raise AgentError(f"{file}: {err}") from err

"""``roost-agent join``: one line on a new box, or none, and it is a node."""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from roost_agent.config import JoinConfig
from roost_agent.config_file import USUAL, load_join
from roost_agent.enrol.anchor import IMAGE_ROOT, TRUST_DIR, anchor
from roost_agent.enrol.announced import load_announced
from roost_agent.enrol.box import this_box
from roost_agent.enrol.centre import Address
from roost_agent.enrol.factory import load_factory
from roost_agent.enrol.invitation import Invitation, Lacking, choose
from roost_agent.enrol.join import Order, Person, World, join
from roost_agent.enrol.media import mark_used
from roost_agent.enrol.unattended import ROUND_S, Surroundings, wait_for_identity
from roost_agent.enrol.walk import Dns, Walk, report, typed
from roost_agent.enrolled import Facts, load
from roost_agent.errors import AgentError
from roost_agent.ports import SystemClock, SystemEntropy
from roost_protocol.certificate import check_pin
from roost_protocol.errors import ProtocolError
from roost_protocol.join_token import JoinToken, parse_token

WAIT_H: Final = 168.0  # a week: as long as the centre keeps who waits
TOKEN_CHARS_MAX: Final = 512

EPILOG: Final = """\
The line comes from the centre: roost enrol token create --site SITE. It keeps the token off the
command line, where others on this box could read it:
  echo 'rst1...' | roost-agent join https://CENTRE:8471 --token -
Without URL the box looks for its centre: in [join] of the configuration, in roost-claim.json on
media, and in DNS (_roost-enrol._tcp). Without a token or a pin a human compares six words here and
at the centre.
"""


def run(argv: list[str]) -> int:
    """Join a fleet; return the exit status."""
    given = _parser().parse_args(_with_pin(argv))
    config, state_dir = load_join(Path(given.config))
    if given.state_dir:
        state_dir = Path(given.state_dir)
    factory = load_factory(config.factory_cert, config.factory_key)
    announced = load_announced(config.key_file)
    own = Order("", state_dir, announced=announced, factory=factory, tpm=config.tpm)
    token = _token(given.token)
    pinned = token.pin if token else _pin(given.pin)
    if given.url:
        invitation = Invitation((given.url,), token, pinned, given.name, "", "")
        if given.look:
            raise AgentError("--look says what a box without URL would do: leave URL out")
        return _joined(given, own, invitation)
    walk = Walk(
        config=config,
        where=given.config,
        state_dir=state_dir,
        dns=_dns(config) if config.dns else None,
        typed=typed(token, pinned, given.name),
    )
    if given.unattended:
        return _unattended(given, own, walk)
    looks = walk.looks(SystemClock().boot_ms())
    choice = choose(looks)
    _tell(report(looks, choice))
    if isinstance(choice.outcome, Lacking):
        raise AgentError(choice.outcome.hint)
    return 0 if given.look else _joined(given, own, choice.outcome)


def _dns(config: JoinConfig) -> Dns:
    from roost_agent.enrol.srv import Srv  # noqa: PLC0415 - 0.1 s, for who was told no URL

    return Srv(config.domain, config.resolvers)


def _joined(given: argparse.Namespace, own: Order, invitation: Invitation) -> int:
    for url in invitation.urls:
        Address.parse(url)  # a wrong one is told before what else is missing
    if invitation.pin is None and not (given.yes or sys.stdin.isatty()):
        raise AgentError("nobody is here to compare six words: pass --token -, or --pin, or --yes")
    order = replace(_order(own, invitation, given.wait_h * 3600), new_key=given.new_key)
    person = Person(_tell, lambda words: _confirm(words, is_agreed=given.yes))
    try:
        facts = join(order, this_box(), _world(person))
        _mark(invitation, own.state_dir)
    except OSError as err:
        raise AgentError(f"{err.filename or own.state_dir}: {err.strerror}; join as root") from err
    sys.stdout.write(_welcome(facts))
    _anchor(given, own.state_dir)
    sys.stdout.write("start the agent: systemctl enable --now roost-agent\n")
    return 0


def _unattended(given: argparse.Namespace, own: Order, walk: Walk) -> int:
    """Wait until this box is a node; what it waits for goes to the log."""
    if given.new_key or given.yes or given.look:
        raise AgentError(
            "--unattended goes with none of --new-key, --yes, --look: they are a human's"
        )
    box, person = this_box(), Person(_tell, lambda _: False)

    def ask(invitation: Invitation) -> Facts:
        facts = join(_order(own, invitation, ROUND_S), box, _world(person))
        _mark(invitation, own.state_dir)
        return facts

    ports = Surroundings(SystemClock(), SystemEntropy(), time.sleep, _tell, ask)
    was_node = load(own.state_dir) is not None
    facts = wait_for_identity(walk, ports, own.state_dir)
    sys.stdout.write(_welcome(facts) if not was_node else f"is {_who(facts)}\n")
    _anchor(given, own.state_dir)
    return 0


def _anchor(given: argparse.Namespace, state_dir: Path) -> None:
    """Put the roots of trust there; what is in the way makes it no less a node."""
    said = anchor(state_dir, Path(given.image_root), Path(given.trust_dir))
    if said:
        _tell(said)


def _order(own: Order, invitation: Invitation, wait_s: float) -> Order:
    """Return what the box brings of its own, with what it was invited by."""
    first, *others = invitation.urls
    return replace(
        own,
        url=first,
        others=tuple(others),
        token=invitation.token,
        pin=invitation.pin,
        name=invitation.name,
        wait_s=wait_s,
    )


def _mark(invitation: Invitation, state_dir: Path) -> None:
    """Use up the claim file that let this box in."""
    if invitation.file is None:
        return
    try:
        _tell(mark_used(invitation.file, state_dir))
    except OSError as err:  # it is a node all the same, and asks nobody while it is
        _tell(f"{invitation.file.where} is not marked as used: {err.strerror}; remove the medium")


def _world(person: Person) -> World:
    return World(SystemClock(), SystemEntropy(), time.sleep, person)


def _who(facts: Facts) -> str:
    return f"{facts.site}.{facts.node}, generation {facts.generation}"


def _welcome(facts: Facts) -> str:
    return f"joined {facts.fleet_domain} as {_who(facts)}\n"


def _with_pin(argv: list[str]) -> list[str]:
    """Return arguments with a pin that argparse takes for one, though it begin with a dash."""
    words = list(argv)
    if "--pin" in words[:-1]:
        at = words.index("--pin")
        words[at : at + 2] = [f"--pin={words[at + 1]}"]
    return words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="roost-agent join",
        description="Ask the centre for an identity.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "url",
        metavar="URL",
        nargs="?",
        default="",
        help="https://CENTRE:8471; else it is looked for",
    )
    add("--token", metavar="TOKEN", default="", help="rst1...; - reads it from standard input")
    add("--pin", default="", help="of the fleet's root (roost ca show), where there is no token")
    add("--name", default="", help="the node name that it would like, if that slot is empty")
    add("--config", default=USUAL, metavar="PATH", help=f"with the [join] table; default: {USUAL}")
    add("--state-dir", default="", metavar="DIR", help="default: as configured, or /var/lib/roost")
    add("--image-root", default=str(IMAGE_ROOT), metavar="FILE", help="that releases begin with")
    add("--trust-dir", default=str(TRUST_DIR), metavar="DIR", help=f"default: {TRUST_DIR}")
    add("--wait-h", type=float, default=WAIT_H, metavar="HOURS", help="for people: a week")
    add("--new-key", action="store_true", help="give up what this box has and ask anew")
    add("--yes", action="store_true", help="trust whoever answers: nobody compares the words")
    add("--look", action="store_true", help="say where the box would go, and stay")
    add("--unattended", action="store_true", help="nobody is here: wait until it is a node")
    return parser


def _token(text: str) -> JoinToken | None:
    if not text:
        return None
    if text == "-":
        text = sys.stdin.readline(TOKEN_CHARS_MAX)
    try:
        return parse_token(text)
    except ProtocolError as err:
        raise AgentError(f"--token: {err}") from err


def _pin(text: str) -> bytes | None:
    try:
        return check_pin(text) if text else None
    except ProtocolError as err:
        raise AgentError(f"--pin: {err}") from err


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _confirm(words: str, *, is_agreed: bool) -> bool:
    _tell(f"\n    {words}\n")
    if is_agreed:
        return True
    sys.stderr.write("Does the centre show the same six words for this box? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}

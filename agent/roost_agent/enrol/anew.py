"""``roost-agent check-box``: whether this is the box that the identity was given to.

A disk image that was copied with an identity inside would speak in another node's name. So each
start of the agent begins here (commands.py): what the box is made of is compared with what it was
when it was let in (protocol/hardware.py). Another box moves all of that state aside and asks to be
let in anew, by the centre and the root that are known; a human decides there. It then becomes the
agent, as the same process.

Invariants: the identity is moved last, so that a crash in between begins the same again; what a box
does not say, or may not read, moves nothing; nothing of the other box is used again but its root.
"""

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Final

from roost_agent.config_file import USUAL, load_join
from roost_agent.durable import sync_folder
from roost_agent.enrol.box import this_box
from roost_agent.enrolled import ASIDE, FACTS, FOLDER, ROOT, load
from roost_agent.errors import AgentError
from roost_agent.identity import LOCK, StateLock
from roost_agent.options import options
from roost_agent.ports import SystemClock, SystemEntropy
from roost_protocol.hardware import Hardware, compare

HELP: Final = """\
usage: roost-agent check-box [--config PATH] [--log-level LEVEL]

Look whether this is the box that the identity was given to, then run the agent (run does it).

  --config PATH      a file, or a folder with agent.toml and conf.d/*.toml  (/etc/roost)
  --log-level LEVEL  debug, info or warning                                 (info)
  --checked WORD     as run knows it
"""
WAIT_S: Final = 7 * 86_400.0  # for a human, as long as the centre keeps who waits


def run(argv: list[str]) -> int:
    """Compare, where it is another box become a node anew, and become the agent.

    Raises:
        AgentError: this box is no node any more, and nobody let it in yet.
    """
    given = options(argv, {"config": USUAL, "log-level": "info", "checked": "no"}, HELP)
    is_blind = check(load_join(Path(given["config"]))[1])
    checked = ("--checked", "blind" if is_blind else "yes")
    words = [sys.executable, "-m", "roost_agent", "run", *argv, *checked]
    os.execv(sys.executable, words)  # noqa: S606 - itself


def check(state_dir: Path) -> bool:
    """Compare, and where it is another box become a node anew.

    Returns whether the comparison was blind: any other box would have passed it too.

    Raises:
        AgentError: it is another one, and nobody let it in.
    """
    lock = StateLock(state_dir)  # or an agent runs here, and knows who it is
    try:
        hardware = this_box()
        known = load(state_dir)
        alike = None if known is None else compare(known.facts.hw_fp, hardware)
        if known is not None and alike is not None and not alike.is_same:
            name = f"{known.facts.site}.{known.facts.node}"
            _tell(f"this is another box than {name}: what that one kept is in {state_dir / ASIDE}")
            move_aside(state_dir)
            known = alike = None
        if known is None and (state_dir / ASIDE / FOLDER / FACTS).is_file():
            _join_again(state_dir, hardware)
    except OSError as err:
        raise AgentError(f"{err.filename or state_dir}: {err.strerror}") from err
    finally:
        lock.close()
    return alike is not None and alike.is_blind


def move_aside(state_dir: Path) -> None:
    """Put everything that another box kept where nothing looks for it.

    Raises:
        OSError: it cannot be.
    """
    aside = state_dir / ASIDE
    if (aside / FOLDER).is_dir():  # of an image that was itself made of a copy
        shutil.rmtree(aside)
    aside.mkdir(mode=0o700, exist_ok=True)
    rest = sorted(path for path in state_dir.iterdir() if path.name not in {ASIDE, LOCK, FOLDER})
    for path in [*rest, state_dir / FOLDER]:
        path.rename(aside / path.name)
    sync_folder(aside)
    sync_folder(state_dir)


def _join_again(state_dir: Path, hardware: Hardware) -> None:
    """Ask the centre that is known, by its own root, to be let in; a human decides there.

    Raises:
        AgentError: nobody did, or the centre is another one.
    """
    # what needs cryptography is not for a start at which nothing is wrong
    from roost_agent.enrol.check import spki_of  # noqa: PLC0415 - as above
    from roost_agent.enrol.join import Order, Person, World, join  # noqa: PLC0415 - as above
    from roost_protocol.certificate import pin  # noqa: PLC0415 - as above
    from roost_protocol.join_token import from_text  # noqa: PLC0415 - as above

    there = state_dir / ASIDE
    other = load(there)
    if other is None:
        raise AgentError(f"{there}: cannot be read; join by hand")
    root = (other.folder / ROOT).read_text()
    order = Order(
        url=other.facts.centre,
        state_dir=state_dir,
        pin=from_text(pin(spki_of(root))),
        wait_s=WAIT_S,
    )
    person = Person(_tell, lambda _words: False)
    facts = join(order, hardware, World(SystemClock(), SystemEntropy(), time.sleep, person))
    _tell(f"joined {facts.fleet_domain} as {facts.site}.{facts.node}")


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()

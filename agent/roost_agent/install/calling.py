"""An installer is asked for a verb, a plugin within its walls; and why it was not done."""

from pathlib import Path
from typing import Any, Final

from roost_agent.install import contract, walls
from roost_agent.install.contract import Answer, Exit
from roost_agent.install.grants import GrantError, contained
from roost_agent.install.kinds import Kind
from roost_agent.install.places import Given
from roost_protocol.remedy import Refusal

WALL: Final = "Read-only file system"  # EROFS, as an installer's tools say it in its locale


class NotDoneError(Exception):
    """A verb is not done; ``code`` is a word for programs, the text a sentence."""

    def __init__(self, code: Refusal, text: str) -> None:
        super().__init__(text)
        self.code = code


def call(kind: Kind, verb: str, request: dict[str, Any], given: Given) -> Answer:
    """Have an installer do a verb; return what came of it.

    Args:
        kind: whose installer.
        verb: of contract.DEADLINES_S.
        request: of places.request_of.
        given: where everything is.

    Raises:
        NotDoneError: ``installer``; ``later`` where it says when; of a plugin ``outside`` where it
            ran into its walls, and ``walls`` where there could be none, so that it was not run.
    """
    words = kind.words
    if kind.is_plugin:
        try:
            words = contained(words, kind.name, Path(request["place"]), given)
        except GrantError as err:
            raise NotDoneError(Refusal.WALLS, f"{kind.name}: {verb}: {err}") from err
    answer = contract.call(words, verb, request)
    if not answer.is_ok:
        code, text = _why(kind, verb, answer)
        raise NotDoneError(code, f"{kind.name}: {text}")
    return answer


def _why(kind: Kind, verb: str, answer: Answer) -> tuple[Refusal, str]:
    if answer.exit is Exit.LATER:
        return Refusal.LATER, answer.text
    if kind.is_plugin:
        if answer.said.get("code") == walls.CODE:
            return Refusal.WALLS, answer.text
        for line in (answer.text, *answer.complaint.splitlines()):
            if WALL in line:
                return Refusal.OUTSIDE, f"{verb}: {line.strip().removeprefix(f'{verb}: ')}"
    return Refusal.INSTALLER, answer.text

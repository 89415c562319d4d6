"""What a node may be ordered to do about board controllers, apart from acts on power."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from roost_protocol.order_act import Act, NameText
from roost_protocol.update_verbs import SHA256_PATTERN


class SetBoards(Act, frozen=True):
    """Know the site's board controllers.

    Attributes:
        digest: of the order's body, a sealed ``BoardsDocument`` (``order.body_digest``).
    """

    verb: ClassVar[str] = "set-boards"
    title: ClassVar[str] = "Tell a node the board controllers of its site."
    is_by_hand: ClassVar[bool] = False
    digest: Annotated[str, Meta(pattern=SHA256_PATTERN)]


class TestBoard(Act, frozen=True):
    """Reach a controller, and say who it is or what is wrong."""

    __test__: ClassVar[bool] = False  # no test of pytest's
    verb: ClassVar[str] = "test-board"
    title: ClassVar[str] = "Reach a host's board controller, and say what is wrong with it."
    done_s_max: ClassVar[int] = 180
    node: NameText


class RelearnBoard(Act, frozen=True):
    """Learn a controller anew, also its certificate; settings stay."""

    verb: ClassVar[str] = "relearn-board"
    title: ClassVar[str] = "Learn a host's board controller anew, its certificate too."
    needs_reason: ClassVar[bool] = True
    done_s_max: ClassVar[int] = 180
    node: NameText


BOARD_VERBS: Final[Mapping[str, type[Act]]] = MappingProxyType(
    {each.verb: each for each in (SetBoards, TestBoard, RelearnBoard)}
)

import msgspec
import pytest

from roost_protocol.hardware import Hardware, Likeness, compare, likeness, plain, score

BOX = Hardware(
    uuid="4C4C4544-0051-4810-8052-b4c04f4a3132",
    board="CN-0X3D66",
    disks=("S3Z8", "S3Z9"),
    macs=("52:54:00:12:34:56",),
)


def changed(**fields):
    return msgspec.structs.replace(BOX, **fields)


@pytest.mark.parametrize(
    ("seen", "points", "says"),
    [
        (BOX, 110, Likeness.SAME),
        (changed(uuid="4c4c4544 00514810-8052B4C04F4A3132"), 110, Likeness.SAME),
        (changed(disks=("NEW",)), 90, Likeness.SAME),
        (changed(disks=("S3Z8", "NEW")), 100, Likeness.SAME),
        (changed(board="OTHER"), 80, Likeness.SAME),
        (changed(uuid=""), 70, Likeness.SAME),
        (changed(uuid="", disks=()), 50, Likeness.UNSURE),
        (changed(uuid="", board=""), 40, Likeness.UNSURE),
        (Hardware(macs=BOX.macs), 20, Likeness.OTHER),
        (Hardware(), 0, Likeness.OTHER),
    ],
)
def test_points_are_of_what_is_still_the_same(seen, points, says):
    assert (score(BOX, seen), likeness(score(BOX, seen))) == (points, says)


def test_a_certified_tpm_is_enough():
    assert likeness(score(Hardware(ek="ab"), Hardware(ek="AB", uuid="x"))) is Likeness.SAME


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "To Be Filled By O.E.M.",
        "Default string",
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "03000200-0400-0500-0006-000700080009",
        "00:00:00:00:00:00",
    ],
)
def test_what_says_nothing_is_no_point(text):
    assert plain(text) == ""
    twins = Hardware(uuid=text, board=text, disks=(text,), macs=(text,))
    assert score(twins, twins) == 0


def test_two_clones_of_a_disk_are_two_boxes():
    clone = Hardware(uuid="other", board="other", disks=BOX.disks, macs=("52:54:00:99:99:99",))
    assert likeness(score(BOX, clone)) is Likeness.OTHER


LITTLE = Hardware(disks=("S3Z8",), macs=("52:54:00:12:34:56",))


@pytest.mark.parametrize(
    ("known", "seen", "is_same"),
    [
        (BOX, BOX, True),
        (BOX, changed(disks=("NEW",), macs=("NEW",)), True),
        (BOX, changed(uuid="OTHER"), True),  # 70 points are left
        (BOX, changed(uuid="OTHER", board="OTHER"), False),
        (BOX, Hardware(disks=BOX.disks, macs=BOX.macs), True),  # without root's numbers
        (BOX, Hardware(disks=("NEW",), macs=("NEW",)), True),  # of the rest nothing is said
        (LITTLE, LITTLE, True),
        (LITTLE, Hardware(disks=LITTLE.disks, macs=("NEW",)), True),
        (LITTLE, Hardware(disks=("NEW",), macs=("NEW",)), False),
        (Hardware(), BOX, True),  # nothing was known
    ],
)
def test_what_is_not_said_speaks_neither_for_nor_against(known, seen, is_same):
    assert compare(known, seen).is_same is is_same


def test_what_agrees_is_told_apart_from_what_is_not_said():
    assert compare(BOX, changed(uuid="", board="OTHER")) == (40, 40, 110)


@pytest.mark.parametrize(
    ("known", "seen", "is_blind"),
    [
        (BOX, BOX, False),
        (BOX, Hardware(disks=BOX.disks, macs=BOX.macs), True),  # a copy says others, and passes
        (BOX, Hardware(), True),
        (BOX, changed(board="", disks=()), False),  # a copy's UUID and ports are 60 against it
        (LITTLE, LITTLE, False),
        (LITTLE, Hardware(macs=LITTLE.macs), True),
        (Hardware(), BOX, False),  # nothing was known: nothing to be read would help
    ],
)
def test_where_what_is_unsaid_is_enough_any_box_would_pass(known, seen, is_blind):
    assert compare(known, seen).is_blind is is_blind

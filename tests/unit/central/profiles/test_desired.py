"""A document's key."""

from roost_central.profiles.desired import KEY_BYTES, body_of, document_of


def test_the_key_does_not_depend_on_the_order_of_settings():
    one = document_of({"a": {"x": 1, "y": 2}}, {("a", "x"): "f", ("a", "y"): "g"}, b"d")
    other = document_of({"a": {"y": 2, "x": 1}}, {("a", "y"): "g", ("a", "x"): "f"}, b"d")
    assert one.key == other.key
    assert len(one.key) == KEY_BYTES
    assert body_of({}, {}) == [{}, []]

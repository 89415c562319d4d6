import msgspec
import pytest

from roost_protocol.errors import ProtocolError
from roost_protocol.release.director import Assignment, SiteDocument, read_document

PATH = "app/web/2.0.json"


def assignment(**more):
    base = {"rollout": "b" * 32, "job": "a" * 32, "target": PATH, "nodes": ["lab.n1"]}
    return Assignment(**(base | {"not_before_ms": 1, "not_after_ms": 2} | more))


def document(*assignments, **more):
    return SiteDocument(**({"v": 1, "site": "lab", "assignments": list(assignments)} | more))


def test_a_document_says_what_a_node_is_to_install():
    read = read_document(msgspec.to_builtins(document(assignment())))
    assert read.assigned("lab.n1", PATH) == assignment()
    assert read.assigned("lab.n2", PATH) is None
    assert read.assigned("lab.n1", "app/web/2.1.json") is None


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (document(v=2), "version"),
        (document(assignment(nodes=["other.n1"])), "node"),
        (document(assignment(not_after_ms=1)), "times"),
        (document(assignment(), assignment(target="app/web/2.1.json")), "twice"),
        (document(assignment(nodes=["lab.n1", "lab.n1"])), "twice"),
        (document(assignment(target="../etc/2.1.json")), "document"),
        (document(assignment(nodes=[])), "document"),
        (document(*[assignment()] * 65), "document"),
    ],
)
def test_a_document_that_says_two_things_or_names_others_is_refused(bad, code):
    with pytest.raises(ProtocolError) as refused:
        read_document(msgspec.to_builtins(bad))
    assert refused.value.code == code


def test_two_components_of_a_node_are_two_assignments():
    read_document(
        msgspec.to_builtins(document(assignment(), assignment(target="app/api/2.1.json")))
    )


@pytest.mark.parametrize("bad", [None, 1, [], {"v": 1}, {"v": 1, "site": "lab", "assignments": 1}])
def test_what_is_no_document_is_refused(bad):
    with pytest.raises(ProtocolError, match="document"):
        read_document(bad)

"""What a node says of itself."""

from alarms import S, said, whole

from roost_central.alarms.said import full_entity, text_of


def test_a_node_speaks_of_itself_alone():
    assert full_entity("lab.n1", "fs=/var") == "site=lab,node=n1,fs=/var"
    assert full_entity("lab.n1", "") == "site=lab,node=n1"


def test_after_its_whole_set_ours_is_equal(driven):
    driven.do(said(), said(entity="fs=/"))
    driven.do(*whole(("100.001", "fs=/home", S.MAJOR)))
    assert [entity for _, entity in driven.rows] == ["site=lab,node=n1,fs=/home"]


def test_a_text_has_its_values_and_is_the_name_where_there_is_none(catalogue):
    assert text_of(catalogue, "100.001", S.MAJOR, "fs=/", {"value": 9}) == "M 9"
    assert text_of(catalogue, "100.002", S.WARNING, "", {}) == "node"

"""The normal form of trees."""

from roost_central.fleet.query_ast import And, Not, Or, Text, conjunction, disjunction, negation

A, B, C = (Text(text) for text in "abc")


def test_parts_of_the_same_kind_are_taken_in():
    assert conjunction([A, And((B, C))]) == And((A, B, C))
    assert disjunction([Or((A, B)), C]) == Or((A, B, C))


def test_parts_of_another_kind_stay_whole():
    assert conjunction([A, Or((B, C))]) == And((A, Or((B, C))))
    assert disjunction([And((A, B)), C]) == Or((And((A, B)), C))


def test_one_part_alone_stands_for_itself():
    assert conjunction([A]) == disjunction([A]) == A


def test_a_double_negation_is_none():
    assert negation(negation(A)) == A
    assert negation(A) == Not(A)

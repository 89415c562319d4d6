"""Refusals of the centre in the words of the command line, with what to do next."""

import pytest

from roost_central.cli.failure import ApiError, report_failure


def refusal(field, detail, status=422, **more):
    error = {"field": field, "code": "invalid", "detail": detail, **more}
    return ApiError(status, "The body breaks a rule", f"{field}: {detail}", errors=[error])


@pytest.mark.parametrize(
    ("err", "says"),
    [
        (refusal("for_s", "must be at most 7 d"), "--for must be at most 7 d"),
        (refusal("reason", "must not be blank"), "--reason must not be blank"),
        (refusal("ids[17]", "must have at most 32 characters"), "KEY must have at most 32"),
        (refusal("since", "'x' is neither a time nor a span", 400), "--since: 'x' is neither"),
        (refusal("lat", "must be at most 90"), "lat: must be at most 90"),
        (ApiError(500, "Central failed"), "Central failed"),
    ],
)
def test_a_field_is_called_as_it_was_typed(capsys, err, says):
    report_failure(err)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"roost: {says}")


@pytest.mark.parametrize(
    ("noun", "next_"),
    [
        ("alarm", "roost alarm list"),
        ("incident", "roost incident list --state all"),
        ("shelf", "roost alarm shelves"),
        ("suppression", "roost alarm suppressions"),
        ("target", "roost northbound list"),
        ("enrolment", "roost enrol list --all"),
        ("claim", "roost enrol token list"),
        ("order", "roost order list"),
    ],
)
def test_what_is_not_there_comes_with_the_command_that_lists_what_is(capsys, noun, next_):
    assert report_failure(ApiError(404, "No such thing", f"there is no {noun} 'x'")) == 3
    assert next_ in capsys.readouterr().err


@pytest.mark.parametrize(
    ("detail", "next_"),
    [
        ("the name or the password is wrong", "roost user password NAME"),
        ("the token is not one of this central", "roost login URL"),
    ],
)
def test_who_is_not_let_in_reads_what_to_do_about_what_was_shown(capsys, detail, next_):
    report_failure(ApiError(401, "A token or a login is needed", detail))
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"roost: {detail}"
    assert next_ in second


def test_a_type_that_is_not_known_comes_with_the_command_that_lists_them(capsys):
    report_failure(refusal("type", "'999.999' is not in the catalogue"))
    first, second = capsys.readouterr().err.splitlines()
    assert first == "roost: TYPE: '999.999' is not in the catalogue"
    assert "roost alarm types" in second


def test_the_place_in_a_query_that_was_sent_is_shown(capsys):
    err = refusal("filter", "there is no field", 400, offset=4, length=3)
    err.query = "a=1 foo=2"
    report_failure(err)
    assert capsys.readouterr().err.splitlines()[1:] == ["    a=1 foo=2", "        ^^^"]

"""What every answer has, and what every refusal looks like."""

import asyncio

import pytest

from roost_central.api.route import BODY_BYTES_MAX

PROBLEM = "application/problem+json"


async def problem(answer):
    found = await answer.json(content_type=PROBLEM)
    assert found.keys() == {
        "type", "title", "status", "detail", "code", "errors", "request_id",
    }  # fmt: skip
    assert found["status"] == answer.status
    assert found["type"] == f"urn:roost:problem:{found['code']}"
    assert found["request_id"] == answer.headers["X-Request-Id"]
    return found


async def test_a_page_keeps_its_state_in_its_address(central):
    answer = await central.client.get("/?q=status%3Ddown&group=carrier")

    assert (answer.status, answer.content_type) == (200, "text/html")


@pytest.mark.parametrize("path", ["/health", "/", "/api/v1/status", "/nowhere", "/static/x/y.js"])
async def test_every_answer_carries_the_security_headers(central, path):
    answer = await central.client.get(path)

    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'; require-trusted-types-for 'script'; "
        "trusted-types roost"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Server"] == "roost"
    assert len(answer.headers["X-Request-Id"]) == 16


async def test_what_is_not_served_is_a_problem(central):
    found = await problem(await central.client.get("/api/v1/nowhere"))

    assert (found["status"], found["code"]) == (404, "not-found")


async def test_a_person_who_followed_a_wrong_link_gets_the_page_that_says_so(central):
    accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = await central.client.get("/site/lab", headers=accept)

    assert (answer.status, answer.content_type) == (404, "text/html")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "/app/main.js" in await answer.text()


async def test_a_wrong_method_names_the_right_ones(central):
    answer = await central.client.post("/api/v1/status")

    assert (await problem(answer))["code"] == "method-not-allowed"
    assert answer.headers["Allow"] == "GET"


async def test_a_body_that_is_too_large_is_refused(central):
    answer = await central.client.put(
        "/api/v1/sites/x",
        data=b" " * (BODY_BYTES_MAX + 1),
        headers={**central.bearer, "Content-Type": "application/json"},
    )

    assert (await problem(answer))["code"] == "too-large"
    assert answer.status == 413


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b"", "malformed-json", 400),
        (b"{", "malformed-json", 400),
        (b'{"labels":{"a":"b","a":"c"}}', "malformed-json", 400),
        (b'{"lat":NaN}', "malformed-json", 400),
        (b'{"labels":{"a":"\xff"}}', "malformed-json", 400),
        (b'{"labels":{"a":"\\ud800"}}', "malformed-json", 400),
        (b"[" * 100_000, "malformed-json", 400),
        (b'{"lat":' + b"9" * 5_000 + b"}", "malformed-json", 400),
        (b"[]", "invalid", 422),
        (b'{"labels":{"a":1}}', "invalid", 422),
        (b'{"lat":91,"lon":0}', "invalid", 422),
        (b'{"lat":1}', "invalid", 422),
        (b'{"lable":{}}', "invalid", 422),
    ],
)
async def test_a_bad_body_is_refused_with_its_reason(central, body, code, status):
    answer = await central.client.put(
        "/api/v1/sites/x",
        data=body,
        headers={**central.bearer, "Content-Type": "application/json"},
    )

    found = await problem(answer)
    assert (found["code"], answer.status) == (code, status)


async def test_a_bad_field_is_named_with_its_bound(central):
    answer = await central.client.put(
        "/api/v1/sites/x", json={"lat": 91, "lon": 0}, headers=central.bearer
    )

    (error,) = (await problem(answer))["errors"]
    assert error["field"] == "lat"
    assert error["bound"] == "<= 90.0"


async def test_an_unknown_field_comes_with_what_was_meant(central):
    answer = await central.client.put(
        "/api/v1/sites/x", json={"lables": {}}, headers=central.bearer
    )

    (error,) = (await problem(answer))["errors"]
    assert (error["field"], error["suggestion"]) == ("lables", "labels")


async def test_a_body_of_another_type_is_refused(central):
    answer = await central.client.put("/api/v1/sites/x", data="x", headers=central.bearer)

    assert (await problem(answer))["code"] == "unsupported-type"


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("foo=1", "bad-parameter", "foo"),
        ("limit=0", "bad-parameter", "limit"),
        ("limit=x", "bad-parameter", "limit"),
        ("limit=1&limit=2", "bad-parameter", "limit"),
        ("fields=node,nope", "bad-parameter", "fields"),
        ("sort=nope", "bad-parameter", "sort"),
        ("cursor=AAAA", "bad-cursor", "cursor"),
        ("filter=stauts=ok", "bad-filter", "filter"),
        ("filter=%22", "bad-filter", "filter"),
        ("filter=" + "a" * 2_049, "bad-parameter", "filter"),
    ],
)
async def test_a_bad_parameter_is_named(central, query, code, field):
    answer = await central.client.get(f"/api/v1/nodes?{query}", headers=central.bearer)

    found = await problem(answer)
    assert (found["code"], answer.status) == (code, 400)
    assert found["errors"][0]["field"] == field


async def test_a_filter_error_says_where_and_what_was_meant(central):
    answer = await central.client.get(
        "/api/v1/sites", params={"filter": "region:r0* stauts=ok"}, headers=central.bearer
    )

    (error,) = (await problem(answer))["errors"]
    assert (error["offset"], error["length"], error["suggestion"]) == (11, 6, "status")


async def test_nothing_of_the_inside_is_shown_when_central_fails(central, caplog):
    await central.database.close()
    central.api.view.nodes["alpha.n1"].presence = "no such presence"

    answer = await central.client.get(
        "/api/v1/nodes", params={"sort": "presence"}, headers=central.bearer
    )

    found = await problem(answer)
    assert found["code"] == "internal"
    assert "Traceback" not in str(found)
    assert "KeyError" not in str(found)
    assert found["request_id"] in caplog.text


async def test_the_access_log_has_no_query_and_no_token(central, caplog):
    caplog.set_level("INFO")
    await central.client.get("/api/v1/nodes", params={"filter": "secret"}, headers=central.bearer)

    (line,) = [each.getMessage() for each in caplog.records if each.name == "roost_central.access"]
    assert "GET /api/v1/nodes -> 200" in line
    assert "secret" not in line
    assert central.token not in caplog.text


async def test_a_large_answer_is_compressed_for_who_takes_it(central, grow):
    for n in range(20):
        grow(f"s{n}")
    plain = await central.client.get(
        "/api/v1/nodes", headers={**central.bearer, "Accept-Encoding": "gzip;q=0"}
    )
    packed = await central.client.get(
        "/api/v1/nodes", headers={**central.bearer, "Accept-Encoding": "gzip"}
    )

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert await packed.json() == await plain.json()


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01 nonsense\r\n\r\n",
        b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ],
)
async def test_noise_on_the_wire_is_a_problem_and_one_line_in_the_log(central, noise, caplog):
    caplog.set_level("INFO")
    reader, writer = await asyncio.open_connection("127.0.0.1", central.port)
    writer.write(noise)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"application/problem+json" in answer
    assert b"nosniff" in answer
    assert "Traceback" not in caplog.text
    assert "cannot be read as HTTP" in caplog.text

"""The JavaScript twin against the shared vectors on Node; tests/browser has it in Chromium."""


def test_every_vector_holds_on_node(vectors, ask_node):
    answer = ask_node(vectors)
    assert answer["wrong"] == []
    assert answer["count"] == sum(
        len(vectors[group]) for group in ("parse", "canonical", "match", "available")
    )


def test_half_a_surrogate_pair_is_refused_as_in_python(ask_node):
    answer = ask_node({"query": "\U0001f600b\ud83d", "rows": [], "now_ms": 0, "fields": []})
    assert (answer["code"], answer["offset"], answer["length"]) == ("not-text", 2, 1)

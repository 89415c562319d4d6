"""Claims over the API: what is refused before the signer is asked for anything."""


async def test_a_box_is_replaced_in_a_slot_and_not_in_a_site(post):
    status, told = await post("/api/v1/nodes/alpha/replace", {})
    assert (status, told["code"]) == (422, "invalid"), told
    assert told["errors"][0]["detail"] == "'alpha' is no name: <site>.<node>"

"""What the API tells of northbound: targets without their secrets, metrics, targets to discover."""


async def test_targets_are_shown_without_what_may_be_a_secret(get):
    status, found = await get("/api/v1/northbound")

    assert status == 200
    (target,) = found["targets"]
    assert (target["name"], target["kind"], target["state"]) == ("noc1", "webhook", "idle")
    assert target["address"] == "https://noc.example"
    assert found["dead_letters"] == []


async def test_a_test_says_what_went_wrong(central):
    url = "/api/v1/northbound/noc1:test"
    answer = await central.client.post(url, headers=central.bearer)
    told = await answer.json()

    assert (answer.status, told["delivered"]) == (200, False)
    assert "/nowhere/secret" in told["error"]
    unknown = await central.client.post("/api/v1/northbound/x:test", headers=central.bearer)
    assert unknown.status == 404
    assert (await central.client.post(url)).status == 401


async def test_metrics_are_for_those_with_a_token(central):
    answer = await central.client.get("/metrics", headers=central.bearer)
    page = await answer.text()

    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'roost_sites{status="ok"} 2\n' in page
    assert 'roost_northbound_up{target="noc1",kind="webhook"} 1\n' in page
    assert (await central.client.get("/metrics")).status == 401


async def test_nodes_are_discovered_with_their_labels(get):
    status, found = await get("/api/v1/http-sd", port="9256")

    assert status == 200
    first = found[0]
    assert first["targets"] == ["n1.alpha:9256"]
    assert first["labels"]["site"] == "alpha"
    assert first["labels"]["__meta_roost_label_region"] == "r01"
    assert (await get("/api/v1/http-sd", port="0"))[0] == 400

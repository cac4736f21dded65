"""PATCH of a connected account: credentials merge key by key, and an alias is one user's own."""

from .world import World, members


async def live(world: World):
    accounts = world.ours.connected_accounts
    config = await world.config("API_KEY", shared_credentials={"subdomain": "acme"})
    made = await world.account(config, "API_KEY", {"generic_api_key": world.secret("first"), "region": "eu"})
    world.audited["connection.set_credential"] += 1
    id = made.id

    async def changed(**named):
        done = await accounts.patch(id, **named)
        world.audited["connection.update"] += "alias" in named
        world.audited["connection.set_credential"] += "connection" in named
        assert (done.success, done.id, done.status) == (True, id, "ACTIVE"), done
        return await accounts.retrieve(id)

    def val(**new):
        return {"state": {"auth_scheme": "API_KEY", "val": new}}

    # What the config shares is inherited, what the user gives wins.
    seen = await accounts.retrieve(id)
    first = {"generic_api_key": world.secret("first"), "region": "eu"}
    assert members(seen.state) == {**first, "subdomain": "acme"}, set(members(seen.state))
    # A value sets, null removes, what is not named is kept.
    seen = await changed(connection=val(api_key=world.secret("second"), region=None))
    kept = {"generic_api_key": world.secret("first"), "api_key": world.secret("second"), "subdomain": "acme"}
    assert members(seen.state) == kept, set(members(seen.state))
    # What a list showed may be written back.
    masked = await world.reading.connected_accounts.retrieve(id)
    shown = members(masked.state)
    del shown["subdomain"]
    await world.idle(accounts.patch, id, connection=val(**shown))
    assert members((await accounts.retrieve(id)).state) == kept
    await world.idle(accounts.patch, id)
    # Without its key it would not be a credential of its scheme.
    said = await world.refused(400, 612, accounts.patch, id, connection=val(generic_api_key=None, api_key=None))
    assert said["message"].startswith("Missing required fields: "), said
    assert members((await accounts.retrieve(id)).state) == kept
    await world.refused(400, 600, accounts.patch, id, connection={"state": {"auth_scheme": "BASIC", "val": {}}})

    # An alias is one of its user's and toolkit's; another user's may be the same.
    seen = await changed(alias="work")
    assert seen.alias == "work", seen
    second = {"generic_api_key": world.secret("other")}
    for user, alias in (("ada", "home"), ("grace", "work")):
        other = await world.account(config, "API_KEY", second, user=user, alias=alias)
        world.audited["connection.set_credential"] += 1
        if user == "ada":
            await world.refused(409, 10409, accounts.patch, other.id, alias="work")
            await world.refused(409, 10409, world.account, config, "API_KEY", second, user="ada", alias="home")
        assert (await accounts.delete(other.id)).success is True
    seen = await changed(alias="")
    assert seen.alias is None, seen
    # What was revoked gets a new credential and is ACTIVE again.
    world.plain("POST", f"/api/v3.1/connected_accounts/{id}/revoke")
    world.audited["connection.revoke"] += 1
    assert (await accounts.retrieve(id)).status == "REVOKED"
    seen = await changed(connection=val(generic_api_key=world.secret("third")))
    assert (seen.status, seen.status_reason) == ("ACTIVE", None), seen
    assert members(seen.state) == {"generic_api_key": world.secret("third"), "subdomain": "acme"}
    # A config takes its accounts along.
    await world.ours.auth_configs.delete(config)
    await world.missing(id, accounts.retrieve, id)

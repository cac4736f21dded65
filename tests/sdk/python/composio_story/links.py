"""Links to the hosted page, and the page as a browser without JavaScript uses it."""

from composio_page import complete, fields

from .world import URL, World, members

BACK = "https://app.example.com/back?from=keyway"


async def lead_to_a_page(world: World):
    accounts, link = world.ours.connected_accounts, world.ours.link
    config = await world.config("BASIC", toolkit="zendesk", shared_credentials={"subdomain": "acme"})
    named = {"auth_config_id": config, "user_id": "ada", "callback_url": BACK, "alias": "desk"}
    made = await link.create(**named)
    assert made.link_token.startswith("lk_") and len(made.link_token) == 35, made
    assert made.redirect_url == f"{URL}/connect/{made.link_token}" and made.expires_at.endswith("Z"), made
    id = made.connected_account_id
    seen = await accounts.retrieve(id)
    assert (seen.status, seen.alias, seen.state.val.status) == ("INITIALIZING", "desk", "INITIALIZING"), seen
    assert members(seen.state) == {}, seen
    await world.refused(400, 600, accounts.update_status, id, enabled=True)
    await world.refused(409, 10409, link.create, **named)

    # What the config shares is not asked for again. The page shows no secret, not even the one just typed.
    secret = world.secret("page")
    assert "Zendesk" in fields(made.redirect_url, expected={"username", "password"})
    complete(made.redirect_url, {"username": "ada@example.com/token", "password": ""}, fails=True)
    complete(made.redirect_url, {"username": "", "password": secret}, fails=True, unseen=secret)
    assert (await accounts.retrieve(id)).status == "INITIALIZING"
    whereto = complete(made.redirect_url, {"username": "ada@example.com/token", "password": secret}, unseen=secret)
    world.audited["connection.set_credential"] += 1
    assert whereto == f"{BACK}&status=success&connected_account_id={id}", whereto
    seen = await accounts.retrieve(id)
    assert (seen.status, seen.state.auth_scheme, seen.status_reason) == ("ACTIVE", "BASIC", None), seen
    given = {"username": "ada@example.com/token", "password": secret}
    assert members(seen.state) == {**given, "subdomain": "acme"}, set(members(seen.state))
    # It is used up.
    complete(made.redirect_url, given, gone=True, unseen=secret)
    assert (await accounts.delete(id)).success is True

    # What is known beforehand is not asked for. A link ends with its account.
    known = {"username": "known@example.com"}
    made = await link.create(auth_config_id=config, user_id="ada", connection_data=known)
    fields(made.redirect_url, expected={"password"})
    complete(made.redirect_url, {"password": secret}, unseen=secret)
    world.audited["connection.set_credential"] += 1
    seen = await accounts.retrieve(made.connected_account_id)
    assert members(seen.state) == {**known, "password": secret, "subdomain": "acme"}, set(members(seen.state))
    await accounts.delete(made.connected_account_id)
    made = await link.create(auth_config_id=config, user_id="ada")
    fields(made.redirect_url, expected={"username", "password"})
    await accounts.delete(made.connected_account_id)
    complete(made.redirect_url, given, gone=True, unseen=secret)
    await world.ours.auth_configs.delete(config)

    # Where nothing is declared, the scheme's own member is asked for.
    config = await world.config("API_KEY")
    made = await link.create(auth_config_id=config, user_id="grace")
    complete(made.redirect_url, {"generic_api_key": world.secret("typed")}, unseen=secret)
    world.audited["connection.set_credential"] += 1
    seen = await accounts.retrieve(made.connected_account_id)
    assert members(seen.state) == {"generic_api_key": world.secret("typed")}, seen.status
    await accounts.delete(made.connected_account_id)
    await world.ours.auth_configs.delete(config)

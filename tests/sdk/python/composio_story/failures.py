"""400 with every fault at once, each with its path and none with its value; what is unknown, and what is in the way."""

from .world import World

ILL = "Error in payload."


async def are_told_apart(world: World):
    accounts, configs, link = world.ours.connected_accounts, world.ours.auth_configs, world.ours.link
    config = await world.config("API_KEY", name="Kept")
    kept = {"generic_api_key": world.secret("kept")}
    id = (await world.account(config, "API_KEY", kept)).id
    world.audited["connection.set_credential"] += 1
    secret = world.secret("refused")
    state = {"auth_scheme": "API_KEY", "val": {"generic_api_key": secret}}
    tools = {"tools_available_for_execution": [1, "A", None]}

    for call, arguments, named, faults in (
        (configs.create, (), {"toolkit": {}}, ["toolkit.slug: Required"]),
        (
            configs.create,
            (),
            {"toolkit": {"slug": 1}, "auth_config": {"type": "use_custom_auth", "auth_scheme": "NONE", "name": ""}},
            ["toolkit.slug: ", "auth_config.authScheme: ", "auth_config.name: "],
        ),
        (
            configs.update,
            (config,),
            {"type": "custom", "tool_access_config": tools, "extra_body": {"colour": secret}},
            [
                "tool_access_config.tools_available_for_execution.0: Expected string, received number",
                "tool_access_config.tools_available_for_execution.2: Expected string, received null",
                "colour: Unrecognized key",
            ],
        ),
        (
            accounts.create,
            (),
            {"auth_config": {}, "connection": {"user_id": "", "state": {"val": secret}, "callback_url": secret}},
            [
                "auth_config.id: Required",
                "connection.user_id: ",
                "connection.callback_url: ",
                "connection.state.",
            ],
        ),
        (accounts.create, (), {"auth_config": {"id": "x"}, "connection": {}}, ["auth_config.id: "]),
        (link.create, (), {"auth_config_id": "x", "user_id": ""}, ["auth_config_id: ", "user_id: "]),
        (
            accounts.patch,
            (id,),
            {"alias": 1, "extra_body": {"colour": secret}},
            ["alias: Expected string, received number", "colour: Unrecognized key"],
        ),
        (accounts.update_status, (id,), {"enabled": secret}, ["enabled: Expected boolean, received string"]),
    ):
        said = await world.refused(400, 10400, call, *arguments, **named)
        assert said["message"] == "Validation error while processing request", said
        assert said["suggested_fix"] == "Please check the payload.", said
        unmet = [fault for fault in faults if not any(line.startswith(ILL + fault) for line in said["errors"])]
        assert not unmet, (unmet, said)
        assert len(said["errors"]) >= len(faults), said

    # What there is not, here or anywhere.
    unknown = {"auth_config": {"id": "ac_000000000000"}, "connection": {"state": state}}
    await world.refused(404, 302, accounts.create, **unknown)
    await world.refused(404, 302, link.create, auth_config_id="ac_000000000000", user_id="ada")
    stolen = {"auth_config": {"id": config}, "connection": {"state": state}}
    await world.refused(404, 302, world.foreign.connected_accounts.create, **stolen)
    for call in (accounts.retrieve, accounts.delete, accounts.refresh, accounts.patch):
        await world.missing("ca_000000000000", call, "ca_000000000000")
        await world.refused(400, 10400, call, "no-id")
    for call in (configs.retrieve, configs.delete):
        await world.refused(404, 302, call, "ac_000000000000")
        await world.refused(400, 10400, call, "no-id")
    await world.refused(404, 401, configs.create, toolkit={"slug": "no-such-toolkit"})
    await world.refused(400, 10400, configs.update_status, "HALF", nanoid=config)
    # What a credential lacks is named as people read it.
    desk = await world.config("BASIC", toolkit="zendesk")
    said = await world.refused(400, 612, world.account, desk, "BASIC", {"username": "ada"})
    assert said["slug"] == "ConnectedAccount_MissingRequiredFields", said
    lacking = said["message"].removeprefix("Missing required fields: ").split(", ")
    assert set(lacking) == {"API token", "Subdomain"}, said
    await configs.delete(desk)
    said = await world.refused(400, 600, world.account, config, "BASIC", {"username": "ada", "password": secret})
    assert said["slug"] == "ConnectedAccount_BadRequest", said
    oauth = {"type": "use_custom_auth", "auth_scheme": "OAUTH2", "credentials": {"client_id": "client"}}
    said = await world.refused(400, 301, configs.create, toolkit={"slug": "github"}, auth_config=oauth)
    assert 'Missing required field "Client secret" for auth scheme "OAUTH2"' in said["message"], said
    # What there is no engine for yet.
    await world.refused(501, 10501, accounts.create, **stolen, validate_credentials=True)

    # Nothing was changed by any of them.
    seen = await accounts.list()
    assert [item.id for item in seen.items] == [id], seen
    assert (await accounts.retrieve(id)).data == kept
    assert (await configs.retrieve(config)).name == "Kept"
    await configs.delete(config)

"""Auth configs from their making to their end."""

from .world import World

DONE = {"success": True, "message": "Auth config updated successfully"}


def live(world: World):
    configs = world.ours.auth_configs
    secret = world.secret("client")
    credentials = {"client_id": "client", "client_secret": secret, "scopes": "repo"}
    options = {"type": "use_custom_auth", "auth_scheme": "OAUTH2", "name": "Ours", "credentials": credentials}
    made = configs.create("GitHub", options)
    world.audited["auth_config.create"] += 1
    assert (made.auth_scheme, made.is_composio_managed) == ("OAUTH2", False), made
    id = made.id
    seen = configs.get(id)
    masked = {**credentials, "client_secret": f"{secret[:4]}..."}
    assert (seen.id, seen.name, seen.toolkit.slug, seen.credentials) == (id, "Ours", "github", masked), seen
    change = {"type": "custom", "credentials": {**masked, "client_id": "other"}, "is_enabled_for_tool_router": True}
    tools = {"tools_available_for_execution": ["GITHUB_FORK"]}
    assert configs.update(id, options={**change, "tool_access_config": tools}) == DONE
    world.audited["auth_config.update"] += 1
    seen = configs.get(id)
    assert seen.credentials == {**masked, "client_id": "other"}, seen
    assert seen.tool_access_config.tools_available_for_execution == ["GITHUB_FORK"], seen
    for call, status in ((configs.disable, "DISABLED"), (configs.enable, "ENABLED")):
        done = call(id)
        assert done["success"] is True and done["message"], done
        world.audited[f"auth_config.{'enable' if status == 'ENABLED' else 'disable'}"] += 1
        assert configs.get(id).status == status
    assert [item.id for item in configs.list(toolkit_slug="github", search="OUR").items] == [id]
    assert world.foreign.auth_configs.list().items == []
    assert configs.delete(id).to_dict()["success"] is True
    world.audited["auth_config.delete"] += 1
    world.refused(404, 302, configs.get, id)

    # The operator's app.
    made = configs.create("linear", {"type": "use_composio_managed_auth"})
    world.audited["auth_config.create"] += 1
    assert made.is_composio_managed is True, made
    assert configs.update(made.id, options={"type": "default", "is_enabled_for_tool_router": True}) == DONE
    world.audited["auth_config.update"] += 1
    assert set(configs.get(made.id).credentials.values()) == {"REDACTED"}
    configs.delete(made.id)
    world.audited["auth_config.delete"] += 1

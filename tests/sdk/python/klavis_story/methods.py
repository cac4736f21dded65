"""Every public method of the client's resources: it has answered in this story, or it is none of ours and ends in 404;
and who may not call it hears 401, 403 or 404, and changes nothing."""

import inspect

from klavis import ApiKeyAuth, McpServerName, OAuthServerName

from .world import RESOURCES, World

SLACK = McpServerName.SLACK
# Tools are called elsewhere, and the agent's page of OAuth is the server's own (`oauthUrl`).
NOT_OURS = {
    "mcp_server.call_tools": {"server_url": "https://example.com/mcp", "tool_name": "tool"},
    "mcp_server.list_tools": {"server_url": "https://example.com/mcp"},
    "mcp_server.get_tools": {"server_name": SLACK},
    "mcp_server.list_raw_actions": {"instance_id": "any"},
    "mcp_server.list_strata_raw_actions": {"strata_id": "any", "server": SLACK},
    "mcp_server.get_oauth_url": {},
}


def public(resource):
    """The names of a resource's methods, as its class declares them."""
    declared = inspect.getmembers(type(resource), inspect.isfunction)
    return {name for name, _ in declared if not name.startswith("_")}


def ours(world, instance, strata, user, client):
    """Every method of ours: what it is called with, the scope it takes, and what another tenant does not find."""
    auth = ApiKeyAuth(token=world.secret("stolen"))
    reads, writes, reveals = "connections:read", "connections:write", "credentials:read"
    new, label = {"server_name": SLACK, "user_id": user}, {"client_id": client, "client_secret": world.secret("label")}
    strata_member = {"strata_id": strata, "server_name": SLACK}
    user_member = {"user_id": user, "server_name": SLACK}
    return {
        "mcp_server.create_server_instance": (new, writes, None),
        "mcp_server.create_self_hosted_server_instance": (new, writes, None),
        "mcp_server.get_server_instance": ({"instance_id": instance}, reads, "Instance"),
        "mcp_server.update_server_instance": ({"instance_id": instance, "is_read_only": True}, writes, "Instance"),
        "mcp_server.delete_server_instance": ({"instance_id": instance}, writes, "Instance"),
        "mcp_server.get_instance_auth_data": ({"instance_id": instance}, reveals, "Instance"),
        "mcp_server.delete_instance_auth": ({"instance_id": instance}, writes, "Instance"),
        "mcp_server.set_instance_auth": ({"instance_id": instance, "auth_data": auth}, writes, "Instance"),
        "mcp_server.get_all_mcp_servers": ({}, None, None),
        "mcp_server.create_strata_server": ({"user_id": user, "servers": "ALL"}, writes, None),
        "mcp_server.add_servers_to_strata": ({"strata_id": strata, "servers": [SLACK]}, writes, "Strata"),
        "mcp_server.delete_servers_from_strata": ({"strata_id": strata, "servers": "ALL"}, writes, "Strata"),
        "mcp_server.get_strata_server": ({"strata_id": strata}, reads, "Strata"),
        "mcp_server.get_strata_auth": (strata_member, reveals, "Strata"),
        "mcp_server.delete_strata_auth": (strata_member, writes, "Strata"),
        "mcp_server.set_strata_auth": ({**strata_member, "auth_data": auth}, writes, "Strata"),
        "user.get_user_integrations": ({"user_id": user}, reads, "User"),
        "user.get_user_by_user_id": ({"user_id": user}, reads, "User"),
        "user.delete_user_by_user_id": ({"user_id": user}, writes, "User"),
        "user.get_all_users": ({}, reads, None),
        "user.set_user_auth": ({**user_member, "auth_data": auth}, writes, None),
        "user.get_user_auth": (user_member, reveals, "User"),
        "user.delete_user_auth": (user_member, writes, "User"),
        "white_labeling.create_white_labeling": (
            {**label, "server_name": OAuthServerName.SLACK},
            "auth_configs:write",
            None,
        ),
        "white_labeling.get_white_labeling_by_client_id": ({"client_id": client}, "auth_configs:read", "White label"),
    }


async def are_all_tried(world: World):
    plain = world.make(None)
    declared = {f"{name}.{method}" for name in RESOURCES for method in public(getattr(plain, name))}
    user, client = "mallory's target", "client-of-ours"
    servers, users = world.ours.mcp_server, world.ours.user
    kept = {"token": world.secret("kept")}
    assert (await users.set_user_auth(user_id=user, server_name=SLACK, auth_data=ApiKeyAuth(**kept))).success
    instance = (await servers.create_server_instance(server_name=SLACK, user_id=user)).instance_id
    strata = (await servers.create_strata_server(user_id=user, servers=[SLACK])).strata_id
    labels = world.ours.white_labeling
    slack = OAuthServerName.SLACK
    await labels.create_white_labeling(client_id=client, client_secret=world.secret("label"), server_name=slack)

    table = ours(world, instance, strata, user, client)
    assert declared == set(table) | set(NOT_OURS), declared ^ (set(table) | set(NOT_OURS))
    assert set(table) <= world.answered, set(table) - world.answered
    assert not world.answered & set(NOT_OURS), world.answered & set(NOT_OURS)

    def of(who, method):
        resource, name = method.split(".")
        return getattr(getattr(who, resource), name)

    for method, named in NOT_OURS.items():
        error = await world.refused(of(world.ours, method), **named)
        assert (error.status_code, error.body) == (404, {"detail": "Not Found"}), (method, error)
    for method, (named, scope, foreign) in table.items():
        error = await world.refused(of(world.keyless, method), **named)
        assert (error.status_code, error.body) == (401, {"detail": "Not authenticated"}), (method, error)
        assert error.headers["www-authenticate"] == "Bearer", (method, error)
        error = await world.refused(of(world.nobody, method), **named)
        assert (error.status_code, error.body) == (403, {"detail": "Invalid API key"}), (method, error)
        if scope is not None:
            refused = [world.powerless] if scope.endswith("s:read") and scope != "credentials:read" else [
                world.powerless,
                world.reading,
            ]
            for who in refused:
                error = await world.refused(of(who, method), **named)
                assert error.status_code == 403 and scope in error.body["detail"], (method, error)
        if foreign is not None:
            await world.missing(foreign, of(world.foreign, method), **named)

    # The pages of OAuth come with its engine: until then each says so, without a key too.
    pages = public(plain.oauth)
    assert len(pages) > 40, pages
    for page in pages:
        asked = inspect.signature(getattr(plain.oauth, page)).parameters.values()
        required = {one.name: instance for one in asked if one.default is one.empty}
        error = await world.refused(getattr(world.keyless.oauth, page), **required)
        assert error.status_code == 501 and isinstance(error.body["detail"], str), (page, error)

    for view in (await servers.get_instance_auth_data(instance), await users.get_user_auth(user, SLACK)):
        assert view.auth_data == kept, "somebody changed what is ours"
    assert (await servers.get_strata_server(strata)).connected_servers == ["Slack"]
    assert (await servers.update_server_instance(instance, is_read_only=None)).is_read_only is False
    assert (await users.delete_user_by_user_id(user)).success

"""The list of servers: the catalogue and the tenant's own."""

import uuid

from klavis import McpServerName

from .world import World


async def are_listed(world: World):
    listed = (await world.ours.mcp_server.get_all_mcp_servers()).servers
    named = {server.name: server for server in listed}
    assert len(named) == len(listed), "a name is listed twice"
    for name in (McpServerName.DISCORD, McpServerName.GITHUB, McpServerName.GOOGLE_CALENDAR, McpServerName.SLACK):
        assert named[name.value].auth_needed is True, named[name.value]
    assert all(str(uuid.UUID(server.id)) == server.id and server.tools is None for server in listed)

    # The tenant's own integration, made in the Langdock dialect, is one of its servers, and nobody else's.
    status, made = world.plain("POST", "/integrations/v1/create", json={"name": "Billing", "description": "Invoices"})
    assert status == 201, made
    again = {server.name: server for server in (await world.ours.mcp_server.get_all_mcp_servers()).servers}
    assert set(again) - set(named) == {"Billing"}, set(again) ^ set(named)
    assert again["Billing"].auth_needed is False, again["Billing"]
    assert {name: server.id for name, server in again.items() if name in named} == {
        name: server.id for name, server in named.items()
    }, "an id changed"
    theirs = {server.name for server in (await world.foreign.mcp_server.get_all_mcp_servers()).servers}
    assert theirs == set(named), theirs ^ set(named)
    # Any key may ask.
    for anyone in (world.reading, world.powerless):
        assert len((await anyone.mcp_server.get_all_mcp_servers()).servers) == len(again)

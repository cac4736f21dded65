"""Strata: a group of one user's connections, and the servers of others beside them."""

import uuid

from klavis import ApiKeyAuth, ExternalServerRequest, GeneralAuth, McpServerName

from .world import URL, World

USER = "linus"
SLACK, GITHUB, GMAIL = McpServerName.SLACK, McpServerName.GITHUB, McpServerName.GMAIL


def external(shown):
    """What is told of external servers: never the headers."""
    assert all(server.headers is None for server in shown), shown
    return {server.name: server.url for server in shown}


async def live(world: World):
    ours = world.ours.mcp_server
    headers = {"Authorization": f"Bearer {world.secret('header')}", "X-Team": world.secret("team")}
    made = await ours.create_strata_server(
        user_id=USER,
        servers=[SLACK, GITHUB],
        external_servers=[
            ExternalServerRequest(name="wiki", url="https://wiki.example.com/mcp", headers=headers),
            ExternalServerRequest(name="docs", url="https://docs.example.com/mcp"),
        ],
        enable_auth_handling=False,
    )
    strata = made.strata_id
    assert str(uuid.UUID(strata)) == strata, made
    assert made.strata_server_url.startswith(f"{URL}/") and strata in made.strata_server_url, made
    assert sorted(made.added_servers) == ["GitHub", "Slack"], made
    assert external(made.added_external_servers) == {
        "wiki": "https://wiki.example.com/mcp",
        "docs": "https://docs.example.com/mcp",
    }, made
    # No link leads to a page that is not there.
    assert (made.oauth_urls, made.api_key_urls) == ({}, {}), made
    listed = (await world.ours.user.get_user_integrations(USER)).integrations
    assert {item.name: item.is_authenticated for item in listed} == {SLACK: False, GITHUB: False}, listed

    await members(world, strata, made.strata_server_url)
    await credentials(world, strata)
    await removal(world, strata)
    await everything(world)

    # A strata ends with its user.
    assert (await world.ours.user.delete_user_by_user_id(USER)).success
    await world.missing("Strata", ours.get_strata_server, strata)
    await world.missing("Strata", ours.get_strata_auth, strata, SLACK)


async def shown(world, strata):
    seen = await world.ours.mcp_server.get_strata_server(strata)
    # The same without the SDK, which would not show what it does not know.
    status, raw = world.plain("GET", f"/mcp-server/strata/{strata}")
    assert status == 200 and world.secret("") not in str(raw), "a secret was shown"
    assert raw["connectedServers"] == seen.connected_servers, raw
    assert all(set(server) == {"name", "url", "headers"} for server in raw["connectedExternalServers"]), raw
    assert (seen.strata_id, seen.oauth_urls, seen.api_key_urls) == (strata, {}, {}), seen
    return sorted(seen.connected_servers), external(seen.connected_external_servers)


async def members(world, strata, url):
    ours = world.ours.mcp_server
    wiki, docs = "https://wiki.example.com/mcp", "https://docs.example.com/mcp"
    assert await shown(world, strata) == (["GitHub", "Slack"], {"wiki": wiki, "docs": docs})
    assert (await ours.get_strata_server(strata)).strata_server_url == url
    # What is there already stays; an external server is replaced by its name.
    moved = "https://new.example.com/mcp"
    more = await ours.add_servers_to_strata(
        strata_id=strata,
        servers=[GMAIL],
        external_servers=[
            ExternalServerRequest(name="wiki", url=moved, headers={"X-Key": world.secret("moved")}),
            ExternalServerRequest(name="notes", url="http://notes.example.com/"),
        ],
    )
    assert more.added_servers == ["Gmail"], more
    assert set(external(more.added_external_servers)) == {"wiki", "notes"}, more
    assert (more.oauth_urls, more.api_key_urls) == ({}, {}), more
    # Nothing to add, said in both ways, adds nothing.
    for nothing in ({}, {"servers": None, "external_servers": None}, {"servers": [], "external_servers": []}):
        none = await ours.add_servers_to_strata(strata_id=strata, **nothing)
        assert (none.added_servers, none.added_external_servers) == ([], []), none
    names, others = await shown(world, strata)
    assert names == ["GitHub", "Gmail", "Slack"], names
    assert others == {"wiki": moved, "docs": docs, "notes": "http://notes.example.com/"}, others


async def credentials(world, strata):
    """Written through the strata, the user or the instance, it is one credential."""
    ours, users = world.ours.mcp_server, world.ours.user
    instance = (await ours.create_server_instance(server_name=SLACK, user_id=USER)).instance_id
    empty = await ours.get_strata_auth(strata, SLACK)
    assert (empty.success, empty.auth_data, empty.is_authenticated) == (False, None, False) and empty.message, empty
    data = {"bot_token": world.secret("bot"), "team": {"id": 7}}

    async def everywhere(kept):
        for view in (
            await ours.get_strata_auth(strata, SLACK),
            await users.get_user_auth(USER, SLACK),
            await ours.get_instance_auth_data(instance),
        ):
            assert (view.success, view.auth_data) == (kept is not None, kept)

    for arm, kept in (
        (ApiKeyAuth(token=world.secret("token")), {"token": world.secret("token")}),
        (ApiKeyAuth(api_key=world.secret("key")), {"api_key": world.secret("key")}),
        (GeneralAuth(data=data), data),
    ):
        assert (await ours.set_strata_auth(strata_id=strata, server_name=SLACK, auth_data=arm)).success
        await everywhere(kept)
    said = await ours.set_strata_auth(strata_id=strata, server_name=SLACK, auth_data=GeneralAuth(data={}))
    assert said.success is False, said
    await everywhere(data)
    other = ApiKeyAuth(token=world.secret("by-user"))
    assert (await users.set_user_auth(user_id=USER, server_name=SLACK, auth_data=other)).success
    await everywhere({"token": world.secret("by-user")})
    assert (await ours.delete_strata_auth(strata, SLACK)).success
    await everywhere(None)
    assert (await ours.set_strata_auth(strata_id=strata, server_name=SLACK, auth_data=other)).success

    # A server that is no member is not reached through the strata.
    for said in (
        await ours.set_strata_auth(strata_id=strata, server_name=McpServerName.NOTION, auth_data=other),
        await ours.get_strata_auth(strata, McpServerName.NOTION),
        await ours.delete_strata_auth(strata, McpServerName.NOTION),
    ):
        assert said.success is False and said.message, said
    names = [item.name for item in (await users.get_user_integrations(USER)).integrations]
    assert McpServerName.NOTION not in names, names


async def removal(world, strata):
    ours = world.ours.mcp_server
    gone = await ours.delete_servers_from_strata(strata, servers=[SLACK, McpServerName.NOTION], external_servers="wiki,none")
    assert (gone.deleted_servers, gone.deleted_external_servers) == (["Slack"], ["wiki"]), gone
    gone = await ours.delete_servers_from_strata(strata, external_servers="docs")
    assert (gone.deleted_servers, gone.deleted_external_servers) == ([], ["docs"]), gone
    assert await shown(world, strata) == (["GitHub", "Gmail"], {"notes": "http://notes.example.com/"})
    said = await ours.get_strata_auth(strata, SLACK)
    assert (said.success, said.auth_data) == (False, None), said
    # The connection that left the strata is still its user's.
    kept = await world.ours.user.get_user_auth(USER, SLACK)
    assert kept.auth_data == {"token": world.secret("by-user")}
    gone = await ours.delete_servers_from_strata(strata, servers="ALL")
    assert sorted(gone.deleted_servers) == ["GitHub", "Gmail"], gone
    gone = await ours.delete_servers_from_strata(strata)
    assert (gone.deleted_servers, gone.deleted_external_servers) == ([], []), gone
    assert await shown(world, strata) == ([], {"notes": "http://notes.example.com/"})


async def everything(world):
    """`ALL` is every service of the tenant that has a name of Klavis' or of the catalogue; each strata is one of its own."""
    ours = world.ours.mcp_server
    empty = await ours.create_strata_server(user_id=USER, servers=None, external_servers=None)
    assert (empty.added_servers, empty.added_external_servers) == ([], []), empty
    assert await shown(world, empty.strata_id) == ([], {})
    all_of_them = await ours.create_strata_server(user_id=USER, servers="ALL")
    assert all_of_them.strata_id != empty.strata_id, all_of_them
    names = set(all_of_them.added_servers)
    assert {"Slack", "GitHub", "Gmail"} <= names and "Billing" not in names, names
    assert len(names) == len(all_of_them.added_servers), all_of_them
    more = await ours.add_servers_to_strata(strata_id=empty.strata_id, servers="ALL")
    assert set(more.added_servers) == names, more
    assert (await shown(world, empty.strata_id))[0] == sorted(names)
    assert (await ours.get_strata_auth(empty.strata_id, SLACK)).auth_data == {"token": world.secret("by-user")}
    gone = await ours.delete_servers_from_strata(all_of_them.strata_id, servers=["ALL"])
    assert set(gone.deleted_servers) == names, gone
    assert await shown(world, all_of_them.strata_id) == ([], {})

"""Auth configs from their making to their end: every scheme, changes that touch what they name, filters and pages."""

from .world import World

# Every scheme, with the credentials that a custom config of it needs.
SCHEMES = {
    "OAUTH2": {"client_id": "client", "client_secret": "secret-number-1"},
    "OAUTH1": {"consumer_key": "consumer", "consumer_secret": "secret-number-1"},
    "API_KEY": {},
    "BASIC": {},
    "BILLCOM_AUTH": {},
    "BEARER_TOKEN": {},
    "GOOGLE_SERVICE_ACCOUNT": {},
    "NO_AUTH": {},
    "BASIC_WITH_JWT": {},
    "CALCOM_AUTH": {},
    "SERVICE_ACCOUNT": {},
    "SAML": {},
    "DCR_OAUTH": {},
    "S2S_OAUTH2": {"client_id": "client", "client_secret": "secret-number-1"},
    "CIMD_OAUTH": {},
}
UPDATED = {"success": True, "message": "Auth config updated successfully"}


async def live(world: World):
    await of_every_scheme(world)
    await changes(world)
    await pages(world)


async def of_every_scheme(world):
    configs = world.ours.auth_configs
    for scheme, credentials in SCHEMES.items():
        made = await configs.create(
            toolkit={"slug": "Stripe"},
            auth_config={"type": "use_custom_auth", "auth_scheme": scheme, "credentials": credentials},
        )
        # The SDK's closed list of a config's schemes has no CIMD_OAUTH.
        shown = "DCR_OAUTH" if scheme == "CIMD_OAUTH" else scheme
        assert made.toolkit.slug == "stripe", made
        assert made.auth_config.auth_scheme == shown, made
        assert made.auth_config.is_composio_managed is False, made
        id = made.auth_config.id
        seen = await configs.retrieve(id)
        assert (seen.id, seen.auth_scheme, seen.type) == (id, shown, "custom"), seen
        assert (seen.status, seen.no_of_connections) == ("ENABLED", 0), seen
        assert seen.name.startswith("stripe-") and seen.toolkit.slug == "stripe", seen
        assert (await world.foreign.auth_configs.list()).items == []
        done = await configs.delete(id)
        assert done.to_dict()["success"] is True and done.revoke_job_id is None, done
        await world.refused(404, 302, configs.retrieve, id)
        await world.refused(404, 302, configs.delete, id)


async def changes(world):
    configs = world.ours.auth_configs
    secret = world.secret("client")
    made = await configs.create(
        toolkit={"slug": "github"},
        auth_config={
            "type": "use_custom_auth",
            "auth_scheme": "OAUTH2",
            "name": "Ours",
            "credentials": {"client_id": "client-1", "client_secret": secret, "scopes": ["repo", "gist"]},
            "proxy_config": {"proxy_url": "https://proxy.example.com/", "proxy_auth_key": world.secret("proxy")},
            "tool_access_config": {"tools_for_connected_account_creation": ["GITHUB_STAR"]},
            "restrict_to_following_tools": ["GITHUB_FORK"],
            "shared_credentials": {"region": world.secret("region")},
            "is_enabled_for_tool_router": True,
        },
    )
    assert made.auth_config.restrict_to_following_tools == ["GITHUB_FORK"], made
    id = made.auth_config.id
    masked = f"{secret[:4]}..."
    seen = await configs.retrieve(id)
    assert seen.credentials == {"client_id": "client-1", "client_secret": masked, "scopes": ["repo", "gist"]}, seen
    assert seen.tool_access_config.tools_for_connected_account_creation == ["GITHUB_STAR"], seen
    assert seen.tool_access_config.tools_available_for_execution == ["GITHUB_FORK"], seen
    assert seen.restrict_to_following_tools == ["GITHUB_FORK"], seen
    assert seen.shared_credentials == {"region": masked}, seen
    assert (seen.proxy_config.proxy_url, seen.proxy_config.proxy_auth_key) == ("https://proxy.example.com/", masked)
    assert seen.is_enabled_for_tool_router is True and seen.created_at and seen.created_by, seen

    # A change touches what it names; what was read may be written back without losing a secret.
    done = await configs.update(
        id,
        type="custom",
        name="Renamed",
        credentials={**seen.credentials, "client_id": "client-2", "scopes": None},
        shared_credentials={**seen.shared_credentials, "tenant": "eu"},
        proxy_config=None,
        is_enabled_for_tool_router=False,
    )
    assert done == UPDATED, done
    seen = await configs.retrieve(id)
    assert (seen.name, seen.is_enabled_for_tool_router, seen.proxy_config) == ("Renamed", False, None), seen
    assert seen.credentials == {"client_id": "client-2", "client_secret": masked}, seen
    assert seen.shared_credentials == {"region": masked, "tenant": "..."}, seen
    # The tools: nothing named is nothing changed, an empty list clears.
    done = await configs.update(id, type="custom", tool_access_config={})
    assert done == UPDATED, done
    seen = await configs.retrieve(id)
    assert seen.tool_access_config.tools_available_for_execution == ["GITHUB_FORK"], seen
    done = await configs.update(id, type="custom", tool_access_config={"tools_available_for_execution": []})
    assert done == UPDATED, done
    seen = await configs.retrieve(id)
    assert seen.tool_access_config.tools_for_connected_account_creation == ["GITHUB_STAR"], seen
    assert seen.tool_access_config.tools_available_for_execution == [], seen

    # Disabled: it is not listed but on demand, and nobody connects with it.
    for status, audited in (("DISABLED", "auth_config.disable"), ("ENABLED", "auth_config.enable")):
        done = await configs.update_status(status, nanoid=id)
        world.audited[audited] += 1
        assert done["success"] is True and done["message"], done
        assert await configs.update_status(status, nanoid=id) == done, "the same again is no fault"
        assert (await configs.retrieve(id)).status == status
        listed = [item.id for item in (await configs.list()).items]
        assert listed == ([id] if status == "ENABLED" else []), listed
        assert [item.id for item in (await configs.list(show_disabled=True)).items] == [id]
        if status == "DISABLED":
            connection = {"user_id": "ada"}
            for call, named in (
                (world.ours.connected_accounts.create, {"auth_config": {"id": id}, "connection": connection}),
                (world.ours.link.create, {"auth_config_id": id, "user_id": "ada"}),
            ):
                said = await world.refused(400, 600, call, **named)
                assert said["message"] == "Auth config is disabled", said
    done = await configs.delete(id, revoke_on_delete=True)
    assert done.revoke_job_id.startswith("pj_"), done


async def pages(world):
    configs = world.ours.auth_configs
    made = [await world.config("API_KEY", name=f"Number {number}") for number in range(5)]
    made.append(await world.config("BEARER_TOKEN", toolkit="github", name="Other"))
    whole = await configs.list()
    assert {item.id for item in whole.items} == set(made), whole
    assert (whole.total_items, whole.total_pages, whole.current_page, whole.next_cursor) == (6, 1, 1, None), whole
    told, cursor = [], None
    for number in (1, 2, 3):
        page = await (configs.list(limit=2, cursor=cursor) if cursor else configs.list(limit=2))
        assert (page.total_items, page.total_pages, page.current_page) == (6, 3, number), page
        told += page.items
        cursor = page.next_cursor
    assert cursor is None and told == whole.items, told
    for filters, names in (
        ({"toolkit_slug": "github"}, {"Other"}),
        ({"toolkit_slug": "github,stripe", "search": "NUMBER 3"}, {"Number 3"}),
        ({"search": made[5].upper()}, {"Other"}),
        ({"is_composio_managed": True}, set()),
        ({"is_composio_managed": False, "toolkit_slug": "gitlab"}, set()),
    ):
        page = await configs.list(**filters)
        assert {item.name for item in page.items} == names, (filters, page)
        assert page.total_items == len(names), (filters, page)
    for id in made:
        assert (await configs.delete(id)).to_dict()["success"] is True

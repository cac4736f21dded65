"""Toolkits as far as auth needs them: what a service is called, how users authenticate, what is asked of them."""

from .world import World


async def are_listed(world: World):
    toolkits = world.ours.toolkits
    # Whoever has a key may look, in whatever case.
    for who in (world.ours, world.reading, world.powerless, world.foreign):
        seen = await who.toolkits.retrieve("ZenDesk")
        assert (seen.slug, seen.name, seen.enabled, seen.is_local_toolkit) == ("zendesk", "Zendesk", True, False), seen
    assert seen.composio_managed_auth_schemes == [] and seen.composio_managed_auth == [], seen
    assert (seen.meta.tools_count, seen.meta.triggers_count) == (0, 0), seen.meta
    assert seen.meta.description and seen.meta.logo is not None, seen.meta
    details = {detail.mode: detail for detail in seen.auth_config_details}
    assert set(details) == {"OAUTH2", "BASIC"}, details
    basic = details["BASIC"].fields.connected_account_initiation
    asked = {field.name: field.display_name for field in basic.required}
    assert asked == {"username": "Email and /token", "password": "API token", "subdomain": "Subdomain"}, asked
    assert {field.name for field in basic.required if field.is_secret} == {"password"}, basic
    client = details["OAUTH2"].fields.auth_config_creation
    assert [field.name for field in client.required] == ["client_id", "client_secret"], client
    said = await world.refused(404, 401, toolkits.retrieve, "no-such-toolkit")
    assert said["slug"] == "Toolkit_NotFound", said

    whole = await toolkits.list(limit=1000)
    assert whole.total_items == len(whole.items) > 100 and whole.next_cursor is None, whole.total_items
    by_slug = {item.slug: item for item in whole.items}
    assert by_slug["zendesk"].name == "Zendesk" and by_slug["zendesk"].no_auth is False, by_slug["zendesk"]
    assert set(by_slug["zendesk"].auth_schemes) == {"OAUTH2", "BASIC"}, by_slug["zendesk"]
    told, cursor = [], None
    while cursor is not None or not told:
        page = await (toolkits.list(limit=50, cursor=cursor) if cursor else toolkits.list(limit=50))
        assert (page.total_items, page.total_pages) == (whole.total_items, -(-whole.total_items // 50)), page
        told += [item.slug for item in page.items]
        cursor = page.next_cursor
    assert told == [item.slug for item in whole.items]
    # Every one of them passes the closed types of the SDK on its own, too.
    for slug in told:
        assert (await toolkits.retrieve(slug)).slug == slug

    categories = await toolkits.retrieve_categories()
    assert categories.total_items == len(categories.items) > 10, categories.total_items
    for filters in ({"managed_by": "all"}, {"sort_by": "alphabetically"}, {"category": categories.items[0].id}):
        page = await toolkits.list(limit=1000, **filters)
        assert {item.slug for item in page.items} <= set(told) and page.items, filters

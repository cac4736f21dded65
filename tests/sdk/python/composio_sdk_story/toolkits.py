"""Toolkits, and the fields that they ask for."""

from composio.exceptions import InvalidParams

from .world import World


def are_listed(world: World):
    toolkits = world.ours.toolkits
    seen = toolkits.get("Zendesk")
    assert (seen.slug, seen.name) == ("zendesk", "Zendesk"), seen
    whole = toolkits.list(limit=1000)
    assert whole.total_items == len(whole.items) > 100
    first = toolkits.get()
    assert [item.slug for item in first] == [item.slug for item in whole.items][: len(first)]
    named = toolkits.get(query={"limit": 3, "sort_by": "alphabetically"})
    slugs = [item.slug for item in named]
    assert len(slugs) == 3 and slugs == sorted(slugs), slugs
    categories = toolkits.list_categories()
    assert {category.name.lower() for category in categories} >= {"payments", "search"}, categories

    fields = toolkits.get_connected_account_initiation_fields("zendesk", "BASIC", required_only=True)
    assert {field.name for field in fields} == {"username", "password", "subdomain"}, fields
    fields = toolkits.get_connected_account_initiation_fields("stripe", "API_KEY")
    assert [(field.name, field.display_name) for field in fields] == [("generic_api_key", "Secret key")], fields
    fields = toolkits.get_auth_config_creation_fields("zendesk", "OAUTH2", required_only=True)
    assert [field.name for field in fields] == ["client_id", "client_secret"], fields
    more = toolkits.get_auth_config_creation_fields("zendesk", "OAUTH2")
    assert [field.name for field in more][:2] == ["client_id", "client_secret"] and len(more) > 2, more
    for call in (toolkits.get_auth_config_creation_fields, toolkits.get_connected_account_initiation_fields):
        try:
            call("zendesk", "API_KEY")
        except InvalidParams:
            continue
        raise AssertionError("Zendesk has no API keys")

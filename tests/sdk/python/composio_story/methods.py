"""Every public method of the client's resources has answered in this story; and who may not call it hears 401, 403 or
404, and changes nothing."""

import inspect

from .world import RESOURCES, World

# What the client offers on every resource beside its methods.
VIEWS = {"with_raw_response", "with_streaming_response"}


def public(resource):
    """The names of a resource's methods, as its class declares them."""
    declared = inspect.getmembers(type(resource), inspect.isfunction)
    return {name for name, _ in declared if not name.startswith("_")} - VIEWS


def ours(world, config, account):
    """Every method: what it is called with, the scope it takes (or None), and the code of what another tenant does not
    find."""
    custom = {"type": "use_custom_auth", "auth_scheme": "API_KEY"}
    state = {"auth_scheme": "API_KEY", "val": {"generic_api_key": world.secret("stolen")}}
    reads, writes = "connections:read", "connections:write"
    return {
        "auth_configs.create": ((), {"toolkit": {"slug": "stripe"}, "auth_config": custom}, "auth_configs:write", None),
        "auth_configs.retrieve": ((config,), {}, "auth_configs:read", 302),
        "auth_configs.update": ((config,), {"type": "custom", "name": "Stolen"}, "auth_configs:write", 302),
        "auth_configs.list": ((), {}, "auth_configs:read", None),
        "auth_configs.delete": ((config,), {}, "auth_configs:write", 302),
        "auth_configs.update_status": (("DISABLED",), {"nanoid": config}, "auth_configs:write", 302),
        "connected_accounts.create": (
            (),
            {"auth_config": {"id": config}, "connection": {"state": state}},
            writes,
            302,
        ),
        "connected_accounts.retrieve": ((account,), {}, reads, 606),
        "connected_accounts.list": ((), {}, reads, None),
        "connected_accounts.delete": ((account,), {}, writes, 606),
        "connected_accounts.patch": ((account,), {"connection": {"state": state}}, writes, 606),
        "connected_accounts.refresh": ((account,), {}, writes, 606),
        "connected_accounts.update_status": ((account,), {"enabled": False}, writes, 606),
        "link.create": ((), {"auth_config_id": config, "user_id": "mallory"}, writes, 302),
        "toolkits.retrieve": (("stripe",), {}, None, None),
        "toolkits.list": ((), {}, None, None),
        "toolkits.retrieve_categories": ((), {}, None, None),
    }


async def are_all_tried(world: World):
    plain = world.make("")
    declared = {f"{name}.{method}" for name in RESOURCES for method in public(getattr(plain, name))}
    kept = {"token": world.secret("kept")}
    config = await world.config("BEARER_TOKEN", name="Kept")
    account = (await world.account(config, "BEARER_TOKEN", kept)).id
    world.audited["connection.set_credential"] += 1

    table = ours(world, config, account)
    assert declared == set(table), declared ^ set(table)
    # What cannot be refreshed is never refreshed here: the engine of OAuth is not there yet.
    assert set(table) - world.answered == {"connected_accounts.refresh"}, set(table) - world.answered

    def of(who, method):
        resource, name = method.split(".")
        return getattr(getattr(who, resource), name)

    for method, (arguments, named, scope, foreign) in table.items():
        for who, status, code in ((world.keyless, 401, 906), (world.nobody, 401, 801)):
            await world.refused(status, code, of(who, method), *arguments, **named)
        if scope is not None:
            for who in [world.powerless] if scope.endswith(":read") else [world.powerless, world.reading]:
                said = await world.refused(403, 812, of(who, method), *arguments, **named)
                assert said["slug"] == "APIKey_InsufficientPermissions" and scope in said["message"], (method, said)
        if foreign is not None:
            await world.refused(404, foreign, of(world.foreign, method), *arguments, **named)

    assert (await world.ours.connected_accounts.retrieve(account)).data == kept, "somebody changed what is ours"
    seen = await world.ours.auth_configs.retrieve(config)
    assert (seen.name, seen.status, seen.no_of_connections) == ("Kept", "ENABLED", 1), seen
    assert (await world.foreign.auth_configs.list(show_disabled=True)).items == []
    await world.ours.auth_configs.delete(config)

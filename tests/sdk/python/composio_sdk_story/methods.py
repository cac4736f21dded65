"""Every public method of the SDK's resources has answered in this story; and who may not call it is refused."""

import inspect

from .world import RESOURCES, World

# What never succeeds here: there is no engine of OAuth yet, and no account is shared.
REFUSED = {"connected_accounts.refresh", "connected_accounts.update_acl"}


def public(resource):
    """The names of a resource's methods: those of its class, and those that it lends from its client."""
    names = {name for name, _ in inspect.getmembers(type(resource), inspect.isfunction)}
    lent = {name for name, value in vars(resource).items() if callable(value)}
    return {name for name in names | lent if not name.startswith("_")}


def are_all_tried(world: World):
    sdk = world.ours.plain
    # `sanitize_payload` and `logger` are the base class' own.
    declared = {f"{name}.{method}" for name in RESOURCES for method in public(getattr(sdk, name))}
    declared = {method for method in declared if method.split(".")[1] not in ("sanitize_payload", "logger")}
    assert declared - world.answered == REFUSED, declared - world.answered
    assert world.answered <= declared, world.answered - declared

    config = world.ours.auth_configs.create("stripe", {"type": "use_custom_auth", "auth_scheme": "API_KEY"}).id
    state = {"auth_scheme": "API_KEY", "val": {"generic_api_key": world.secret("kept")}}
    id = world.ours.connected_accounts.initiate("ada", config, config=state).id
    world.audited.update(["auth_config.create", "connection.create", "connection.set_credential"])
    for who, status, codes in (
        (world.nobody, 401, (801, 801)),
        (world.powerless, 403, (812, 812)),
        (world.foreign, 404, (302, 606)),
    ):
        configs, accounts = who.auth_configs, who.connected_accounts
        change = {"type": "custom", "credentials": {}}
        for call, arguments, named in (
            (configs.get, (config,), {}),
            (configs.update, (config,), {"options": change}),
            (configs.delete, (config,), {}),
            (configs.enable, (config,), {}),
            (configs.disable, (config,), {}),
        ):
            world.refused(status, codes[0], call, *arguments, **named)
        for call, arguments, named in (
            (accounts.get, (id,), {}),
            (accounts.delete, (id,), {}),
            (accounts.update, (id,), {"alias": "stolen"}),
            (accounts.update_status, (id,), {"enabled": False}),
            (accounts.enable, (id,), {}),
            (accounts.disable, (id,), {}),
            (accounts.refresh, (id,), {}),
            (accounts.wait_for_connection, (id,), {}),
        ):
            world.refused(status, codes[1], call, *arguments, **named)
        for call in (accounts.initiate, accounts.link):
            world.refused(status, codes[0], call, "mallory", config)
    seen = world.ours.connected_accounts.get(id)
    world.audited["connection.hand_out"] += 1
    assert (seen.status, seen.alias, seen.data["generic_api_key"]) == ("ACTIVE", None, world.secret("kept"))
    world.ours.auth_configs.delete(config)
    world.audited.update(["auth_config.delete"])

"""What the SDK makes of refusals: errors of its own kind, with the server's words."""

from composio.exceptions import ComposioAclOnlyForSharedError, ComposioError
from composio_client import BadRequestError, ConflictError

from .world import World


def are_told_apart(world: World):
    accounts, configs = world.ours.connected_accounts, world.ours.auth_configs
    config = configs.create("stripe", {"type": "use_custom_auth", "auth_scheme": "API_KEY"}).id
    world.audited["auth_config.create"] += 1
    said = world.refused(400, 10400, configs.create, "stripe", {"type": "use_custom_auth", "auth_scheme": "NONE"})
    assert [fault.split(":")[0] for fault in said["errors"]] == ["Error in payload.auth_config.authScheme"], said
    said = world.refused(400, 612, accounts.initiate, "ada", config)
    assert said["message"] == "Missing required fields: Secret key", said
    world.refused(404, 302, accounts.link, "ada", "ac_000000000000")
    state = {"auth_scheme": "API_KEY", "val": {"generic_api_key": world.secret("kept")}}
    id = accounts.initiate("ada", config, config=state, alias="one").id
    world.audited.update(["connection.create", "connection.set_credential"])
    for kind, call, arguments, named in (
        (ConflictError, accounts.refresh, (id,), {}),
        (ConflictError, accounts.initiate, ("ada", config), {"config": state, "alias": "one", "allow_multiple": True}),
        (BadRequestError, accounts.update, (id,), {"connection": {"state": {"auth_scheme": "BASIC", "val": {}}}}),
    ):
        try:
            call(*arguments, **named)
        except ComposioError as error:
            assert isinstance(error, kind), error
        else:
            raise AssertionError(f"not refused: {call}")
    # Every account is its user's own: a list of who else may use it has no meaning here.
    for call, arguments, named in (
        (accounts.update_acl, (id,), {"allow_all_users": True}),
        (
            accounts.link,
            ("grace", config),
            {"experimental": {"account_type": "PRIVATE", "acl_config_for_shared": {"allow_all_users": True}}},
        ),
    ):
        try:
            call(*arguments, **named)
        except ComposioAclOnlyForSharedError:
            continue
        raise AssertionError(f"not refused: {call}")
    seen = accounts.get(id)
    world.audited["connection.hand_out"] += 1
    assert seen.data["generic_api_key"] == world.secret("kept") and seen.alias == "one"
    assert [item.id for item in accounts.list().items] == [id]
    configs.delete(config)
    world.audited.update(["auth_config.delete"])

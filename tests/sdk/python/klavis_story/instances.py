"""An instance from its making to its end: each arm of the credential, its settings, and the same credential as its
user's."""

import uuid

from klavis import ApiKeyAuth, ConnectionType, GeneralAuth, McpServerName

from .world import URL, World

USER = "ada@example.com"


async def live(world: World):
    ours = world.ours.mcp_server
    # An instance is made once per server and user, however the server's name is spelt and wherever the server runs.
    made = await ours.create_server_instance(
        server_name=McpServerName.DISCORD,
        user_id=USER,
        platform_name="tests",
        connection_type=ConnectionType.STREAMABLE_HTTP,
        legacy=False,
    )
    instance = made.instance_id
    assert str(uuid.UUID(instance)) == instance, made
    assert made.server_url == f"{URL}/mcp-server/instance/{instance}", made
    assert made.oauth_url is None, made
    again = await ours.create_server_instance(server_name=McpServerName.DISCORD, user_id=USER)
    assert again == made, again
    for spelling in (McpServerName.DISCORD, "DISCORD", "discord"):
        hosted = await ours.create_self_hosted_server_instance(server_name=spelling, user_id=USER)
        assert (hosted.instance_id, hosted.oauth_url) == (instance, None), hosted

    seen = await ours.get_server_instance(instance)
    assert seen.instance_id == instance, seen
    assert (seen.server_name, seen.external_user_id, seen.platform) == ("Discord", USER, "tests"), seen
    assert (seen.auth_needed, seen.is_authenticated, seen.oauth_url) == (True, False, None), seen
    empty = await ours.get_instance_auth_data(instance)
    assert (empty.success, empty.auth_data) == (False, None) and empty.error, empty

    await credentials(world, instance)
    await settings(world)
    await nothing_to_authenticate(world)

    # The end: of the credential, then of the instance, then of the user.
    assert (await ours.delete_instance_auth(instance)).success
    gone = await ours.get_instance_auth_data(instance)
    assert (gone.success, gone.auth_data) == (False, None), gone
    assert (await ours.get_server_instance(instance)).is_authenticated is False
    assert (await ours.set_instance_auth(instance_id=instance, auth_data=ApiKeyAuth(token=world.secret("last")))).success
    assert (await ours.delete_server_instance(instance)).success
    for call in (ours.get_server_instance, ours.get_instance_auth_data, ours.delete_server_instance):
        await world.missing("Instance", call, instance)
    late = ApiKeyAuth(token=world.secret("late"))
    await world.missing("Instance", ours.set_instance_auth, instance_id=instance, auth_data=late)
    left = await world.ours.user.get_user_auth(USER, McpServerName.DISCORD)
    assert (left.success, left.auth_data, left.is_authenticated) == (False, None, False), left
    assert (await world.ours.user.delete_user_by_user_id(USER)).success
    await world.missing("User", world.ours.user.get_user_by_user_id, USER)


async def credentials(world, instance):
    """Both arms are stored as they were sent, each replaces what was there, and the user's view is the same."""
    ours = world.ours.mcp_server
    nested = {
        "bot_token": world.secret("bot"),
        "guilds": [1, 2.5, {"name": "ünï", "deep": [[], {}, "\u2028"]}],
        "none": None,
        "flag": False,
    }
    for sent, kept in (
        (ApiKeyAuth(token=world.secret("token")), {"token": world.secret("token")}),
        (ApiKeyAuth(api_key=world.secret("key")), {"api_key": world.secret("key")}),
        (
            ApiKeyAuth(token=world.secret("both"), api_key=world.secret("too")),
            {"token": world.secret("both"), "api_key": world.secret("too")},
        ),
        (GeneralAuth(data=nested), nested),
    ):
        assert (await ours.set_instance_auth(instance_id=instance, auth_data=sent)).success
        stored = await ours.get_instance_auth_data(instance)
        assert (stored.success, stored.auth_data, stored.error) == (True, kept, None)
        as_user = await world.ours.user.get_user_auth(USER, McpServerName.DISCORD)
        assert (as_user.auth_data, as_user.is_authenticated) == (kept, True)
        assert (await ours.get_server_instance(instance)).is_authenticated is True

    # Nothing to store changes nothing.
    for nothing in (ApiKeyAuth(), ApiKeyAuth(token=""), GeneralAuth(data={}), GeneralAuth(data={"a": None, "b": ""})):
        said = await ours.set_instance_auth(instance_id=instance, auth_data=nothing)
        assert said.success is False and said.message, said
    assert (await ours.get_instance_auth_data(instance)).auth_data == nested


async def settings(world):
    ours = world.ours.mcp_server
    made = await ours.create_server_instance(
        server_name=McpServerName.LINEAR, user_id=USER, connection_type=ConnectionType.SSE, is_read_only=True
    )
    # Nothing asked for is how the setting is read.
    for asked, becomes in ((None, True), (False, False), (None, False), (True, True), (None, True)):
        done = await ours.update_server_instance(made.instance_id, is_read_only=asked)
        assert (done.instance_id, done.is_read_only) == (made.instance_id, becomes) and done.message, done
    again = await ours.create_server_instance(server_name=McpServerName.LINEAR, user_id=USER, is_read_only=False)
    assert again.instance_id == made.instance_id, again
    assert (await ours.update_server_instance(made.instance_id, is_read_only=None)).is_read_only is True
    assert (await ours.delete_server_instance(made.instance_id)).success


async def nothing_to_authenticate(world):
    """A service without any authentication takes no credential."""
    ours = world.ours.mcp_server
    made = await ours.create_server_instance(server_name="billing", user_id=USER)
    seen = await ours.get_server_instance(made.instance_id)
    assert (seen.server_name, seen.auth_needed, seen.is_authenticated) == ("Billing", False, False), seen
    refused = ApiKeyAuth(token=world.secret("unwanted"))
    said = await ours.set_instance_auth(instance_id=made.instance_id, auth_data=refused)
    assert said.success is False and said.message, said
    empty = await ours.get_instance_auth_data(made.instance_id)
    assert (empty.success, empty.auth_data) == (False, None), empty

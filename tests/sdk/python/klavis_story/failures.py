"""422 with every fault at once, in the client's own types; the faults name a place and repeat no secret."""

import uuid

from klavis import ApiKeyAuth, ExternalServerRequest, GeneralAuth, McpServerName, OAuthServerName
from klavis.errors import UnprocessableEntityError
from klavis.types import HttpValidationError, ValidationError

from .world import World

NAMES, ALL = "list[str-enum[McpServerName]]", "literal['ALL']"
NAME = "str-enum[McpServerName]"


async def are_told_apart(world: World):
    servers, users, labels = world.ours.mcp_server, world.ours.user, world.ours.white_labeling
    made = await servers.create_server_instance(server_name=McpServerName.DISCORD, user_id="ada")
    kept = {"token": world.secret("kept")}
    instance = made.instance_id
    assert (await servers.set_instance_auth(instance_id=instance, auth_data=ApiKeyAuth(**kept))).success
    strata = (await servers.create_strata_server(user_id="ada", servers=[McpServerName.DISCORD])).strata_id
    # The client sends members that it does not know.
    both = ApiKeyAuth(token=world.secret("mixed"), data={"key": world.secret("inner")})
    mixed = [
        ("extra_forbidden", ["body", "authData", "ApiKeyAuth", "data"]),
        ("extra_forbidden", ["body", "authData", "GeneralAuth", "token"]),
    ]
    unnamed = ExternalServerRequest(name="", url="", headers={"X-Key": world.secret("header")})

    for call, arguments, named, faults in (
        (
            servers.create_server_instance,
            (),
            {"server_name": "No Such Server", "user_id": "", "connection_type": "Pigeon"},
            [
                ("enum", ["body", "serverName"]),
                ("string_too_short", ["body", "userId"]),
                ("enum", ["body", "connectionType"]),
            ],
        ),
        (
            servers.create_self_hosted_server_instance,
            (),
            {"server_name": "", "user_id": ""},
            [("enum", ["body", "serverName"]), ("string_too_short", ["body", "userId"])],
        ),
        (servers.get_server_instance, ("no-uuid",), {}, [("uuid_parsing", ["path", "instanceId"])]),
        (servers.delete_server_instance, ("no-uuid",), {}, [("uuid_parsing", ["path", "instanceId"])]),
        (
            servers.update_server_instance,
            ("no-uuid",),
            {"is_read_only": "perhaps"},
            [("uuid_parsing", ["path", "instanceId"]), ("bool_parsing", ["body", "isReadOnly"])],
        ),
        # Of an empty body the client sends none.
        (servers.update_server_instance, (instance,), {}, [("missing", ["body"])]),
        (servers.set_instance_auth, (), {"instance_id": instance, "auth_data": both}, mixed),
        (
            servers.set_instance_auth,
            (),
            {"instance_id": instance, "auth_data": {"data": None}},
            [
                ("extra_forbidden", ["body", "authData", "ApiKeyAuth", "data"]),
                ("dict_type", ["body", "authData", "GeneralAuth", "data"]),
            ],
        ),
        (
            users.set_user_auth,
            (),
            {"user_id": "", "server_name": "No Such Server", "auth_data": both},
            [("string_too_short", ["body", "userId"]), ("enum", ["body", "serverName"]), *mixed],
        ),
        (users.get_user_auth, ("ada", "No Such Server"), {}, [("enum", ["path", "serverName"])]),
        (users.delete_user_auth, ("ada", "No Such Server"), {}, [("enum", ["path", "serverName"])]),
        (
            users.get_all_users,
            (),
            {"page_size": 0, "page_number": 0},
            [("greater_than_equal", ["query", "page_size"]), ("greater_than_equal", ["query", "page_number"])],
        ),
        (
            users.get_all_users,
            (),
            {"page_size": 1001, "page_number": "one"},
            [("less_than_equal", ["query", "page_size"]), ("int_parsing", ["query", "page_number"])],
        ),
        (
            servers.create_strata_server,
            (),
            {"user_id": "", "servers": "SOME", "external_servers": [unnamed]},
            [
                ("string_too_short", ["body", "userId"]),
                ("list_type", ["body", "servers", NAMES]),
                ("literal_error", ["body", "servers", ALL]),
                ("string_too_short", ["body", "externalServers", 0, "name"]),
                ("string_too_short", ["body", "externalServers", 0, "url"]),
            ],
        ),
        (
            servers.add_servers_to_strata,
            (),
            {"strata_id": strata, "servers": ["Discord", "No Such Server"]},
            [("enum", ["body", "servers", NAMES, 1]), ("literal_error", ["body", "servers", ALL])],
        ),
        (
            servers.delete_servers_from_strata,
            (strata,),
            {"servers": ["Discord", "No Such Server"]},
            [("enum", ["query", "servers", 1, NAME]), ("literal_error", ["query", "servers", 1, ALL])],
        ),
        (
            servers.set_strata_auth,
            (),
            {"strata_id": strata, "server_name": "No Such Server", "auth_data": both},
            [("enum", ["body", "serverName"]), *mixed],
        ),
        (servers.get_strata_auth, (strata, "No Such Server"), {}, [("enum", ["path", "serverName"])]),
        (servers.delete_strata_auth, (strata, "No Such Server"), {}, [("enum", ["path", "serverName"])]),
        (
            labels.create_white_labeling,
            (),
            {"client_id": 1, "client_secret": [world.secret("client")], "server_name": "No Such Server"},
            [
                ("string_type", ["body", "client_id"]),
                ("string_type", ["body", "client_secret"]),
                ("enum", ["body", "server_name"]),
            ],
        ),
    ):
        error = await world.refused(call, *arguments, **named)
        assert isinstance(error, UnprocessableEntityError) and error.status_code == 422, error
        assert isinstance(error.body, HttpValidationError), error
        assert all(isinstance(item, ValidationError) and item.msg for item in error.body.detail), error
        assert [(item.type, item.loc) for item in error.body.detail] == faults, error

    # Nothing was changed by any of them.
    assert (await servers.get_instance_auth_data(instance)).auth_data == kept
    assert (await servers.get_strata_server(strata)).connected_servers == ["Discord"]
    assert [user.user_id for user in (await users.get_all_users()).users] == ["ada"]
    unknown = str(uuid.uuid4())
    for what, call, arguments, named in (
        ("Instance", servers.get_server_instance, (unknown,), {}),
        # An id in a body is text.
        ("Instance", servers.set_instance_auth, (), {"instance_id": "no-uuid", "auth_data": GeneralAuth(data={"a": "b"})}),
        ("Strata", servers.get_strata_server, (unknown,), {}),
        ("Strata", servers.get_strata_server, ("no-uuid",), {}),
        ("Strata", servers.add_servers_to_strata, (), {"strata_id": unknown, "servers": "ALL"}),
        ("User", users.get_user_by_user_id, ("nobody",), {}),
        ("White label", labels.get_white_labeling_by_client_id, ("no-such-client",), {}),
    ):
        await world.missing(what, call, *arguments, **named)
    assert (await users.delete_user_by_user_id("ada")).success
    # The enum of the white label's names is another one, which the server's names take in.
    label = await labels.create_white_labeling(
        client_id="outlook", client_secret=world.secret("outlook"), server_name=OAuthServerName.OUTLOOK
    )
    assert label.success and label.data["client_id"] == "outlook", label

"""The published Klavis client (PyPI klavis) against a running server: a user's credential from its first write to its
end, and every class of failure that the client tells apart."""

import os
import uuid

from klavis import ApiKeyAuth, GeneralAuth, Klavis, McpServerName
from klavis.core.api_error import ApiError
from klavis.errors import UnprocessableEntityError


def servers(key):
    client = Klavis(base_url=os.environ["KEYWAY_URL"], api_key=key)
    return client.mcp_server


def refused(call, *arguments, **named):
    try:
        answer = call(*arguments, **named)
    except ApiError as error:
        return error
    raise AssertionError(f"not refused: {answer}")


ours = servers(os.environ["KEYWAY_KEY"])
reading = servers(os.environ["KEYWAY_READING_KEY"])
foreign = servers(os.environ["KEYWAY_FOREIGN_KEY"])


def stored(instance):
    return ours.get_instance_auth_data(instance).auth_data


# An instance is made once per server and user.
made = ours.create_server_instance(server_name=McpServerName.DISCORD, user_id="ada", platform_name="tests")
instance = made.instance_id
assert str(uuid.UUID(instance)) == instance, made
assert instance in made.server_url, made
assert made.oauth_url is None, made
again = ours.create_server_instance(server_name=McpServerName.DISCORD, user_id="ada")
assert again.instance_id == instance, again

seen = ours.get_server_instance(instance)
assert seen.instance_id == instance, seen
assert (seen.server_name, seen.external_user_id, seen.platform) == ("Discord", "ada", "tests"), seen
assert (seen.auth_needed, seen.is_authenticated) == (True, False), seen
empty = ours.get_instance_auth_data(instance)
assert (empty.success, empty.auth_data) == (False, None) and empty.error, empty

# Both arms of the union are stored as they were sent, and each replaces what was there.
assert ours.set_instance_auth(instance_id=instance, auth_data=ApiKeyAuth(token="token-1")).success
assert stored(instance) == {"token": "token-1"}, stored(instance)
assert ours.set_instance_auth(instance_id=instance, auth_data=ApiKeyAuth(api_key="key-2")).success
assert stored(instance) == {"api_key": "key-2"}, stored(instance)
data = {"bot_token": "bot-3", "guilds": [1, 2.5, {"name": "ünï"}], "none": None}
assert ours.set_instance_auth(instance_id=instance, auth_data=GeneralAuth(data=data)).success
assert stored(instance) == data, stored(instance)
assert ours.get_server_instance(instance).is_authenticated is True

# Nothing to store changes nothing.
assert ours.set_instance_auth(instance_id=instance, auth_data=ApiKeyAuth()).success is False
assert stored(instance) == data, stored(instance)

# 401, 403, 404, 422, each in the form that the client reads.
keyless = refused(servers(None).get_server_instance, instance)
assert (keyless.status_code, keyless.body) == (401, {"detail": "Not authenticated"}), keyless
unknown = refused(servers("kw_live_nobody").get_server_instance, instance)
assert (unknown.status_code, unknown.body) == (403, {"detail": "Invalid API key"}), unknown
assert reading.get_server_instance(instance).instance_id == instance
for call in (reading.get_instance_auth_data, reading.delete_instance_auth):
    lesser = refused(call, instance)
    assert lesser.status_code == 403 and "scope" in lesser.body["detail"], lesser
not_found = (404, {"detail": "Instance not found"})
for theirs, id in ((foreign, instance), (ours, str(uuid.uuid4()))):
    for call in (theirs.get_server_instance, theirs.get_instance_auth_data, theirs.delete_instance_auth):
        error = refused(call, id)
        assert (error.status_code, error.body) == not_found, error
error = refused(foreign.set_instance_auth, instance_id=instance, auth_data=ApiKeyAuth(token="stolen"))
assert (error.status_code, error.body) == not_found, error
error = refused(ours.get_server_instance, "no-uuid")
assert isinstance(error, UnprocessableEntityError), error
assert [item.type for item in error.body.detail] == ["uuid_parsing"], error
for named, fault, place in (
    ({"server_name": "No Such Server", "user_id": "ada"}, "enum", "serverName"),
    ({"server_name": "Discord", "user_id": ""}, "string_too_short", "userId"),
):
    error = refused(ours.create_server_instance, **named)
    assert [(item.type, item.loc) for item in error.body.detail] == [(fault, ["body", place])], error
assert stored(instance) == data, stored(instance)

# The end of the credential is not the end of the instance.
assert ours.delete_instance_auth(instance).success
gone = ours.get_instance_auth_data(instance)
assert (gone.success, gone.auth_data) == (False, None), gone
assert ours.get_server_instance(instance).is_authenticated is False

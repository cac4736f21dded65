"""Users: their credentials by the server's name, their integrations, their list in pages, and their end."""

from datetime import datetime, timedelta

from klavis import ApiKeyAuth, GeneralAuth, McpServerName

from .world import World

# As a path it has a space, which is sent encoded.
USER = "grace hopper|1906"
MANY = [f"user-{number}" for number in range(5)]


def moment(text):
    read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    assert read.utcoffset() == timedelta(0), text
    return read


async def live(world: World):
    await credentials(world)
    await pages(world)
    await end(world)


async def credentials(world):
    users, servers = world.ours.user, world.ours.mcp_server
    calendar = McpServerName.GOOGLE_CALENDAR
    for call, arguments in (
        (users.get_user_by_user_id, (USER,)),
        (users.get_user_integrations, (USER,)),
        (users.get_user_auth, (USER, calendar)),
        (users.delete_user_auth, (USER, calendar)),
        (users.delete_user_by_user_id, (USER,)),
    ):
        await world.missing("User", call, *arguments)

    # Nothing to store makes nobody.
    said = await users.set_user_auth(user_id=USER, server_name=calendar, auth_data=ApiKeyAuth())
    assert said.success is False and said.message, said
    await world.missing("User", users.get_user_by_user_id, USER)

    # An instance alone makes a user who has used nothing.
    made = await servers.create_server_instance(server_name=McpServerName.SLACK, user_id=USER)
    user = await users.get_user_by_user_id(USER)
    assert (user.user_id, user.last_used_at) == (USER, None), user
    created = moment(user.created_at)
    empty = await users.get_user_auth(USER, McpServerName.SLACK)
    assert (empty.success, empty.auth_data, empty.is_authenticated) == (False, None, False) and empty.message, empty

    # A credential makes the connection where there is none; it is the instance's credential too.
    first = {"access_token": world.secret("calendar"), "scopes": ["read", "write"], "expires_in": 3600}
    done = await users.set_user_auth(user_id=USER, server_name=calendar, auth_data=GeneralAuth(data=first))
    assert done.success, done
    used = await users.get_user_by_user_id(USER)
    assert used.last_used_at and moment(used.last_used_at) >= created, used
    assert used.created_at == user.created_at, used
    seen = await users.get_user_auth(USER, calendar)
    assert (seen.success, seen.user_id, seen.server_name) == (True, USER, "Google Calendar"), seen
    assert (seen.auth_data, seen.is_authenticated) == (first, True)
    later = await users.get_user_by_user_id(USER)
    assert moment(later.last_used_at) > moment(used.last_used_at), (used, later)
    instance = (await servers.create_server_instance(server_name=calendar, user_id=USER)).instance_id
    assert (await servers.get_instance_auth_data(instance)).auth_data == first
    # Another spelling is the same server; the other arm replaces the whole credential.
    second = ApiKeyAuth(token=world.secret("replaced"))
    assert (await users.set_user_auth(user_id=USER, server_name="google_calendar", auth_data=second)).success
    assert (await servers.get_instance_auth_data(instance)).auth_data == {"token": world.secret("replaced")}
    third = ApiKeyAuth(api_key=world.secret("slack"))
    assert (await servers.set_instance_auth(instance_id=made.instance_id, auth_data=third)).success
    assert (await users.get_user_auth(USER, McpServerName.SLACK)).auth_data == {"api_key": world.secret("slack")}

    # Only what the client's closed list of names can hold is listed.
    await servers.create_server_instance(server_name="Billing", user_id=USER)
    listed = (await users.get_user_integrations(USER)).integrations
    states = [(item.name, item.is_authenticated) for item in listed]
    assert sorted(states) == [(calendar, True), (McpServerName.SLACK, True)], states

    # Deleting a credential twice is no fault, and leaves the connection.
    for _ in range(2):
        assert (await users.delete_user_auth(USER, calendar)).success
    gone = await servers.get_instance_auth_data(instance)
    assert (gone.success, gone.auth_data) == (False, None), gone
    listed = (await users.get_user_integrations(USER)).integrations
    states = {item.name: item.is_authenticated for item in listed}
    assert states == {calendar: False, McpServerName.SLACK: True}, states


async def pages(world):
    users = world.ours.user
    for user in MANY:
        key = ApiKeyAuth(token=world.secret(user))
        assert (await users.set_user_auth(user_id=user, server_name=McpServerName.NOTION, auth_data=key)).success
    whole = await users.get_all_users()
    assert (whole.page, whole.page_size, whole.total_count, whole.total_pages) == (1, 50, 6, 1), whole
    assert [user.user_id for user in whole.users] == [USER, *MANY], whole
    assert [moment(user.created_at) for user in whole.users] == sorted(moment(user.created_at) for user in whole.users)
    told = []
    for number in range(1, 4):
        page = await users.get_all_users(page_size=2, page_number=number)
        assert (page.page, page.page_size, page.total_count, page.total_pages) == (number, 2, 6, 3), page
        told += page.users
    assert told == whole.users, told
    beyond = await users.get_all_users(page_size=4, page_number=3)
    assert (beyond.users, beyond.page, beyond.total_count, beyond.total_pages) == ([], 3, 6, 2), beyond
    # The same without the SDK, from where the client never goes: the list's address without its slash.
    status, raw = world.plain("GET", "/user?page_size=1000", follow_redirects=True)
    assert status == 200 and [user["userId"] for user in raw["users"]] == [USER, *MANY], raw
    assert (await world.foreign.user.get_all_users()).total_count == 0


async def end(world):
    users, servers = world.ours.user, world.ours.mcp_server
    instance = (await servers.create_server_instance(server_name=McpServerName.SLACK, user_id=USER)).instance_id
    for user in (USER, *MANY):
        await world.missing("User", world.foreign.user.delete_user_by_user_id, user)
        done = await users.delete_user_by_user_id(user)
        assert done.success and done.message, done
        await world.missing("User", users.get_user_by_user_id, user)
        await world.missing("User", users.delete_user_by_user_id, user)
        await world.missing("User", users.get_user_auth, user, McpServerName.SLACK)
    for call in (servers.get_server_instance, servers.get_instance_auth_data):
        await world.missing("Instance", call, instance)
    # Who comes back under the same name starts anew.
    back = await servers.create_server_instance(server_name=McpServerName.SLACK, user_id=USER)
    assert back.instance_id != instance, back
    empty = await users.get_user_auth(USER, McpServerName.SLACK)
    assert (empty.success, empty.auth_data) == (False, None), empty
    assert (await users.delete_user_by_user_id(USER)).success

"""The published Klavis clients (PyPI klavis) repeat what the server refuses for the moment: 429 beyond the rate of their
key, 503 of a server that is not there yet, each after the time that `Retry-After` names."""

import asyncio
import inspect
import os

from klavis import ApiKeyAuth, AsyncKlavis, Klavis, McpServerName
from klavis.core.api_error import ApiError

# The client counts from 2.
TWICE = {"max_retries": 4}


async def answer(call, *arguments, **named):
    said = call(*arguments, **named)
    return await said if inspect.isawaitable(said) else said


async def beyond_the_rate(make, key):
    """Asks until the server has enough; what is asked then succeeds in the end."""
    client = make(os.environ["KEYWAY_URL"], key)
    for _ in range(1_000):
        try:
            await answer(client.mcp_server.get_all_mcp_servers)
        except ApiError as error:
            assert (error.status_code, error.body) == (429, {"detail": "Rate limit exceeded"}), error
            assert 1 <= int(error.headers["retry-after"]) <= 5, error.headers
            break
    else:
        raise AssertionError("there is no limit")
    await answer(client.user.get_all_users, request_options=TWICE)


async def not_there_yet(make, key, user):
    """A write that is refused once is written once."""
    client = make(os.environ["KEYWAY_UNSTEADY_URL"], key)
    token = ApiKeyAuth(token=f"token of {user}")
    done = await answer(
        client.user.set_user_auth,
        user_id=user,
        server_name=McpServerName.SLACK,
        auth_data=token,
        request_options=TWICE,
    )
    assert done.success, done
    stored = await answer(client.user.get_user_auth, user, McpServerName.SLACK)
    assert stored.auth_data == {"token": f"token of {user}"}


async def main():
    for make, name in ((Klavis, "SYNC"), (AsyncKlavis, "ASYNC")):

        def client(url, key, make=make):
            return make(base_url=url, api_key=key)

        await beyond_the_rate(client, os.environ[f"KEYWAY_{name}_KEY"])
        await not_there_yet(client, os.environ["KEYWAY_KEY"], name)


asyncio.run(main())

"""The published Composio clients (PyPI composio-client, and under composio) repeat what the server refuses for the
moment: 429 beyond the rate of their key, 503 of a server that is not there yet, each after the time that `Retry-After`
names. What the server says not to repeat they ask for once."""

import asyncio
import inspect
import os

from composio import Composio as Sdk
from composio_client import AsyncComposio, Composio, ConflictError, RateLimitError


async def answer(call, *arguments, **named):
    said = call(*arguments, **named)
    return await said if inspect.isawaitable(said) else said


async def beyond_the_rate(client):
    """Asks until the server has enough; what is asked then succeeds in the end."""
    for _ in range(1_000):
        try:
            await answer(client.with_options(max_retries=0).toolkits.retrieve_categories)
        except RateLimitError as error:
            said = error.response.json()
            assert said == {"message": "Rate limit exceeded. Limit: 15 requests per 1 minutes"}, said
            headers = error.response.headers
            assert (headers["x-ratelimit"], headers["x-ratelimit-remaining"]) == ("15", "0"), headers
            assert headers["x-ratelimit-window-size"] == "60s" and 1 <= int(headers["retry-after"]) <= 5, headers
            break
    else:
        raise AssertionError("there is no limit")
    await answer(client.auth_configs.list)


async def not_there_yet(client, name):
    """A write that is refused once is written once. A credential that cannot be refreshed is asked for once."""
    config = {"type": "use_custom_auth", "auth_scheme": "API_KEY", "name": name}
    made = await answer(client.auth_configs.create, toolkit={"slug": "stripe"}, auth_config=config)
    state = {"auth_scheme": "API_KEY", "val": {"status": "ACTIVE", "generic_api_key": f"key of {name}"}}
    account = await answer(
        client.connected_accounts.create,
        auth_config={"id": made.auth_config.id},
        connection={"user_id": name, "state": state},
    )
    assert (await answer(client.connected_accounts.retrieve, account.id)).data["generic_api_key"] == f"key of {name}"
    return account.id


async def told_once(client, account):
    try:
        await answer(client.connected_accounts.refresh, account)
    except ConflictError as error:
        assert error.response.headers["x-should-retry"] == "false", error.response.headers
    else:
        raise AssertionError("an API key was refreshed")


async def main():
    def of_the_sdk(**named):
        return Sdk(**named, allow_tracking=False).client

    for make, name in ((Composio, "SYNC"), (AsyncComposio, "ASYNC"), (of_the_sdk, "SDK")):

        def client(url, key, make=make):
            return make(base_url=os.environ[url], api_key=os.environ[key])

        await beyond_the_rate(client("KEYWAY_URL", f"KEYWAY_{name}_KEY"))
        account = await not_there_yet(client("KEYWAY_UNSTEADY_URL", f"KEYWAY_{name}_STEADY_KEY"), name)
        await told_once(client("KEYWAY_URL", f"KEYWAY_{name}_STEADY_KEY"), account)


asyncio.run(main())

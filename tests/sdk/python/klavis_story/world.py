"""The clients of a story, what they may ask for, and the eyes beside them."""

import inspect
import os
from types import SimpleNamespace

import httpx
from klavis.core.api_error import ApiError

URL = os.environ["KEYWAY_URL"]
RESOURCES = ("mcp_server", "user", "white_labeling")
# The members that hold what a user entrusted to the server; where one has a value, a credential was handed out.
HANDS_OUT = ("get_instance_auth_data", "get_user_auth", "get_strata_auth")
STORES = ("set_instance_auth", "set_user_auth", "set_strata_auth")


class World:
    """`ours` may do everything in its tenant, `reading` reads metadata, `powerless` has none of Klavis' scopes,
    `foreign` is another tenant, `keyless` sends no key and `nobody` one that never was."""

    def __init__(self, make):
        self.make = make
        self.answered = set()
        self.stored = self.handed_out = 0
        self.ours = self.client(os.environ["KEYWAY_KEY"])
        self.reading = self.client(os.environ["KEYWAY_READING_KEY"])
        self.powerless = self.client(os.environ["KEYWAY_POWERLESS_KEY"])
        self.foreign = self.client(os.environ["KEYWAY_FOREIGN_KEY"])
        self.keyless = self.client(None)
        self.nobody = self.client("kw_live_nobody")

    def client(self, key):
        """A published client whose calls are awaited, whether it is the sync or the async one."""
        client = self.make(key)
        called = {name: Called(self, name, getattr(client, name)) for name in (*RESOURCES, "oauth")}
        return SimpleNamespace(**called)

    def secret(self, name):
        """A secret that nothing but a hand-out may show."""
        return f"{os.environ['KEYWAY_CANARY']}-{name}"

    def plain(self, method, path, **named):
        """A request of ours without any SDK, as JSON: `(status, answer)`. The other dialects are reached so."""
        key = os.environ["KEYWAY_KEY"]
        composio = path.startswith("/api/v3/")
        headers = {"x-api-key": key} if composio else {"Authorization": f"Bearer {key}"}
        answer = httpx.request(method, URL + path, headers=headers, **named)
        return answer.status_code, answer.json()

    async def refused(self, call, *arguments, **named):
        """The error of a call that must fail. Whatever was sent, it repeats no secret."""
        try:
            answer = await call(*arguments, **named)
        except ApiError as error:
            assert os.environ["KEYWAY_CANARY"] not in f"{error} {error.body} {error.headers}", "a secret was repeated"
            return error
        raise AssertionError(f"not refused: {answer}")

    async def missing(self, what, call, *arguments, **named):
        error = await self.refused(call, *arguments, **named)
        assert (error.status_code, error.body) == (404, {"detail": f"{what} not found"}), error


class Called:
    """A resource of a client; the methods that answered are noted, and what they stored and handed out is counted."""

    def __init__(self, world, name, resource):
        self._world, self._name, self._resource = world, name, resource

    def __getattr__(self, method):
        call = getattr(self._resource, method)

        async def called(*arguments, **named):
            answer = call(*arguments, **named)
            if inspect.isawaitable(answer):
                answer = await answer
            self._world.answered.add(f"{self._name}.{method}")
            self._world.stored += method in STORES and answer.success
            self._world.handed_out += method in HANDS_OUT and answer.auth_data is not None
            return answer

        return called

"""The clients of a story, what they may ask for, and the eyes beside them."""

import inspect
import os
from collections import Counter
from types import SimpleNamespace

import httpx
from composio_client import APIStatusError

URL = os.environ["KEYWAY_URL"]
CANARY = os.environ["KEYWAY_CANARY"]
RESOURCES = ("auth_configs", "connected_accounts", "link", "toolkits")
ENVELOPE = {"message", "code", "slug", "status", "request_id", "suggested_fix", "errors"}
# What the audit log holds of each call that succeeded. A call that changes nothing is made by `World.idle`.
AUDITED = {
    "auth_configs.create": ["auth_config.create"],
    "auth_configs.update": ["auth_config.update"],
    "auth_configs.delete": ["auth_config.delete"],
    "connected_accounts.create": ["connection.create"],
    "connected_accounts.delete": ["connection.delete"],
    "link.create": ["connection.create"],
}


class World:
    """`ours` may do everything in its tenant, `reading` reads metadata, `powerless` has none of Composio's scopes,
    `foreign` is another tenant, `keyless` sends no key and `nobody` one that never was."""

    def __init__(self, make):
        self.make = make
        self.answered = set()
        self.audited = Counter()
        self.ours = self.client(os.environ["KEYWAY_KEY"], reveals=True)
        self.reading = self.client(os.environ["KEYWAY_READING_KEY"])
        self.powerless = self.client(os.environ["KEYWAY_POWERLESS_KEY"])
        self.foreign = self.client(os.environ["KEYWAY_FOREIGN_KEY"], reveals=True)
        self.keyless = self.client("")
        self.nobody = self.client("kw_live_nobody")

    def client(self, key, reveals=False):
        """A published client whose calls are awaited, whether it is the sync or the async one."""
        client = self.make(key)
        called = {name: Called(self, name, getattr(client, name), reveals) for name in RESOURCES}
        return SimpleNamespace(**called)

    def secret(self, name):
        """A secret that nothing but a hand-out may show."""
        return f"{CANARY}-{name}"

    def plain(self, method, path, **named):
        """A request of ours without any SDK, as JSON: `(status, answer)`. The other dialects are reached so."""
        key = os.environ["KEYWAY_KEY"]
        headers = {"x-api-key": key} if path.startswith("/api/v3") else {"Authorization": f"Bearer {key}"}
        answer = httpx.request(method, URL + path, headers=headers, **named)
        return answer.status_code, answer.json()

    async def idle(self, call, *arguments, **named):
        """A call that succeeds and changes nothing: the audit log holds nothing of it."""
        before = Counter(self.audited)
        answer = await call(*arguments, **named)
        self.audited = before
        return answer

    async def refused(self, status, code, call, *arguments, **named):
        """The envelope of a call that must fail so. Whatever was sent, it repeats no secret."""
        try:
            answer = await call(*arguments, **named)
        except APIStatusError as error:
            said = f"{error} {error.response.text} {error.response.headers}"
            assert CANARY not in said, "a secret was repeated"
            envelope = error.response.json()["error"]
            assert set(envelope) == ENVELOPE, envelope
            assert (error.status_code, envelope["status"], envelope["code"]) == (status, status, code), envelope
            assert envelope["request_id"] == error.response.headers["x-request-id"], envelope
            assert envelope["message"] and envelope["suggested_fix"], envelope
            assert status not in (409, 501) or error.response.headers["x-should-retry"] == "false", error.response
            return envelope
        raise AssertionError(f"not refused: {answer}")

    async def missing(self, account, call, *arguments, **named):
        """That a call does not find this connected account."""
        said = await self.refused(404, 606, call, *arguments, **named)
        assert said["message"] == f'Connected account "{account}" not found', said

    async def config(self, scheme, toolkit="stripe", credentials=None, **named):
        """Makes a custom auth config; its id."""
        auth_config = {"type": "use_custom_auth", "auth_scheme": scheme, "credentials": credentials or {}, **named}
        made = await self.ours.auth_configs.create(toolkit={"slug": toolkit}, auth_config=auth_config)
        return made.auth_config.id

    async def account(self, config, scheme, val, user="ada", **named):
        """Makes a connected account with this credential."""
        state = {"auth_scheme": scheme, "val": {"status": "ACTIVE", **val}}
        connection = {"user_id": user, "state": state, **named}
        return await self.ours.connected_accounts.create(auth_config={"id": config}, connection=connection)


def members(state):
    """The credential of a parsed state, as the wire has it."""
    val = state.val.to_dict(use_api_names=True)
    return {name: value for name, value in val.items() if name not in ("status", "redirectUrl")}


class Called:
    """A resource of a client; the methods that answered are noted, with what the audit log must hold of them, and no
    answer but a hand-out shows a secret."""

    def __init__(self, world, name, resource, reveals):
        self._world, self._name, self._resource, self._reveals = world, name, resource, reveals

    def __getattr__(self, method):
        call = getattr(self._resource, method)

        async def called(*arguments, **named):
            answer = call(*arguments, **named)
            if inspect.isawaitable(answer):
                answer = await answer
            name = f"{self._name}.{method}"
            self._world.answered.add(name)
            self._world.audited.update(AUDITED.get(name, []))
            if name == "connected_accounts.retrieve" and self._reveals:
                self._world.audited["connection.hand_out"] += bool(members(answer.state))
            else:
                assert CANARY not in str(answer), f"{name} showed a secret"
            return answer

        return called

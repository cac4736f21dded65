"""The SDKs of the story, what they may ask for, and the eyes beside them."""

import logging
import os
import warnings
from collections import Counter
from types import SimpleNamespace

from composio import Composio
from composio_client import APIStatusError

CANARY = os.environ["KEYWAY_CANARY"]
RESOURCES = ("auth_configs", "connected_accounts", "toolkits")
# What the SDK's log may hold: it asks first whether the user is connected already, and goes on when told so.
EXPECTED = "[Warn:AllowMultiple]"


class World:
    """`ours` may do everything in its tenant, `reading` reads metadata, `powerless` has none of Composio's scopes,
    `foreign` is another tenant and `nobody` sends a key that never was."""

    def __init__(self):
        self.answered, self.audited, self.logged = set(), Counter(), []
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: self.logged.append(record.getMessage())
        logging.getLogger().addHandler(handler)
        warnings.simplefilter("always")
        self._show, warnings.showwarning = warnings.showwarning, self._warned
        self.ours = self.sdk(os.environ["KEYWAY_KEY"])
        self.reading = self.sdk(os.environ["KEYWAY_READING_KEY"])
        self.powerless = self.sdk(os.environ["KEYWAY_POWERLESS_KEY"])
        self.foreign = self.sdk(os.environ["KEYWAY_FOREIGN_KEY"])
        self.nobody = self.sdk("kw_live_nobody")

    def _warned(self, message, category, *_):
        # The client itself calls its refresh deprecated.
        if str(message) != "deprecated":
            self.logged.append(f"{category.__name__}: {message}")

    def sdk(self, key):
        """An SDK that sends nothing to anybody else, and checks the shape of what it is answered."""
        sdk = Composio(api_key=key, base_url=os.environ["KEYWAY_URL"], max_retries=0, allow_tracking=False)
        sdk.client._strict_response_validation = True
        called = {name: Called(self, name, getattr(sdk, name)) for name in RESOURCES}
        return SimpleNamespace(**called, plain=sdk)

    def secret(self, name):
        """A secret that nothing but a hand-out may show."""
        return f"{CANARY}-{name}"

    def refused(self, status, code, call, *arguments, **named):
        """The envelope of a call that must fail so. Whatever was sent, it repeats no secret."""
        try:
            answer = call(*arguments, **named)
        except APIStatusError as error:
            assert CANARY not in f"{error} {error.response.text}", "a secret was repeated"
            envelope = error.response.json()["error"]
            assert (error.status_code, envelope["code"]) == (status, code), envelope
            return envelope
        raise AssertionError(f"not refused: {answer}")

    def said_nothing_else(self):
        """That the SDK logged no warning, of a response's shape or anything, that the story did not ask for."""
        assert self.logged, "its log was not heard"
        assert [line for line in self.logged if not line.startswith(EXPECTED)] == [], self.logged


class Called:
    """A resource of an SDK whose methods that answered are noted."""

    def __init__(self, world, name, resource):
        self._world, self._name, self._resource = world, name, resource

    def __getattr__(self, method):
        call = getattr(self._resource, method)

        def called(*arguments, **named):
            answer = call(*arguments, **named)
            self._world.answered.add(f"{self._name}.{method}")
            return answer

        return called

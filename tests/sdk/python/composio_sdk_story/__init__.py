"""The story of the published Composio SDK (PyPI composio): every method of its auth configs, connected accounts and
toolkits, with what it gave back, and each stored state read a second time in another way."""

import json

from . import accounts, auth_configs, failures, flows, methods, toolkits
from .world import World


def tell():
    """Runs the story and says what the audit log must hold."""
    world = World()
    toolkits.are_listed(world)
    auth_configs.live(world)
    accounts.live(world)
    flows.end_in_a_connection(world)
    failures.are_told_apart(world)
    methods.are_all_tried(world)
    assert world.ours.connected_accounts.list().items == []
    assert world.ours.auth_configs.list(show_disabled=True).items == []
    world.said_nothing_else()
    print(json.dumps({"audited": +world.audited}))

"""One story for both published Python clients of Composio (PyPI composio-client), their strict response validation on:
everything that the client can ask of a server, with the values that it parsed, and each stored state read a second time
in another way."""

import asyncio
import json

from . import accounts, auth_configs, changes, failures, links, lists, managed, methods, toolkits
from .world import World


def tell(make):
    """Runs the story with clients that `make(key)` makes, sync or async ones, and says what the audit log must hold."""
    world = World(make)
    asyncio.run(_told(world))
    print(json.dumps({"audited": +world.audited}))


async def _told(world):
    await toolkits.are_listed(world)
    await auth_configs.live(world)
    await managed.live(world)
    await accounts.live(world)
    await changes.live(world)
    await lists.are_paged(world)
    await links.lead_to_a_page(world)
    await failures.are_told_apart(world)
    await methods.are_all_tried(world)
    # What was made is gone, whoever asks.
    left = await world.ours.connected_accounts.list()
    assert (left.items, left.total_items, left.total_pages, left.next_cursor) == ([], 0, 0, None), left
    left = await world.ours.auth_configs.list(show_disabled=True)
    assert (left.items, left.total_items) == ([], 0), left

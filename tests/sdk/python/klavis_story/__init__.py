"""One story for both published Python clients of Klavis (PyPI klavis): everything that the client can ask of a server,
with the values that it parsed, and each stored state read a second time in another way."""

import asyncio
import json

from . import failures, instances, methods, servers, strata, users, white_labels
from .world import World


def tell(make):
    """Runs the story with clients that `make(key)` makes, sync or async ones, and says what the audit log must hold."""
    world = World(make)
    asyncio.run(_told(world))
    print(json.dumps({"stored": world.stored, "handed_out": world.handed_out}))


async def _told(world):
    await servers.are_listed(world)
    await instances.live(world)
    await users.live(world)
    await strata.live(world)
    await white_labels.live(world)
    await failures.are_told_apart(world)
    await methods.are_all_tried(world)
    # What was made is gone, whoever asks.
    left = await world.ours.user.get_all_users()
    assert (left.users, left.total_count, left.total_pages) == ([], 0, 0), left

"""Pages of connected accounts: each filter, both orders, and cursors that hold while things come and go."""

from .world import World

USERS = ("ada", "grace", "a,b")


async def are_paged(world: World):
    accounts = world.ours.connected_accounts
    stripe = await world.config("API_KEY")
    github = await world.config("OAUTH2", toolkit="github", credentials={"client_id": "c", "client_secret": "s"})
    made = []
    for user in USERS:
        for config, scheme, val in (
            (stripe, "API_KEY", {"generic_api_key": world.secret(user)}),
            (github, "OAUTH2", {"access_token": world.secret(user)}),
        ):
            made.append((await world.account(config, scheme, val, user=user)).id)
            world.audited["connection.set_credential"] += 1
    waiting = (await accounts.create(auth_config={"id": github}, connection={"user_id": "ada"})).id
    made.append(waiting)

    async def told(**filters):
        page = await accounts.list(**filters)
        assert page.total_items == len(page.items), (filters, page)
        return [item.id for item in page.items]

    newest_first = made[::-1]
    assert await told() == newest_first
    assert await told(order_by="created_at", order_direction="asc") == made
    for filters, which in (
        ({"user_ids": ["ada"]}, [6, 1, 0]),
        ({"user_ids": ["ada", "grace"]}, [6, 3, 2, 1, 0]),
        ({"toolkit_slugs": ["github"], "statuses": ["ACTIVE"]}, [5, 3, 1]),
        ({"toolkit_slugs": ["github", "STRIPE"]}, [6, 5, 4, 3, 2, 1, 0]),
        ({"statuses": ["INITIALIZING", "FAILED"]}, [6]),
        ({"statuses": ["REVOKED", "EXPIRED", "INACTIVE", "INITIATED", "FAILED"]}, []),
        ({"auth_config_ids": [stripe]}, [4, 2, 0]),
        ({"auth_config_ids": [stripe, github], "user_ids": ["grace"]}, [3, 2]),
        ({"connected_account_ids": [made[3], made[0]]}, [3, 0]),
        ({"connected_account_ids": ["ca_000000000000"]}, []),
        ({"user_ids": ["nobody"]}, []),
        ({"account_type": "PRIVATE"}, [6, 5, 4, 3, 2, 1, 0]),
        ({"account_type": "ALL", "user_ids": ["ada"]}, [6, 1, 0]),
        ({"account_type": "SHARED"}, []),
    ):
        assert await told(**filters) == [made[place] for place in which], filters
    assert (await world.foreign.connected_accounts.list()).items == []

    # A user id with a comma in it: asked for twice, a parameter is not split.
    query = [("user_ids", "a,b"), ("user_ids", "nobody")]
    status, page = world.plain("GET", "/api/v3.1/connected_accounts", params=query)
    assert status == 200 and [item["id"] for item in page["items"]] == [made[5], made[4]], page

    # Pages, while one is made and another deleted: neither twice nor left out.
    page = await accounts.list(limit=3)
    assert [item.id for item in page.items] == newest_first[:3], page
    assert (page.total_items, page.total_pages, page.current_page) == (7, 3, 1), page
    late = (await world.account(stripe, "API_KEY", {"generic_api_key": world.secret("late")})).id
    world.audited["connection.set_credential"] += 1
    await accounts.delete(made[6])
    second = await accounts.list(limit=3, cursor=page.next_cursor)
    assert [item.id for item in second.items] == newest_first[3:6], second
    third = await accounts.list(limit=3, cursor=second.next_cursor)
    assert [item.id for item in third.items] == newest_first[6:] and third.next_cursor is None, third
    await world.refused(400, 10400, accounts.list, cursor="no-cursor")

    # Whoever was changed last comes first.
    await accounts.patch(made[0], alias="changed")
    world.audited["connection.update"] += 1
    page = await accounts.list(order_by="updated_at", limit=1)
    assert page.items[0].id == made[0], page
    for id in [*made[:6], late]:
        assert (await accounts.delete(id)).success is True
    for config in (stripe, github):
        await world.ours.auth_configs.delete(config)

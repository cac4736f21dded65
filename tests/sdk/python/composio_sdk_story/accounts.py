"""Connected accounts of the schemes that the SDK has words for, from `initiate` to their end."""

from composio.core.models.connected_accounts import auth_scheme
from composio.exceptions import ComposioMultipleConnectedAccountsError

from .world import World


def schemes(world):
    """The SDK's words for each scheme with a credential of it, and the config's own credentials."""
    secret = world.secret
    login = {"username": "ada", "password": secret("password")}
    client = {"client_id": "client", "client_secret": secret("client")}
    return [
        ("API_KEY", auth_scheme.api_key, {"api_key": secret("key")}, {}),
        ("BASIC", auth_scheme.basic, login, {}),
        ("BASIC_WITH_JWT", auth_scheme.basic_with_jwt, login, {}),
        ("BEARER_TOKEN", auth_scheme.bearer_token, {"token": secret("token")}, {}),
        (
            "GOOGLE_SERVICE_ACCOUNT",
            auth_scheme.google_service_account,
            {"credentials_json": f'{{"private_key": "{secret("google")}"}}'},
            {},
        ),
        ("OAUTH2", auth_scheme.oauth2, {"access_token": secret("access"), "refresh_token": secret("again")}, client),
        ("OAUTH1", auth_scheme.oauth1, {"oauth_token": secret("one"), "oauth_token_secret": secret("two")}, {}),
        ("BILLCOM_AUTH", auth_scheme.billcom_auth, {"sessionId": secret("one"), "devKey": secret("two")}, {}),
        ("CALCOM_AUTH", auth_scheme.calcom_auth, {"key": secret("calcom")}, {}),
        ("NO_AUTH", auth_scheme.no_auth, {}, {}),
    ]


def live(world: World):
    accounts, configs = world.ours.connected_accounts, world.ours.auth_configs
    for scheme, words, val, credentials in schemes(world):
        options = {"type": "use_custom_auth", "auth_scheme": scheme, "credentials": credentials}
        config = configs.create("stripe", options).id
        world.audited["auth_config.create"] += 1
        request = accounts.initiate("ada", config, config=words(val), alias="mine")
        world.audited["connection.create"] += 1
        world.audited["connection.set_credential"] += bool(val)
        assert (request.status, request.redirect_url) == ("ACTIVE", None), (scheme, request.status)
        seen = request.wait_for_connection(timeout=10)
        world.audited["connection.hand_out"] += bool(val)
        shown = seen.state.val.to_dict(use_api_names=True)
        assert shown == {"status": "ACTIVE", **val} and seen.state.auth_scheme == scheme, (scheme, set(shown))
        assert (seen.alias, seen.user_id, seen.status) == ("mine", "ada", "ACTIVE"), scheme
        life(world, request.id, config, words, val)
        configs.delete(config)
        world.audited["auth_config.delete"] += 1


def life(world, id, config, words, val):
    accounts = world.ours.connected_accounts
    # One user's second one is made on demand only.
    try:
        accounts.initiate("ada", config, config=words(val))
    except ComposioMultipleConnectedAccountsError:
        pass
    else:
        raise AssertionError("a second account was made unasked")
    second = accounts.initiate("ada", config, config=words(val), allow_multiple=True)
    world.audited["connection.create"] += 1
    world.audited["connection.set_credential"] += bool(val)
    listed = accounts.list(user_ids=["ada"], auth_config_ids=[config], statuses=["ACTIVE"])
    assert [item.id for item in listed.items] == [second.id, id], listed
    assert world.secret("") not in str(listed), "a list showed a secret"
    assert accounts.delete(second.id).success is True
    world.audited["connection.delete"] += 1

    for call, status in ((accounts.disable, "INACTIVE"), (accounts.enable, "ACTIVE")):
        assert call(id).success is True
        assert world.reading.connected_accounts.get(id).status == status
    assert accounts.update_status(id, enabled=False).success is True
    world.audited["connection.set_status"] += 3
    done = accounts.update(id, alias="renamed")
    assert (done.success, done.id, done.status) == (True, id, "INACTIVE"), done
    if val:
        name = next(name for name in val if name not in ("username", "access_token"))
        state = {"auth_scheme": words({})["auth_scheme"], "val": {name: world.secret("changed")}}
        accounts.update(id, connection={"state": state}, alias="")
        world.audited["connection.set_credential"] += 1
        seen = accounts.get(id)
        world.audited["connection.hand_out"] += 1
        assert seen.data[name] == world.secret("changed") and seen.status == "INACTIVE", seen.status
    else:
        accounts.update(id, alias="")
    world.audited["connection.update"] += 2
    assert world.reading.connected_accounts.get(id).alias is None
    assert accounts.delete(id).success is True
    world.audited["connection.delete"] += 1
    world.refused(404, 606, accounts.get, id)

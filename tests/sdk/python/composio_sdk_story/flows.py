"""Flows in which the user comes to a page: the SDK hands out the link, and waits until the user has been there."""

from composio.exceptions import ComposioSDKTimeoutError, SDKError
from composio_page import complete, fields

from .world import World


def end_in_a_connection(world: World):
    accounts, configs, toolkits = world.ours.connected_accounts, world.ours.auth_configs, world.ours.toolkits
    config = configs.create("stripe", {"type": "use_custom_auth", "auth_scheme": "API_KEY"}).id
    world.audited["auth_config.create"] += 1
    secret = world.secret("typed")
    request = accounts.link("ada", config, callback_url="http://localhost:3000/back", alias="typed")
    world.audited["connection.create"] += 1
    assert request.status == "INITIATED" and "/connect/lk_" in request.redirect_url, request.status
    try:
        request.wait_for_connection(timeout=1)
    except ComposioSDKTimeoutError:
        pass
    else:
        raise AssertionError("nobody has been there yet")
    fields(request.redirect_url, expected={"generic_api_key"})
    whereto = complete(request.redirect_url, {"generic_api_key": secret}, unseen=secret)
    world.audited["connection.set_credential"] += 1
    assert whereto == f"http://localhost:3000/back?status=success&connected_account_id={request.id}", whereto
    seen = accounts.wait_for_connection(request.id, timeout=10)
    # It asks twice: what the account is, and whether it is there.
    world.audited["connection.hand_out"] += 2
    assert (seen.status, seen.alias, seen.data["generic_api_key"]) == ("ACTIVE", "typed", secret), seen.status

    # What was revoked meanwhile is waited for no longer.
    request = accounts.link("ada", config, allow_multiple=True)
    world.audited["connection.create"] += 1
    revoked = world.ours.plain.client.post(f"/api/v3.1/connected_accounts/{request.id}/revoke", cast_to=object)
    assert revoked["connected_account"] == {"id": request.id, "status": "REVOKED"}, revoked
    world.audited["connection.revoke"] += 1
    try:
        request.wait_for_connection(timeout=10)
    except SDKError as error:
        assert "'REVOKED'" in str(error), error
    else:
        raise AssertionError("it was revoked")
    configs.delete(config)
    world.audited["auth_config.delete"] += 1

    # The toolkit's newest config is taken; where OAuth gives the credential, its user gets a link.
    credentials = {"client_id": "client", "client_secret": world.secret("client")}
    options = {"type": "use_custom_auth", "auth_scheme": "OAUTH2", "credentials": credentials}
    config = configs.create("github", options).id
    world.audited["auth_config.create"] += 1
    request = toolkits.authorize(user_id="ada", toolkit="github")
    world.audited["connection.create"] += 1
    assert request.status == "INITIATED" and "/connect/lk_" in request.redirect_url, request.redirect_url
    assert accounts.get(request.id).auth_config.id == config
    configs.delete(config)
    world.audited["auth_config.delete"] += 1
    # Without one the operator's app is, whose users are sent to the page that knows the provider.
    said = world.refused(400, 600, toolkits.authorize, user_id="ada", toolkit="linear")
    assert "/link" in said["message"], said
    world.audited["auth_config.create"] += 1
    made = configs.list(toolkit_slug="linear").items
    assert [item.is_composio_managed for item in made] == [True], made
    configs.delete(made[0].id)
    world.audited["auth_config.delete"] += 1
    said = world.refused(400, 306, toolkits.authorize, user_id="ada", toolkit="notion")
    assert said["slug"] == "Auth_Config_DefaultAuthConfigNotFound", said

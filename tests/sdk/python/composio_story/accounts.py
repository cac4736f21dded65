"""Connected accounts of every scheme from their making to their end, each arm of the SDK's closed union of states."""

from .world import World, members

# A service account's key, as Google's console gives it.
GOOGLE = '{{"type": "service_account", "private_key": "{}"}}'


def schemes(world):
    """Every scheme: the config's credentials, what a user brings, and the arm that shows it."""
    secret = world.secret
    client = {"client_id": "client", "client_secret": secret("client")}
    tokens = {
        "access_token": secret("access"),
        "refresh_token": secret("refresh"),
        "expires_in": 3600,
        "scope": "repo gist",
        "token_type": "bearer",
        "id_token": secret("id"),
    }
    registered = {"client_id": "registered", "access_token": secret("access"), "refresh_token": None}
    login = {"username": "ada", "password": secret("password")}
    app = {"application_id": "1", "installation_id": "2", "private_key": secret("private")}
    return [
        ("API_KEY", {}, {"generic_api_key": secret("key")}, "API_KEY"),
        ("API_KEY", {}, {"api_key": secret("key"), "region": "eu", "base_url": "https://eu.example.com"}, "API_KEY"),
        ("BEARER_TOKEN", {}, {"token": secret("token")}, "BEARER_TOKEN"),
        ("BASIC", {}, login, "BASIC"),
        ("BASIC", {"shared": {"password": secret("shared")}}, {"username": "ada"}, "BASIC"),
        ("BASIC_WITH_JWT", {}, login, "BASIC_WITH_JWT"),
        ("GOOGLE_SERVICE_ACCOUNT", {}, {"credentials_json": GOOGLE.format(secret("google"))}, "GOOGLE_SERVICE_ACCOUNT"),
        ("SERVICE_ACCOUNT", {}, app, "SERVICE_ACCOUNT"),
        ("OAUTH2", client, tokens, "OAUTH2"),
        ("OAUTH2", client, {"access_token": secret("only")}, "OAUTH2"),
        ("DCR_OAUTH", {}, registered, "DCR_OAUTH"),
        ("CIMD_OAUTH", {}, registered, "DCR_OAUTH"),
        ("S2S_OAUTH2", client, {**client, "access_token": secret("machine")}, "S2S_OAUTH2"),
        ("OAUTH1", {}, {"oauth_token": secret("one"), "oauth_token_secret": secret("two")}, "OAUTH1"),
        ("BILLCOM_AUTH", {}, {"sessionId": secret("session"), "devKey": secret("dev")}, "BILLCOM_AUTH"),
        ("CALCOM_AUTH", {}, {"key": secret("calcom")}, "CALCOM_AUTH"),
        ("SAML", {}, {"assertion": secret("saml")}, "SAML"),
        # What a scheme of this name cannot show, the arm of API keys does.
        ("S2S_OAUTH2", client, client, "API_KEY"),
        ("OAUTH1", {}, {"token": secret("half")}, "API_KEY"),
        ("BILLCOM_AUTH", {}, {"sessionId": secret("half"), "nested": {"deep": [1]}}, "API_KEY"),
    ]


async def live(world: World):
    for scheme, credentials, val, arm in schemes(world):
        shared = credentials.get("shared", {})
        given = {} if shared else credentials
        config = await world.config(scheme, credentials=given, shared_credentials=shared)
        whole = {name: value for name, value in {**shared, **val}.items() if value is not None}
        await life(world, config, scheme, val, whole, arm)
        assert (await world.ours.auth_configs.delete(config)).to_dict()["success"] is True
    await without_a_credential(world)


async def life(world, config, scheme, val, whole, arm):
    accounts = world.ours.connected_accounts
    said = "DCR_OAUTH" if scheme == "CIMD_OAUTH" else scheme
    made = await world.account(config, said, val, alias="mine", callback_url="https://app.example.com/back")
    world.audited["connection.set_credential"] += 1
    id = made.id
    assert id.startswith("ca_") and len(id) == 15, made
    assert (made.status, made.redirect_url, made.redirect_uri) == ("ACTIVE", None, None), made
    state = made.connection_data
    assert (state.auth_scheme, state.val.status) == (arm, "ACTIVE"), made
    assert set(members(state)) == set(whole), (set(members(state)), set(whole))
    assert made.deprecated.uuid and made.deprecated.auth_config_uuid, made

    # In the clear for a key that may see it, masked for one that may not, and masked in lists.
    seen = await accounts.retrieve(id)
    assert (seen.id, seen.user_id, seen.status, seen.status_reason) == (id, "ada", "ACTIVE", None), seen
    assert (seen.alias, seen.word_id, seen.is_disabled) == ("mine", None, False), seen
    assert (seen.toolkit.slug, seen.params) == ("stripe", {}), seen
    config_seen = seen.auth_config
    assert (config_seen.id, config_seen.auth_scheme) == (config, said), seen
    assert (config_seen.is_composio_managed, config_seen.is_disabled) == (False, False), seen
    assert seen.deprecated.uuid == made.deprecated.uuid and seen.deprecated.labels == [], seen
    assert seen.state.auth_scheme == arm and seen.state.val.status == "ACTIVE", arm
    shown = {name: value for name, value in members(seen.state).items() if name != "nested"}
    assert shown == {name: value for name, value in whole.items() if name != "nested"}, (scheme, set(shown))
    assert {**seen.data, "nested": 0, "status": 0} == {**shown, "nested": 0, "status": 0}, (scheme, set(seen.data))
    masked = await world.reading.connected_accounts.retrieve(id)
    page = await accounts.list(connected_account_ids=[id])
    for view in (masked, *page.items):
        assert (view.id, view.state.auth_scheme, view.state.val.status) == (id, arm, "ACTIVE"), view
        assert set(members(view.state)) == set(members(seen.state)), view
    assert page.total_items == 1, page
    await world.missing(id, world.foreign.connected_accounts.retrieve, id)

    # Disabled and enabled; the same again changes nothing.
    for enabled, status, reason in ((False, "INACTIVE", "Connection status updated by user"), (True, "ACTIVE", None)):
        assert (await accounts.update_status(id, enabled=enabled)).success is True
        world.audited["connection.set_status"] += 1
        assert (await accounts.update_status(id, enabled=enabled)).success is True
        seen = await accounts.retrieve(id)
        assert (seen.status, seen.status_reason, seen.is_disabled) == (status, reason, not enabled), seen
        assert (seen.state.auth_scheme, seen.state.val.status) == (arm, status), seen

    # The credential of such a scheme is given anew, not refreshed; OAuth's comes with its engine.
    flows = ("OAUTH2", "DCR_OAUTH", "CIMD_OAUTH", "S2S_OAUTH2", "OAUTH1", "BILLCOM_AUTH", "CALCOM_AUTH", "SAML")
    status, code = (501, 10501) if scheme in flows else (409, 10409)
    await world.refused(status, code, accounts.refresh, id)
    # Revoked is destroyed, and still there. The SDK has no such method.
    status, said = world.plain("POST", f"/api/v3.1/connected_accounts/{id}/revoke")
    assert (status, said) == (200, {"revoked_tokens": [], "connected_account": {"id": id, "status": "REVOKED"}}), said
    world.audited["connection.revoke"] += 1
    seen = await accounts.retrieve(id)
    assert (seen.status, seen.status_reason) == ("REVOKED", "Revoked via user-initiated revoke endpoint"), seen
    assert seen.data == {} or set(seen.data) <= set(whole) - set(val), "only what the config shares is left"
    await world.refused(400, 600, accounts.update_status, id, enabled=True)
    gone = await accounts.delete(id, revoke_on_delete=True)
    assert gone.success is True and gone.revoke_job_id.startswith("pj_"), gone
    await world.missing(id, accounts.retrieve, id)
    await world.missing(id, accounts.delete, id)


async def without_a_credential(world):
    """A service without authentication is connected at once; OAuth waits for its user, who gets a link."""
    accounts = world.ours.connected_accounts
    config = await world.config("NO_AUTH")
    made = await accounts.create(auth_config={"id": config}, connection={})
    assert (made.status, made.connection_data.auth_scheme) == ("ACTIVE", "NO_AUTH"), made
    seen = await accounts.retrieve(made.id)
    assert (seen.user_id, seen.status, seen.state.auth_scheme) == ("default", "ACTIVE", "NO_AUTH"), seen
    assert members(seen.state) == {} and seen.data == {}, seen
    assert (await accounts.delete(made.id)).revoke_job_id is None
    await world.ours.auth_configs.delete(config)

    for scheme in ("OAUTH2", "DCR_OAUTH", "CIMD_OAUTH"):
        credentials = {"client_id": "client", "client_secret": world.secret("client")}
        config = await world.config(scheme, credentials=credentials if scheme == "OAUTH2" else {})
        made = await accounts.create(
            auth_config={"id": config},
            connection={"user_id": "grace", "callback_url": "https://app.example.com/back"},
        )
        assert made.status == made.connection_data.val.status == "INITIATED", made
        link = made.redirect_url
        assert link.split("/connect/lk_")[1] and made.redirect_uri == link, made
        assert made.connection_data.val.redirect_url == link, made
        seen = await accounts.retrieve(made.id)
        assert seen.status == seen.state.val.status == "INITIALIZING", seen
        assert members(seen.state) == {} and link not in str(seen), "a link is shown once"
        await world.refused(400, 600, accounts.update_status, made.id, enabled=True)
        await accounts.delete(made.id)
        await world.ours.auth_configs.delete(config)

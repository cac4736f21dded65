"""The operator's own OAuth app, which tenants use without ever seeing it."""

from .world import World

REDACTED = {"client_id": "REDACTED", "client_secret": "REDACTED", "scopes": "REDACTED"}


async def live(world: World):
    configs, toolkits = world.ours.auth_configs, world.ours.toolkits
    seen = await toolkits.retrieve("linear")
    assert seen.composio_managed_auth_schemes == ["OAUTH2"], seen
    assert [auth.mode for auth in seen.composio_managed_auth] == ["OAUTH2"], seen
    managed = await toolkits.list(limit=1000, managed_by="composio")
    assert [item.slug for item in managed.items if item.composio_managed_auth_schemes] == ["linear"], managed

    made = await configs.create(toolkit={"slug": "linear"})
    id = made.auth_config.id
    assert (made.auth_config.auth_scheme, made.auth_config.is_composio_managed) == ("OAUTH2", True), made
    seen = await configs.retrieve(id)
    assert (seen.type, seen.is_composio_managed) == ("default", True), seen
    assert seen.credentials == REDACTED, seen
    done = await configs.update(id, type="default", name="Managed", scopes=["read"])
    assert done["success"] is True
    assert (await configs.retrieve(id)).credentials == REDACTED
    assert [item.id for item in (await configs.list(is_composio_managed=True)).items] == [id]
    said = await world.refused(400, 301, configs.update, id, type="custom", name="No")
    assert said["slug"] == "Auth_Config_ValidationError", said
    # Its users are sent to the provider: by a link alone.
    create = world.ours.connected_accounts.create
    said = await world.refused(400, 600, create, auth_config={"id": id}, connection={"user_id": "ada"})
    assert "/link" in said["message"], said
    link = await world.ours.link.create(auth_config_id=id, user_id="ada")
    seen = await world.ours.connected_accounts.retrieve(link.connected_account_id)
    assert (seen.status, seen.auth_config.is_composio_managed) == ("INITIALIZING", True), seen
    assert (await configs.delete(id)).to_dict()["success"] is True
    said = await world.refused(400, 306, configs.create, toolkit={"slug": "notion"})
    assert said["slug"] == "Auth_Config_DefaultAuthConfigNotFound", said
    said = await world.refused(400, 303, configs.create, toolkit={"slug": "hackernews"})
    assert said["slug"] == "Auth_Config_NoAuthApp", said

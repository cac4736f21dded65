"""White labelling: the OAuth client of one's own, which is the client of an auth config that Composio's dialect shows."""

from klavis import OAuthServerName

from .world import World

CALLBACK = "https://app.example.com/callback"


def configs(world):
    """`{client id: secret as it is shown}` of GitHub's auth configs, in the Composio dialect."""
    status, listed = world.plain("GET", "/api/v3/auth_configs?toolkit_slug=github")
    assert status == 200, listed
    shown = [item["credentials"] for item in listed["items"] if item["auth_scheme"] == "OAUTH2"]
    clients = {credentials["client_id"]: credentials["client_secret"] for credentials in shown if "client_id" in credentials}
    return clients


async def live(world: World):
    ours = world.ours.white_labeling

    def shows(answer, client):
        assert answer.success is True and answer.data["client_id"] == client, answer
        assert answer.data["server_name"] == "GitHub", answer
        assert world.secret("") not in repr(answer) and "client_secret" not in answer.data, "the secret was shown"
        return answer.data

    await world.missing("White label", ours.get_white_labeling_by_client_id, "client-one")
    made = await ours.create_white_labeling(
        client_id="client-one",
        client_secret=world.secret("one"),
        server_name=OAuthServerName.GIT_HUB,
        callback_url=CALLBACK,
        account_id="7b0e8d1c-52f6-4f0e-9a3b-1f2e3d4c5b6a",
    )
    assert shows(made, "client-one")["callback_url"] == CALLBACK, made
    seen = await ours.get_white_labeling_by_client_id("client-one")
    assert shows(seen, "client-one") == made.data, seen
    # Sealed it is the client's secret: of what it begins with, Composio's dialect shows four characters.
    masked = world.secret("")[:4] + "..."
    assert configs(world) == {"client-one": masked}, configs(world)

    # The same client id updates its config, another one makes another.
    done = await ours.create_white_labeling(
        client_id="client-one", client_secret="secret-number-two", server_name=OAuthServerName.GIT_HUB
    )
    shows(done, "client-one")
    assert configs(world) == {"client-one": "secr..."}, configs(world)
    other = await ours.create_white_labeling(
        client_id="client-two", client_secret=world.secret("two"), server_name=OAuthServerName.GIT_HUB
    )
    shows(other, "client-two")
    assert configs(world) == {"client-one": "secr...", "client-two": masked}, configs(world)
    for client in ("client-one", "client-two"):
        shows(await ours.get_white_labeling_by_client_id(client), client)
        # Whoever may read metadata may read this, and nobody else's.
        shows(await world.reading.white_labeling.get_white_labeling_by_client_id(client), client)
        await world.missing("White label", world.foreign.white_labeling.get_white_labeling_by_client_id, client)
    assert "secret-number-two" not in repr(await ours.get_white_labeling_by_client_id("client-one"))

"""The published Composio client (PyPI composio-client) against a running server, its strict response validation on:
an auth config from its making to a read-modify-write, and every class of failure that the client tells apart."""

import os

from composio_client import (
    AuthenticationError,
    BadRequestError,
    Composio,
    NotFoundError,
    PermissionDeniedError,
)


def auth_configs(key):
    client = Composio(
        base_url=os.environ["KEYWAY_URL"], api_key=key, max_retries=0, _strict_response_validation=True
    )
    return client.auth_configs


def refused(kind, call, *arguments, **named):
    try:
        answer = call(*arguments, **named)
    except kind as error:
        envelope = error.response.json()["error"]
        members = {"message", "code", "slug", "status", "request_id", "suggested_fix", "errors"}
        assert set(envelope) == members, envelope
        assert envelope["status"] == error.status_code, envelope
        assert envelope["request_id"] == error.response.headers["x-request-id"], envelope
        return envelope
    raise AssertionError(f"not refused: {answer}")


ours = auth_configs(os.environ["KEYWAY_KEY"])
reading = auth_configs(os.environ["KEYWAY_READING_KEY"])
foreign = auth_configs(os.environ["KEYWAY_FOREIGN_KEY"])

made = ours.create(
    toolkit={"slug": "GitHub"},
    auth_config={
        "type": "use_custom_auth",
        "auth_scheme": "OAUTH2",
        "name": "Ours",
        "credentials": {"client_id": "client-1", "client_secret": "secret-number-1", "scopes": ["repo", "gist"]},
        "tool_access_config": {"tools_for_connected_account_creation": ["GITHUB_STAR"]},
        "restrict_to_following_tools": ["GITHUB_FORK"],
    },
)
assert made.toolkit.slug == "github", made
assert made.auth_config.id.startswith("ac_") and len(made.auth_config.id) == 15, made
assert (made.auth_config.auth_scheme, made.auth_config.is_composio_managed) == ("OAUTH2", False), made
id = made.auth_config.id

seen = ours.retrieve(id)
assert (seen.id, seen.name, seen.type, seen.status) == (id, "Ours", "custom", "ENABLED"), seen
assert (seen.toolkit.slug, seen.auth_scheme, seen.no_of_connections) == ("github", "OAUTH2", 0), seen
assert seen.credentials == {"client_id": "client-1", "client_secret": "secr...", "scopes": ["repo", "gist"]}, seen
assert seen.tool_access_config.tools_for_connected_account_creation == ["GITHUB_STAR"], seen
assert seen.tool_access_config.tools_available_for_execution == ["GITHUB_FORK"], seen

# A change touches what it names; what was read may be written back without losing a secret.
done = ours.update(
    id,
    type="custom",
    name="Renamed",
    credentials={**seen.credentials, "client_id": "client-2"},
    tool_access_config={"tools_available_for_execution": []},
    shared_credentials={"region": "eu"},
    is_enabled_for_tool_router=True,
)
assert done == {"success": True, "message": "Auth config updated successfully"}, done
seen = ours.retrieve(id)
assert (seen.name, seen.is_enabled_for_tool_router) == ("Renamed", True), seen
assert seen.credentials == {"client_id": "client-2", "client_secret": "secr...", "scopes": ["repo", "gist"]}, seen
assert seen.tool_access_config.tools_for_connected_account_creation == ["GITHUB_STAR"], seen
assert seen.tool_access_config.tools_available_for_execution == [], seen
assert seen.shared_credentials == {"region": "..."}, seen

ours.update(id, type="custom", credentials={"client_secret": "number-2-secret", "scopes": None})
seen = ours.retrieve(id)
assert seen.credentials == {"client_id": "client-2", "client_secret": "numb..."}, seen

# Lists: filters, pages.
second = ours.create(
    toolkit={"slug": "gitlab"},
    auth_config={"type": "use_custom_auth", "auth_scheme": "API_KEY", "credentials": {}},
).auth_config.id
assert {item.id for item in ours.list().items} == {id, second}
assert [item.id for item in ours.list(toolkit_slug="github").items] == [id]
assert [item.name for item in ours.list(search="renam").items] == ["Renamed"]
assert ours.list(is_composio_managed=True).items == []
first = ours.list(limit=1)
assert (first.total_items, first.total_pages, first.current_page) == (2, 2, 1), first
rest = ours.list(limit=1, cursor=first.next_cursor)
assert {first.items[0].id, rest.items[0].id} == {id, second} and rest.next_cursor is None, rest
assert foreign.list().items == []

# 400, 401, 403, 404.
assert refused(AuthenticationError, auth_configs("nobody").retrieve, id)["code"] == 801
assert refused(AuthenticationError, auth_configs("").retrieve, id)["code"] == 906
assert reading.retrieve(id).id == id
assert refused(PermissionDeniedError, reading.update, id, type="custom", name="No")["code"] == 812
assert refused(NotFoundError, foreign.retrieve, id)["code"] == 302
assert refused(NotFoundError, foreign.update, id, type="custom", name="No")["code"] == 302
assert refused(NotFoundError, ours.retrieve, "ac_000000000000")["code"] == 302
assert refused(NotFoundError, ours.create, toolkit={"slug": "no-such-toolkit"})["code"] == 401
assert refused(BadRequestError, ours.create, toolkit={"slug": "github"})["code"] == 306
assert refused(BadRequestError, ours.retrieve, "x")["code"] == 10400
assert refused(BadRequestError, ours.update, id, type="default", name="No")["code"] == 301
wrong = refused(BadRequestError, ours.update, id, type="custom", name="", extra_body={"colour": "red"})
assert wrong["code"] == 10400 and len(wrong["errors"]) == 2, wrong
assert ours.retrieve(id).name == "Renamed"

// A client generated from openapi/klavis.json: every route of the dialect, and what a failure looks like.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";
import { key, url } from "./settings.js";

const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

/** What a call gave; a failure says what it was. */
async function ok<T, E>(call: Promise<{ data?: T; error?: E; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  assert.equal(response.status, 200, `${response.url}: ${JSON.stringify(error)}`);
  assert.ok(data !== undefined);
  return data;
}

/** The status of a call that must fail, and the types of its faults, if it tells any. */
async function refused(call: Promise<{ error?: unknown; response: Response }>): Promise<[number, string | string[]]> {
  const { error, response } = await call;
  const { detail } = error as { detail: string | { type: string }[] };
  return [response.status, typeof detail === "string" ? detail : detail.map((item) => item.type)];
}

// An instance.
const userId = "grace";
const made = await ok(
  client.POST("/mcp-server/instance/create", { body: { serverName: "Notion", userId, isReadOnly: true } }),
);
const { instanceId } = made;
const path = { instanceId };
const hosted = await ok(
  client.POST("/mcp-server/self-hosted/instance/create", { body: { serverName: "Notion", userId } }),
);
assert.deepEqual(hosted, { instanceId, oauthUrl: null });

const set = await ok(
  client.POST("/mcp-server/instance/set-auth", {
    body: { instanceId, authData: { data: { token: "ts-1", workspace: { id: 7 } } } },
  }),
);
assert.equal(set.success, true);
assert.deepEqual(await ok(client.GET("/mcp-server/instance/{instanceId}", { params: { path } })), {
  instanceId,
  authNeeded: true,
  isAuthenticated: true,
  serverName: "Notion",
  platform: null,
  externalUserId: userId,
  oauthUrl: null,
});
const kept = { token: "ts-1", workspace: { id: 7 } };
const stored = await ok(client.GET("/mcp-server/instance/{instanceId}/auth", { params: { path } }));
assert.deepEqual(stored, { success: true, authData: kept, error: null });

for (const [isReadOnly, becomes] of [[null, true], [false, false]] as const) {
  const done = await ok(client.PATCH("/mcp-server/instance/{instanceId}", { params: { path }, body: { isReadOnly } }));
  assert.deepEqual([done.instanceId, done.isReadOnly], [instanceId, becomes]);
}

// Its user.
const ofNotion = { userId, serverName: "Notion" };
assert.deepEqual(await ok(client.GET("/user/{userId}/auth/{serverName}", { params: { path: ofNotion } })), {
  success: true,
  ...ofNotion,
  authData: kept,
  isAuthenticated: true,
  message: null,
});
const slack = await ok(
  client.POST("/user/set-auth", { body: { userId, serverName: "Slack", authData: { token: "ts-2" } } }),
);
assert.equal(slack.success, true);
const integrations = await ok(client.GET("/user/{userId}/integrations", { params: { path: { userId } } }));
const states = Object.fromEntries(integrations.integrations.map((item) => [item.name, item.is_authenticated]));
assert.deepEqual(states, { Notion: true, Slack: true });
const query = { page_size: 10, page_number: 1 };
const listed = await ok(client.GET("/user/", { params: { query } }));
const user = await ok(client.GET("/user/{userId}", { params: { path: { userId } } }));
assert.deepEqual(listed.users, [{ userId, createdAt: user.createdAt }]);
assert.deepEqual([listed.totalCount, listed.page, listed.pageSize, listed.totalPages], [1, 1, 10, 1]);
assert.ok(user.lastUsedAt);

// A strata of theirs.
const strata = await ok(
  client.POST("/mcp-server/strata/create", { body: { userId, servers: null, externalServers: null } }),
);
const { strataId } = strata;
assert.deepEqual([strata.addedServers, strata.oauthUrls, strata.apiKeyUrls], [[], {}, {}]);
const external = { name: "wiki", url: "https://wiki.example.com/mcp", headers: { Authorization: "Bearer ts-3" } };
const added = await ok(
  client.POST("/mcp-server/strata/add", { body: { strataId, servers: ["Slack"], externalServers: [external] } }),
);
assert.deepEqual(added.addedServers, ["Slack"]);
const inStrata = { strataId, serverName: "Slack" };
const shared = await ok(
  client.GET("/mcp-server/strata/{strataId}/auth/{serverName}", { params: { path: inStrata } }),
);
assert.deepEqual(shared.authData, { token: "ts-2" });
const reset = await ok(
  client.POST("/mcp-server/strata/set-auth", { body: { ...inStrata, authData: { api_key: "ts-4" } } }),
);
assert.equal(reset.success, true);
const ofSlack = { userId, serverName: "Slack" };
const changed = await ok(client.GET("/user/{userId}/auth/{serverName}", { params: { path: ofSlack } }));
assert.deepEqual(changed.authData, { api_key: "ts-4" });
const seen = await ok(client.GET("/mcp-server/strata/{strataId}", { params: { path: { strataId } } }));
assert.deepEqual(seen.connectedServers, ["Slack"]);
assert.deepEqual(seen.connectedExternalServers, [{ ...external, headers: null }]);
const unset = await ok(
  client.DELETE("/mcp-server/strata/{strataId}/auth/{serverName}", { params: { path: inStrata } }),
);
assert.equal(unset.success, true);
const removed = await ok(
  client.DELETE("/mcp-server/strata/{strataId}/servers", {
    params: { path: { strataId }, query: { servers: ["ALL"], externalServers: "wiki" } },
  }),
);
assert.deepEqual(removed, { deletedServers: ["Slack"], deletedExternalServers: ["wiki"] });

// The services, and an OAuth client of one's own for one of them.
const servers = await ok(client.GET("/mcp-server/servers"));
assert.ok(servers.servers.some((server) => server.name === "Slack" && server.tools === null));
const label = await ok(
  client.POST("/white-labeling/create", {
    body: { client_id: "ts-client", client_secret: "ts-very-secret", server_name: "Slack" },
  }),
);
const again = await ok(
  client.GET("/white-labeling/get/{client_id}", { params: { path: { client_id: "ts-client" } } }),
);
assert.deepEqual([again.success, again.data], [true, label.data]);
assert.ok(!JSON.stringify([label, again]).includes("ts-very-secret"));

// What fails.
const failures = [
  await refused(client.GET("/mcp-server/instance/{instanceId}", { params: { path: { instanceId: "x" } } })),
  await refused(
    client.POST("/mcp-server/instance/create", { body: { serverName: "Notion", userId: "" } }),
  ),
  await refused(client.GET("/user/", { params: { query: { page_size: 0 } } })),
  await refused(client.GET("/user/{userId}", { params: { path: { userId: "nobody" } } })),
  await refused(client.GET("/mcp-server/strata/{strataId}", { params: { path: { strataId: "none" } } })),
];
assert.deepEqual(failures, [
  [422, ["uuid_parsing"]],
  [422, ["string_too_short"]],
  [422, ["greater_than_equal"]],
  [404, "User not found"],
  [404, "Strata not found"],
]);

// The end.
const cleared = await ok(client.DELETE("/mcp-server/instance/{instanceId}/auth", { params: { path } }));
assert.equal(cleared.success, true);
const nothing = await ok(client.GET("/mcp-server/instance/{instanceId}/auth", { params: { path } }));
assert.deepEqual([nothing.success, nothing.authData], [false, null]);
const left = await ok(client.DELETE("/user/{userId}/auth/{serverName}", { params: { path: ofSlack } }));
assert.equal(left.success, true);
const gone = await ok(client.DELETE("/mcp-server/instance/{instanceId}", { params: { path } }));
assert.equal(gone.success, true);
const lost = await refused(client.GET("/mcp-server/instance/{instanceId}", { params: { path } }));
assert.deepEqual(lost, [404, "Instance not found"]);
const nobody = await ok(client.DELETE("/user/{userId}", { params: { path: { userId } } }));
assert.equal(nobody.success, true);
assert.deepEqual(
  await refused(client.GET("/user/{userId}/integrations", { params: { path: { userId } } })),
  [404, "User not found"],
);

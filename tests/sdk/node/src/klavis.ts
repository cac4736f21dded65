// A client generated from openapi/klavis.json: an instance, its credential, and what a failure looks like.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";
import { key, url } from "./settings.js";

const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

const made = await client.POST("/mcp-server/instance/create", {
  body: { serverName: "Notion", userId: "grace", isReadOnly: true },
});
assert.equal(made.response.status, 200, JSON.stringify(made.error));
assert.ok(made.data);
const instanceId: string = made.data.instanceId;
const path = { instanceId };

const set = await client.POST("/mcp-server/instance/set-auth", {
  body: { instanceId, authData: { data: { token: "ts-1", workspace: { id: 7 } } } },
});
assert.equal(set.data?.success, true, JSON.stringify(set.error));

const seen = await client.GET("/mcp-server/instance/{instanceId}", { params: { path } });
assert.deepEqual(seen.data, {
  instanceId,
  authNeeded: true,
  isAuthenticated: true,
  serverName: "Notion",
  platform: null,
  externalUserId: "grace",
  oauthUrl: null,
});

const stored = await client.GET("/mcp-server/instance/{instanceId}/auth", { params: { path } });
assert.deepEqual(stored.data, { success: true, authData: { token: "ts-1", workspace: { id: 7 } }, error: null });

const deleted = await client.DELETE("/mcp-server/instance/{instanceId}/auth", { params: { path } });
assert.equal(deleted.data?.success, true);
const gone = await client.GET("/mcp-server/instance/{instanceId}/auth", { params: { path } });
assert.equal(gone.data?.authData, null);

const refused = await client.GET("/mcp-server/instance/{instanceId}", { params: { path: { instanceId: "x" } } });
assert.equal(refused.response.status, 422);
assert.ok(refused.error && "detail" in refused.error && Array.isArray(refused.error.detail));
assert.equal(refused.error.detail[0]?.type, "uuid_parsing");

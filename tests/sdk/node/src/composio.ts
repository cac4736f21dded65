// A client generated from openapi/composio.json: an auth config made, changed and read under both prefixes.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";
import { key, url } from "./settings.js";

const headers = { "x-api-key": key };
const client = createClient<paths>({ baseUrl: `${url}/api/v3`, headers });
const current = createClient<paths>({ baseUrl: `${url}/api/v3.1`, headers });

const made = await client.POST("/auth_configs", {
  body: {
    toolkit: { slug: "stripe" },
    auth_config: { type: "use_custom_auth", authScheme: "API_KEY", credentials: { region: "eu-central-1a" } },
  },
});
assert.equal(made.response.status, 201, JSON.stringify(made.error));
assert.ok(made.data);
assert.equal(made.data.toolkit.slug, "stripe");
assert.equal(made.data.auth_config.auth_scheme, "API_KEY");
const params = { path: { nanoid: made.data.auth_config.id } };

const changed = await current.PATCH("/auth_configs/{nanoid}", {
  params,
  body: { type: "custom", credentials: { api_key: "sk_live_0123456789" }, restrict_to_following_tools: ["REFUND"] },
});
assert.equal(changed.data?.success, true, JSON.stringify(changed.error));

const seen = await client.GET("/auth_configs/{nanoid}", { params });
assert.ok(seen.data);
assert.deepEqual(seen.data.credentials, { region: "eu-c...", api_key: "sk_l..." });
assert.deepEqual(seen.data.tool_access_config.tools_available_for_execution, ["REFUND"]);
assert.deepEqual([seen.data.type, seen.data.status, seen.data.no_of_connections], ["custom", "ENABLED", 0]);

const list = await current.GET("/auth_configs", { params: { query: { toolkit_slug: "stripe", limit: 5 } } });
assert.deepEqual(list.data?.items.map((item) => item.id), [params.path.nanoid]);
assert.equal(list.data?.next_cursor, null);

const refused = await client.GET("/auth_configs/{nanoid}", { params: { path: { nanoid: "ac_000000000000" } } });
assert.equal(refused.response.status, 404);
assert.ok(refused.error && "error" in refused.error);
assert.equal(refused.error.error.code, 302);

// A client generated from openapi/composio.json: an auth config and a connected account under it, from their making to
// their end, under both prefixes.
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
for (const status of ["DISABLED", "ENABLED"] as const) {
  const path = { ...params.path, status };
  const done = await client.PATCH("/auth_configs/{nanoid}/{status}", { params: { path } });
  assert.equal(done.data?.success, true, JSON.stringify(done.error));
  assert.equal((await client.GET("/auth_configs/{nanoid}", { params })).data?.status, status);
}

const refused = await client.GET("/auth_configs/{nanoid}", { params: { path: { nanoid: "ac_000000000000" } } });
assert.equal(refused.response.status, 404);
assert.ok(refused.error && "error" in refused.error);
assert.equal(refused.error.error.code, 302);

// What the catalogue says of the service, its users' form among it.
const toolkit = await client.GET("/toolkits/{slug}", { params: { path: { slug: "stripe" } } });
const detail = toolkit.data?.auth_config_details.find((detail) => detail.mode === "API_KEY");
assert.equal(detail?.fields.connected_account_initiation.required[0]?.displayName, "Secret key");
const payments = await current.GET("/toolkits", { params: { query: { category: "payments", limit: 100 } } });
assert.ok(payments.data?.items.some((item) => item.slug === "stripe"), JSON.stringify(payments.error));
const categories = await client.GET("/toolkits/categories");
assert.ok(categories.data?.items.some((item) => item.id === "payments"));

// A connected account, whose credential this key may see.
const account = await client.POST("/connected_accounts", {
  body: {
    auth_config: { id: params.path.nanoid },
    connection: { user_id: "ada", state: { authScheme: "API_KEY", val: { generic_api_key: "sk_live_0123456789" } } },
  },
});
assert.equal(account.response.status, 201, JSON.stringify(account.error));
assert.ok(account.data);
assert.deepEqual([account.data.status, account.data.redirect_url], ["ACTIVE", null]);
const at = { path: { nanoid: account.data.id } };
const whole = await current.GET("/connected_accounts/{nanoid}", { params: at });
assert.ok(whole.data);
assert.deepEqual(whole.data.state.val, { status: "ACTIVE", generic_api_key: "sk_live_0123456789" });
assert.deepEqual([whole.data.user_id, whole.data.toolkit.slug, whole.data.status_reason], ["ada", "stripe", null]);
const query = { user_ids: ["ada", "grace"], statuses: ["ACTIVE" as const] };
const listed = await client.GET("/connected_accounts", { params: { query } });
assert.deepEqual(listed.data?.items.map((item) => item.state.val), [{ status: "ACTIVE", generic_api_key: "sk_l..." }]);

const renamed = await client.PATCH("/connected_accounts/{nanoid}", { params: at, body: { alias: "work" } });
assert.deepEqual(renamed.data, { success: true, id: at.path.nanoid, status: "ACTIVE" });
const off = await current.PATCH("/connected_accounts/{nanoid}/status", {
  params: at,
  body: { enabled: false },
});
assert.deepEqual(off.data, { success: true });
const unrefreshed = await client.POST("/connected_accounts/{nanoid}/refresh", { params: at, body: {} });
assert.equal(unrefreshed.response.status, 409);
// Only the newer prefix revokes.
const revoked = await current.POST("/connected_accounts/{nanoid}/revoke", { params: at });
assert.equal(revoked.data?.connected_account.status, "REVOKED", JSON.stringify(revoked.error));
assert.equal((await client.POST("/connected_accounts/{nanoid}/revoke", { params: at })).response.status, 404);
const gone = await client.DELETE("/connected_accounts/{nanoid}", { params: at });
assert.deepEqual(gone.data, { success: true });

// A link, which ends with its config.
const link = await client.POST("/connected_accounts/link", {
  body: { auth_config_id: params.path.nanoid, user_id: "grace", callback_url: "https://app.example.com/back" },
});
assert.equal(link.response.status, 201, JSON.stringify(link.error));
assert.equal(link.data?.redirect_url, `${url}/connect/${link.data?.link_token}`);
const deleted = await current.DELETE("/auth_configs/{nanoid}", {
  params: { ...params, query: { revoke_on_delete: true } },
});
assert.equal(deleted.data?.success, true, JSON.stringify(deleted.error));
assert.ok(deleted.data?.revoke_job_id?.startsWith("pj_"));
assert.equal((await fetch(link.data?.redirect_url ?? "")).status === 200, false);

// A client generated from openapi/langdock.json: an integration and its auth setting, planned, changed and read.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";
import { key, url } from "./settings.js";

const headers = { Authorization: `Bearer ${key}` };
const client = createClient<paths>({ baseUrl: `${url}/integrations/v1`, headers });
const dedicated = createClient<paths>({ baseUrl: `${url}/api/public/integrations/v1`, headers });

const made = await client.POST("/create", { body: { name: "Billing", description: "Invoices and refunds" } });
assert.equal(made.response.status, 201, JSON.stringify(made.error));
assert.ok(made.data);
const integrationId = made.data.integration.id;
const path = { integrationId };
assert.equal(made.data.integration.name, "Billing");
assert.ok(!Number.isNaN(Date.parse(made.data.integration.createdAt)));

const body = {
  authType: "API_KEY" as const,
  authFields: [
    { slug: "api_key", label: "API key", type: "PASSWORD" as const, placeholder: "sk-…", required: true },
    { slug: "base_url", label: "Base URL", type: "TEXT" as const },
  ],
  authTestCode: "return { success: true };",
};
const planned = await client.PATCH("/{integrationId}/auth", {
  params: { path, header: { "x-dry-run": true } },
  body,
});
assert.ok(planned.data && "plan" in planned.data, JSON.stringify(planned.error));
assert.deepEqual(planned.data.plan, { connectionsDeleted: 0, oauthClientDeleted: false, fieldsRemoved: [], users: [] });

const changed = await client.PATCH("/{integrationId}/auth", { params: { path }, body });
assert.ok(changed.data && "integration" in changed.data, JSON.stringify(changed.error));
const setting = changed.data.integration;
assert.deepEqual(setting, {
  id: integrationId,
  authType: "API_KEY",
  authTestCode: "return { success: true };",
  authFields: [
    { slug: "api_key", label: "API key", type: "PASSWORD", description: "", placeholder: "sk-…", required: true },
    { slug: "base_url", label: "Base URL", type: "TEXT", description: "", placeholder: null, required: false },
  ],
  oauthClient: null,
});

const seen = await dedicated.GET("/{integrationId}", { params: { path } });
assert.deepEqual(seen.data?.integration, {
  ...setting,
  name: "Billing",
  description: "Invoices and refunds",
  actions: [],
  triggers: [],
});

const oauth = await client.PATCH("/{integrationId}/auth", {
  params: { path },
  body: {
    authType: "OAUTH",
    oauthClient: {
      clientId: "client",
      clientSecret: "very-secret-number-9",
      authUrl: "https://example.com/authorize",
      tokenUrl: "https://example.com/token",
      scopes: "read write",
    },
  },
});
assert.ok(oauth.data && "integration" in oauth.data, JSON.stringify(oauth.error));
assert.equal(oauth.data.integration.oauthClient?.scopes, "read write");
assert.ok(!JSON.stringify(oauth.data).includes("very-secret-number-9"));

const refused = await client.PATCH("/{integrationId}/auth", {
  params: { path },
  body: { authType: "NONE", oauthClient: { scopes: "read" } },
});
assert.equal(refused.response.status, 400);
const after = await client.GET("/{integrationId}", { params: { path } });
assert.equal(after.data?.integration.authType, "OAUTH");

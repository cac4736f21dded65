// Auth configs from their making to their end: every scheme, changes that touch what they name, filters and pages.
import assert from "node:assert/strict";
import { type AuthSchemeType, AuthSchemeTypes } from "@composio/core";
import { foreign, log, ours, refused, secret } from "./world.js";

const DONE = { success: true, message: "Auth config updated successfully" };

export async function authConfigsLive(): Promise<void> {
  for (const scheme of Object.values(AuthSchemeTypes)) await ofTheScheme(scheme);
  await changes();
  await theOperators();
  await pages();
}

async function ofTheScheme(scheme: AuthSchemeType): Promise<void> {
  const { authConfigs: configs } = ours;
  const client = { client_id: "client", client_secret: secret("client") };
  const credentials: Record<string, string> = scheme === "OAUTH2" || scheme === "S2S_OAUTH2" ? client : {};
  const made = await configs.create("Stripe", { type: "use_custom_auth", authScheme: scheme, credentials });
  log("auth_config.create", "auth_config.delete");
  assert.deepEqual([made.toolkit, made.authScheme, made.isComposioManaged], ["stripe", scheme, false]);
  const seen = await configs.get(made.id);
  assert.deepEqual([seen.id, seen.authScheme, seen.status, seen.noOfConnections], [made.id, scheme, "ENABLED", 0]);
  assert.equal(seen.toolkit.slug, "stripe");
  assert.ok(seen.name.startsWith("stripe-") && seen.createdAt && seen.createdBy && seen.lastUpdatedAt);
  const raw = await ours.raw.authConfigs.retrieve(made.id);
  assert.deepEqual([raw.type, raw.expected_input_fields], ["custom", seen.expectedInputFields]);
  assert.deepEqual(await configs.delete(made.id), { success: true, message: "Auth config deleted successfully" });
  await refused(404, 302, () => configs.get(made.id));
}

async function changes(): Promise<void> {
  const { authConfigs: configs } = ours;
  const { id } = await configs.create("github", {
    type: "use_custom_auth",
    name: "Ours",
    authScheme: "OAUTH2",
    credentials: { client_id: "client-1", client_secret: secret("client"), scopes: "repo,gist" },
    proxyConfig: { proxyUrl: "https://proxy.example.com/", proxyAuthKey: secret("proxy") },
    toolAccessConfig: { toolsForConnectedAccountCreation: ["GITHUB_STAR"] },
    isEnabledForToolRouter: true,
  });
  const masked = `${secret("").slice(0, 4)}...`;
  const seen = await configs.get(id);
  assert.deepEqual(seen.credentials, { client_id: "client-1", client_secret: masked, scopes: "repo,gist" });
  const asked = { toolsForConnectedAccountCreation: ["GITHUB_STAR"], toolsAvailableForExecution: [] };
  assert.deepEqual([seen.toolAccessConfig, seen.isEnabledForToolRouter], [asked, true]);

  // What was read may be written back; the SDK sends `tool_access_config: {}` along, which is nothing.
  const credentials = { ...seen.credentials, client_id: "client-2" };
  assert.deepEqual(await configs.update(id, { type: "custom", credentials }), DONE);
  const renamed = { type: "custom" as const, name: "Renamed", shared_credentials: { region: secret("region") } };
  assert.deepEqual(await ours.raw.authConfigs.update(id, renamed), DONE);
  const tools = { toolAccessConfig: { toolsAvailableForExecution: ["GITHUB_FORK"] } };
  assert.deepEqual(await configs.update(id, { type: "custom", ...tools }), DONE);
  const after = await configs.get(id);
  assert.deepEqual([after.name, after.credentials], ["Renamed", { ...seen.credentials, client_id: "client-2" }]);
  assert.deepEqual(after.toolAccessConfig, { ...asked, ...tools.toolAccessConfig });
  assert.deepEqual((await ours.raw.authConfigs.retrieve(id)).shared_credentials, { region: masked });
  await refused(400, 301, () => configs.update(id, { type: "default", scopes: "repo" }));

  for (const [call, status] of [
    [() => configs.disable(id), "DISABLED"],
    [() => configs.enable(id), "ENABLED"],
    [() => configs.updateStatus("DISABLED", id), "DISABLED"],
    [() => ours.raw.authConfigs.updateStatus("ENABLED", { nanoid: id }), "ENABLED"],
  ] as const) {
    assert.equal((await call() as { success: boolean }).success, true);
    log(status === "ENABLED" ? "auth_config.enable" : "auth_config.disable");
    assert.equal((await configs.get(id)).status, status);
    assert.equal((await configs.list()).items.length, status === "ENABLED" ? 1 : 0);
  }
  const gone = await ours.raw.authConfigs.delete(id, { revoke_on_delete: true });
  assert.match(gone.revoke_job_id ?? "", /^pj_/);
  log("auth_config.create", ...Array<string>(3).fill("auth_config.update"), "auth_config.delete");
}

/** The operator's own app, which nobody sees. */
async function theOperators(): Promise<void> {
  const { authConfigs: configs } = ours;
  const made = await configs.create("linear");
  assert.deepEqual([made.authScheme, made.isComposioManaged], ["OAUTH2", true]);
  assert.deepEqual(await configs.update(made.id, { type: "default", scopes: "read" }), DONE);
  const seen = await configs.get(made.id);
  assert.deepEqual(seen.credentials, { client_id: "REDACTED", client_secret: "REDACTED", scopes: "REDACTED" });
  assert.deepEqual((await configs.list({ isComposioManaged: true })).items.map((item) => item.id), [made.id]);
  await configs.delete(made.id);
  log("auth_config.create", "auth_config.update", "auth_config.delete");
  assert.equal((await refused(400, 306, () => configs.create("notion"))).slug, "Auth_Config_DefaultAuthConfigNotFound");
  assert.equal((await refused(400, 303, () => configs.create("hackernews"))).slug, "Auth_Config_NoAuthApp");
}

async function pages(): Promise<void> {
  const { authConfigs: configs } = ours;
  const made: string[] = [];
  for (const name of ["Number 1", "Number 2", "Number 3", "Other", "Last"]) {
    const toolkit = name === "Other" ? "github" : "stripe";
    const auth_config = { type: "use_custom_auth" as const, authScheme: "API_KEY" as const, name };
    made.push((await ours.raw.authConfigs.create({ toolkit: { slug: toolkit }, auth_config })).auth_config.id);
    log("auth_config.create", "auth_config.delete");
  }
  const whole = await configs.list();
  assert.deepEqual(whole.items.map((item) => item.id).sort(), [...made].sort());
  assert.deepEqual([whole.totalPages, whole.nextCursor], [1, null]);
  const told = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await configs.list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
    assert.equal(page.totalPages, 3);
    told.push(...page.items);
    cursor = page.nextCursor;
  }
  assert.deepEqual(told, whole.items);
  for (const [filters, names] of [
    [{ toolkit: "github" }, ["Other"]],
    [{ search: "NUMBER" }, ["Number 1", "Number 2", "Number 3"]],
    [{ isComposioManaged: true }, []],
  ] as const) {
    assert.deepEqual((await configs.list(filters)).items.map((item) => item.name).sort(), names);
  }
  const raw = await ours.raw.authConfigs.list({ toolkit_slug: "github,stripe", search: "1" });
  assert.ok(raw.items.some((item) => item.name === "Number 1"));
  assert.deepEqual((await foreign.authConfigs.list()).items, []);
  for (const id of made) await configs.delete(id);
}

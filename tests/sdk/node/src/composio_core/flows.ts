// Flows in which the user comes to a page: the SDK hands out the link, and waits until the user has been there.
import assert from "node:assert/strict";
import {
  ComposioAuthConfigNotFoundError,
  ConnectionRequestFailedError,
  ConnectionRequestTimeoutError,
} from "@composio/core";
import { failed, log, ours, secret } from "./world.js";
import { complete } from "./page.js";

const BACK = "http://localhost:3000/back?from=keyway";

export async function endInAConnection(): Promise<void> {
  const { connectedAccounts: accounts, authConfigs: configs } = ours;
  const custom = { type: "use_custom_auth" as const, authScheme: "API_KEY" as const, credentials: {} };
  const { id: config } = await configs.create("stripe", custom);
  const request = await accounts.link("ada", config, { callbackUrl: BACK, alias: "typed" });
  const { redirectUrl } = request;
  assert.ok(redirectUrl);
  assert.ok(redirectUrl.includes("/connect/lk_"));
  assert.equal(request.status, "INITIATED");
  const late = await failed(() => request.waitForConnection(1));
  assert.ok(late instanceof ConnectionRequestTimeoutError, String(late));
  // It waits while the user is at the page.
  const [seen, whereto] = await Promise.all([
    request.waitForConnection(20_000),
    complete(redirectUrl, { generic_api_key: secret("typed") }),
  ]);
  assert.equal(whereto, `${BACK}&status=success&connected_account_id=${request.id}`);
  assert.deepEqual([seen.status, seen.alias, seen.data?.["generic_api_key"]], ["ACTIVE", "typed", secret("typed")]);
  assert.equal((await accounts.waitForConnection(request.id)).status, "ACTIVE");
  log("connection.create", "connection.set_credential", "connection.hand_out", "connection.hand_out");

  // Values that are known beforehand; what was revoked meanwhile is waited for no longer.
  const known = { region: "eu" };
  const link = await ours.raw.link.create({ auth_config_id: config, user_id: "grace", connection_data: known });
  assert.ok(link.redirect_url.endsWith(`/connect/${link.link_token}`) && Date.parse(link.expires_at) > Date.now());
  const id = link.connected_account_id;
  const revoked = await ours.post(`/api/v3.1/connected_accounts/${id}/revoke`);
  assert.deepEqual(revoked, { revoked_tokens: [], connected_account: { id, status: "REVOKED" } });
  const ended = await failed(() => accounts.waitForConnection(id));
  assert.ok(ended instanceof ConnectionRequestFailedError && ended.message.includes("REVOKED"), String(ended));
  log("connection.create", "connection.revoke");
  await configs.delete(config);
  log("auth_config.create", "auth_config.delete");
  await authorize();
}

/** Where OAuth gives the credential, its user gets a link. */
async function authorize(): Promise<void> {
  const { connectedAccounts: accounts, authConfigs: configs, toolkits } = ours;
  const credentials = { client_id: "client", client_secret: secret("client") };
  const { id: config } = await configs.create("github", { type: "use_custom_auth", authScheme: "OAUTH2", credentials });
  for (const asked of [undefined, config]) {
    const request = await toolkits.authorize("ada", "github", asked);
    assert.ok(request.status === "INITIATED" && request.redirectUrl?.includes("/connect/lk_"), String(request));
    const seen = await accounts.get(request.id);
    const waits = "INITIALIZING";
    assert.deepEqual([seen.status, seen.authConfig.id, seen.state?.val.status], [waits, config, waits]);
    log("connection.create");
  }
  await configs.delete(config);
  // Without a config the operator's app is one, whose users are sent to the page that knows the provider.
  const managed = await failed(() => toolkits.authorize("ada", "linear"));
  assert.ok(managed.message.includes("/connected_accounts/link"), String(managed));
  const [made] = (await configs.list({ toolkit: "linear" })).items;
  assert.ok(made && made.name === "Linear Auth Config" && made.isComposioManaged === true, made?.name);
  const request = await accounts.link("ada", made.id);
  assert.equal((await accounts.get(request.id)).status, "INITIALIZING");
  await configs.delete(made.id);
  const none = await failed(() => toolkits.authorize("ada", "notion"));
  assert.ok(none instanceof ComposioAuthConfigNotFoundError, String(none));
  log("auth_config.create", "auth_config.delete", "auth_config.create", "connection.create", "auth_config.delete");
}

// Connected accounts of every scheme that the SDK has words for, from `initiate` to their end.
import assert from "node:assert/strict";
import { AuthScheme, type AuthSchemeType, ComposioMultipleConnectedAccountsError } from "@composio/core";
import { failed, foreign, log, ours, reading, refused, secret } from "./world.js";

type Config = ReturnType<typeof AuthScheme.APIKey>;

const CLIENT = { client_id: "client", client_secret: secret("client") };

/** A credential of each scheme, in the SDK's own words where it has some, and the config's own. */
const SCHEMES: [AuthSchemeType, Config, Record<string, string>?][] = [
  ["API_KEY", AuthScheme.APIKey({ api_key: secret("key"), region: "eu" })],
  ["API_KEY", AuthScheme.APIKey({ generic_api_key: secret("key") })],
  ["BASIC", AuthScheme.Basic({ username: "ada", password: secret("password") })],
  ["BASIC_WITH_JWT", AuthScheme.BasicWithJWT({ username: "ada", password: secret("password") })],
  ["BEARER_TOKEN", AuthScheme.BearerToken({ token: secret("token") })],
  ["GOOGLE_SERVICE_ACCOUNT", AuthScheme.GoogleServiceAccount({ credentials_json: `{"key": "${secret("google")}"}` })],
  [
    "OAUTH2",
    AuthScheme.OAuth2({ access_token: secret("access"), refresh_token: secret("again"), expires_in: 60 }),
    CLIENT,
  ],
  ["OAUTH1", AuthScheme.OAuth1({ oauth_token: secret("one"), oauth_token_secret: secret("two") })],
  ["BILLCOM_AUTH", AuthScheme.BillcomAuth({ sessionId: secret("session"), devKey: secret("dev") })],
  ["CALCOM_AUTH", AuthScheme.CalcomAuth({ key: secret("calcom") })],
  ["NO_AUTH", AuthScheme.NoAuth()],
  ["SAML", { authScheme: "SAML", val: { status: "ACTIVE", assertion: secret("saml") } }],
  ["DCR_OAUTH", { authScheme: "DCR_OAUTH", val: { status: "ACTIVE", client_id: "c", access_token: secret("token") } }],
  [
    "S2S_OAUTH2",
    { authScheme: "S2S_OAUTH2", val: { status: "ACTIVE", ...CLIENT, access_token: secret("token") } },
    CLIENT,
  ],
  [
    "SERVICE_ACCOUNT",
    {
      authScheme: "SERVICE_ACCOUNT",
      val: { status: "ACTIVE", application_id: "1", installation_id: "2", private_key: secret("private") },
    },
  ],
];
const REASON = "Connection status updated by user";
/** The credential of such a scheme is given anew instead. */
const UNREFRESHED = [
  "API_KEY",
  "BASIC",
  "BASIC_WITH_JWT",
  "BEARER_TOKEN",
  "GOOGLE_SERVICE_ACCOUNT",
  "NO_AUTH",
  "SERVICE_ACCOUNT",
];

export async function accountsLive(): Promise<void> {
  const { authConfigs: configs } = ours;
  for (const [scheme, credential, credentials] of SCHEMES) {
    const options = { type: "use_custom_auth" as const, authScheme: scheme, credentials: credentials ?? {} };
    const { id } = await configs.create("stripe", options);
    await life(id, credential);
    await configs.delete(id);
    log("auth_config.create", "auth_config.delete");
  }
  await pages();
}

async function life(config: string, credential: Config): Promise<void> {
  const { connectedAccounts: accounts } = ours;
  const { status: _, ...val } = credential.val;
  const empty = Object.keys(val).length === 0;
  const creates = empty ? ["connection.create"] : ["connection.create", "connection.set_credential"];
  const request = await accounts.initiate("ada", config, { config: credential, alias: "mine" });
  log(...creates);
  assert.deepEqual([request.status, request.redirectUrl], ["ACTIVE", null]);
  const { id } = request;
  const seen = await request.waitForConnection(5_000);
  if (!empty) log("connection.hand_out");
  assert.deepEqual(seen.state, credential, credential.authScheme);
  assert.deepEqual([seen.id, seen.status, seen.statusReason, seen.isDisabled], [id, "ACTIVE", null, false]);
  assert.deepEqual([seen.alias, seen.wordId, seen.toolkit.slug, seen.params], ["mine", null, "stripe", {}]);
  const { id: under, isComposioManaged, isDisabled } = seen.authConfig;
  assert.deepEqual([under, isComposioManaged, isDisabled], [config, false, false]);
  // Masked for a key that may not see it, and always in lists: in the same shape.
  const masked = await reading.connectedAccounts.get(id);
  const [listed, ...more] = (await accounts.list({ authConfigIds: [config] })).items;
  assert.equal(more.length, 0);
  for (const view of [masked, listed]) {
    assert.deepEqual(Object.keys(view?.state?.val ?? {}).sort(), Object.keys(credential.val).sort());
    assert.ok(!JSON.stringify(view).includes(secret("")), "a secret was shown");
  }
  await refused(404, 606, () => foreign.raw.connectedAccounts.retrieve(id));

  // One user's second one is made on demand only.
  const again = await failed(() => accounts.initiate("ada", config, { config: credential }));
  assert.ok(again instanceof ComposioMultipleConnectedAccountsError, String(again));
  const second = await accounts.initiate("ada", config, { config: credential, allowMultiple: true });
  assert.deepEqual(await ours.raw.connectedAccounts.delete(second.id), { success: true });
  log(...creates, "connection.delete");

  for (const [call, status] of [
    [() => accounts.disable(id), "INACTIVE"],
    [() => accounts.enable(id), "ACTIVE"],
    [() => accounts.updateStatus(id, { enabled: false }), "INACTIVE"],
    [() => accounts.update(id, { enabled: true }), "ACTIVE"],
    [() => ours.raw.connectedAccounts.updateStatus(id, { enabled: false }), "INACTIVE"],
  ] as const) {
    assert.deepEqual(await call(), { success: true });
    log("connection.set_status");
    const changed = await reading.connectedAccounts.get(id);
    assert.deepEqual([changed.status, changed.statusReason], [status, status === "ACTIVE" ? null : REASON]);
    assert.equal(changed.state?.val.status, status);
  }
  if (UNREFRESHED.includes(credential.authScheme)) {
    await refused(409, 10409, () => accounts.refresh(id));
  } else {
    await refused(501, 10501, () => accounts.refresh(id));
  }
  // The SDK cannot change a credential, the client can.
  if (!empty) await changes(id, credential, val);
  const raw = ours.raw.connectedAccounts;
  const done = await raw.patch(id, { alias: "" });
  log("connection.update");
  assert.deepEqual(done, { success: true, id, status: "INACTIVE" });
  assert.equal((await reading.connectedAccounts.get(id)).alias, null);
  assert.deepEqual(await accounts.delete(id), { success: true });
  log("connection.delete");
  await refused(404, 606, () => raw.retrieve(id));
}

async function changes(id: string, credential: Config, val: Record<string, unknown>): Promise<void> {
  const { connectedAccounts: raw } = ours.raw;
  const change = (members: object) => {
    const connection = { state: { authScheme: credential.authScheme, val: members } };
    return raw.patch(id, { connection } as Parameters<typeof raw.patch>[1]);
  };
  // What a list showed may be written back, a value sets, null removes.
  const [listed] = (await raw.list({ connected_account_ids: [id] })).items;
  const { status: _, ...shown } = listed?.state.val as unknown as Record<string, unknown>;
  await change(shown);
  await change({ note: secret("note") });
  const noted = await raw.retrieve(id);
  assert.deepEqual(noted.state.val, { status: "INACTIVE", ...val, note: secret("note") });
  await change({ note: null });
  assert.deepEqual((await raw.retrieve(id)).state.val, { status: "INACTIVE", ...val });
  log("connection.set_credential", "connection.hand_out", "connection.set_credential", "connection.hand_out");
}

async function pages(): Promise<void> {
  const { connectedAccounts: accounts, authConfigs: configs } = ours;
  const custom = { type: "use_custom_auth" as const, authScheme: "API_KEY" as const, credentials: {} };
  const { id: config } = await configs.create("github", custom);
  const made: string[] = [];
  for (const user of ["ada", "ada", "grace", "joan"]) {
    const options = { config: AuthScheme.APIKey({ api_key: secret(user) }), allowMultiple: true };
    made.unshift((await accounts.initiate(user, config, options)).id);
    log("connection.create", "connection.set_credential");
  }
  const val = { status: "ACTIVE" as const, api_key: secret("raw") };
  const connection = { user_id: "joan", state: { authScheme: "API_KEY" as const, val } };
  const last = await ours.raw.connectedAccounts.create({ auth_config: { id: config }, connection });
  made.unshift(last.id);
  log("connection.create", "connection.set_credential");
  assert.deepEqual([last.status, last.connectionData.val.status, last.redirect_url], ["ACTIVE", "ACTIVE", null]);
  const told: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await accounts.list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
    assert.equal(page.totalPages, 3);
    told.push(...page.items.map((item) => item.id));
    cursor = page.nextCursor ?? null;
  }
  assert.deepEqual(told, made);
  for (const [filters, count] of [
    [{ userIds: ["ada", "grace"] }, 3],
    [{ toolkitSlugs: ["github", "stripe"], orderBy: "updated_at" }, 5],
    [{ statuses: ["INACTIVE", "REVOKED"] }, 0],
    [{ authConfigIds: [config], statuses: ["ACTIVE"], accountType: "ALL" }, 5],
    [{ userIds: ["nobody"] }, 0],
  ] as const) {
    const { items } = await accounts.list(filters as unknown as Parameters<typeof accounts.list>[0]);
    assert.equal(items.length, count, JSON.stringify(filters));
  }
  const oldest = await ours.raw.connectedAccounts.list({ order_direction: "asc", limit: 1 });
  assert.deepEqual([oldest.items[0]?.id, oldest.total_items, oldest.total_pages], [made.at(-1), 5, 5]);
  assert.deepEqual((await foreign.connectedAccounts.list()).items, []);
  await configs.delete(config);
  log("auth_config.create", "auth_config.delete");
  assert.deepEqual((await accounts.list()).items, []);
}

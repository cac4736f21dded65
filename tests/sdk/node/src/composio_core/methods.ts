// Every public method of the resources of the SDK and of the client under it has answered in this story; and who may
// not call it is refused, and changes nothing.
import assert from "node:assert/strict";
import { AuthScheme } from "@composio/core";
import {
  type Sdk,
  RAW_RESOURCES,
  RESOURCES,
  answered,
  foreign,
  log,
  nobody,
  ours,
  powerless,
  reading,
  refused,
  secret,
} from "./world.js";

/** The names of a resource's methods, as its class declares them, without what its types call private or protected. */
function methods(resource: object): string[] {
  const hidden = ["constructor", "getClient", "getToolkits", "getToolkitBySlug", "getAuthConfigFields"];
  return Object.getOwnPropertyNames(Object.getPrototypeOf(resource)).filter((name) => !hidden.includes(name));
}

/** What never succeeds here: there is no engine of OAuth yet, and no account is shared. */
const REFUSED = [
  "core.connectedAccounts.refresh",
  "core.connectedAccounts.updateAcl",
  "client.connectedAccounts.refresh",
];

type Call = (who: Sdk) => PromiseLike<unknown>;

/** Each change and each look at one thing, with the code of what another tenant does not find. */
function calls(config: string, id: string): [Call, number, boolean][] {
  const credential = { config: AuthScheme.APIKey({ api_key: secret("stolen") }) };
  return [
    [(who) => who.authConfigs.get(config), 302, false],
    [(who) => who.authConfigs.update(config, { type: "custom", credentials: {} }), 302, true],
    [(who) => who.authConfigs.delete(config), 302, true],
    [(who) => who.authConfigs.enable(config), 302, true],
    [(who) => who.authConfigs.disable(config), 302, true],
    [(who) => who.connectedAccounts.get(id), 606, false],
    [(who) => who.connectedAccounts.delete(id), 606, true],
    [(who) => who.connectedAccounts.refresh(id), 606, true],
    [(who) => who.connectedAccounts.enable(id), 606, true],
    [(who) => who.connectedAccounts.disable(id), 606, true],
    [(who) => who.connectedAccounts.initiate("mallory", config, credential), 302, true],
    [(who) => who.connectedAccounts.link("mallory", config), 302, true],
    [(who) => who.raw.connectedAccounts.patch(id, { alias: "stolen" }), 606, true],
    [(who) => who.raw.connectedAccounts.refresh(id), 606, true],
    [(who) => who.raw.link.create({ auth_config_id: config, user_id: "mallory" }), 302, true],
  ];
}

export async function areAllTried(): Promise<void> {
  const client = ours.plain.getClient();
  const declared = [
    ...RESOURCES.flatMap((name) => methods(ours.plain[name]).map((method) => `core.${name}.${method}`)),
    ...RAW_RESOURCES.flatMap((name) => methods(client[name]).map((method) => `client.${name}.${method}`)),
  ];
  assert.deepEqual(declared.filter((method) => !answered.has(method)).sort(), REFUSED.sort());

  const custom = { type: "use_custom_auth" as const, authScheme: "API_KEY" as const, credentials: {} };
  const { id: config } = await ours.authConfigs.create("stripe", custom);
  const kept = AuthScheme.APIKey({ api_key: secret("kept") });
  const { id } = await ours.connectedAccounts.initiate("ada", config, { config: kept });
  log("auth_config.create", "connection.create", "connection.set_credential");
  for (const [call, unknown, changes] of calls(config, id)) {
    await refused(401, 801, () => call(nobody));
    await refused(403, 812, () => call(powerless));
    if (changes) await refused(403, 812, () => call(reading));
    await refused(404, unknown, () => call(foreign));
  }
  const seen = await ours.connectedAccounts.get(id);
  assert.deepEqual([seen.state, seen.alias, seen.status], [kept, null, "ACTIVE"], "somebody changed what is ours");
  assert.equal((await ours.authConfigs.get(config)).noOfConnections, 1);
  await ours.authConfigs.delete(config);
  log("connection.hand_out", "auth_config.delete");
}

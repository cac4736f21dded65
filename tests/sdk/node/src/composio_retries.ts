// The published Composio clients (npm @composio/client, and under @composio/core) repeat what the server refuses for
// the moment: 429 beyond the rate of their key, 503 of a server that is not there yet, each after the time that
// `Retry-After` names. What the server says not to repeat they ask for once.
import assert from "node:assert/strict";
import Client, { ConflictError, RateLimitError } from "@composio/client";
import { AuthScheme, Composio } from "@composio/core";
import { setting } from "./settings.js";

type Make = (url: string, key: string) => Client;

/** Asks until the server has enough; what is asked then succeeds in the end. */
async function beyondTheRate(client: Client): Promise<void> {
  for (let asked = 0; ; asked += 1) {
    assert.ok(asked < 1_000, "there is no limit");
    try {
      await client.toolkits.retrieveCategories({ maxRetries: 0 });
    } catch (error) {
      assert.ok(error instanceof RateLimitError, String(error));
      assert.deepEqual(error.error, { message: "Rate limit exceeded. Limit: 15 requests per 1 minutes" });
      const { headers } = error;
      assert.deepEqual([headers.get("x-ratelimit"), headers.get("x-ratelimit-remaining")], ["15", "0"]);
      const wait = Number(headers.get("retry-after"));
      assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 5, String(wait));
      break;
    }
  }
  await client.authConfigs.list();
}

/** A credential that cannot be refreshed is asked for once. */
async function toldOnce(client: Client, account: string): Promise<void> {
  await assert.rejects(
    () => client.connectedAccounts.refresh(account),
    (error) => error instanceof ConflictError && error.headers.get("x-should-retry") === "false",
  );
}

/** A write that is refused once is written once. */
async function notThereYet(client: Client, name: string): Promise<string> {
  const auth_config = { type: "use_custom_auth" as const, authScheme: "API_KEY" as const, name };
  const config = await client.authConfigs.create({ toolkit: { slug: "stripe" }, auth_config });
  const val = { status: "ACTIVE" as const, generic_api_key: `key of ${name}` };
  const connection = { user_id: name, state: { authScheme: "API_KEY" as const, val } };
  const { id } = await client.connectedAccounts.create({ auth_config: { id: config.auth_config.id }, connection });
  assert.equal((await client.connectedAccounts.retrieve(id)).data["generic_api_key"], `key of ${name}`);
  return id;
}

/** The same with the SDK's own words. */
async function notThereYetEither(sdk: Composio, name: string): Promise<string> {
  const options = { type: "use_custom_auth" as const, name, authScheme: "API_KEY" as const, credentials: {} };
  const config = await sdk.authConfigs.create("stripe", options);
  const credential = AuthScheme.APIKey({ generic_api_key: `key of ${name}` });
  const request = await sdk.connectedAccounts.initiate(name, config.id, { config: credential });
  assert.deepEqual((await request.waitForConnection()).state, credential);
  return request.id;
}

const sdk = (baseURL: string, apiKey: string): Composio =>
  new Composio({ baseURL, apiKey, allowTracking: false, disableVersionCheck: true });
const makes: [string, Make][] = [
  ["CLIENT", (baseURL, apiKey) => new Client({ baseURL, apiKey })],
  ["CORE", (url, key) => sdk(url, key).getClient()],
];
for (const [name, make] of makes) {
  await beyondTheRate(make(setting("KEYWAY_URL"), setting(`KEYWAY_${name}_KEY`)));
  const [unsteady, key] = [setting("KEYWAY_UNSTEADY_URL"), setting(`KEYWAY_${name}_STEADY_KEY`)];
  const ofTheSdk = name === "CORE";
  const id = await (ofTheSdk ? notThereYetEither(sdk(unsteady, key), name) : notThereYet(make(unsteady, key), name));
  await toldOnce(make(setting("KEYWAY_URL"), key), id);
}

// The published Klavis client (npm klavis) repeats what the server refuses for the moment: 429 beyond the rate of its
// key, 503 of a server that is not there yet. It waits by a clock of its own, one second and then two.
import assert from "node:assert/strict";
import { KlavisClient, KlavisError } from "klavis";
import { key, setting, url } from "./settings.js";

const limited = new KlavisClient({ baseUrl: url, apiKey: setting("KEYWAY_LIMITED_KEY") });

/** Asks until the server has enough. */
async function enough(): Promise<KlavisError> {
  for (let asked = 0; asked < 1_000; asked += 1) {
    try {
      await limited.mcpServer.getAllMcpServers({ maxRetries: 0 });
    } catch (error) {
      assert.ok(error instanceof KlavisError, String(error));
      return error;
    }
  }
  throw new Error("there is no limit");
}

const beyond = await enough();
assert.deepEqual([beyond.statusCode, beyond.body], [429, { detail: "Rate limit exceeded" }]);
const wait = Number(beyond.rawResponse?.headers.get("retry-after"));
assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 5, String(wait));
// What is asked then succeeds in the end.
await limited.user.getAllUsers({}, { maxRetries: 5 });

// A write that is refused once is written once.
const unsteady = new KlavisClient({ baseUrl: setting("KEYWAY_UNSTEADY_URL"), apiKey: key });
const authData = { token: "token of npm" };
const done = await unsteady.user.setUserAuth({ userId: "npm", serverName: "Slack", authData });
assert.equal(done.success, true);
assert.deepEqual((await unsteady.user.getUserAuth("npm", "Slack")).authData, authData);

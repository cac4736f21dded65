// The published Klavis client (npm klavis): a credential written, read and destroyed.
import assert from "node:assert/strict";
import { KlavisClient, KlavisError } from "klavis";
import { key, url } from "./settings.js";

const servers = new KlavisClient({ baseUrl: url, apiKey: key }).mcpServer;

const made = await servers.createServerInstance({ serverName: "Linear", userId: "linus", connectionType: "SSE" });
const id = made.instanceId;

const set = await servers.setInstanceAuth({ instanceId: id, authData: { token: "npm-1" } });
assert.equal(set.success, true);
assert.deepEqual((await servers.getInstanceAuthData(id)).authData, { token: "npm-1" });

const replaced = await servers.setInstanceAuth({ instanceId: id, authData: { data: { access_token: "npm-2" } } });
assert.equal(replaced.success, true);
assert.deepEqual((await servers.getInstanceAuthData(id)).authData, { access_token: "npm-2" });
const seen = await servers.getServerInstance(id);
assert.deepEqual([seen.serverName, seen.externalUserId, seen.isAuthenticated], ["Linear", "linus", true]);

assert.equal((await servers.deleteInstanceAuth(id)).success, true);
assert.equal((await servers.getInstanceAuthData(id)).success, false);

const stranger = new KlavisClient({ baseUrl: url, apiKey: "kw_live_nobody" }).mcpServer;
await assert.rejects(
  async () => await stranger.getServerInstance(id),
  (error) => error instanceof KlavisError && error.statusCode === 403,
);

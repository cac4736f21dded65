// An instance from its making to its end: each arm of the credential, its settings, and the same credential as its
// user's.
import assert from "node:assert/strict";
import type { Klavis } from "klavis";
import { url } from "../settings.js";
import { missing, ours, plain, secret } from "./world.js";

const USER = "ada@example.com";

export async function instancesLive(): Promise<void> {
  const servers = ours.mcpServer;
  // An instance is made once per server and user, wherever the server runs.
  const made = await servers.createServerInstance({
    serverName: "Discord",
    userId: USER,
    platformName: "tests",
    connectionType: "StreamableHttp",
    legacy: false,
  });
  const { instanceId } = made;
  assert.deepEqual(made, { serverUrl: `${url}/mcp-server/instance/${instanceId}`, instanceId, oauthUrl: null });
  assert.deepEqual(await servers.createServerInstance({ serverName: "Discord", userId: USER }), made);
  const hosted = await servers.createSelfHostedServerInstance({ serverName: "Discord", userId: USER });
  assert.deepEqual(hosted, { instanceId, oauthUrl: null });
  const seen = {
    instanceId,
    authNeeded: true,
    isAuthenticated: false,
    serverName: "Discord",
    platform: "tests",
    externalUserId: USER,
    oauthUrl: null,
  };
  assert.deepEqual(await servers.getServerInstance(instanceId), seen);
  const empty = await servers.getInstanceAuthData(instanceId);
  assert.deepEqual([empty.success, empty.authData], [false, null]);
  assert.ok(empty.error);

  await credentials(instanceId);
  assert.deepEqual(await servers.getServerInstance(instanceId), { ...seen, isAuthenticated: true });
  await settings();

  // The end: of the credential, then of the instance, then of the user.
  assert.equal((await servers.deleteInstanceAuth(instanceId)).success, true);
  assert.deepEqual(await servers.getInstanceAuthData(instanceId), empty);
  assert.deepEqual(await servers.getServerInstance(instanceId), seen);
  const last = { instanceId, authData: { token: secret("last") } };
  assert.equal((await servers.setInstanceAuth(last)).success, true);
  assert.equal((await servers.deleteServerInstance(instanceId)).success, true);
  await missing("Instance", () => servers.getServerInstance(instanceId));
  await missing("Instance", () => servers.getInstanceAuthData(instanceId));
  await missing("Instance", () => servers.deleteServerInstance(instanceId));
  await missing("Instance", () => servers.setInstanceAuth(last));
  const left = await ours.user.getUserAuth(USER, "Discord");
  assert.deepEqual([left.success, left.authData, left.isAuthenticated], [false, null, false]);
  assert.equal((await ours.user.deleteUserByUserId(USER)).success, true);
  await missing("User", () => ours.user.getUserByUserId(USER));
}

/** Both arms are stored as they were sent, each replaces what was there, and the user's view is the same. */
async function credentials(instanceId: string): Promise<void> {
  const nested = {
    bot_token: secret("bot"),
    guilds: [1, 2.5, { name: "ünï", deep: [[], {}, "\u2028"] }],
    none: null,
    flag: false,
  };
  const token = { token: secret("token") };
  const apiKey = { api_key: secret("key") };
  const both = { token: secret("both"), api_key: secret("too") };
  const arms: [Klavis.SetAuthRequest.AuthData, object][] = [
    [token, token],
    [apiKey, apiKey],
    [both, both],
    [{ data: nested }, nested],
  ];
  for (const [authData, kept] of arms) {
    assert.equal((await ours.mcpServer.setInstanceAuth({ instanceId, authData })).success, true);
    const stored = await ours.mcpServer.getInstanceAuthData(instanceId);
    assert.deepEqual(stored, { success: true, authData: kept, error: null });
    const asUser = await ours.user.getUserAuth(USER, "Discord");
    assert.deepEqual([asUser.authData, asUser.isAuthenticated], [kept, true]);
  }
  // Nothing to store changes nothing.
  const nothings: Klavis.SetAuthRequest.AuthData[] = [{}, { token: "" }, { data: {} }, { data: { a: null, b: "" } }];
  for (const authData of nothings) {
    const said = await ours.mcpServer.setInstanceAuth({ instanceId, authData });
    assert.equal(said.success, false);
    assert.ok(said.message);
  }
  assert.deepEqual((await ours.mcpServer.getInstanceAuthData(instanceId)).authData, nested);
}

/** What this client cannot ask for is asked for without it. */
async function settings(): Promise<void> {
  const { instanceId } = await ours.mcpServer.createServerInstance({
    serverName: "Linear",
    userId: USER,
    connectionType: "SSE",
  });
  const path = `/mcp-server/instance/${instanceId}`;
  for (const [asked, becomes] of [[null, false], [true, true], [null, true], [false, false], [null, false]]) {
    const [status, done] = await plain("PATCH", path, { isReadOnly: asked });
    assert.deepEqual([status, done.instanceId, done.isReadOnly], [200, instanceId, becomes]);
  }

  // A service without any authentication takes no credential.
  const billing = await ours.mcpServer.createServerInstance({
    serverName: "billing" as Klavis.McpServerName,
    userId: USER,
  });
  const seen = await ours.mcpServer.getServerInstance(billing.instanceId);
  assert.deepEqual([seen.serverName, seen.authNeeded, seen.isAuthenticated], ["Billing", false, false]);
  const unwanted = { instanceId: billing.instanceId, authData: { token: secret("unwanted") } };
  assert.equal((await ours.mcpServer.setInstanceAuth(unwanted)).success, false);
  assert.equal((await ours.mcpServer.getInstanceAuthData(billing.instanceId)).authData, null);
}

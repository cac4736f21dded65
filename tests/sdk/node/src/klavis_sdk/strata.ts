// Strata: a group of one user's connections, and the servers of others beside them.
import assert from "node:assert/strict";
import type { Klavis } from "klavis";
import { url } from "../settings.js";
import { missing, ours, plain, secret } from "./world.js";

const USER = "linus";
const [WIKI, MOVED] = ["https://wiki.example.com/mcp", "https://new.example.com/mcp"];
const [DOCS, NOTES] = ["https://docs.example.com/mcp", "http://notes.example.com/"];

/** What is told of external servers: never the headers. */
function external(shown: Klavis.ExternalServerInfo[] | undefined): Record<string, string> {
  assert.ok(shown);
  for (const server of shown) assert.equal(server.headers, null, server.name);
  return Object.fromEntries(shown.map((server) => [server.name, server.url]));
}

async function shows(strataId: string, servers: string[], others: Record<string, string>): Promise<void> {
  const seen = await ours.mcpServer.getStrataServer(strataId);
  assert.deepEqual([seen.strataId, seen.oauthUrls, seen.apiKeyUrls], [strataId, {}, {}]);
  assert.deepEqual([...seen.connectedServers].sort(), servers);
  assert.deepEqual(external(seen.connectedExternalServers), others);
  // The same without the SDK.
  const [status, raw] = await plain("GET", `/mcp-server/strata/${strataId}`);
  assert.equal(status, 200);
  assert.deepEqual(raw, seen);
  assert.ok(!JSON.stringify(raw).includes(secret("")), "a secret was shown");
}

export async function strataLive(): Promise<void> {
  const servers = ours.mcpServer;
  const headers = { Authorization: `Bearer ${secret("header")}`, "X-Team": secret("team") };
  const made = await servers.createStrataServer({
    userId: USER,
    servers: ["Slack", "GitHub"],
    externalServers: [{ name: "wiki", url: WIKI, headers }, { name: "docs", url: DOCS }],
    enableAuthHandling: false,
  });
  const { strataId } = made;
  assert.ok(made.strataServerUrl.startsWith(`${url}/`) && made.strataServerUrl.includes(strataId));
  assert.deepEqual([...made.addedServers].sort(), ["GitHub", "Slack"]);
  assert.deepEqual(external(made.addedExternalServers), { wiki: WIKI, docs: DOCS });
  // No link leads to a page that is not there.
  assert.deepEqual([made.oauthUrls, made.apiKeyUrls], [{}, {}]);
  await shows(strataId, ["GitHub", "Slack"], { wiki: WIKI, docs: DOCS });

  // What is there already stays; an external server is replaced by its name.
  const more = await servers.addServersToStrata({
    strataId,
    servers: ["Gmail"],
    externalServers: [{ name: "wiki", url: MOVED, headers: { "X-Key": secret("moved") } }, { name: "notes", url: NOTES }],
  });
  assert.deepEqual([more.addedServers, more.oauthUrls, more.apiKeyUrls], [["Gmail"], {}, {}]);
  assert.deepEqual(external(more.addedExternalServers), { wiki: MOVED, notes: NOTES });
  for (const nothing of [{}, { servers: [], externalServers: [] }]) {
    const none = await servers.addServersToStrata({ strataId, ...nothing });
    assert.deepEqual([none.addedServers, none.addedExternalServers], [[], []]);
  }
  await shows(strataId, ["GitHub", "Gmail", "Slack"], { wiki: MOVED, docs: DOCS, notes: NOTES });

  await credentials(strataId);
  await removal(strataId);
  await everything();

  // A strata ends with its user.
  assert.equal((await ours.user.deleteUserByUserId(USER)).success, true);
  await missing("Strata", () => servers.getStrataServer(strataId));
  await missing("Strata", () => servers.getStrataAuth(strataId, "Slack"));
}

/** Written through the strata, the user or the instance, it is one credential. */
async function credentials(strataId: string): Promise<void> {
  const { mcpServer: servers, user: users } = ours;
  const serverName = "Slack";
  const { instanceId } = await servers.createServerInstance({ serverName, userId: USER });
  const everywhere = async (kept: object | null): Promise<void> => {
    const there = kept !== null;
    const strata = await servers.getStrataAuth(strataId, serverName);
    assert.deepEqual([strata.success, strata.serverName, strata.isAuthenticated], [there, serverName, there]);
    const user = await users.getUserAuth(USER, serverName);
    const instance = await servers.getInstanceAuthData(instanceId);
    for (const view of [strata, user, instance]) assert.deepEqual([view.success, view.authData], [there, kept]);
  };
  await everywhere(null);
  const [token, apiKey] = [{ token: secret("token") }, { api_key: secret("key") }];
  const data = { bot_token: secret("bot"), team: { id: 7 } };
  const arms: [Klavis.SetAuthRequest.AuthData, object][] = [[token, token], [apiKey, apiKey], [{ data }, data]];
  for (const [authData, kept] of arms) {
    assert.equal((await servers.setStrataAuth({ strataId, serverName, authData })).success, true);
    await everywhere(kept);
  }
  assert.equal((await servers.setStrataAuth({ strataId, serverName, authData: { data: {} } })).success, false);
  await everywhere(data);
  const authData = { token: secret("by-user") };
  assert.equal((await users.setUserAuth({ userId: USER, serverName, authData })).success, true);
  await everywhere(authData);
  assert.equal((await servers.deleteStrataAuth(strataId, serverName)).success, true);
  await everywhere(null);
  assert.equal((await servers.setStrataAuth({ strataId, serverName, authData })).success, true);

  // A server that is no member is not reached through the strata.
  for (const said of [
    await servers.setStrataAuth({ strataId, serverName: "Notion", authData }),
    await servers.getStrataAuth(strataId, "Notion"),
    await servers.deleteStrataAuth(strataId, "Notion"),
  ]) {
    assert.equal(said.success, false);
    assert.ok(said.message);
  }
}

async function removal(strataId: string): Promise<void> {
  const servers = ours.mcpServer;
  const remove = async (
    request: Parameters<typeof servers.deleteServersFromStrata>[1],
    names: string[],
    others: string[],
  ): Promise<void> => {
    const gone = await servers.deleteServersFromStrata(strataId, request);
    assert.deepEqual([[...gone.deletedServers].sort(), gone.deletedExternalServers], [names, others]);
  };
  await remove({ servers: ["Slack", "Notion"], externalServers: "wiki,none" }, ["Slack"], ["wiki"]);
  await remove({ externalServers: "docs" }, [], ["docs"]);
  await shows(strataId, ["GitHub", "Gmail"], { notes: NOTES });
  assert.equal((await servers.getStrataAuth(strataId, "Slack")).success, false);
  // The connection that left the strata is still its user's.
  assert.deepEqual((await ours.user.getUserAuth(USER, "Slack")).authData, { token: secret("by-user") });
  await remove({ servers: "ALL" }, ["GitHub", "Gmail"], []);
  await remove({}, [], []);
  await shows(strataId, [], { notes: NOTES });
}

/** `ALL` is every service of the tenant that has a name of Klavis' or of the catalogue; each strata is one of its own. */
async function everything(): Promise<void> {
  const servers = ours.mcpServer;
  const empty = await servers.createStrataServer({ userId: USER });
  assert.deepEqual([empty.addedServers, empty.addedExternalServers], [[], []]);
  const all = await servers.createStrataServer({ userId: USER, servers: "ALL" });
  assert.notEqual(all.strataId, empty.strataId);
  const names = [...all.addedServers].sort();
  for (const name of ["GitHub", "Gmail", "Slack"]) assert.ok(names.includes(name), name);
  assert.ok(!names.includes("Billing"));
  const more = await servers.addServersToStrata({ strataId: empty.strataId, servers: "ALL" });
  assert.deepEqual([...more.addedServers].sort(), names);
  await shows(empty.strataId, names, {});
  assert.deepEqual((await servers.getStrataAuth(empty.strataId, "Slack")).authData, { token: secret("by-user") });
  const gone = await servers.deleteServersFromStrata(all.strataId, { servers: ["ALL"] });
  assert.deepEqual([...gone.deletedServers].sort(), names);
  await shows(all.strataId, [], {});
}

// Users: their credentials by the server's name, their integrations, their list in pages, and their end.
import assert from "node:assert/strict";
import type { Klavis } from "klavis";
import { foreign, missing, ours, plain, secret } from "./world.js";

// As a path it must be encoded as a whole.
const USER = "grace hopper|1906 ü?#%";
const MANY = [0, 1, 2, 3, 4].map((number) => `user-${number}`);

const moment = (text: string): number => {
  assert.match(text, /(Z|\+00:00)$/);
  const read = Date.parse(text);
  assert.ok(!Number.isNaN(read), text);
  return read;
};

/** The client's own type is a list of names; the service has told of each name's state since. */
async function integrations(): Promise<Record<string, boolean>> {
  const { integrations } = await ours.user.getUserIntegrations(USER);
  const items = integrations as unknown as { name: string; is_authenticated: boolean }[];
  return Object.fromEntries(items.map((item) => [item.name, item.is_authenticated]));
}

export async function usersLive(): Promise<void> {
  await credentials();
  await pages();
  await end();
}

async function credentials(): Promise<void> {
  const { user: users, mcpServer: servers } = ours;
  const serverName = "Google Calendar";
  await missing("User", () => users.getUserByUserId(USER));
  await missing("User", () => users.getUserIntegrations(USER));
  await missing("User", () => users.getUserAuth(USER, serverName));
  await missing("User", () => users.deleteUserAuth(USER, serverName));
  await missing("User", () => users.deleteUserByUserId(USER));

  // Nothing to store makes nobody.
  assert.equal((await users.setUserAuth({ userId: USER, serverName, authData: {} })).success, false);
  await missing("User", () => users.getUserByUserId(USER));

  // An instance alone makes a user who has used nothing.
  const slack = await servers.createServerInstance({ serverName: "Slack", userId: USER });
  const user = await users.getUserByUserId(USER);
  assert.deepEqual([user.userId, user.lastUsedAt], [USER, null]);
  const empty = await users.getUserAuth(USER, "Slack");
  assert.deepEqual([empty.success, empty.authData, empty.isAuthenticated], [false, null, false]);
  assert.ok(empty.message);

  // A credential makes the connection where there is none; it is the instance's credential too.
  const data = { access_token: secret("calendar"), scopes: ["read", "write"], expires_in: 3600 };
  assert.equal((await users.setUserAuth({ userId: USER, serverName, authData: { data } })).success, true);
  const used = await users.getUserByUserId(USER);
  assert.equal(used.createdAt, user.createdAt);
  assert.ok(used.lastUsedAt && moment(used.lastUsedAt) >= moment(user.createdAt), used.lastUsedAt);
  assert.deepEqual(await users.getUserAuth(USER, serverName), {
    success: true,
    userId: USER,
    serverName,
    authData: data,
    isAuthenticated: true,
    message: null,
  });
  const later = await users.getUserByUserId(USER);
  assert.ok(later.lastUsedAt && later.lastUsedAt !== used.lastUsedAt, later.lastUsedAt);
  const { instanceId } = await servers.createServerInstance({ serverName, userId: USER });
  assert.deepEqual((await servers.getInstanceAuthData(instanceId)).authData, data);
  // The other arm replaces the whole credential.
  const authData = { token: secret("replaced") };
  assert.equal((await users.setUserAuth({ userId: USER, serverName, authData })).success, true);
  assert.deepEqual((await servers.getInstanceAuthData(instanceId)).authData, authData);
  const theirs = { api_key: secret("slack") };
  assert.equal((await servers.setInstanceAuth({ instanceId: slack.instanceId, authData: theirs })).success, true);
  assert.deepEqual((await users.getUserAuth(USER, "Slack")).authData, theirs);

  // Only what Klavis has a name for is listed.
  await servers.createServerInstance({ serverName: "Billing" as Klavis.McpServerName, userId: USER });
  assert.deepEqual(await integrations(), { "Google Calendar": true, Slack: true });
  // Deleting a credential twice is no fault, and leaves the connection.
  for (const _ of [1, 2]) assert.equal((await users.deleteUserAuth(USER, serverName)).success, true);
  assert.equal((await servers.getInstanceAuthData(instanceId)).authData, null);
  assert.deepEqual(await integrations(), { "Google Calendar": false, Slack: true });
}

async function pages(): Promise<void> {
  const users = ours.user;
  for (const userId of MANY) {
    const done = await users.setUserAuth({ userId, serverName: "Notion", authData: { token: secret(userId) } });
    assert.equal(done.success, true);
  }
  const whole = await users.getAllUsers();
  assert.deepEqual([whole.page, whole.pageSize, whole.totalCount, whole.totalPages], [1, 50, 6, 1]);
  assert.deepEqual(whole.users.map((user) => user.userId), [USER, ...MANY]);
  const made = whole.users.map((user) => moment(user.createdAt));
  assert.deepEqual(made, [...made].sort((one, other) => one - other));
  const told: Klavis.UserInfo[] = [];
  for (const number of [1, 2, 3]) {
    const page = await users.getAllUsers({ page_size: 2, page_number: number });
    assert.deepEqual([page.page, page.pageSize, page.totalCount, page.totalPages], [number, 2, 6, 3]);
    told.push(...page.users);
  }
  assert.deepEqual(told, whole.users);
  const beyond = await users.getAllUsers({ page_size: 4, page_number: 3 });
  assert.deepEqual(beyond, { users: [], totalCount: 6, page: 3, pageSize: 4, totalPages: 2 });
  // The same without the SDK, from where it never goes: the list's address without its slash.
  const [status, raw] = await plain("GET", "/user?page_size=1000");
  assert.equal(status, 200);
  assert.deepEqual(raw.users, whole.users);
  assert.equal((await foreign.user.getAllUsers()).totalCount, 0);
}

async function end(): Promise<void> {
  const { user: users, mcpServer: servers } = ours;
  const { instanceId } = await servers.createServerInstance({ serverName: "Slack", userId: USER });
  for (const user of [USER, ...MANY]) {
    await missing("User", () => foreign.user.deleteUserByUserId(user));
    const done = await users.deleteUserByUserId(user);
    assert.equal(done.success, true);
    assert.ok(done.message);
    await missing("User", () => users.getUserByUserId(user));
    await missing("User", () => users.deleteUserByUserId(user));
    await missing("User", () => users.getUserAuth(user, "Slack"));
  }
  await missing("Instance", () => servers.getServerInstance(instanceId));
  await missing("Instance", () => servers.getInstanceAuthData(instanceId));
  // Who comes back under the same name starts anew.
  const back = await servers.createServerInstance({ serverName: "Slack", userId: USER });
  assert.notEqual(back.instanceId, instanceId);
  assert.equal((await users.getUserAuth(USER, "Slack")).authData, null);
  assert.equal((await users.deleteUserByUserId(USER)).success, true);
}

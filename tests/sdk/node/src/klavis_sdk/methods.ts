// Every public method of the client's resources: it has answered in this story, or it is none of ours and ends in 404;
// and who may not call it hears 401, 403 or 404, and changes nothing.
import assert from "node:assert/strict";
import {
  type Client,
  answered,
  foreign,
  keyless,
  missing,
  nobody,
  ours,
  powerless,
  reading,
  refused,
  secret,
} from "./world.js";

type Call = (who: Client) => PromiseLike<unknown>;

// Tools are called elsewhere, and the agent's page of OAuth is the server's own (`oauthUrl`).
const NOT_OURS: Record<string, Call> = {
  "mcpServer.callTools": (who) => who.mcpServer.callTools({ serverUrl: "https://example.com/mcp", toolName: "tool" }),
  "mcpServer.listTools": (who) => who.mcpServer.listTools({ serverUrl: "https://example.com/mcp" }),
  "mcpServer.getTools": (who) => who.mcpServer.getTools("Slack"),
  "mcpServer.listRawActions": (who) => who.mcpServer.listRawActions("any"),
  "mcpServer.listStrataRawActions": (who) => who.mcpServer.listStrataRawActions("any", { server: "Slack" }),
  "mcpServer.getOauthUrl": (who) => who.mcpServer.getOauthUrl(),
};

/** The names of a resource's methods, as its class declares them. */
function methods(resource: object): string[] {
  const declared = Object.getOwnPropertyNames(Object.getPrototypeOf(resource));
  return declared.filter((name) => name !== "constructor" && !name.startsWith("_"));
}

interface Place {
  instanceId: string;
  strataId: string;
  userId: string;
  clientId: string;
}

/** Every method of ours: its call, the scope it takes, and what another tenant does not find. */
function table({ instanceId, strataId, userId, clientId }: Place): Record<string, [Call, string?, string?]> {
  const authData = { token: secret("stolen") };
  const [reads, writes, reveals] = ["connections:read", "connections:write", "credentials:read"];
  const serverName = "Slack";
  const label = { client_id: clientId, client_secret: secret("label"), server_name: "Slack" as const };
  return {
    "mcpServer.createServerInstance": [(who) => who.mcpServer.createServerInstance({ serverName, userId }), writes],
    "mcpServer.createSelfHostedServerInstance": [
      (who) => who.mcpServer.createSelfHostedServerInstance({ serverName, userId }),
      writes,
    ],
    "mcpServer.getServerInstance": [(who) => who.mcpServer.getServerInstance(instanceId), reads, "Instance"],
    "mcpServer.deleteServerInstance": [(who) => who.mcpServer.deleteServerInstance(instanceId), writes, "Instance"],
    "mcpServer.getInstanceAuthData": [(who) => who.mcpServer.getInstanceAuthData(instanceId), reveals, "Instance"],
    "mcpServer.deleteInstanceAuth": [(who) => who.mcpServer.deleteInstanceAuth(instanceId), writes, "Instance"],
    "mcpServer.setInstanceAuth": [
      (who) => who.mcpServer.setInstanceAuth({ instanceId, authData }),
      writes,
      "Instance",
    ],
    "mcpServer.getAllMcpServers": [(who) => who.mcpServer.getAllMcpServers()],
    "mcpServer.createStrataServer": [(who) => who.mcpServer.createStrataServer({ userId, servers: "ALL" }), writes],
    "mcpServer.addServersToStrata": [
      (who) => who.mcpServer.addServersToStrata({ strataId, servers: ["Slack"] }),
      writes,
      "Strata",
    ],
    "mcpServer.deleteServersFromStrata": [
      (who) => who.mcpServer.deleteServersFromStrata(strataId, { servers: "ALL" }),
      writes,
      "Strata",
    ],
    "mcpServer.getStrataServer": [(who) => who.mcpServer.getStrataServer(strataId), reads, "Strata"],
    "mcpServer.getStrataAuth": [(who) => who.mcpServer.getStrataAuth(strataId, serverName), reveals, "Strata"],
    "mcpServer.deleteStrataAuth": [(who) => who.mcpServer.deleteStrataAuth(strataId, serverName), writes, "Strata"],
    "mcpServer.setStrataAuth": [
      (who) => who.mcpServer.setStrataAuth({ strataId, serverName, authData }),
      writes,
      "Strata",
    ],
    "user.getUserIntegrations": [(who) => who.user.getUserIntegrations(userId), reads, "User"],
    "user.getUserByUserId": [(who) => who.user.getUserByUserId(userId), reads, "User"],
    "user.deleteUserByUserId": [(who) => who.user.deleteUserByUserId(userId), writes, "User"],
    "user.getAllUsers": [(who) => who.user.getAllUsers(), reads],
    "user.setUserAuth": [(who) => who.user.setUserAuth({ userId, serverName, authData }), writes],
    "user.getUserAuth": [(who) => who.user.getUserAuth(userId, serverName), reveals, "User"],
    "user.deleteUserAuth": [(who) => who.user.deleteUserAuth(userId, serverName), writes, "User"],
    "whiteLabeling.createWhiteLabeling": [
      (who) => who.whiteLabeling.createWhiteLabeling(label),
      "auth_configs:write",
    ],
    "whiteLabeling.getWhiteLabelingByClientId": [
      (who) => who.whiteLabeling.getWhiteLabelingByClientId(clientId),
      "auth_configs:read",
      "White label",
    ],
  };
}

export async function areAllTried(): Promise<void> {
  const { mcpServer: servers, user: users, whiteLabeling: labels } = ours;
  const [userId, clientId] = ["mallory's target", "client-of-ours"];
  const kept = { token: secret("kept") };
  assert.equal((await users.setUserAuth({ userId, serverName: "Slack", authData: kept })).success, true);
  const { instanceId } = await servers.createServerInstance({ serverName: "Slack", userId });
  const { strataId } = await servers.createStrataServer({ userId, servers: ["Slack"] });
  const label = { client_id: clientId, client_secret: secret("label"), server_name: "Slack" as const };
  await labels.createWhiteLabeling(label);

  const calls = table({ instanceId, strataId, userId, clientId });
  const declared = Object.entries({ mcpServer: servers, user: users, whiteLabeling: labels }).flatMap(
    ([name, resource]) => methods(resource).map((method) => `${name}.${method}`),
  );
  assert.deepEqual(declared.sort(), [...Object.keys(calls), ...Object.keys(NOT_OURS)].sort());
  assert.deepEqual([...answered].sort(), Object.keys(calls).sort());

  for (const [method, call] of Object.entries(NOT_OURS)) {
    const error = await refused(() => call(ours));
    assert.deepEqual([error.statusCode, error.body], [404, { detail: "Not Found" }], method);
  }
  for (const [method, [call, scope, notFound]] of Object.entries(calls)) {
    const unsigned = await refused(() => call(keyless));
    assert.deepEqual([unsigned.statusCode, unsigned.body], [401, { detail: "Not authenticated" }], method);
    assert.equal(unsigned.rawResponse?.headers.get("www-authenticate"), "Bearer", method);
    const unknown = await refused(() => call(nobody));
    assert.deepEqual([unknown.statusCode, unknown.body], [403, { detail: "Invalid API key" }], method);
    if (scope !== undefined) {
      const readable = scope === "connections:read" || scope === "auth_configs:read";
      for (const who of readable ? [powerless] : [powerless, reading]) {
        const lesser = await refused(() => call(who));
        assert.equal(lesser.statusCode, 403, method);
        assert.ok((lesser.body as { detail: string }).detail.includes(scope), method);
      }
    }
    if (notFound !== undefined) await missing(notFound, () => call(foreign));
  }

  // The pages of OAuth come with its engine: until then each says so, without a key too. This client would ask again.
  const once = { maxRetries: 0 };
  for (const page of [
    () => keyless.oauth.authorizeSlack({ instance_id: instanceId }, once),
    () => keyless.oauth.authorizeGithub({ instance_id: instanceId, scope: "repo,gist" }, once),
    () => keyless.oauth.authorizeMonday({ instance_id: "any", client_id: "any" }, once),
  ]) {
    const error = await refused(page);
    assert.equal(error.statusCode, 501, page.toString());
    assert.equal(typeof (error.body as { detail: unknown }).detail, "string", page.toString());
  }

  assert.deepEqual((await servers.getInstanceAuthData(instanceId)).authData, kept, "somebody changed what is ours");
  assert.deepEqual((await users.getUserAuth(userId, "Slack")).authData, kept);
  assert.deepEqual((await servers.getStrataServer(strataId)).connectedServers, ["Slack"]);
  assert.equal((await users.deleteUserByUserId(userId)).success, true);
}

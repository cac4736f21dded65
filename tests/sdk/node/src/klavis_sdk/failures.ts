// 422 with every fault at once, in the client's own class; the faults name a place and repeat no secret.
import assert from "node:assert/strict";
import { Klavis } from "klavis";
import { missing, ours, refused, secret } from "./world.js";

const [NAMES, NAME, ALL] = ["list[str-enum[McpServerName]]", "str-enum[McpServerName]", "literal['ALL']"];

type Fault = [type: string, ...loc: (string | number)[]];

export async function areToldApart(): Promise<void> {
  const { mcpServer: servers, user: users, whiteLabeling: labels } = ours;
  const userId = "ada";
  const { instanceId } = await servers.createServerInstance({ serverName: "Discord", userId });
  const kept = { token: secret("kept") };
  assert.equal((await servers.setInstanceAuth({ instanceId, authData: kept })).success, true);
  const { strataId } = await servers.createStrataServer({ userId, servers: ["Discord"] });
  const unknown = "No Such Server" as Klavis.McpServerName;
  const both = { token: secret("mixed"), data: { key: secret("inner") } };
  const mixed: Fault[] = [
    ["extra_forbidden", "body", "authData", "ApiKeyAuth", "data"],
    ["extra_forbidden", "body", "authData", "GeneralAuth", "token"],
  ];
  const badId: Fault = ["uuid_parsing", "path", "instanceId"];
  const nameInPath: Fault = ["enum", "path", "serverName"];

  const wrong: [() => PromiseLike<unknown>, ...Fault[]][] = [
    [
      () => servers.createServerInstance({ serverName: unknown, userId: "", connectionType: "Pigeon" as "SSE" }),
      ["enum", "body", "serverName"],
      ["string_too_short", "body", "userId"],
      ["enum", "body", "connectionType"],
    ],
    [
      () => servers.createSelfHostedServerInstance({ serverName: unknown, userId: "" }),
      ["enum", "body", "serverName"],
      ["string_too_short", "body", "userId"],
    ],
    [() => servers.getServerInstance("no-uuid"), badId],
    [() => servers.deleteServerInstance("no-uuid"), badId],
    [() => servers.getInstanceAuthData("no-uuid"), badId],
    [() => servers.deleteInstanceAuth("no-uuid"), badId],
    [() => servers.setInstanceAuth({ instanceId, authData: both }), ...mixed],
    [
      () => servers.setInstanceAuth({ instanceId, authData: { data: [secret("list")] as unknown as {} } }),
      ["extra_forbidden", "body", "authData", "ApiKeyAuth", "data"],
      ["dict_type", "body", "authData", "GeneralAuth", "data"],
    ],
    [
      () => users.setUserAuth({ userId: "", serverName: unknown, authData: both }),
      ["string_too_short", "body", "userId"],
      ["enum", "body", "serverName"],
      ...mixed,
    ],
    [() => users.getUserAuth(userId, unknown), nameInPath],
    [() => users.deleteUserAuth(userId, unknown), nameInPath],
    [
      () => users.getAllUsers({ page_size: 0, page_number: 0 }),
      ["greater_than_equal", "query", "page_size"],
      ["greater_than_equal", "query", "page_number"],
    ],
    [
      () => users.getAllUsers({ page_size: 1001, page_number: NaN }),
      ["less_than_equal", "query", "page_size"],
      ["int_parsing", "query", "page_number"],
    ],
    [
      () =>
        servers.createStrataServer({
          userId: "",
          servers: "SOME" as "ALL",
          externalServers: [{ name: "", url: "", headers: { "X-Key": secret("header") } }],
        }),
      ["string_too_short", "body", "userId"],
      ["list_type", "body", "servers", NAMES],
      ["literal_error", "body", "servers", ALL],
      ["string_too_short", "body", "externalServers", 0, "name"],
      ["string_too_short", "body", "externalServers", 0, "url"],
    ],
    [
      () => servers.addServersToStrata({ strataId, servers: ["Discord", unknown] }),
      ["enum", "body", "servers", NAMES, 1],
      ["literal_error", "body", "servers", ALL],
    ],
    [
      () => servers.deleteServersFromStrata(strataId, { servers: ["Discord", unknown] }),
      ["enum", "query", "servers", 1, NAME],
      ["literal_error", "query", "servers", 1, ALL],
    ],
    [
      () => servers.setStrataAuth({ strataId, serverName: unknown, authData: both }),
      ["enum", "body", "serverName"],
      ...mixed,
    ],
    [() => servers.getStrataAuth(strataId, unknown), nameInPath],
    [() => servers.deleteStrataAuth(strataId, unknown), nameInPath],
    [
      () =>
        labels.createWhiteLabeling({
          client_id: 1 as unknown as string,
          client_secret: [secret("client")] as unknown as string,
          server_name: "No Such Server" as Klavis.OAuthServerName,
        }),
      ["string_type", "body", "client_id"],
      ["string_type", "body", "client_secret"],
      ["enum", "body", "server_name"],
    ],
  ];
  for (const [call, ...faults] of wrong) {
    const error = await refused(call);
    assert.ok(error instanceof Klavis.UnprocessableEntityError, `${error.statusCode}: ${call.toString()}`);
    assert.equal(error.statusCode, 422);
    const { detail } = error.body as Klavis.HttpValidationError;
    assert.ok(detail && detail.every((item) => item.msg.length > 0));
    assert.deepEqual(detail.map((item) => [item.type, ...item.loc]), faults, call.toString());
  }

  // Nothing was changed by any of them.
  assert.deepEqual((await servers.getInstanceAuthData(instanceId)).authData, kept);
  assert.deepEqual((await servers.getStrataServer(strataId)).connectedServers, ["Discord"]);
  assert.deepEqual((await users.getAllUsers()).users.map((user) => user.userId), [userId]);
  const nowhere = "6f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21";
  await missing("Instance", () => servers.getServerInstance(nowhere));
  // An id in a body is text.
  await missing("Instance", () => servers.setInstanceAuth({ instanceId: "no-uuid", authData: { data: { a: "b" } } }));
  await missing("Strata", () => servers.getStrataServer(nowhere));
  await missing("Strata", () => servers.getStrataServer("no-uuid"));
  await missing("Strata", () => servers.addServersToStrata({ strataId: nowhere, servers: "ALL" }));
  await missing("User", () => users.getUserByUserId("nobody"));
  await missing("White label", () => labels.getWhiteLabelingByClientId("no-such-client"));
  assert.equal((await users.deleteUserByUserId(userId)).success, true);
}

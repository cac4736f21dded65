// Refusals with every fault at once, each with its path and none with its value; and what is in the way.
import assert from "node:assert/strict";
import { AuthScheme, ComposioAclOnlyForSharedError } from "@composio/core";
import { failed, foreign, log, ours, refused, secret } from "./world.js";

export async function areToldApart(): Promise<void> {
  const { authConfigs: configs, connectedAccounts: accounts, raw } = ours;
  const custom = { type: "use_custom_auth" as const, authScheme: "API_KEY" as const, credentials: {} };
  const { id: config } = await configs.create("stripe", { ...custom, name: "Kept" });
  const kept = AuthScheme.APIKey({ generic_api_key: secret("kept") });
  const { id } = await accounts.initiate("ada", config, { config: kept, alias: "one" });
  log("auth_config.create", "connection.create", "connection.set_credential");

  const wrong = (value: unknown): never => value as never;
  const [numbers, red] = [{ tools_available_for_execution: [1] }, secret("red")];
  for (const [call, faults] of [
    [() => raw.authConfigs.create(wrong({ toolkit: {} })), ["toolkit.slug: Required"]],
    [
      () => raw.authConfigs.update(config, wrong({ type: "custom", tool_access_config: numbers, colour: red })),
      [
        "tool_access_config.tools_available_for_execution.0: Expected string, received number",
        "colour: Unrecognized key",
      ],
    ],
    [
      () => raw.connectedAccounts.create(wrong({ auth_config: {}, connection: { user_id: 1, callback_url: red } })),
      ["auth_config.id: Required", "connection.user_id: Expected string, received number", "connection.callback_url: "],
    ],
    [() => raw.link.create(wrong({ auth_config_id: config, user_id: "" })), ["user_id: "]],
    [
      () => raw.connectedAccounts.patch(id, wrong({ alias: 1, colour: red })),
      ["alias: Expected string", "colour: Unrecognized key"],
    ],
    [() => raw.connectedAccounts.updateStatus(id, wrong({ enabled: secret("yes") })), ["enabled: Expected boolean"]],
  ] as const) {
    const said = await refused(400, 10400, call);
    assert.equal(said.message, "Validation error while processing request");
    for (const fault of faults) {
      const told = said.errors.some((line) => line.startsWith(`Error in payload.${fault}`));
      assert.ok(told, `${fault}: ${said.errors.join("\n")}`);
    }
  }
  const said = await refused(400, 612, () => accounts.initiate("grace", config));
  assert.equal(said.message, "Missing required fields: Secret key");
  const bearer = { config: AuthScheme.BearerToken({ token: secret("no") }) };
  await refused(400, 600, () => accounts.initiate("grace", config, bearer));
  await refused(404, 302, () => accounts.initiate("ada", "ac_000000000000"));
  await refused(404, 302, () => foreign.connectedAccounts.link("ada", config));
  await refused(400, 10400, () => configs.get("no-id"));
  const again = { config: kept, alias: "one", allowMultiple: true };
  await refused(409, 10409, () => accounts.initiate("ada", config, again));
  await configs.disable(config);
  assert.equal((await refused(400, 600, () => accounts.link("grace", config))).message, "Auth config is disabled");
  await configs.enable(config);
  log("auth_config.disable", "auth_config.enable");
  // Every account is its user's own: a list of who else may use it has no meaning here.
  const shared = { aclConfigForShared: { allowAllUsers: true } };
  for (const call of [
    () => accounts.updateAcl(id, { allowAllUsers: true }),
    () => accounts.link("grace", config, { experimental: shared }),
  ]) {
    const error = await failed(call);
    assert.ok(error instanceof ComposioAclOnlyForSharedError, String(error));
  }

  const { items } = await accounts.list();
  assert.deepEqual(items.map((item) => item.id), [id]);
  assert.deepEqual((await accounts.get(id)).state, kept);
  assert.equal((await configs.get(config)).name, "Kept");
  await configs.delete(config);
  log("connection.hand_out", "auth_config.delete");
}

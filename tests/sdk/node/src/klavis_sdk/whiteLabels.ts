// White labelling: the OAuth client of one's own, which is the client of an auth config that Composio's dialect shows.
import assert from "node:assert/strict";
import type { Klavis } from "klavis";
import { foreign, missing, ours, plain, reading, secret } from "./world.js";

const CALLBACK = "https://app.example.com/callback";

/** Each client id of GitHub's auth configs with its secret as it is shown, in the Composio dialect. */
async function configs(): Promise<Record<string, string>> {
  const [status, listed] = await plain("GET", "/api/v3/auth_configs?toolkit_slug=github");
  assert.equal(status, 200);
  const clients = listed.items.filter((item: any) => item.credentials.client_id !== undefined);
  return Object.fromEntries(
    clients.map((item: any) => [item.credentials.client_id, item.credentials.client_secret]),
  );
}

function shows(answer: Klavis.WhiteLabelingResponse, clientId: string): Record<string, unknown> {
  assert.equal(answer.success, true);
  assert.ok(answer.data);
  assert.deepEqual([answer.data["client_id"], answer.data["server_name"]], [clientId, "GitHub"]);
  assert.ok(!("client_secret" in answer.data) && !JSON.stringify(answer).includes(secret("")), "the secret was shown");
  return answer.data;
}

export async function whiteLabelsLive(): Promise<void> {
  const labels = ours.whiteLabeling;
  const [one, two] = ["client-one", "client-two"];
  await missing("White label", () => labels.getWhiteLabelingByClientId(one));
  const made = await labels.createWhiteLabeling({
    client_id: one,
    client_secret: secret("one"),
    server_name: "GitHub",
    callback_url: CALLBACK,
    account_id: "7b0e8d1c-52f6-4f0e-9a3b-1f2e3d4c5b6a",
  });
  assert.equal(shows(made, one)["callback_url"], CALLBACK);
  assert.deepEqual((await labels.getWhiteLabelingByClientId(one)).data, made.data);
  // Sealed it is the client's secret: of what it begins with, Composio's dialect shows four characters.
  const masked = `${secret("").slice(0, 4)}...`;
  assert.deepEqual(await configs(), { [one]: masked });

  // The same client id updates its config, another one makes another.
  const request = { client_id: one, client_secret: "secret-number-two", server_name: "GitHub" as const };
  shows(await labels.createWhiteLabeling(request), one);
  assert.deepEqual(await configs(), { [one]: "secr..." });
  shows(await labels.createWhiteLabeling({ ...request, client_id: two, client_secret: secret("two") }), two);
  assert.deepEqual(await configs(), { [one]: "secr...", [two]: masked });
  for (const client of [one, two]) {
    shows(await labels.getWhiteLabelingByClientId(client), client);
    // Whoever may read metadata may read this, and nobody else's.
    shows(await reading.whiteLabeling.getWhiteLabelingByClientId(client), client);
    await missing("White label", () => foreign.whiteLabeling.getWhiteLabelingByClientId(client));
  }
}

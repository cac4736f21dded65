// Toolkits, and the fields that they ask for.
import assert from "node:assert/strict";
import { ComposioToolkitNotFoundError } from "@composio/core";
import { failed, foreign, ours, powerless, reading } from "./world.js";

export async function toolkitsAreListed(): Promise<void> {
  const { toolkits } = ours;
  for (const who of [ours, reading, powerless, foreign]) {
    const seen = await who.toolkits.get("Zendesk");
    assert.deepEqual([seen.slug, seen.name, seen.isLocalToolkit], ["zendesk", "Zendesk", false]);
    assert.deepEqual(seen.composioManagedAuthSchemes, []);
    assert.deepEqual(seen.authConfigDetails?.map((detail) => detail.mode).sort(), ["BASIC", "OAUTH2"]);
    assert.deepEqual([seen.meta.toolsCount, seen.meta.triggersCount], [0, 0]);
  }
  const initiation = await toolkits.getConnectedAccountInitiationFields("zendesk", "BASIC", { requiredOnly: true });
  assert.deepEqual(initiation.map((field) => field.name), ["username", "password", "subdomain"]);
  assert.deepEqual(initiation.map((field) => field.isSecret ?? false), [false, true, false]);
  const creation = await toolkits.getAuthConfigCreationFields("zendesk", "OAUTH2");
  assert.deepEqual(creation.slice(0, 2).map((field) => field.name), ["client_id", "client_secret"]);
  assert.ok(await failed(() => toolkits.get("no-such-toolkit")) instanceof ComposioToolkitNotFoundError);

  const whole = await toolkits.get({ limit: 1000 });
  assert.ok(whole.length > 100);
  assert.equal(whole.find((item) => item.slug === "hackernews")?.noAuth, true);
  const sorted = await toolkits.get({ limit: 1000, sortBy: "alphabetically" });
  const slugs = sorted.map((item) => item.slug);
  assert.deepEqual(slugs, [...slugs].sort());
  const managed = await toolkits.get({ limit: 1000, managedBy: "composio" });
  assert.deepEqual(
    managed.filter((item) => item.composioManagedAuthSchemes?.length).map((item) => item.slug),
    ["linear"],
  );
  // The SDK's own list has no cursor; the client's has.
  const told: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await ours.raw.toolkits.list({ limit: 50, ...(cursor === undefined ? {} : { cursor }) });
    assert.equal(page.total_items, whole.length);
    told.push(...page.items.map((item) => item.slug));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  assert.deepEqual(told, whole.map((item) => item.slug));
  // Each of them has the shape that the SDK knows.
  for (const slug of told) assert.equal((await toolkits.get(slug)).slug, slug);
  assert.equal((await ours.raw.toolkits.retrieve("stripe")).slug, "stripe");

  const categories = await toolkits.listCategories();
  assert.equal(categories.nextCursor, null);
  assert.deepEqual((await ours.raw.toolkits.retrieveCategories()).items, categories.items);
  const first = categories.items[0];
  assert.ok(first);
  const chosen = await toolkits.get({ limit: 1000, category: first.id });
  assert.ok(chosen.length > 0 && chosen.length < whole.length);
}

// The list of servers: the catalogue and the tenant's own.
import assert from "node:assert/strict";
import { foreign, ours, plain, powerless, reading } from "./world.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function serversAreListed(): Promise<void> {
  const listed = (await ours.mcpServer.getAllMcpServers()).servers;
  const named = new Map(listed.map((server) => [server.name, server]));
  assert.equal(named.size, listed.length, "a name is listed twice");
  for (const name of ["Discord", "GitHub", "Google Calendar", "Slack"]) {
    assert.equal(named.get(name)?.authNeeded, true, name);
  }
  for (const server of listed) {
    assert.match(server.id, UUID);
    assert.equal(server.tools, null, server.name);
  }

  // The tenant's own integration, made in the Langdock dialect, is one of its servers, and nobody else's.
  const [status, made] = await plain("POST", "/integrations/v1/create", { name: "Billing", description: "Invoices" });
  assert.equal(status, 201, JSON.stringify(made));
  const again = (await ours.mcpServer.getAllMcpServers()).servers;
  const added = again.filter((server) => !named.has(server.name));
  assert.deepEqual(added.map((server) => [server.name, server.authNeeded]), [["Billing", false]]);
  const theirs = (await foreign.mcpServer.getAllMcpServers()).servers;
  assert.deepEqual(theirs.map((server) => server.name).sort(), [...named.keys()].sort());
  // Any key may ask.
  for (const anyone of [reading, powerless]) {
    assert.deepEqual((await anyone.mcpServer.getAllMcpServers()).servers, again);
  }
}

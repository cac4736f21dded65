// The published Composio SDK (npm @composio/core) and the client under it (npm @composio/client): every method of their
// auth configs, connected accounts, links and toolkits, with the values that they gave back, and each stored state read
// a second time in another way. At the end it says what the audit log must hold. Not one warning is logged.
import assert from "node:assert/strict";
import { accountsLive } from "./composio_core/accounts.js";
import { authConfigsLive } from "./composio_core/authConfigs.js";
import { areToldApart } from "./composio_core/failures.js";
import { endInAConnection } from "./composio_core/flows.js";
import { areAllTried } from "./composio_core/methods.js";
import { toolkitsAreListed } from "./composio_core/toolkits.js";
import { audited, ours, saidNothingElse } from "./composio_core/world.js";

await toolkitsAreListed();
await authConfigsLive();
await accountsLive();
await endInAConnection();
await areToldApart();
await areAllTried();
// What was made is gone, whoever asks.
assert.deepEqual((await ours.connectedAccounts.list()).items, []);
assert.deepEqual((await ours.authConfigs.list({ showDisabled: true })).items, []);
saidNothingElse();
console.log(JSON.stringify({ audited: Object.fromEntries(audited) }));

// The published Klavis client (npm klavis): everything that it can ask of a server, with the values that it gave back,
// and each stored state read a second time in another way. At the end it says what the audit log must hold.
import assert from "node:assert/strict";
import { areToldApart } from "./klavis_sdk/failures.js";
import { instancesLive } from "./klavis_sdk/instances.js";
import { areAllTried } from "./klavis_sdk/methods.js";
import { serversAreListed } from "./klavis_sdk/servers.js";
import { strataLive } from "./klavis_sdk/strata.js";
import { usersLive } from "./klavis_sdk/users.js";
import { whiteLabelsLive } from "./klavis_sdk/whiteLabels.js";
import { counted, ours } from "./klavis_sdk/world.js";

await serversAreListed();
await instancesLive();
await usersLive();
await strataLive();
await whiteLabelsLive();
await areToldApart();
await areAllTried();
// What was made is gone, whoever asks.
const left = await ours.user.getAllUsers();
assert.deepEqual(left, { users: [], totalCount: 0, page: 1, pageSize: 50, totalPages: 0 });
console.log(JSON.stringify(counted));

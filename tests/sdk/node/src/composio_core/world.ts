// The SDKs of the story, what they may ask for, and the eyes beside them.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import Client, { APIError } from "@composio/client";
import { Composio } from "@composio/core";
import { key, setting, url } from "../settings.js";

// The SDK numbers its errors with it, and Node.js has it under this name since 19 only.
globalThis.crypto ??= webcrypto as Crypto;

const canary = setting("KEYWAY_CANARY");

/** A secret that nothing but a hand-out may show. */
export const secret = (name: string): string => `${canary}-${name}`;

// What the SDK logs goes to the console. Shapes that it does not know are warnings like others.
const logged: string[] = [];
for (const level of ["warn", "error", "info"] as const) {
  console[level] = (...said: unknown[]) => void logged.push(said.map(String).join(" "));
}
/** What a story asks for: a second account of the same user. */
const EXPECTED = "[Warn:AllowMultiple]";

/** That the SDK logged nothing that the story did not ask for, and no secret. */
export function saidNothingElse(): void {
  assert.ok(logged.length > 0, "its log was not heard");
  assert.deepEqual(logged.filter((line) => !line.includes(EXPECTED)), []);
  assert.ok(!logged.join("\n").includes(canary), "a secret was logged");
}

/** The methods that answered: `core.authConfigs.list`, `client.link.create`. */
export const answered = new Set<string>();
/** What the audit log must hold. */
export const audited = new Map<string, number>();

/** Counts what a call leaves in the audit log. */
export function log(...actions: string[]): void {
  for (const action of actions) audited.set(action, (audited.get(action) ?? 0) + 1);
}

/** A resource whose methods that answered are noted. Its promises can more than be awaited, so they are kept. */
function noted<T extends object>(name: string, resource: T): T {
  return new Proxy(resource, {
    get(target, method) {
      const member: unknown = Reflect.get(target, method, target);
      if (typeof member !== "function" || typeof method !== "string") return member;
      return (...parameters: unknown[]) => {
        const promise = member.apply(target, parameters);
        promise.then(() => answered.add(`${name}.${method}`), () => undefined);
        return promise;
      };
    },
  });
}

export const RESOURCES = ["authConfigs", "connectedAccounts", "toolkits"] as const;
export const RAW_RESOURCES = ["authConfigs", "connectedAccounts", "link", "toolkits"] as const;

export type Sdk = Pick<Composio, (typeof RESOURCES)[number]> & {
  raw: Pick<Client, (typeof RAW_RESOURCES)[number]>;
  plain: Composio;
  post: Client["post"];
};

/** An SDK that asks nobody else: neither its maker's telemetry nor the registry for a newer version of itself. */
function sdk(apiKey: string): Sdk {
  const plain = new Composio({ apiKey, baseURL: url, allowTracking: false, disableVersionCheck: true });
  const client = new Client({ apiKey, baseURL: url, maxRetries: 0 });
  return {
    authConfigs: noted("core.authConfigs", plain.authConfigs),
    connectedAccounts: noted("core.connectedAccounts", plain.connectedAccounts),
    toolkits: noted("core.toolkits", plain.toolkits),
    raw: {
      authConfigs: noted("client.authConfigs", client.authConfigs),
      connectedAccounts: noted("client.connectedAccounts", client.connectedAccounts),
      link: noted("client.link", client.link),
      toolkits: noted("client.toolkits", client.toolkits),
    },
    plain,
    post: client.post.bind(client),
  };
}

/** May do everything in its tenant. */
export const ours = sdk(key);
/** Reads metadata. */
export const reading = sdk(setting("KEYWAY_READING_KEY"));
/** Has none of Composio's scopes. */
export const powerless = sdk(setting("KEYWAY_POWERLESS_KEY"));
/** Another tenant. */
export const foreign = sdk(setting("KEYWAY_FOREIGN_KEY"));
/** Sends a key that never was. */
export const nobody = sdk("kw_live_nobody");

export interface Envelope {
  message: string;
  code: number;
  slug: string;
  status: number;
  request_id: string;
  suggested_fix: string;
  errors: string[];
}

const MEMBERS = ["code", "errors", "message", "request_id", "slug", "status", "suggested_fix"];

/** The error of a call that must fail. Whatever was sent, it repeats no secret. */
export async function failed(call: () => PromiseLike<unknown>): Promise<Error> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof Error, String(error));
    assert.ok(!`${error} ${JSON.stringify(error)}`.includes(canary), "a secret was repeated");
    return error;
  }
  throw new Error(`not refused: ${call.toString()}`);
}

/** The envelope of a call that must fail so; the SDK may have wrapped the client's error in one of its own. */
export async function refused(status: number, code: number, call: () => PromiseLike<unknown>): Promise<Envelope> {
  const error = await failed(call);
  const cause = error instanceof APIError ? error : error.cause;
  assert.ok(cause instanceof APIError, String(error));
  const said = (cause.error as { error: Envelope }).error;
  assert.deepEqual(Object.keys(said).sort(), MEMBERS, call.toString());
  assert.deepEqual([cause.status, said.status, said.code], [status, status, code], JSON.stringify(said));
  assert.equal(said.request_id, cause.headers?.get("x-request-id"));
  if (status === 409 || status === 501) assert.equal(cause.headers?.get("x-should-retry"), "false");
  return said;
}

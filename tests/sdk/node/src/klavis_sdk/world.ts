// The clients of the story, what they may ask for, and the eyes beside them.
import assert from "node:assert/strict";
import { KlavisClient, KlavisError } from "klavis";
import { key, setting, url } from "../settings.js";

const canary = setting("KEYWAY_CANARY");

/** A secret that nothing but a hand-out may show. */
export const secret = (name: string): string => `${canary}-${name}`;

/** The methods that answered. */
export const answered = new Set<string>();
/** What the audit log must hold: how often a credential was stored, and how often one was handed out. */
export const counted = { stored: 0, handed_out: 0 };

const STORES = ["setInstanceAuth", "setUserAuth", "setStrataAuth"];
const HANDS_OUT = ["getInstanceAuthData", "getUserAuth", "getStrataAuth"];

function note(resource: string, method: string, answer: { success?: boolean; authData?: unknown }): void {
  answered.add(`${resource}.${method}`);
  if (STORES.includes(method) && answer.success) counted.stored += 1;
  if (HANDS_OUT.includes(method) && answer.authData != null) counted.handed_out += 1;
}

/** A resource of a client whose answers are noted. */
function noted<T extends object>(name: string, resource: T): T {
  return new Proxy(resource, {
    get(target, method) {
      const member: unknown = Reflect.get(target, method, target);
      if (typeof member !== "function" || typeof method !== "string") return member;
      return (...parameters: unknown[]) => {
        const promise = member.apply(target, parameters);
        promise.then((answer: object | undefined) => note(name, method, answer ?? {}), () => undefined);
        return promise;
      };
    },
  });
}

export type Client = Pick<KlavisClient, "mcpServer" | "user" | "whiteLabeling" | "oauth">;

function client(apiKey: string | undefined): Client {
  const plain = new KlavisClient(apiKey === undefined ? { baseUrl: url } : { baseUrl: url, apiKey });
  return {
    mcpServer: noted("mcpServer", plain.mcpServer),
    user: noted("user", plain.user),
    whiteLabeling: noted("whiteLabeling", plain.whiteLabeling),
    oauth: plain.oauth,
  };
}

/** May do everything in its tenant. */
export const ours = client(key);
/** Reads metadata. */
export const reading = client(setting("KEYWAY_READING_KEY"));
/** Has none of Klavis' scopes. */
export const powerless = client(setting("KEYWAY_POWERLESS_KEY"));
/** Another tenant. */
export const foreign = client(setting("KEYWAY_FOREIGN_KEY"));
/** Sends no key. */
export const keyless = client(undefined);
/** Sends a key that never was. */
export const nobody = client("kw_live_nobody");

/** The error of a call that must fail. Whatever was sent, it repeats no secret. */
export async function refused(call: () => PromiseLike<unknown>): Promise<KlavisError> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof KlavisError, String(error));
    const headers = [...(error.rawResponse?.headers ?? [])].join("\n");
    const said = `${error.message} ${JSON.stringify(error.body)} ${headers}`;
    assert.ok(!said.includes(canary), "a secret was repeated");
    return error;
  }
  throw new Error(`not refused: ${call.toString()}`);
}

/** That a call finds nothing. */
export async function missing(what: string, call: () => PromiseLike<unknown>): Promise<void> {
  const error = await refused(call);
  assert.deepEqual([error.statusCode, error.body], [404, { detail: `${what} not found` }], call.toString());
}

/** A request of ours without the SDK, as JSON: what it cannot ask for, and the other dialects. */
export async function plain(method: string, path: string, body?: unknown): Promise<[number, any]> {
  const sign = path.startsWith("/api/v3/") ? { "x-api-key": key } : { Authorization: `Bearer ${key}` };
  const response = await fetch(url + path, {
    method,
    headers: { ...sign, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return [response.status, await response.json()];
}

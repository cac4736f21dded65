// The hosted connect page, as a browser without JavaScript uses it: it reads the form, fills it in and sends it.
import assert from "node:assert/strict";

const attribute = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return found?.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
};

/** Where the browser is sent once the form's fields were filled in with these values. */
export async function complete(url: string, values: Record<string, string>): Promise<string | null> {
  const typed = Object.fromEntries(Object.entries(values).map(([name, value]) => [`field.${name}`, value]));
  const page = await fetch(url);
  assert.equal(page.status, 200);
  const text = await page.text();
  const form = /<form[^>]*>/.exec(text)?.[0];
  assert.ok(form && attribute(form, "method") === "post", form);
  const body = new URLSearchParams();
  for (const [input] of text.matchAll(/<(?:input|textarea)\b[^>]*>/g)) {
    const name = attribute(input, "name");
    if (name !== undefined) body.set(name, typed[name] ?? attribute(input, "value") ?? "");
  }
  for (const name of Object.keys(typed)) assert.ok(body.has(name), `${name}: ${[...body.keys()].join(" ")}`);
  const cookie = page.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  const { origin } = new URL(url);
  const sent = await fetch(new URL(attribute(form, "action") ?? "", url), {
    method: "POST",
    body,
    redirect: "manual",
    headers: { origin, referer: url, ...(cookie === "" ? {} : { cookie }) },
  });
  assert.ok(sent.status === 200 || sent.status === 303, `${sent.status} ${await sent.text()}`);
  return sent.headers.get("location");
}

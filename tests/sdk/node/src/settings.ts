// What the test run tells its clients.
export function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: these clients are run by \`make test\``);
  return value;
}

export const url = setting("KEYWAY_URL");
export const key = setting("KEYWAY_KEY");

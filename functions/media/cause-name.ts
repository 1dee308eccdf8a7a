/** A short name for a network error, without addresses: its code, or its class. */
export function causeName(error: unknown): string {
  const cause = field(error, 'cause') ?? error;
  const name = field(cause, 'code') ?? field(cause, 'name');
  return typeof name === 'string' && /^\w{1,60}$/.test(name) ? name : 'error';
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** An UpdateItem's expression from plain values: `set` writes attributes, `remove` takes them away, `undefined` values are left alone. */
export function updateExpression(change: { set?: object; remove?: readonly string[] }): {
  clauses: { set: string[]; remove: string[] };
  names: Record<string, string>;
  values: Record<string, unknown>;
} {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const set: string[] = [];
  for (const [name, value] of Object.entries(change.set ?? {})) {
    if (value === undefined) continue;
    names[`#${name}`] = name;
    values[`:${name}`] = value;
    set.push(`#${name} = :${name}`);
  }
  const remove = (change.remove ?? []).map((name) => {
    names[`#${name}`] = name;
    return `#${name}`;
  });
  return { clauses: { set, remove }, names, values };
}

const maxLength = 300;

/**
 * Makes a text from Wan safe for records and logs: removes URLs (which may be signed), data, keys and the given secrets (prompts), and cuts
 * it to 300 characters.
 */
export function redact(text: string, secrets: readonly (string | undefined)[] = []): string {
  let result = text.slice(0, 20_000);
  for (const secret of secrets) if (secret && secret.length > 3) result = result.replaceAll(secret, '[removed]');
  return result
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, '[address removed]')
    .replace(/\bdata:[^\s"'<>]+/gi, '[data removed]')
    .replace(/\b(?:sk|Bearer)[-\s][\w.-]+/gi, '[key removed]')
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, maxLength);
}

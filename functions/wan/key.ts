import { UNSET_SECRET } from '../shared/environment.ts';

/** What is wrong with a text that was stored as Wan's key. None of it shows the text. */
export interface KeyDefect {
  ok: false;
  /** For metrics and logs. */
  reason: KeyDefectReason;
  /** A sentence. */
  problem: string;
  /** A sentence. */
  fix: string;
}
export type KeyDefectReason = 'no_key' | (typeof defects)[number]['reason'];

/** What people paste instead of a bare key. Of several defects the first one counts. */
const defects = [
  {
    reason: 'key_has_invisible_characters',
    // Zero-width spaces, soft hyphens, joiners, direction marks, byte order marks and control characters except blanks and line ends.
    found: /[\p{Default_Ignorable_Code_Point}\p{Cf}]|(?![\t-\r\u0085])\p{Cc}/u,
    problem: "Wan's key contains an invisible character",
    fix: 'Copy the key again in Model Studio, or type it, and store it as plain text.',
  },
  {
    reason: 'key_is_json',
    found: /^[{[]/,
    problem: "The secret with Wan's key contains JSON, as the key/value form of Secrets Manager writes it.",
    fix: 'Store only the key as plain text, without quotes and braces.',
  },
  {
    reason: 'key_has_several_lines',
    found: /[\n-\r\u0085\u2028\u2029]/,
    problem: "The secret with Wan's key has several lines.",
    fix: 'Store only the key, on one line, without comments and other keys.',
  },
  {
    reason: 'key_has_quotes',
    found: /["'`´\u2018-\u201f\u2032-\u2037\u2039\u203a«»＂＇「」]/,
    problem: "Wan's key is in quotes.",
    fix: 'Store only the key, without quotes.',
  },
  {
    reason: 'key_has_bearer',
    found: /^(?:authorization\s*[:=]\s*)?bearer(?:[\s:=]|$)/i,
    problem: "Wan's key starts with the word Bearer, which belongs to the HTTP header.",
    fix: 'Store only the key that follows the word.',
  },
  {
    reason: 'key_is_url',
    found: /^\w+:\/\//,
    problem: "The secret with Wan's key contains a URL.",
    fix: 'Store the key. The setting wanBaseUrl has the URL.',
  },
  {
    reason: 'key_has_comment',
    found: /#|\/\/|\/\*|<!--|\s(?:;|--)/,
    problem: "The secret with Wan's key contains a comment.",
    fix: 'Store only the key, without the comment.',
  },
  {
    reason: 'key_has_name',
    found: /^(?:(?:export|setx?|declare|let|const|var|env)\s|[$-])|[:=](?!=*$)/i,
    problem: "The secret with Wan's key contains a name in front of the key, as in KEY=value.",
    fix: 'Store only the value.',
  },
  {
    reason: 'key_is_placeholder',
    found: /^<.*>$|\*\*|…|\.\.\.|^sk-x{4,}$|your[-_ ]?(?:dashscope[-_ ]?)?(?:api[-_ ]?)?key/i,
    problem: "Wan's key is a placeholder or is masked.",
    fix: 'Copy the whole key in Model Studio: the list of keys shows only a part of it.',
  },
  {
    reason: 'key_has_blanks',
    found: /\s/,
    problem: "Wan's key contains a blank.",
    fix: 'Store only the key, in one piece.',
  },
  {
    reason: 'key_has_other_letters',
    found: /[^\x21-\x7e]/,
    problem: "Wan's key contains a letter or dash that is not ASCII and may look like one",
    fix: 'Copy the key again in Model Studio, and store it as plain text.',
  },
  {
    reason: 'key_has_punctuation',
    // What follows Bearer in a header: RFC 6750, 2.1.
    found: /[^\w.~+/=-]|\.$/,
    problem: "Wan's key contains a punctuation mark that no key has, for example at its end.",
    fix: 'Store only the key.',
  },
] as const satisfies readonly { reason: string; found: RegExp; problem: string; fix: string }[];

/**
 * Judges a text that was stored as Wan's key, before it is sent. Blanks and line ends around it, and a byte order mark before it, are
 * tolerated: editors write them.
 * @returns the key, or what is wrong with the text
 */
export function judgeKey(text: string): { ok: true; key: string } | KeyDefect {
  const key = text.trim();
  if (key === '' || key === UNSET_SECRET) return unset;
  for (const { reason, found, problem, fix } of defects) {
    const character = found.exec(key)?.[0];
    if (character === undefined) continue;
    // Naming an invisible or foreign character shows nothing of the key.
    const name = problem.endsWith('.') ? '' : ` (${codePointOf(character)}).`;
    return { ok: false, reason, problem: `${problem}${name}`, fix };
  }
  return { ok: true, key };
}

const unset: KeyDefect = {
  ok: false,
  reason: 'no_key',
  problem: "Wan's key is not set.",
  fix: 'Store it in the secret.',
};

const codePointOf = (character: string): string =>
  `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;

/** What is wrong with a key by the reason of its defect; undefined for any other reason. */
export function explainKeyDefect(reason: string): { problem: string; fix: string } | undefined {
  const known = [unset, ...defects].find((defect) => defect.reason === reason);
  return known && { problem: known.problem.replace(/\.?$/, '.'), fix: known.fix };
}

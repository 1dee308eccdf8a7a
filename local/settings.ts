import path from 'node:path';

/** Settings of `npm start`. Port 0 takes any free port. */
export interface LocalSettings {
  port: number;
  wan_port: number;
  aws_port: number;
  /** State of the local AWS and the emulator. Absolute. */
  directory: string;
  /** An API key that exists from the start. Its owner is `local`. */
  api_key: string;
  wan: EmulatedWan | RealWan;
}

export interface EmulatedWan {
  kind: 'emulator';
  /** Duration of a task. */
  task_seconds: number;
  limits: 'on' | 'off';
  /** Which domain of Wan the emulator plays: wan3.0 exists on workspace domains alone. @default workspace */
  domain?: 'workspace' | 'shared';
}

/** The service itself, which costs money. */
export interface RealWan {
  kind: 'real';
  api_key: string;
  /** Ends in `/api/v1`. @default Singapore's */
  base_url?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a variable or its default; collects an issue when it cannot be parsed. */
type Read = <Value>(name: string, fallback: string, parse: (text: string) => Value | undefined, rule: string) => Value;

/** @throws Error that names every invalid variable and what it must be */
export function readSettings(environment: Environment): LocalSettings {
  const issues: string[] = [];
  const read: Read = (name, fallback, parse, rule) => {
    const text = environment[name] || fallback;
    const value = parse(text);
    if (value === undefined)
      issues.push(`${name} is ${JSON.stringify(name.endsWith('KEY') ? '…' : text)}: it must be ${rule}.`);
    return value!;
  };
  const parsePort = (text: string) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined);
  const port = (name: string, fallback: string) => read(name, fallback, parsePort, 'a number from 0 to 65535');
  const parseKey = (text: string) => (/^[\x21-\x7e]{1,512}$/.test(text) ? text : undefined);

  const settings: LocalSettings = {
    port: port('PORT', '4400'),
    wan_port: port('WAN_PORT', '4401'),
    aws_port: port('AWS_PORT', '4402'),
    // Separate folders: what the emulator left unfinished is not continued by the real Wan, which would bill it.
    directory: path.resolve(environment.LOCAL_DIR || (environment.DASHSCOPE_API_KEY ? '.local/real' : '.local')),
    api_key: read('API_KEY', 'local', parseKey, '1 to 512 printable ASCII characters without spaces'),
    wan: readWan(environment, read, issues),
  };
  if (issues.length > 0) throw new Error(issues.join('\n'));
  return settings;
}

function readWan(environment: Environment, read: Read, issues: string[]): LocalSettings['wan'] {
  const { DASHSCOPE_API_KEY: api_key, WAN_BASE_URL: base_url } = environment;
  if (!api_key && base_url) issues.push('WAN_BASE_URL needs DASHSCOPE_API_KEY. Without a key, the emulator is used.');
  if (api_key) {
    const isBaseUrl = (text: string) => (URL.canParse(text) && text.endsWith('/api/v1') ? text : undefined);
    return {
      kind: 'real',
      api_key,
      ...(base_url ? { base_url: read('WAN_BASE_URL', '', isBaseUrl, 'a URL that ends in /api/v1') } : {}),
    };
  }
  const parseDomain = (text: string) => (text === 'workspace' || text === 'shared' ? text : undefined);
  const seconds = (text: string) => (/^\d{1,5}(\.\d+)?$/.test(text) ? Number(text) : undefined);
  return {
    kind: 'emulator',
    task_seconds: read('WAN_TASK_SECONDS', '6', seconds, 'a number of seconds, 0 or more'),
    ...(environment.WAN_DOMAIN && { domain: read('WAN_DOMAIN', '', parseDomain, 'workspace or shared') }),
    limits: read('WAN_LIMITS', 'on', (text) => (text === 'on' || text === 'off' ? text : undefined), 'on or off'),
  };
}

import path from 'node:path';

/** How `npm start` runs. Ports may be 0: any free one. */
export interface LocalSettings {
  port: number;
  wan_port: number;
  aws_port: number;
  /** Absolute. */
  directory: string;
  /** A key of the API that works from the start. Its owner is `local`. */
  api_key: string;
  wan: EmulatedWan | RealWan;
}

export interface EmulatedWan {
  kind: 'emulator';
  /** How long a task takes. */
  task_seconds: number;
  limits: 'on' | 'off';
}

/** The service itself: it costs money. */
export interface RealWan {
  kind: 'real';
  api_key: string;
  /** Ends in `/api/v1`. @default Singapore's */
  base_url?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads a variable, or what stands for it; notes a fault when it can't be parsed. */
type Read = <Value>(name: string, otherwise: string, parse: (text: string) => Value | undefined, rule: string) => Value;

/** @throws Error that names each wrong variable and says what it may be */
export function readSettings(environment: Environment): LocalSettings {
  const faults: string[] = [];
  const read: Read = (name, otherwise, parse, rule) => {
    const text = environment[name] || otherwise;
    const value = parse(text);
    if (value === undefined)
      faults.push(`${name} is ${JSON.stringify(name.endsWith('KEY') ? '…' : text)}: it must be ${rule}.`);
    return value!;
  };
  const parsePort = (text: string) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined);
  const port = (name: string, otherwise: string) => read(name, otherwise, parsePort, 'a number from 0 to 65535');
  const parseKey = (text: string) => (/^[\x21-\x7e]{1,512}$/.test(text) ? text : undefined);

  const settings: LocalSettings = {
    port: port('PORT', '4400'),
    wan_port: port('WAN_PORT', '4401'),
    aws_port: port('AWS_PORT', '4402'),
    directory: path.resolve(environment.LOCAL_DIR || '.local'),
    api_key: read('API_KEY', 'local', parseKey, 'up to 512 printable ASCII characters without a space'),
    wan: readWan(environment, read, faults),
  };
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return settings;
}

function readWan(environment: Environment, read: Read, faults: string[]): LocalSettings['wan'] {
  const { DASHSCOPE_API_KEY: api_key, WAN_BASE_URL: given } = environment;
  if (!api_key && given) faults.push('WAN_BASE_URL needs DASHSCOPE_API_KEY: without a key the emulator is used.');
  if (api_key) {
    const isBaseUrl = (text: string) => (URL.canParse(text) && text.endsWith('/api/v1') ? text : undefined);
    return {
      kind: 'real',
      api_key,
      ...(given ? { base_url: read('WAN_BASE_URL', '', isBaseUrl, 'a URL that ends in /api/v1') } : {}),
    };
  }
  const seconds = (text: string) => (/^\d{1,5}(\.\d+)?$/.test(text) ? Number(text) : undefined);
  return {
    kind: 'emulator',
    task_seconds: read('WAN_TASK_SECONDS', '6', seconds, 'a number of seconds that is not negative'),
    limits: read('WAN_LIMITS', 'on', (text) => (text === 'on' || text === 'off' ? text : undefined), 'on or off'),
  };
}

import { createHash } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, realpathSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';

/** How long the holder of a lock may take to answer with its process id. */
const answerMilliseconds = 1000;

/**
 * Locks a state directory for this process and creates it if it does not exist. The operating system holds the lock and releases it
 * when the process ends in any way, so a killed process, a zombie or a reused process id never keeps a directory locked.
 * @returns a function that releases the lock
 * @throws Error when another process, or this one, uses the directory
 */
export async function lockDirectory(directory: string): Promise<() => void> {
  mkdirSync(directory, { recursive: true });
  return process.platform === 'darwin' ? lockFile(directory) : lockSocket(directory);
}

/**
 * Listens on a name that exists as long as its process: an abstract socket of Linux, or a named pipe of Windows. A connection to it
 * returns the process id. The name follows from the directory's path without symbolic links.
 */
async function lockSocket(directory: string): Promise<() => void> {
  const hash = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 32);
  const name = `${process.platform === 'win32' ? '\\\\.\\pipe\\' : '\0'}firstframe-${hash}`;
  for (;;) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(String(process.pid));
    });
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen(name, () => resolve(undefined));
    });
    if (!error) {
      server.unref();
      return () => void server.close();
    }
    if (error.code !== 'EADDRINUSE') throw error;
    const holder = await askHolder(name);
    // Otherwise it has ended since.
    if (holder !== 'none') throw inUse(directory, holder);
  }
}

/** Of a connection to a process that has ended, or is about to. */
const endedErrors = ['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE'];

/** Returns the process that holds a lock, `none` if there is none, and undefined if it does not answer. */
async function askHolder(name: string): Promise<string | undefined> {
  const socket = createConnection(name);
  socket.setTimeout(answerMilliseconds, () => socket.destroy(new Error('The holder of the lock does not answer.')));
  return text(socket).then(
    (pid) => (pid === '' ? 'none' : `process ${pid}`),
    (error: NodeJS.ErrnoException) => (endedErrors.includes(error.code ?? '') ? 'none' : undefined),
  );
}

/** `O_EXLOCK` of macOS, which Node does not name: locks the file until it is closed, also by the end of its process. */
const exclusiveLock = 0x20;

function lockFile(directory: string): () => void {
  try {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | exclusiveLock;
    const file = openSync(path.join(directory, 'lock'), flags, 0o600);
    return () => closeSync(file);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EAGAIN' ? inUse(directory, undefined) : error;
  }
}

const inUse = (directory: string, holder = 'another process'): Error =>
  new Error(
    `The state directory ${directory} is in use by ${holder}. End that process, or set LOCAL_DIR to another directory.`,
  );

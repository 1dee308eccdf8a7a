import { StepFunctionsError } from '../errors.ts';
import { optionalText, pageSize } from './parameters.ts';

/**
 * One page of the wanted ones of `items`, which are in order. The token names the last item, so that items which come,
 * go or change between two requests neither repeat nor hide others.
 * @throws {StepFunctionsError} InvalidToken
 */
export function pageOf<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  request: unknown,
  wanted: (item: Item) => boolean = () => true,
): { items: Item[]; nextToken: string | undefined } {
  const token = optionalText(request, 'nextToken');
  const size = pageSize(request);
  const last = token === undefined ? -1 : items.findIndex((item) => keyOf(item) === decode(token));
  if (token !== undefined && last === -1) throw new StepFunctionsError('InvalidToken', `Invalid Token: '${token}'`);
  const rest = items.slice(last + 1).filter(wanted);
  const page = rest.slice(0, size);
  const end = page.at(-1);
  return { items: page, nextToken: end && rest.length > size ? encode(keyOf(end)) : undefined };
}

const encode = (key: string) => Buffer.from(key).toString('base64url');
const decode = (token: string) => Buffer.from(token, 'base64url').toString();

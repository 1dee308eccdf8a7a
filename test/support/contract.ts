import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** A JSON Schema, as far as the tests read it. */
// biome-ignore lint/suspicious/noExplicitAny: tests read arbitrary schemas
export type Schema = any;

export interface ContractParameter {
  name: string;
  in: 'query' | 'path' | 'header';
  required?: boolean;
  schema: Schema;
  example?: unknown;
}

export interface ContractContent {
  schema: Schema;
  examples?: Record<string, { value: unknown }>;
}

/** A response header. */
export interface ContractHeader {
  required?: boolean;
  schema: Schema;
}

export interface ContractAnswer {
  description: string;
  headers?: Record<string, { $ref: string }>;
  content?: Record<string, ContractContent>;
}

export interface ContractOperation {
  operationId: string;
  security: Record<string, string[]>[];
  parameters?: ContractParameter[];
  requestBody?: { content: Record<string, ContractContent> };
  responses: Record<string, ContractAnswer>;
}

export interface ContractDocument {
  paths: Record<string, Record<string, ContractOperation>>;
  components: { schemas: Record<string, Schema>; headers?: Record<string, ContractHeader> };
}

/** An operation of the contract. */
export interface Route extends ContractOperation {
  path: string;
  /** In upper case. */
  method: string;
}

export interface Contract {
  routes: Route[];
  /** Resolves a reference to a schema. */
  resolve(schema: Schema): Schema;
  /** Resolves a reference to a header. */
  headerOf(reference: { $ref: string }): ContractHeader;
  /** Validates a value against a schema. @returns the errors, undefined if there are none */
  faultOf(schema: Schema, value: unknown): string | undefined;
}

/** Reads an OpenAPI 3.1 document for validating requests and responses. */
export function readContract(document: ContractDocument): Contract {
  const ajv = new Ajv2020({ allErrors: true, strictTypes: false, allowUnionTypes: true });
  addFormats.default(ajv);
  ajv.addFormat('binary', true);
  // References are relative to the document, but ajv gets only its schemas.
  const located = (schema: Schema): Schema =>
    JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/components/schemas/', '"$ref":"contract#/$defs/'));
  ajv.addSchema({ $id: 'contract', $defs: located(document.components.schemas) });
  const compiled = new Map<string, ValidateFunction>();
  const validatorOf = (schema: Schema): ValidateFunction => {
    const text = JSON.stringify(schema);
    const known = compiled.get(text) ?? ajv.compile(located(schema));
    compiled.set(text, known);
    return known;
  };
  return {
    routes: Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method: method.toUpperCase() })),
    ),
    resolve: (schema) => {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(schema.$ref ?? '')?.[1];
      return name === undefined ? schema : document.components.schemas[name];
    },
    headerOf: ({ $ref }) => {
      const header = document.components.headers?.[$ref.replace('#/components/headers/', '')];
      if (!header) throw new Error(`The contract has no ${$ref}.`);
      return header;
    },
    faultOf(schema, value) {
      const validate = validatorOf(schema);
      return validate(value) ? undefined : ajv.errorsText(validate.errors);
    },
  };
}

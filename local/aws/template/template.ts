type Named<Value> = Readonly<Record<string, Value>>;

/** A CloudFormation template as JSON, as far as the local runtime reads it. */
export interface Template {
  readonly Description?: string;
  readonly Parameters?: Named<{ readonly Type: string; readonly Default?: unknown }>;
  readonly Rules?: Named<unknown>;
  readonly Resources: Named<TemplateResource>;
  readonly Outputs?: Named<{ readonly Value: unknown }>;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Named<unknown>;
  readonly DependsOn?: string | readonly string[];
  readonly Metadata?: Named<unknown>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** The template asks for something that the local runtime does not run. Lists every fault that was found. */
export class TemplateError extends Error {
  override name = 'TemplateError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The template holds what the local runtime does not know:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

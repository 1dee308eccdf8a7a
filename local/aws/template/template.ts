type Named<Value> = Readonly<Record<string, Value>>;

/** The parts of a CloudFormation template that the local runtime reads. */
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

/** The template uses something that the local runtime does not support. Lists all issues. */
export class TemplateError extends Error {
  override name = 'TemplateError';
  readonly issues: readonly string[];

  constructor(issues: readonly string[]) {
    super(
      `The template uses features that the local runtime does not support:\n${issues.map((issue) => `  - ${issue}`).join('\n')}`,
    );
    this.issues = issues;
  }
}

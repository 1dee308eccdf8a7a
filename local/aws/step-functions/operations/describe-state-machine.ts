import { requiredText } from './parameters.ts';
import { deployedMachine, epochSeconds, type Services } from './services.ts';

export function describeStateMachine(services: Pick<Services, 'machines' | 'created_at'>) {
  return async (request: unknown) => {
    const { resource } = deployedMachine(services, requiredText(request, 'stateMachineArn'));
    return {
      stateMachineArn: resource.arn,
      name: resource.name,
      status: 'ACTIVE',
      definition: JSON.stringify(resource.definition),
      ...(resource.role_arn === undefined ? {} : { roleArn: resource.role_arn }),
      type: resource.type,
      creationDate: epochSeconds(services.created_at),
    };
  };
}

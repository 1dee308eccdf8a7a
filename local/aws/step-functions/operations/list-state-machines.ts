import { pageOf } from './page.ts';
import { epochSeconds, type Services } from './services.ts';

export function listStateMachines(services: Pick<Services, 'machines' | 'created_at'>) {
  return async (request: unknown) => {
    const machines = [...services.machines.values()].map(({ resource }) => resource);
    const page = pageOf(machines, (resource) => resource.arn, request);
    return {
      stateMachines: page.items.map((resource) => ({
        stateMachineArn: resource.arn,
        name: resource.name,
        type: resource.type,
        creationDate: epochSeconds(services.created_at),
      })),
      nextToken: page.nextToken,
    };
  };
}

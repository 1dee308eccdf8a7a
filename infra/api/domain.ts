import { DomainName, EndpointType, type RestApi, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { Construct } from 'constructs';
import type { Configuration } from '../config.ts';
import { pinLogicalId } from '../functions/logical-id.ts';

/** The addresses of an API under the operator's domain name. */
export interface ApiDomain {
  /** The root of the API. Ends with a slash, like the API's own. */
  readonly url: string;
  /** The name to which the domain name must point: the value of a CNAME or alias record. */
  readonly target: string;
  /** The hosted zone of the target, for an alias record. */
  readonly hostedZoneId: string;
}

/**
 * Serves the stage of an API under a domain name. The stage's name is then not part of the path: the mapping replaces it with the
 * base path, or with nothing. The DNS record is the operator's: the zone may be in another account.
 */
export function addDomain(
  scope: Construct,
  restApi: RestApi,
  { name, certificateArn, basePath }: NonNullable<Configuration['domain']>,
): ApiDomain {
  const domain = new DomainName(scope, 'Domain', {
    domainName: name,
    certificate: Certificate.fromCertificateArn(scope, 'Certificate', certificateArn),
    endpointType: EndpointType.REGIONAL,
    securityPolicy: SecurityPolicy.TLS_1_2,
  });
  // A replacement would fail, since the name would exist twice.
  pinLogicalId(domain, 'ApiDomain');
  domain.addBasePathMapping(restApi, {
    stage: restApi.deploymentStage,
    ...(basePath === undefined ? {} : { basePath }),
  });
  return {
    url: `https://${name}/${basePath === undefined ? '' : `${basePath}/`}`,
    target: domain.domainNameAliasDomainName,
    hostedZoneId: domain.domainNameAliasHostedZoneId,
  };
}

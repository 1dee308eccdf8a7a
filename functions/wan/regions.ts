/** The currencies of prices. */
export const currencies = ['USD', 'CNY'] as const;

/**
 * Where Wan runs. Keys and temporary files are valid in their own region only (reference, "Prerequisites"). `workspace_domain` follows
 * a workspace's id in the address of its own endpoint; Frankfurt has no other.
 */
export const regions = {
  singapore: {
    base_url: 'https://dashscope-intl.aliyuncs.com/api/v1',
    workspace_domain: 'ap-southeast-1.maas.aliyuncs.com',
    currency: 'USD',
  },
  beijing: {
    base_url: 'https://dashscope.aliyuncs.com/api/v1',
    workspace_domain: 'cn-beijing.maas.aliyuncs.com',
    currency: 'CNY',
  },
  virginia: {
    base_url: 'https://dashscope-us.aliyuncs.com/api/v1',
    workspace_domain: 'us-east-1.maas.aliyuncs.com',
    currency: 'USD',
  },
  hongkong: {
    base_url: 'https://cn-hongkong.dashscope.aliyuncs.com/api/v1',
    workspace_domain: 'cn-hongkong.maas.aliyuncs.com',
    currency: 'USD',
  },
  frankfurt: {
    base_url: undefined,
    workspace_domain: 'eu-central-1.maas.aliyuncs.com',
    currency: 'USD',
  },
} as const satisfies Record<
  string,
  { base_url: string | undefined; workspace_domain: string; currency: (typeof currencies)[number] }
>;

export type Region = keyof typeof regions;

export const regionNames = Object.keys(regions) as [Region, ...Region[]];

/** The domains that all workspaces share. */
export const sharedDomain = /^(cn-hongkong\.)?dashscope(-[a-z]+)?\.aliyuncs\.com$/;

/** The base URL of a workspace's own domain, which some models need. */
export const workspaceBaseUrl = (workspaceId: string, region: Region): string =>
  `https://${workspaceId}.${regions[region].workspace_domain}/api/v1`;

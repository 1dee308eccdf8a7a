/**
 * Where Wan runs. Keys and temporary files are valid in their own region only (reference, "Prerequisites"). `workspace_domain` follows
 * a workspace's id in the address of its own endpoint.
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
} as const;

export type Region = keyof typeof regions;

export const regionNames = ['singapore', 'beijing'] as const satisfies readonly Region[];

/** The domains that all workspaces share. */
export const sharedDomain = /^(cn-hongkong\.)?dashscope(-[a-z]+)?\.aliyuncs\.com$/;

/** The base URL of a workspace's own domain, which some models need. */
export const workspaceBaseUrl = (workspaceId: string, region: Region): string =>
  `https://${workspaceId}.${regions[region].workspace_domain}/api/v1`;

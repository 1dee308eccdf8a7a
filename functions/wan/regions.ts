/**
 * Where Wan runs. Keys and temporary files are valid in their own region only (reference, "Prerequisites").
 */
export const regions = {
  singapore: { base_url: 'https://dashscope-intl.aliyuncs.com/api/v1', currency: 'USD' },
  beijing: { base_url: 'https://dashscope.aliyuncs.com/api/v1', currency: 'CNY' },
} as const;

export type Region = keyof typeof regions;

export const regionNames = ['singapore', 'beijing'] as const satisfies readonly Region[];

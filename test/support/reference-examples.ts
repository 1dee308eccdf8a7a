/* The bodies of the reference's examples, with prompts of our own, for servers that respond like Wan. */

export const rap = 'https://help-static-aliyun-doc.aliyuncs.com/file-manage-files/zh-CN/20250925/wpimhv/rap.png';
export const rapAudio = 'https://help-static-aliyun-doc.aliyuncs.com/file-manage-files/zh-CN/20250925/ozwpvi/rap.mp3';
export const cat = 'https://cdn.translate.alibaba.com/r/wanx-demo-1.png';
export const prompt = 'A painted figure comes to life and sings.';

/** The bodies of the reference's examples, by their heading. */
export const examples = {
  'Multi-shot narrative': {
    model: 'wan2.6-i2v',
    input: { prompt, img_url: rap, audio_url: rapAudio },
    parameters: { resolution: '720P', prompt_extend: true, duration: 10, shot_type: 'multi' },
  },
  'Automatic dubbing': {
    model: 'wan2.5-i2v-preview',
    input: { prompt, img_url: rap },
    parameters: { resolution: '480P', prompt_extend: true, duration: 10 },
  },
  'Input audio file': {
    model: 'wan2.5-i2v-preview',
    input: { prompt, img_url: rap, audio_url: rapAudio },
    parameters: { resolution: '480P', prompt_extend: true, duration: 10 },
  },
  'Generate a silent video': {
    model: 'wan2.2-i2v-plus',
    input: { prompt, img_url: cat },
    parameters: { resolution: '480P', prompt_extend: true },
  },
  'Use a negative prompt': {
    model: 'wan2.2-i2v-plus',
    input: { prompt, negative_prompt: 'flowers', img_url: cat },
    parameters: { resolution: '480P', prompt_extend: true },
  },
} as const;

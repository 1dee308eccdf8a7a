import { describe, expect, test } from 'vitest';
import { hostOfLink, type TrustedHosts, trustedVideoUrl } from '../../../functions/wan/video-host.ts';

const trusted = (link: string, hosts: Partial<TrustedHosts> = {}) =>
  trustedVideoUrl(link, { videoHosts: [], trustedOrigins: [], ...hosts });

const wanHosts = [
  // Listed in the reference.
  'dashscope-result-bj.oss-cn-beijing.aliyuncs.com',
  'dashscope-result-hz.oss-cn-hangzhou.aliyuncs.com',
  'dashscope-result-sh.oss-cn-shanghai.aliyuncs.com',
  'dashscope-result-wlcb.oss-cn-wulanchabu.aliyuncs.com',
  'dashscope-result-zjk.oss-cn-zhangjiakou.aliyuncs.com',
  'dashscope-result-sz.oss-cn-shenzhen.aliyuncs.com',
  'dashscope-result-hy.oss-cn-heyuan.aliyuncs.com',
  'dashscope-result-cd.oss-cn-chengdu.aliyuncs.com',
  'dashscope-result-gz.oss-cn-guangzhou.aliyuncs.com',
  'dashscope-result-wlcb-acdr-1.oss-cn-wulanchabu-acdr-1.aliyuncs.com',
  // From real responses, or of other regions.
  'dashscope-result.oss-cn-beijing.aliyuncs.com',
  'dashscope-result-sgp.oss-ap-southeast-1.aliyuncs.com',
  'dashscope-result-us.oss-us-east-1.aliyuncs.com',
  'dashscope-result-fra.oss-eu-central-1.aliyuncs.com',
  'dashscope-a717.oss-accelerate.aliyuncs.com',
];

describe('trustedVideoUrl', () => {
  test.each(wanHosts)('trusts %s over https only', (host) => {
    const path = '/1d/ab/20260101/x.mp4?Expires=1&Signature=a%2Bb%2F%3D';
    expect(trusted(`https://${host}${path}`)).toBe(`https://${host}${path}`);
    expect(trusted(`http://${host}${path}`)).toBe(`https://${host}${path}`);
    expect(trusted(`http://${host}:80${path}`)).toBe(`https://${host}${path}`);
    expect(trusted(`HTTPS://${host.toUpperCase()}${path}`)).toBe(`https://${host}${path}`);
  });

  test.each(wanHosts)('does not trust hosts that resemble %s', (host) => {
    for (const link of [
      `https://${host}.evil.com/x.mp4`,
      `https://${host}./x.mp4`,
      `https://x${host}/x.mp4`,
      `https://x.${host}/x.mp4`,
      `https://evil.com/${host}/x.mp4`,
      `https://evil.com#${host}`,
      `https://evil.com\\@${host}:8443/x.mp4`,
      `https://${host}@evil.com/x.mp4`,
      `https://a:b@${host}/x.mp4`,
      `https://a@${host}/x.mp4`,
      `https://${host}:8443/x.mp4`,
      `https://${host}:80/x.mp4`,
      `http://${host}:443/x.mp4`,
      `http://${host}:8080/x.mp4`,
      `ftp://${host}/x.mp4`,
      `ws://${host}/x.mp4`,
      `//${host}/x.mp4`,
      `${host}/x.mp4`,
      `https://${host.replace('.oss-', '.oss-cn-beijing.oss-')}/x.mp4`,
      `https://${host.replace('.aliyuncs.com', '-aliyuncs.com')}/x.mp4`,
      `https://${host.replace('.aliyuncs.com', '.aliyuncs.com.cn')}/x.mp4`,
      `https://${host.replace('.aliyuncs.com', 'xaliyuncs.com')}/x.mp4`,
      // A Cyrillic letter instead of a Latin one.
      `https://${host.replace('a', 'а')}/x.mp4`,
    ]) {
      expect([link, trusted(link)]).toEqual([link, undefined]);
    }
  });

  test.each([
    'oss-cn-beijing.aliyuncs.com',
    'oss-cn-beijing.aliyuncs.com.',
    'dashscope-result',
    'dashscope-result.aliyuncs.com',
    'dashscope-resultx.oss-cn-beijing.aliyuncs.com',
    'dashscope-result.evil.oss-cn-beijing.aliyuncs.com',
    'dashscope-result_x.oss-cn-beijing.aliyuncs.com',
    'dashscope-result.oss-.aliyuncs.com',
    'dashscope-result.oss-cn.aliyuncs.com',
    'dashscope-result.oss-china-beijing.aliyuncs.com',
    'dashscope-result.oss-cn-beijing-internal.aliyuncs.com',
    'dashscope-result.s3-cn-beijing.aliyuncs.com',
    'dashscope.oss-cn-beijing.aliyuncs.com',
    'evil.oss-cn-shanghai.aliyuncs.com',
    'evil-dashscope-result.oss-cn-shanghai.aliyuncs.com',
    'evil.oss-accelerate.aliyuncs.com',
    'dashscope-evil.oss-accelerate.aliyuncs.com',
    'dashscope-a7171.oss-accelerate.aliyuncs.com',
    'dashscope-a.b.oss-accelerate.aliyuncs.com',
    'dashscope-a717.oss-cn-beijing.aliyuncs.com',
    '127.0.0.1',
    '169.254.169.254',
    '[::1]',
  ])('does not trust %s', (host) => {
    expect(trusted(`https://${host}/x.mp4`)).toBeUndefined();
    expect(trusted(`http://${host}/x.mp4`)).toBeUndefined();
  });

  test.each(['', 'not a url', 'https://', 'data:video/mp4;base64,AAAA', 'file:///etc/passwd'])(
    'does not trust %j',
    (link) => {
      expect(trusted(link)).toBeUndefined();
    },
  );

  test('trusts a configured host by its exact name over https only', () => {
    const videoHosts = ['results.example.com'];
    expect(trusted('https://results.example.com/x.mp4', { videoHosts })).toBe('https://results.example.com/x.mp4');
    expect(trusted('http://results.example.com/x.mp4', { videoHosts })).toBe('https://results.example.com/x.mp4');
    for (const link of [
      'https://www.results.example.com/x.mp4',
      'https://results.example.com.evil.com/x.mp4',
      'https://results.example.com:8443/x.mp4',
      'https://a:b@results.example.com/x.mp4',
      'https://example.com/x.mp4',
    ]) {
      expect([link, trusted(link, { videoHosts })]).toEqual([link, undefined]);
    }
  });

  test('uses a trusted origin unchanged, without https', () => {
    const trustedOrigins = ['http://127.0.0.1:4401'];
    expect(trusted('http://127.0.0.1:4401/x.mp4', { trustedOrigins })).toBe('http://127.0.0.1:4401/x.mp4');
    expect(trusted('http://127.0.0.1:4400/x.mp4', { trustedOrigins })).toBeUndefined();
    expect(trusted('https://127.0.0.1:4401/x.mp4', { trustedOrigins })).toBeUndefined();
    expect(trusted('http://a:b@127.0.0.1:4401/x.mp4', { trustedOrigins })).toBeUndefined();
  });
});

test('hostOfLink returns only the host', () => {
  expect(hostOfLink('https://user:password@Evil.example:8443/path?Signature=secret#x')).toBe('evil.example:8443');
  for (const link of ['', 'secret', 'secret://path', 'data:secret'])
    expect(hostOfLink(link)).toBe('unknown (not an http URL)');
});

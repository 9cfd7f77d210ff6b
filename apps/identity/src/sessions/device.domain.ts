/** What a user agent says of itself (R157): shown to people in their list of sessions, and trusted for nothing. */
export interface Device {
  readonly deviceType: 'desktop' | 'mobile' | 'tablet';
  readonly browser?: string;
  readonly os?: string;
}

/** The first match wins: Edge and Opera also call themselves Chrome, Chrome also Safari, Android also Linux. */
const BROWSERS: readonly [name: string, pattern: RegExp][] = [
  ['Edge', /\bEdg(e|A|iOS)?\//],
  ['Opera', /\bOPR\//],
  ['Firefox', /\b(Firefox|FxiOS)\//],
  ['Chrome', /\b(Chrome|CriOS)\//],
  ['Safari', /\bSafari\//],
];
const SYSTEMS: readonly [name: string, pattern: RegExp][] = [
  ['iOS', /\b(iPhone|iPad|iPod)\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
];

export function deviceOf(userAgent = ''): Device {
  const find = (list: typeof BROWSERS) => list.find(([, pattern]) => pattern.test(userAgent))?.[0];
  const browser = find(BROWSERS);
  const os = find(SYSTEMS);
  return { deviceType: typeOf(userAgent), ...(browser ? { browser } : {}), ...(os ? { os } : {}) };
}

function typeOf(userAgent: string): Device['deviceType'] {
  if (/\biPad\b/.test(userAgent) || (/\bAndroid\b/.test(userAgent) && !/\bMobile\b/.test(userAgent)))
    return 'tablet';
  return /\b(Mobile|iPhone|iPod)\b/.test(userAgent) ? 'mobile' : 'desktop';
}

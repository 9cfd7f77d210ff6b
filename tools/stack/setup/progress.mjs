// How long steps show themselves: a moving line on a terminal, plain lines otherwise.
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 100;
/** Without a terminal a step says at most one line in this time. */
const plainLineMs = 5_000;

const out = process.stdout;
const moving = out.isTTY === true && !process.env.CI && process.env.TERM !== 'dumb';
const coloured = moving && !process.env.NO_COLOR;
const paint = (code, text) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);

/**
 * Runs one long step and shows that it moves. A step that ends within a blink shows nothing.
 * @template T
 * @param {string} title
 * @param {(onProgress: (text: string, fraction?: number) => void) => Promise<T>} step
 * @returns {Promise<T>}
 */
export async function showing(title, step) {
  const since = Date.now();
  let text = '';
  let frame = 0;
  let shown = false;
  let lastPlain = 0;
  const plain = () => {
    if (Date.now() - lastPlain < plainLineMs) return;
    lastPlain = Date.now();
    shown = true;
    out.write(`… ${title}${text && `: ${text}`}\n`);
  };
  const draw = () => {
    shown = true;
    const seconds = Math.round((Date.now() - since) / 1000);
    const line = `${frames[frame++ % frames.length]} ${title} ${paint(2, `${text} ${seconds} s`)}`;
    out.write(`\r\x1b[2K${line.slice(0, Math.max(20, (out.columns ?? 100) + 8))}`);
  };
  const timer = moving ? setInterval(draw, frameMs) : setInterval(plain, plainLineMs);
  const onProgress = (now, fraction) => {
    text = fraction === undefined ? now : `${now} ${Math.round(fraction * 100)} %`;
    if (!moving) plain();
  };
  try {
    const result = await step(onProgress);
    clearInterval(timer);
    if (moving && shown) out.write('\r\x1b[2K');
    if (shown)
      out.write(`${paint(32, '✓')} ${title} ${paint(2, `${((Date.now() - since) / 1000).toFixed(1)} s`)}\n`);
    return result;
  } catch (error) {
    clearInterval(timer);
    if (moving && shown) out.write('\r\x1b[2K');
    throw error;
  }
}

import sharp from 'sharp';

const WIDTH = 320;
const HEIGHT = 240;

/** A picture with something in it: a sun over hills, drawn here, with a white border that the crop finds. */
export function aLandscape(): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">
    <rect width="100%" height="100%" fill="white"/>
    <rect x="16" y="16" width="288" height="208" fill="#8fc7e8"/>
    <circle cx="230" cy="70" r="28" fill="#ffd34d"/>
    <path d="M16 190 Q 90 110 160 180 T 304 150 V 224 H 16 Z" fill="#4d8f54"/>
    <path d="M16 205 Q 110 160 190 210 T 304 190 V 224 H 16 Z" fill="#2f6b3a"/>
  </svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

/** A picture with nothing in it. Its enhancement fails for a real reason, and the credits come back. */
export function aBlankSheet(): Promise<Buffer> {
  return sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#c8c8c8' } })
    .png()
    .toBuffer();
}

/** The form that a browser would send. */
export function upload(picture: Buffer, name: string): FormData {
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(picture)], { type: 'image/png' }), name);
  return form;
}

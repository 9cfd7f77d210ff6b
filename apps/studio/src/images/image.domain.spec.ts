import { newId } from '@atelier/kernel';
import { deleteImage, uploadImage, type UploadedImage } from './image.domain.js';

const NOW = new Date('2026-11-21T08:00:00.000Z');
const upload = (overrides: Partial<UploadedImage> = {}): UploadedImage => ({
  id: newId('img'),
  userId: newId('usr'),
  picture: { sha256: 'a'.repeat(64), width: 3, height: 2, sizeBytes: 10, format: 'png' },
  ...overrides,
});
const nameOf = (fileName: string | undefined, name?: string) =>
  uploadImage(upload({ fileName, name }), NOW).state.name;

describe('an uploaded image', () => {
  it('is private and has not been viewed (R255)', () => {
    const { state, events } = uploadImage(upload(), NOW);
    expect(state).toMatchObject({ isPublic: false, viewCount: 0, deletedAt: null });
    expect(events).toEqual([]);
  });

  it('takes the name that was given, else that of the file', () => {
    expect(nameOf('cat.png', 'My cat')).toBe('My cat');
    expect(nameOf('cat.png')).toBe('cat.png');
    expect(nameOf(undefined)).toBe('picture');
  });

  it('takes no path, control character or endless name from a file', () => {
    expect(nameOf('../../etc/passwd')).toBe('passwd');
    expect(nameOf('C:\\me\\cat.png')).toBe('cat.png');
    expect(nameOf('c\u0000a\u202et.png')).toBe('cat.png');
    expect(nameOf('/')).toBe('picture');
    expect([...nameOf('😺'.repeat(500))]).toHaveLength(120);
  });

  it('is kept when it is deleted, with who and when', () => {
    const image = { ...uploadImage(upload(), NOW).state, version: 1 };
    const { state } = deleteImage(image, image.userId, NOW);
    expect(state).toEqual({ ...image, deletedAt: NOW, deletedBy: image.userId, updatedAt: NOW });
  });
});

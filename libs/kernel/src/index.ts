export * from './clock.js';
export * from './context.js';
export * from './errors.js';
export * from './events.js';
export * from './ids.js';
export * from './money.js';
export * from './pagination.js';

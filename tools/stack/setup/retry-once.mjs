import { jest } from '@jest/globals';

// Specs that kill processes and race them share two cores with what they race. One that fails runs once more, and
// the first failure is printed all the same: read it, it may be true.
jest.retryTimes(1, { logErrorsBeforeRetry: true });

import { Logger } from '@nestjs/common';
import { STRESS_SEED } from '@atelier/testing';
import { badInput } from './bad-input.e2e.js';
import { httpFiles } from './http-files.e2e.js';
import { killed } from './killed.e2e.js';
import { startPlatform, type Platform } from './platform.js';
import { story } from './story.e2e.js';

/** One platform for all: its start takes longer than most of what is proved here. The order is part of it. */
describe('the platform', () => {
  let platform: Platform;
  const running = () => platform;

  beforeAll(async () => {
    // The reader of facts says that Kafka is away, line by line, while the story does without.
    Logger.overrideLogger(false);
    platform = await startPlatform();
  });
  afterAll(() => platform?.close());

  describe('when it has seen nothing yet, works as the .http files are written', () => httpFiles(running));
  describe('plays the first story, through the gateway', () => story(running));
  describe('refuses bad input, through the gateway', () => badInput(running));
  describe(`reaches the end of the story although a part is killed (STRESS_SEED=${STRESS_SEED})`, () =>
    killed(running));
});

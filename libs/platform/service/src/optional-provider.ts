import type { Abstract } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { UnknownElementException } from '@nestjs/core/errors/exceptions/unknown-element.exception.js';

/** A provider of any module, or undefined where no module has one. */
export function findOptional<T>(modules: ModuleRef, token: Abstract<T>): T | undefined {
  try {
    return modules.get<T>(token, { strict: false });
  } catch (error) {
    if (error instanceof UnknownElementException) return undefined;
    throw error;
  }
}

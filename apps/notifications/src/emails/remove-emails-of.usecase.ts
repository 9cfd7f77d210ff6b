import { UseCase } from '@atelier/service';
import { EmailRepository } from './email.repository.js';

/** Removes the e-mails of a person whose account was deleted (R488). */
@UseCase('notifications.remove-emails-of')
export class RemoveEmailsOf {
  constructor(private readonly emails: EmailRepository) {}

  execute(userId: string): Promise<void> {
    return this.emails.removeAllOf(userId);
  }
}

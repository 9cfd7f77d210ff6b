/**
 * What is left of a person in the books when their account was deleted. Invariants:
 * - the id stays wherever it stands: it is a pseudonym, and hashes of the journal cover it;
 * - nothing else that tells who it was stays: address hash, referral code, references of payout methods;
 * - an erased account begins nothing new; what had begun ends as it would have, and facts are still booked.
 */

/** What stands where a payout method had its reference and its name. */
export const ERASED_REFERENCE = 'erased';

/** Regenerated for all time: no month is ever due again, whatever the clock says. */
export const NO_MONTH_DUE = new Date('9999-12-31T00:00:00.000Z');

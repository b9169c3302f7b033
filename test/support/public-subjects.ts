import { PUBLIC_READ_ENDPOINTS } from '../../src/gateway/read-endpoints.ts';

/** Subjects of all services that clients may ask. */
export const PUBLIC_SUBJECTS: readonly string[] = [
  'dellm.ask',
  'dellm.ask.stream',
  'dellm.accounts.open',
  'dellm.schemas',
  ...PUBLIC_READ_ENDPOINTS.map(({ subject }) => subject),
];

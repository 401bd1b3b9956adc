/** Tokens are listed by age; nothing ever paused a webhook. */
export const LONG_LISTS = [
  'CREATE INDEX tokens_newest ON tokens (created_at DESC, id DESC)',
  'ALTER TABLE webhooks DROP COLUMN active',
];

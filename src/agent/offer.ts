import { z } from 'zod';
import { Tier } from '../events/evolution.ts';
import { Id } from '../events/values.ts';

/**
 * What a device lends, as it announces it. It is foreign input, so it is limited, and invalid parts count as nothing.
 */
const Offer = z.object({
  slots: z.int().min(0).max(256).catch(0),
  tier: Tier.nullable().catch(null),
  /** Where the device is, in its operator's words. Geographic Clusters are named after it. */
  region: Id.nullable().catch(null),
});
export type Offer = z.infer<typeof Offer>;

export function offerOf(info: object): Offer {
  return Offer.parse({ slots: 0, tier: null, region: null, ...info });
}

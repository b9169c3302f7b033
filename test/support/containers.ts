import { getContainerRuntimeClient } from 'testcontainers';

/**
 * Set to `1` where containers are required (in a pipeline): tests without them then fail instead of being
 * skipped.
 */
export const containersRequired = process.env.DELLM_REQUIRE_CONTAINERS === '1';

/** Whether a container engine runs. If not, the reason in one line, for the name of a skipped test. */
export async function probeContainerEngine(): Promise<{
  readonly available: boolean;
  readonly reason: string;
}> {
  try {
    await getContainerRuntimeClient();
    return { available: true, reason: '' };
  } catch (error) {
    const [firstLine = 'unknown reason'] = (error instanceof Error ? error.message : String(error)).split(
      '\n',
    );
    return { available: false, reason: `no container engine: ${firstLine}` };
  }
}

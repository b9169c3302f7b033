/** An address, or several parted by commas, without user and password. */
export function withoutPassword(url: string): string {
  return url.replace(/(^|\/\/)[^/]*@/g, '$1');
}

/** Removes user and password from an address, or from several addresses separated by commas. */
export function withoutPassword(url: string): string {
  return url.replace(/(^|\/\/)[^/]*@/g, '$1');
}

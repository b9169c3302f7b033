import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

/** What nothing can notice: `types` tells the compiler alone what a machine works with. */
export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'compile-time', {
    shouldIgnore({ node, parentPath }) {
      const isTypes = node.type === 'ObjectProperty' && node.key.name === 'types';
      const isSetup = parentPath?.parentPath?.node.callee?.name === 'setup';
      return isTypes && isSetup ? 'for the compiler alone' : undefined;
    },
  }),
];

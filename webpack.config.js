// Builds the page of www/ into dist/. The npm package of js/ is imported as any page would import it, and becomes a
// chunk of its own with its wasm, so that the page can be used before that is here.

import { fileURLToPath } from 'node:url';
import CopyPlugin from 'copy-webpack-plugin';
import HtmlPlugin from 'html-webpack-plugin';
import CssPlugin from 'mini-css-extract-plugin';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default (_env, { mode = 'production' } = {}) => ({
  mode,
  target: ['web', 'es2022'],
  entry: { page: here('www/main.js') },
  output: {
    path: here('dist'),
    clean: true,
    // A hash of the content in the name: such a file never changes, and is kept for good by those who serve it.
    filename: '[name].[contenthash:20].js',
    assetModuleFilename: '[name].[hash:20][ext]',
    publicPath: 'auto',
  },
  // The content policy of the page allows no eval, which the default for development needs.
  devtool: mode === 'development' ? 'source-map' : false,
  module: {
    rules: [{ test: /\.css$/, use: [CssPlugin.loader, { loader: 'css-loader', options: { url: { filter: (url) => !url.startsWith('data:') } } }] }],
  },
  plugins: [
    new HtmlPlugin({ template: here('www/index.html'), scriptLoading: 'defer', minify: false }),
    new CssPlugin({ filename: '[name].[contenthash:20].css' }),
    new CopyPlugin({ patterns: [here('www/icon.svg')] }),
  ],
  // The wasm is the one large file, and is loaded beside the page, not before it.
  performance: { maxEntrypointSize: 250_000, maxAssetSize: 250_000, assetFilter: (name) => !/\.wasm$|\.map$|^peer\./.test(name) },
  ignoreWarnings: [/runtime is part of the initial chunk/],
  stats: 'errors-warnings',
});

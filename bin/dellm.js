#!/usr/bin/env node
// Compiled from src/ by `npm start`, `npm test` and `npm run build`.
import '../dist/cli/main.js';

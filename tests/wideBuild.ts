// For `npm run test:wide`: loaded before the tests, it makes every model of the host's suite run on the wide kernels (Node 22 and newer
// on x64). Not here: what is tested.

import { configure, engineInfo } from "../src/index.js";

configure({ wide: true });
const { wideReason } = await engineInfo();
if (wideReason) throw new Error(`The wide kernels do not run here. ${wideReason}`);

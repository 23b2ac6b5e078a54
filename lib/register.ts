/** `node --import seccomp-ts/register app.js`, or `-r`: locked down before the first line of it. */
import { lockdownAtStart } from './lockdown/preload'

lockdownAtStart()

'use strict'
// Started by the demo under the policy, or without; what is left to see is how it ended.
require('./attacks').int80()

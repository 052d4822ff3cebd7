/** Redis's part of the demo: its two servers, what its load means, and what can be damaged. */
@NullMarked
package dev.eden.demo.redis;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.eden.activities.redis.preflight;

import org.jspecify.annotations.NullMarked;
